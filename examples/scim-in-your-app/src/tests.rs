//! The example as identity providers, auditors and strangers meet it, in this process.

use std::io::{self, Write};
use std::sync::Mutex as Lock;

use axum::body::Body;
use http::Method;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::BodyExt;
use scim::testkit::simulate::{Dialect, Misbehaviour, Script, Simulation, Through};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;

const ACME: (&str, &str) = ("acme.localhost:3000", "okta-of-acme");
const GLOBEX: (&str, &str) = ("globex.localhost:3000", "entra-of-globex");

fn start(app: App) -> (Arc<App>, Router) {
    let app = Arc::new(app);
    let store = store(DocumentStore::in_memory().unwrap()).unwrap();
    let router = router(Arc::clone(&app), service(&app, store).unwrap());
    (app, router)
}

async fn send(
    router: &Router,
    (host, token): (&str, &str),
    method: Method,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    let (status, _, body) = send_for_id(router, (host, token), method, path, body).await;
    (status, body)
}

/// Sends a request like `send`, and returns the id of the request, too.
async fn send_for_id(
    router: &Router,
    (host, token): (&str, &str),
    method: Method,
    path: &str,
    body: Value,
) -> (StatusCode, String, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, host)
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        });
    let response = router.clone().oneshot(request.unwrap()).await.unwrap();
    let status = response.status();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, id, serde_json::from_slice(&body).unwrap_or_default())
}

fn babs() -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "babs@Example.com"})
}

async fn is_in_step(dialect: Dialect) {
    let (app, router) = start(demo());
    let bearer = HeaderValue::from_static("Bearer okta-of-acme");
    let mut acme =
        Through::new(router.clone(), "http://acme.localhost:3000/scim/v2").with_header(AUTHORIZATION, bearer);
    let report = Simulation::new(dialect, Script::seeded(7).people(60).groups(8).changes(200))
        .over(Misbehaviour::rough())
        .run(&mut acme)
        .await;
    assert!(report.is_success(), "{report}");
    assert!(
        app.mails.lock().await.len() >= 60,
        "everybody who is new gets mail"
    );
    let (_, list) = send(&router, GLOBEX, Method::GET, "/scim/v2/Users", Value::Null).await;
    assert_eq!(list["totalResults"], 0, "nobody of acme is a person of globex");
}

/// The whole of it works for Okta, over a network that loses, repeats and delays.
#[tokio::test]
async fn okta_is_in_step() {
    is_in_step(Dialect::Okta).await;
}

/// The same for Entra ID with its own idea of PATCH.
#[tokio::test]
async fn entra_is_in_step() {
    is_in_step(Dialect::Entra).await;
}

/// A rule refuses a POST and a PATCH alike, and the error names the attribute (RFC 7644 section 3.12).
#[tokio::test]
async fn a_rule_refuses_and_names_the_attribute() {
    let (app, router) = start(demo());
    let stranger =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve@example.net"});
    let (status, error) = send(&router, ACME, Method::POST, "/scim/v2/Users", stranger).await;
    assert_eq!(status, 400);
    assert_eq!(error["scimType"], "invalidValue");
    assert_eq!(
        error["detail"],
        "Attribute userName must be an address at example.com."
    );

    let (_, created) = send(&router, ACME, Method::POST, "/scim/v2/Users", babs()).await;
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "userName", "value": "babs@example.net"}],
    });
    let path = format!("/scim/v2/Users/{}", created["id"].as_str().unwrap());
    let (status, _) = send(&router, ACME, Method::PATCH, &path, patch).await;
    assert_eq!(status, 400);
    assert_eq!(
        *app.mails.lock().await,
        ["babs@Example.com: welcome!"],
        "what is refused did not happen"
    );
}

/// Events come after the commit: one mail for who is new, no session for who was deactivated or deleted.
#[tokio::test]
async fn events_send_mail_and_end_sessions() {
    let (app, router) = start(demo());
    let (_, created) = send(&router, ACME, Method::POST, "/scim/v2/Users", babs()).await;
    assert_eq!(*app.mails.lock().await, ["babs@Example.com: welcome!"]);

    let id = created["id"].as_str().unwrap();
    let path = format!("/scim/v2/Users/{id}");
    let session = ("acme".to_owned(), id.to_owned());
    let patch = |name: &str, value: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": name, "value": value}],
        })
    };
    app.sessions.lock().await.insert(session.clone());
    send(
        &router,
        ACME,
        Method::PATCH,
        &path,
        patch("title", json!("Guide")),
    )
    .await;
    assert!(
        app.sessions.lock().await.contains(&session),
        "a new title ends no session"
    );
    send(&router, ACME, Method::PATCH, &path, patch("active", json!(false))).await;
    assert!(app.sessions.lock().await.is_empty());

    app.sessions.lock().await.insert(session);
    send(&router, ACME, Method::DELETE, &path, Value::Null).await;
    assert!(app.sessions.lock().await.is_empty());
    assert_eq!(app.mails.lock().await.len(), 1);
}

