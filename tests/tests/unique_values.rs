//! RFC 7643 section 7: what must be unique is, whatever its type, in every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use std::sync::Arc;

use http::Method;
use scim::ScimResource;
use scim::service::{Protocol, Request};
use scim::store::documents::DocumentStore;
use scim::store::{Memory, Store};
use scim::value::{Binary, DateTime, Meta, Reference, ResourceId};
use serde_json::{Value, json};

/// A resource of which no value may occur twice.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Seal", endpoint = "/Seals")]
struct Seal {
    id: ResourceId,
    meta: Meta,
    #[scim(unique = "server")]
    label: Option<String>,
    #[scim(unique = "server", case_exact)]
    code: Option<String>,
    #[scim(unique = "server")]
    number: Option<i64>,
    #[scim(unique = "server")]
    weight: Option<f64>,
    #[scim(unique = "server")]
    made: Option<DateTime>,
    #[scim(unique = "server")]
    print: Option<Binary>,
    #[scim(unique = "server", reference_types("Seal"))]
    place: Option<Reference>,
    #[scim(unique = "server")]
    words: Vec<String>,
}

/// Returns, for each attribute, its name, a value of it, the same written in another way, and another value.
fn values() -> Vec<(&'static str, Value, Value, Value)> {
    vec![
        ("label", json!("a"), json!("A"), json!("b")),
        ("code", json!("a"), json!("a"), json!("A")),
        ("number", json!(1), json!(1), json!(2)),
        ("weight", json!(0.0), json!(-0.0), json!(0.5)),
        (
            "made",
            json!("2026-01-31T08:00:00Z"),
            json!("2026-01-31T09:00:00+01:00"),
            json!("2026-01-31T08:00:01Z"),
        ),
        ("print", json!("AAAA"), json!("AAAA"), json!("AAA=")),
        (
            "place",
            json!("Seals/1"),
            json!("http://localhost/v2/Seals/1"),
            json!("https://elsewhere.example.com/Seals/1"),
        ),
        ("words", json!(["a", "b"]), json!(["c", "B"]), json!(["d"])),
    ]
}

async fn create<S>(store: Arc<S>)
where
    Arc<S>: Store<Seal, ()>,
{
    let protocol = Protocol::builder().resource::<Seal, _>(store).build().unwrap();
    for (attribute, first, again, other) in values() {
        for (value, status) in [(first, 201), (again, 409), (other, 201)] {
            let body = json!({"schemas": [Seal::RESOURCE_TYPE.schema.id], attribute: value});
            let request = Request::new(Method::POST, "/Seals").with_body(body.to_string());
            let answer = protocol.handle(&().into(), request).await;
            assert_eq!(answer.status, status, "{body}");
        }
    }
}

#[tokio::test]
async fn values_are_unique_in_memory() {
    create(Arc::new(Memory::new())).await;
}

#[tokio::test]
async fn values_are_unique_in_sqlite() {
    let store = DocumentStore::in_memory()
        .unwrap()
        .resource::<Seal>()
        .build()
        .unwrap();
    create(Arc::new(store)).await;
}
