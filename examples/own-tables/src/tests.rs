//! An application gets for its columns: identity providers that stay in step with it, and the rules of every store.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use axum::body::{Body, to_bytes};
use axum::http::Request;
use scim::testkit::Tenant;
use scim::testkit::contract::{Contract, Sample, rules};
use scim::testkit::simulate::{Dialect as Provider, Misbehaviour, Script, Simulation, Through};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;

fn directory() -> (Directory, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (
        Directory::open(folder.path().join("own-tables.sqlite")).unwrap(),
        folder,
    )
}

/// Runs the provider over a rough network: at the end, the tables hold what they must.
async fn is_in_step(provider: Provider) {
    let kept: Vec<_> = people().kept::<User>().names();
    let kept = kept.into_iter().chain(teams(&people()).kept::<Group>().names());
    let kept = kept.chain(["emails[work].value".to_owned()]);
    let (directory, _folder) = directory();
    let file = directory.file.clone();
    let app = app(directory).unwrap();
    let script = Script::seeded(7).people(60).groups(8).changes(200);
    let report = Simulation::new(provider, script)
        .keeping(kept)
        .over(Misbehaviour::rough())
        .run(&mut Through::new(app, "http://id.example.com/scim/acme/v2"))
        .await;
    assert!(report.is_success(), "{report}");
    assert!(report.request_count() > 200, "{report}");
    let count = "SELECT count(*) FROM people WHERE login IS NOT NULL AND email IS NOT NULL";
    let people: i64 = Connection::open(file)
        .unwrap()
        .query_row(count, [], |row| row.get(0))
        .unwrap();
    assert!(people > 20, "{people} people with an address in the tables");
}

#[tokio::test]
async fn okta_is_in_step() {
    is_in_step(Provider::Okta).await;
}

#[tokio::test]
async fn okta_of_the_network_is_in_step() {
    is_in_step(Provider::OktaOin).await;
}

#[tokio::test]
async fn entra_is_in_step() {
    is_in_step(Provider::Entra).await;
}

#[tokio::test]
async fn compliant_entra_is_in_step() {
    is_in_step(Provider::EntraCompliant).await;
}

/// Returns the rules of every store, for what the columns hold: one address, no times, and teams of people alone.
fn contract() -> Contract<Table<Directory, Tenant>, Tenant> {
    let folders = Mutex::new(Vec::new());
    let make = move || {
        let (directory, folder) = directory();
        folders.lock().unwrap().push(folder);
        std::future::ready(table(directory))
    };
    let tenant = |name: &'static str| move || Tenant::new(name);
    let users = Sample::<User>::users().keeping(people().kept::<User>());
    let groups = Sample::<Group>::groups().keeping(teams(&people()).kept::<Group>());
    Contract::of_tenants(make, tenant("acme"), tenant("globex"))
        .resource(users.with_one_value_of(&["emails"]).without_times())
        .resource(groups.without_times())
        .link(Group::paths().members(), User::paths().groups())
}

/// Names the one rule that is skipped: the tables have nothing for teams in teams.
const OF_NESTED_TEAMS: &str = "resources_of_one_type_can_be_nested";

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_keep_the_rules_of_a_store() {
    let contract = contract();
    for rule in rules().filter(|rule| rule.name() != OF_NESTED_TEAMS) {
        let violations = contract.check(rule.name()).await.unwrap_or_default();
        assert!(violations.is_empty(), "{}", violations[0]);
    }
}

async fn ask(app: &axum::Router, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "id.example.com");
    let request = request.header("content-type", "application/scim+json");
    let response = app
        .clone()
        .oneshot(request.body(Body::from(body.to_string())).unwrap())
        .await
        .unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// RFC 7643 section 7: `/Schemas` lists what the columns hold, and nothing else.
#[tokio::test]
async fn the_schema_follows_from_the_columns() {
    let (directory, _folder) = directory();
    let app = app(directory).unwrap();
    let path = "/scim/acme/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:User";
    let (_, schema) = ask(&app, "GET", path, Value::Null).await;
    let names = schema["attributes"].as_array().unwrap().iter();
    let names: Vec<_> = names
        .map(|attribute| attribute["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["userName", "name", "displayName", "active", "emails", "groups"]
    );
}

/// An organization is in the path: it shares the tables with others, and nothing in them. Of several addresses, the one
/// for which there is a column is kept, and its type is shown though no column holds it.
#[tokio::test]
async fn organizations_share_tables_and_nothing_else() {
    let (directory, _folder) = directory();
    let app = app(directory).unwrap();
    let emails =
        json!([{"value": "b@home.example", "type": "home"}, {"value": "b@acme.example", "type": "work"}]);
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
    let babs = json!({"schemas": schemas, "userName": "babs", "title": "Guide", "emails": emails});
    for org in ["acme", "globex"] {
        let (status, created) = ask(&app, "POST", &format!("/scim/{org}/v2/Users"), babs.clone()).await;
        assert_eq!((status, created.get("title")), (201, None), "{created}");
        assert_eq!(
            created["emails"],
            json!([{"value": "b@acme.example", "type": "work"}])
        );
    }
    assert_eq!(
        ask(&app, "GET", "/scim/acme/v2/Users/p1", Value::Null).await.0,
        200
    );
    assert_eq!(
        ask(&app, "GET", "/scim/globex/v2/Users/p1", Value::Null).await.0,
        404
    );
    let work =
        "/scim/acme/v2/Users?filter=emails%5Btype%20eq%20%22work%22%20and%20value%20co%20%22ACME%22%5D";
    assert_eq!(ask(&app, "GET", work, Value::Null).await.1["totalResults"], 1);
}
