//! A stored document outlives its struct (issue 8, fault 3): what was kept by one version of a program is read by the
//! next, whose struct says something else.

use serde_json::{Value, json};

use super::*;
use crate::service::{Protocol, Request};
use crate::value::{Extra, Meta, ResourceId};
use crate::{ScimComplex, ScimEnum};

/// The resource as the first version of the program has it.
mod before {
    use super::*;

    #[derive(Debug, Clone, PartialEq, ScimResource)]
    #[scim(schema = "urn:example:scim:schemas:2.0:License", endpoint = "/Licenses")]
    pub(super) struct License {
        pub(super) id: ResourceId,
        pub(super) meta: Meta,
        pub(super) name: String,
        pub(super) secret: Option<String>,
        pub(super) note: Option<String>,
        pub(super) gone: Option<String>,
        pub(super) state: Option<State>,
        pub(super) holder: Option<Holder>,
        #[scim(extra)]
        pub(super) other: Extra,
    }

    #[derive(Debug, Clone, PartialEq, ScimEnum)]
    pub(super) enum State {
        Open,
        Lost,
    }

    #[derive(Debug, Clone, PartialEq, ScimComplex)]
    pub(super) struct Holder {
        pub(super) name: Option<String>,
        pub(super) phone: Option<String>,
    }
}

/// The same as the next version has it: values that are no longer shown, one that is gone, a variant that is gone.
mod after {
    use super::*;

    #[derive(Debug, Clone, PartialEq, ScimResource)]
    #[scim(schema = "urn:example:scim:schemas:2.0:License", endpoint = "/Licenses")]
    pub(super) struct License {
        pub(super) id: ResourceId,
        pub(super) meta: Meta,
        pub(super) name: String,
        #[scim(returned = "never")]
        pub(super) secret: Option<String>,
        #[scim(returned = "request")]
        pub(super) note: Option<String>,
        pub(super) state: Option<State>,
        pub(super) holder: Option<Holder>,
        #[scim(extra)]
        pub(super) other: Extra,
    }

    #[derive(Debug, Clone, PartialEq, ScimEnum)]
    pub(super) enum State {
        Open,
        Closed,
    }

    #[derive(Debug, Clone, PartialEq, ScimComplex)]
    pub(super) struct Holder {
        pub(super) name: Option<String>,
        #[scim(returned = "never")]
        pub(super) phone: Option<String>,
    }
}

/// And the one after it: with an attribute that every license must have.
mod required {
    use super::*;

    #[derive(Debug, Clone, PartialEq, ScimResource)]
    #[scim(schema = "urn:example:scim:schemas:2.0:License", endpoint = "/Licenses")]
    pub(super) struct License {
        pub(super) id: ResourceId,
        pub(super) meta: Meta,
        pub(super) name: String,
        #[scim(returned = "never")]
        pub(super) secret: Option<String>,
        /// Unique, so that its keys are made when the file is opened.
        #[scim(unique = "server")]
        pub(super) seats: u32,
    }
}

const SECRET: &str = "S3CRET";

/// A file with licenses as the first version of the program has written them.
struct File {
    runtime: Runtime,
    tenant: Arc<String>,
    directory: tempfile::TempDir,
    id: String,
}

impl File {
    fn new() -> Self {
        let file = Self {
            runtime: runtime(),
            tenant: Arc::new(ACME.to_owned()),
            directory: tempfile::tempdir().unwrap(),
            id: TimeOrderedIds.next_id(),
        };
        let license = before::License {
            id: ResourceId::default(),
            meta: Meta::default(),
            name: "Editor".into(),
            secret: Some(SECRET.into()),
            note: Some(SECRET.into()),
            gone: Some(SECRET.into()),
            state: Some(before::State::Lost),
            holder: Some(before::Holder {
                name: Some("Babs".into()),
                phone: Some(SECRET.into()),
            }),
            other: Extra::default(),
        };
        let store = file.open::<before::License>();
        let write = Write::create(&file.tenant, &file.id, license);
        file.runtime.block_on(store.write(write)).unwrap();
        file
    }

    fn open<R: ScimResource>(&self) -> DocumentStore<String> {
        let path = self.directory.path().join("scim.db");
        DocumentStore::open(path)
            .unwrap()
            .resource::<R>()
            .build()
            .unwrap()
    }

    fn serve<R: ScimResource>(&self) -> Protocol<String> {
        Protocol::builder()
            .resource::<R, _>(self.open::<R>())
            .build()
            .unwrap()
    }

    fn ask(&self, protocol: &Protocol<String>, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let mut request = Request::new(method.parse().unwrap(), target);
        if !body.is_null() {
            request = request.with_body(body.to_string());
        }
        let answer = self.runtime.block_on(protocol.handle(&self.tenant, request));
        let body = self.runtime.block_on(answer.body.into_bytes()).unwrap();
        let shown = serde_json::from_slice(&body).unwrap_or_default();
        (answer.status.as_u16(), shown)
    }

    fn path(&self) -> String {
        format!("/Licenses/{}", self.id)
    }
}

fn patch(operation: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]})
}

fn license(more: &Value) -> Value {
    let mut license = json!({"schemas": ["urn:example:scim:schemas:2.0:License"], "name": "Editor"});
    for (name, value) in more.as_object().unwrap() {
        license[name] = value.clone();
    }
    license
}

