//! `conflict`: what a provider could not do because of something here, in one inbox.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

mod program;

use program::{Place, Server};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn person(name: &str, external_id: &str) -> Value {
    json!({ "schemas": [USER], "userName": name, "externalId": external_id, "password": "hunter2" })
}

/// Returns the entries of the inbox as kind, name and count, the last first.
fn inbox(place: &Place, state: &str) -> Vec<(String, String, u64)> {
    let listed = place.json(&["conflict", "list", "acme", "--state", state]);
    let conflicts = listed["conflicts"].as_array().unwrap();
    let text = |conflict: &Value, key: &str| conflict[key].as_str().unwrap().to_owned();
    conflicts
        .iter()
        .map(|conflict| {
            let count = conflict["count"].as_u64().unwrap();
            (text(conflict, "kind"), text(conflict, "name"), count)
        })
        .collect()
}

fn entry(kind: &str, name: &str, count: u64) -> (String, String, u64) {
    (kind.to_owned(), name.to_owned(), count)
}

fn refused(server: &Server, token: &str, path: &str, body: &Value, status: u16) {
    let answer = server.acme(token, "POST", path, body);
    assert_eq!(answer.status, status, "{answer:?}");
}

/// Feature row 99: what goes wrong is one entry for each person or group, with its remedy, until it goes well.
#[test]
fn conflicts_are_listed_until_they_are_resolved() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme", "--policy", "strict"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    place.execute(
        "INSERT INTO account (org, id, managed_by, name, name_key, display, state, created, changed)
         SELECT id, x'01', 'hand', 'boss@example.com', 'boss@example.com', 'Boss', 'active', 0, 0 FROM organization
         WHERE name = 'acme'",
    );
    place.execute("UPDATE account SET id = x'00000000000070008000000000000001'");
    place.execute("INSERT INTO sign_in_name (org, name, account) SELECT org, name_key, id FROM account");
    let server = place.serve(&[]);
    let created = server.acme(
        &token,
        "POST",
        "/Users",
        &json!({ "schemas": [USER], "userName": "ann@example.com", "externalId": "1" }),
    );
    assert_eq!(created.status, 201, "{created:?}");
    let ann = created.body["id"].as_str().unwrap();
    let user = |name: &str, id: &str| json!({ "schemas": [USER], "userName": name, "externalId": id });
    refused(&server, &token, "/Users", &user("boss@example.com", "2"), 409);
    refused(&server, &token, "/Users", &user("Ann@example.com", "3"), 409);
    refused(&server, &token, "/Users", &user("Ann@example.com", "3"), 409);
    refused(&server, &token, "/Users", &user("jdoe", "4"), 400);
    let members = json!([{ "value": "11111111-2222-4333-8444-555555555555" }]);
    let crew = json!({ "schemas": [GROUP], "displayName": "Crew", "members": members });
    refused(&server, &token, "/Groups", &crew, 400);
    let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "userName", "value": "annie" }] });
    assert_eq!(
        server
            .acme(&token, "PATCH", &format!("/Users/{ann}"), &patch)
            .status,
        400
    );
    server.terminate();

    assert_eq!(
        inbox(&place, "open"),
        [
            entry("refused-value", ann, 1),
            entry("unknown-member", "Crew", 1),
            entry("refused-value", "jdoe", 1),
            entry("duplicate-name", "Ann@example.com", 2),
            entry("manual-account", "boss@example.com", 1),
        ]
    );
    let listed = place.json(&["conflict", "list", "acme"]);
    let manual = &listed["conflicts"][4];
    assert_eq!(manual["account"], "00000000-0000-7000-8000-000000000001");
    assert_eq!(manual["external_id"], "2");
    assert!(
        manual["remedy"]
            .as_str()
            .unwrap()
            .contains("let the provider adopt it")
    );
    assert!(
        listed["conflicts"][2]["detail"]
            .as_str()
            .unwrap()
            .contains("e-mail")
    );
    // The entry leads to the last request.
    let id = manual["id"].as_str().unwrap();
    let shown = place.json(&["conflict", "show", "acme", id]);
    let request = place.json(&["history", "show", "acme", shown["request"].as_str().unwrap()]);
    assert_eq!(request["status"], 409);

    // One is put aside, three go well: by the provider's id, by the name, and by the id here.
    assert_eq!(
        place.json(&["conflict", "ignore", "acme", id])["state"],
        "ignored"
    );
    let audit = place.json(&["audit", "list", "acme"]);
    assert_eq!(audit["changes"][0]["action"], "conflict.ignore");
    let server = place.serve(&[]);
    refused(&server, &token, "/Users", &user("boss@example.com", "2"), 409);
    refused(&server, &token, "/Users", &user("jdoe@example.com", "4"), 201);
    refused(
        &server,
        &token,
        "/Groups",
        &json!({ "schemas": [GROUP], "displayName": "crew" }),
        201,
    );
    // It is so already: nothing is changed, and nothing is wrong any more.
    let patch = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "externalId", "value": "1" }] });
    assert_eq!(
        server
            .acme(&token, "PATCH", &format!("/Users/{ann}"), &patch)
            .status,
        200
    );
    server.terminate();
    assert_eq!(
        inbox(&place, "open"),
        [entry("duplicate-name", "Ann@example.com", 2)]
    );
    assert_eq!(
        inbox(&place, "ignored"),
        [entry("manual-account", "boss@example.com", 2)]
    );
    assert_eq!(inbox(&place, "resolved").len(), 3);
    // The decision is taken back, and nothing is decided of what is over.
    let again = ["conflict", "reopen", "acme", id];
    assert_eq!(place.json(&again)["state"], "open");
    assert!(
        place.refusal(&again).1["detail"]
            .as_str()
            .unwrap()
            .contains("is open")
    );
    let audit = place.json(&["audit", "list", "acme"]);
    assert_eq!(audit["changes"][0]["action"], "conflict.reopen");
    let over = place.json(&["conflict", "list", "acme", "--state", "resolved"]);
    let over = over["conflicts"][0]["id"].as_str().unwrap();
    let (_, refusal) = place.refusal(&["conflict", "ignore", "acme", over]);
    assert!(refusal["detail"].as_str().unwrap().contains("resolved already"));
    // Page by page.
    let first = place.json(&["conflict", "list", "acme", "--limit", "1"]);
    let next = first["next"].as_str().unwrap();
    let second = place.json(&["conflict", "list", "acme", "--limit", "1", "--after", next]);
    assert_ne!(first["conflicts"][0]["id"], second["conflicts"][0]["id"]);
    let next = second["next"].as_str().unwrap();
    let end = place.json(&["conflict", "list", "acme", "--limit", "1", "--after", next]);
    assert_eq!((&end["conflicts"], &end["next"]), (&json!([]), &Value::Null));
    let (code, refusal) = place.refusal(&[
        "conflict",
        "ignore",
        "acme",
        "00000000-0000-7000-8000-000000000002",
    ]);
    assert_eq!((code, &refusal["error"]), (1, &json!("not_found")));
}

/// Feature rows 99, 85: an entry has no secret of the request that it tells of.
#[test]
fn a_conflict_has_no_secret() {
    let place = Place::new();
    let token = place.json(&["org", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    refused(&server, &token, "/Users", &person("ann@example.com", "1"), 201);
    refused(&server, &token, "/Users", &person("ann@example.com", &token), 409);
    refused(&server, &token, "/Users", &person(&token, "2"), 400);
    server.terminate();
    let listed = place.json(&["conflict", "list", "acme"]).to_string();
    assert!(
        listed.contains("duplicate-name") && listed.contains("refused-value"),
        "{listed}"
    );
    assert!(
        !listed.contains(&token[6..]) && !listed.contains("hunter2"),
        "{listed}"
    );
}