/// RFC 7644 section 6: tenants share a server and nothing else.
#[tokio::test]
async fn a_foreign_tenant_sees_nothing() {
    let (_, router) = start(demo());
    let (_, created) = send(&router, ACME, Method::POST, "/scim/v2/Users", babs()).await;
    let path = format!("/scim/v2/Users/{}", created["id"].as_str().unwrap());
    let (status, _) = send(&router, GLOBEX, Method::GET, &path, Value::Null).await;
    assert_eq!(status, 404);
    let (status, _) = send(&router, (ACME.0, GLOBEX.1), Method::GET, &path, Value::Null).await;
    assert_eq!(status, 404, "a token is good at the hosts of its companies alone");

    // The token of the auditor is good at both: the host says which company is meant.
    let found = async |host| {
        send(
            &router,
            (host, "auditor"),
            Method::GET,
            "/scim/v2/Users",
            Value::Null,
        )
        .await
        .1
    };
    assert_eq!(found(ACME.0).await["totalResults"], 1);
    assert_eq!(found(GLOBEX.0).await["totalResults"], 0);
}

/// A client that may only read is told so, in the words of the app (RFC 7644 section 3.12: 403).
#[tokio::test]
async fn an_auditor_reads_and_does_not_write() {
    let (_, router) = start(demo());
    let auditor = (ACME.0, "auditor");
    let (status, error) = send(&router, auditor, Method::POST, "/scim/v2/Users", babs()).await;
    assert_eq!(status, 403);
    assert_eq!(
        error["detail"],
        "This token only reads. Settings > Provisioning has one that may write."
    );
    let (status, _) = send(&router, auditor, Method::GET, "/scim/v2/Users", Value::Null).await;
    assert_eq!(status, 200);
}

/// The app's own extension and the enterprise extension stand side by side (RFC 7643 section 3.3).
#[tokio::test]
async fn both_extensions_are_kept_and_found() {
    let (_, router) = start(demo());
    let (enterprise, own) = (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:example:deskplan:2.0:User",
    );
    let person = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise, own],
        "userName": "babs@example.com",
        enterprise: {"department": "Tours"},
        own: {"floor": 3, "desk": "W-17"},
    });
    let (status, created) = send(&router, ACME, Method::POST, "/scim/v2/Users", person).await;
    assert_eq!(status, 201);
    assert_eq!(
        (&created[enterprise]["department"], &created[own]["desk"]),
        (&json!("Tours"), &json!("W-17"))
    );
    let found = "/scim/v2/Users?filter=urn:example:deskplan:2.0:User:floor%20gt%202";
    let (_, list) = send(&router, ACME, Method::GET, found, Value::Null).await;
    assert_eq!(list["Resources"][0]["id"], created["id"]);
}

/// Lines that are logged, for a test to read.
#[derive(Clone, Default)]
struct Lines(Arc<Lock<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The cause of a 500 is in the log, with the id of the request, and not in the answer.
#[tokio::test]
async fn a_cause_is_logged_with_the_id_of_the_request() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .finish();
    let _listening = tracing::subscriber::set_default(subscriber);

    let mut app = demo();
    app.domains.remove("acme");
    let (_, router) = start(app);
    let (status, id, error) = send_for_id(&router, ACME, Method::POST, "/scim/v2/Users", babs()).await;
    assert_eq!(status, 500);
    assert_eq!(
        error["detail"],
        "Deskplan failed. Tell support the X-Request-Id of this answer."
    );
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let line = text.lines().find(|line| line.contains("acme has no mail domain"));
    assert!(
        line.is_some_and(|line| line.contains(&id) && line.contains("ERROR")),
        "{text}"
    );
}

/// The app is what it was: its layer guards its routes and the new ones.
#[tokio::test]
async fn the_routes_of_the_app_are_as_they_were() {
    let (_, router) = start(demo());
    let (status, _) = send(&router, ACME, Method::GET, "/signed-in", Value::Null).await;
    assert_eq!(status, 200);
    for path in ["/signed-in", "/scim/v2/Users"] {
        let (status, _) = send(&router, (ACME.0, "guessed"), Method::GET, path, Value::Null).await;
        assert_eq!(status, 401);
    }
}
