//! The table of `scim::guide::changing_a_resource` is true: what becomes of rows whose struct has changed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use std::sync::Arc;

use scim::service::{Protocol, Request};
use scim::store::database::{Database, Options};
use scim::store::documents::DocumentStore;
use scim::value::{Edges, Meta, Reference, ResourceId};
use scim::{ScimComplex, ScimExtension, ScimResource};
use serde_json::{Value, json};

/// A resource as one version of a program has it, with these attributes beside `serial`.
macro_rules! badge {
    ($version:ident, $urn:literal, { $($(#[$scim:meta])* $name:ident: $kind:ty,)* }) => {
        mod $version {
            use super::*;

            #[derive(Debug, Clone, PartialEq, ScimResource)]
            #[scim(schema = $urn)]
            pub(super) struct Badge {
                id: ResourceId,
                meta: Meta,
                serial: String,
                $($(#[$scim])* $name: $kind,)*
            }
        }
    };
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:2.0:Audit")]
struct Audit {
    auditor: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Door {
    #[scim(key, mutability = "immutable")]
    value: String,
    #[scim(rename = "$ref", reference_types("Badge"), mutability = "immutable")]
    reference: Option<Reference>,
}

const URN: &str = "urn:example:2.0:Badge";

badge!(first, "urn:example:2.0:Badge", {
    zone: Option<String>,
    floor: Option<String>,
    nick: Option<String>,
    opens: Vec<Door>,
    pin: Option<String>,
});
badge!(other_types, "urn:example:2.0:Badge", {
    zone: Vec<String>,
    floor: Option<i64>,
    nick: Option<String>,
});
badge!(renamed, "urn:example:2.0:Badge", {
    #[scim(rename = "area")]
    zone: Option<String>,
});
badge!(unique_nick, "urn:example:2.0:Badge", {
    #[scim(unique = "server")]
    nick: Option<String>,
});
badge!(indexed, "urn:example:2.0:Badge", {
    #[scim(indexed, case_exact)]
    nick: Option<String>,
    #[scim(indexed)]
    floor: Option<String>,
});
badge!(with_edges, "urn:example:2.0:Badge", {
    #[scim(edges)]
    opens: Edges<Door>,
});
badge!(other_urn, "urn:example:3.0:Badge", {
    zone: Option<String>,
});
badge!(extended, "urn:example:2.0:Badge", {
    #[scim(extension)]
    audit: Option<Audit>,
});
badge!(handed_on, "urn:example:2.0:Badge", {
    #[scim(transient, returned = "never")]
    pin: Option<String>,
});

/// A database with badges of the first version.
struct Kept {
    database: Database,
    ids: Vec<String>,
}

impl Kept {
    async fn new() -> Self {
        let database = Database::in_memory(Options::default()).unwrap();
        let protocol = serve::<first::Badge>(&database).unwrap();
        let mut ids = Vec::new();
        for serial in ["A-1", "A-2"] {
            let badge = json!({
                "schemas": [URN], "serial": serial, "zone": "lab", "floor": "three", "nick": "Red", "pin": "S3CRET",
                "opens": [{"value": "7"}],
            });
            let (status, created) = ask(&protocol, "POST", "/Badges", &badge).await;
            assert_eq!(status, 201, "{created}");
            ids.push(created["id"].as_str().unwrap().to_owned());
        }
        Self { database, ids }
    }

    async fn get<R: ScimResource>(&self) -> (Protocol<()>, Value) {
        let protocol = serve::<R>(&self.database).unwrap();
        let (status, shown) = ask(
            &protocol,
            "GET",
            &format!("/Badges/{}", self.ids[0]),
            &Value::Null,
        )
        .await;
        assert_eq!(status, 200, "{shown}");
        (protocol, shown)
    }
}

fn serve<R: ScimResource>(database: &Database) -> scim::Result<Protocol<()>> {
    let store = DocumentStore::on(database.clone()).resource::<R>().build()?;
    Protocol::builder().resource::<R, _>(store).build()
}

async fn ask(protocol: &Protocol<()>, method: &str, target: &str, body: &Value) -> (u16, Value) {
    let mut request = Request::new(method.parse().unwrap(), target);
    if !body.is_null() {
        request = request.with_body(body.to_string());
    }
    let answer = protocol.handle(&Arc::new(()), request).await;
    let body = answer.body.into_bytes().await.unwrap();
    (
        answer.status.as_u16(),
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

fn patch(operation: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

async fn found(protocol: &Protocol<()>, filter: &str) -> Value {
    let target = format!(
        "/Badges?filter={}",
        filter.replace(' ', "%20").replace('"', "%22")
    );
    ask(protocol, "GET", &target, &Value::Null).await.1["totalResults"].clone()
}

/// An attribute of another type is absent where the value does not fit, and nothing else is lost.
#[tokio::test]
async fn a_value_of_another_type_is_absent() {
    let kept = Kept::new().await;
    let (protocol, shown) = kept.get::<other_types::Badge>().await;
    assert_eq!((&shown["serial"], &shown["nick"]), (&json!("A-1"), &json!("Red")));
    assert!(
        shown.get("floor").is_none() && shown.get("zone").is_none(),
        "{shown}"
    );
    let rename = patch(&json!({"op": "replace", "path": "serial", "value": "A-9"}));
    let path = format!("/Badges/{}", kept.ids[0]);
    let (status, error) = ask(&protocol, "PATCH", &path, &rename).await;
    assert_eq!(
        (status, &error["scimType"]),
        (400, &json!("invalidValue")),
        "{error}"
    );
    let whole = json!({"schemas": [URN], "serial": "A-9", "zone": ["lab"], "floor": 3});
    let (status, shown) = ask(&protocol, "PUT", &path, &whole).await;
    assert_eq!((status, &shown["floor"]), (200, &json!(3)));
    assert_eq!(
        ask(&protocol, "PATCH", &path, &rename).await.0,
        200,
        "after a PUT it is as any other"
    );
}

/// Another name is another attribute.
#[tokio::test]
async fn a_renamed_attribute_begins_empty() {
    let kept = Kept::new().await;
    let (_, shown) = kept.get::<renamed::Badge>().await;
    assert!(
        shown.get("area").is_none() && shown.get("zone").is_none(),
        "{shown}"
    );
    let (_, shown) = kept.get::<first::Badge>().await;
    assert_eq!(
        shown["zone"], "lab",
        "what was not written since is there as before"
    );
}

/// Keys are made when the store is opened, also those that hold uniqueness.
#[tokio::test]
async fn keys_are_made_when_the_store_is_opened() {
    let kept = Kept::new().await;
    let (protocol, _) = kept.get::<indexed::Badge>().await;
    assert_eq!(found(&protocol, r#"nick eq "Red""#).await, 2);
    assert_eq!(found(&protocol, r#"nick eq "red""#).await, 0, "case counts now");
    assert_eq!(found(&protocol, r#"floor eq "THREE""#).await, 2);

    let error = serve::<unique_nick::Badge>(&kept.database).err().unwrap();
    assert!(error.to_string().contains("must be unique"), "{error}");
}

/// Values in a document do not become rows.
#[tokio::test]
async fn values_do_not_become_edges() {
    let kept = Kept::new().await;
    let (_, shown) = kept.get::<with_edges::Badge>().await;
    assert_eq!(shown["serial"], "A-1");
    assert!(shown.get("opens").is_none(), "{shown}");
}

/// A type is known by its name: another URN is shown at once.
#[tokio::test]
async fn another_urn_is_shown_at_once() {
    let kept = Kept::new().await;
    let (_, shown) = kept.get::<other_urn::Badge>().await;
    assert_eq!(shown["schemas"], json!(["urn:example:3.0:Badge"]));
    assert_eq!(shown["zone"], "lab");
}

/// An extension is one more attribute.
#[tokio::test]
async fn an_extension_can_be_added() {
    let kept = Kept::new().await;
    let (protocol, shown) = kept.get::<extended::Badge>().await;
    assert_eq!(shown["schemas"], json!([URN]));
    let add = patch(&json!({"op": "add", "path": "urn:example:2.0:Audit:auditor", "value": "Babs"}));
    let (status, shown) = ask(&protocol, "PATCH", &format!("/Badges/{}", kept.ids[0]), &add).await;
    assert_eq!(
        (status, &shown["urn:example:2.0:Audit"]["auditor"]),
        (200, &json!("Babs"))
    );
}

/// Whatever is handed on from now on is shown by no answer.
#[tokio::test]
async fn a_value_that_is_not_kept_any_more_is_not_shown() {
    let kept = Kept::new().await;
    let (_, shown) = kept.get::<handed_on::Badge>().await;
    assert!(!shown.to_string().contains("S3CRET"), "{shown}");
}