/// RFC 7643 section 7: what is never returned is not, what is returned on request is not returned without one, and what
/// no schema knows is not shown: by no answer, whatever the document says.
#[test]
fn nothing_is_shown_under_rules_that_hold_no_more() {
    let file = File::new();
    let protocol = file.serve::<after::License>();
    let path = file.path();
    let rename = patch(&json!({"op": "replace", "path": "name", "value": "Viewer"}));
    let same = patch(&json!({"op": "replace", "path": "name", "value": "Editor"}));
    for (method, target, body) in [
        ("GET", path.as_str(), &Value::Null),
        ("GET", "/Licenses", &Value::Null),
        ("GET", "/Licenses?filter=name+eq+%22Editor%22", &Value::Null),
        ("GET", "/Licenses?sortBy=name", &Value::Null),
        ("GET", "/", &Value::Null),
        (
            "GET",
            &format!("{path}?attributes=name,secret,gone,holder"),
            &Value::Null,
        ),
        ("GET", &format!("{path}?excludedAttributes=name"), &Value::Null),
        ("PATCH", &path, &same),
        ("PATCH", &path, &rename),
    ] {
        let (_, shown) = file.ask(&protocol, method, target, body);
        assert!(!shown.to_string().contains(SECRET), "{method} {target}: {shown}");
    }
    let (_, shown) = file.ask(&protocol, "GET", &path, &Value::Null);
    assert_eq!(shown["holder"], json!({"name": "Babs"}));
    let (_, shown) = file.ask(&protocol, "GET", &format!("{path}?attributes=note"), &Value::Null);
    assert_eq!(shown["note"], SECRET, "on request it is shown");
}

/// Whatever does not fit any more is a client's error where it writes, and absent where it reads. Nothing is a 500.
#[test]
fn a_value_that_does_not_fit_any_more_is_named_on_write() {
    let file = File::new();
    let protocol = file.serve::<after::License>();
    let path = file.path();
    assert_eq!(file.ask(&protocol, "GET", &path, &Value::Null).0, 200);
    let rename = patch(&json!({"op": "replace", "path": "name", "value": "Viewer"}));
    let (status, error) = file.ask(&protocol, "PATCH", &path, &rename);
    assert_eq!((status, &error["scimType"]), (400, &json!("invalidValue")));
    assert!(
        error["detail"]
            .as_str()
            .unwrap()
            .starts_with("Attribute state is missing or not valid"),
        "{error}"
    );
    let (status, shown) = file.ask(&protocol, "PUT", &path, &license(&json!({"state": "closed"})));
    assert_eq!((status, &shown["state"]), (200, &json!("closed")), "{shown}");
    assert_eq!(file.ask(&protocol, "PATCH", &path, &rename).0, 200);
    let store = file.open::<after::License>();
    let kept = file
        .runtime
        .block_on(load::<after::License, _, _>(&store, &file.tenant, &file.id));
    let kept = kept.unwrap().unwrap().resource;
    assert_eq!(
        kept.secret.as_deref(),
        Some(SECRET),
        "what is never returned survives a PUT"
    );
}

/// A new required attribute: absent on read, named on write, and given by a PUT.
#[test]
fn a_new_required_attribute_is_absent_until_it_is_given() {
    let file = File::new();
    let protocol = file.serve::<required::License>();
    let path = file.path();
    for target in [
        path.as_str(),
        "/Licenses",
        "/Licenses?filter=seats+gt+3",
        "/Licenses?sortBy=seats",
    ] {
        let (status, shown) = file.ask(&protocol, "GET", target, &Value::Null);
        assert_eq!(status, 200, "{target}: {shown}");
        assert!(
            !shown.to_string().contains("seats") && !shown.to_string().contains(SECRET),
            "{shown}"
        );
    }
    assert_eq!(
        file.ask(
            &protocol,
            "GET",
            "/Licenses?filter=not+(seats+gt+3)",
            &Value::Null
        )
        .1["totalResults"],
        1
    );
    let rename = patch(&json!({"op": "replace", "path": "name", "value": "Viewer"}));
    for (method, body) in [("PATCH", &rename), ("PUT", &license(&json!({})))] {
        let (status, error) = file.ask(&protocol, method, &path, body);
        assert_eq!(
            (status, &error["scimType"]),
            (400, &json!("invalidValue")),
            "{method}"
        );
        assert!(error["detail"].as_str().unwrap().contains("seats"), "{error}");
    }
    let (status, shown) = file.ask(&protocol, "PUT", &path, &license(&json!({"seats": 5})));
    assert_eq!(
        (status, &shown["seats"], &shown["meta"]["version"]),
        (200, &json!(5), &json!("W/\"2\""))
    );
    assert_eq!(file.ask(&protocol, "PATCH", &path, &rename).0, 200);
    assert_eq!(file.ask(&protocol, "DELETE", &path, &Value::Null).0, 204);
}

#[test]
fn what_does_not_fit_any_more_can_be_deleted() {
    let file = File::new();
    let protocol = file.serve::<required::License>();
    assert_eq!(file.ask(&protocol, "DELETE", &file.path(), &Value::Null).0, 204);
    assert_eq!(file.ask(&protocol, "GET", &file.path(), &Value::Null).0, 404);
}

/// An export says of a resource what the schema of today knows of it.
#[test]
fn an_export_leaves_out_what_is_no_attribute_any_more() {
    let file = File::new();
    let store = file.open::<required::License>();
    let mut export = store.export(ACME);
    let mut lines = Vec::new();
    while let Some(chunk) = file.runtime.block_on(export.next()) {
        lines.extend_from_slice(&chunk.unwrap());
    }
    let line: Value = serde_json::from_slice(&lines).unwrap();
    let resource = &line["resource"];
    assert_eq!(
        (&resource["name"], &resource["secret"]),
        (&json!("Editor"), &json!(SECRET))
    );
    assert!(
        resource.get("gone").is_none() && resource.get("state").is_none(),
        "{resource}"
    );
}
