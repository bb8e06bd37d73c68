//! A plain read parses no JSON: what a store keeps is what it shows. Alone in its binary, because the counter is the
//! process's.

use scim::resources::{Group, User};
use scim::service::{Protocol, Request};
use scim::store::Memory;
use scim::value::json::parse_count;

#[tokio::test]
async fn a_plain_read_parses_nothing() {
    let store = Memory::new().link(Group::paths().members(), User::paths().groups());
    let store = std::sync::Arc::new(store);
    let protocol = Protocol::builder()
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .build()
        .unwrap();
    let body = r#"{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bjensen"}"#;
    let create = Request::new(http::Method::POST, "/Users").with_body(body);
    let before = parse_count();
    let created = protocol.handle(&().into(), create).await;
    assert_eq!(created.status, 201);
    assert!(parse_count() > before, "the counter counts");
    let location = created.headers["location"].to_str().unwrap();
    let path = location.strip_prefix("http://localhost").unwrap();
    let before = parse_count();
    for target in [
        path,
        &format!("{path}?attributes=userName"),
        &format!("{path}?excludedAttributes=groups"),
        "/Users",
        "/Users?filter=userName+eq+%22bjensen%22",
        "/Users?sortBy=userName",
        "/",
    ] {
        let answer = protocol.handle(&().into(), Request::get(target)).await;
        assert_eq!(answer.status, 200, "{target}");
        answer.body.into_bytes().await.unwrap();
        assert_eq!(parse_count(), before, "{target}");
    }
}
