//! The resources behind a protocol, in memory and in SQLite.

use std::sync::Arc;

use http::Method;
use scim::ScimResource;
use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::schema::ResourceType;
use scim::service::{Protocol, Request};
use scim::store::Memory;
use scim::store::documents::DocumentStore;
use serde_json::{Value, json};

use crate::resource::{Locker, document};

/// The resource types of the tests.
pub(crate) const TYPES: [&ResourceType; 3] =
    [User::RESOURCE_TYPE, Group::RESOURCE_TYPE, Locker::RESOURCE_TYPE];

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    protocol: Protocol<()>,
    runtime: tokio::runtime::Runtime,
    made: std::cell::Cell<usize>,
    /// People whom groups can have as members.
    pub(crate) ids: Vec<String>,
}

impl Peer {
    pub(crate) fn in_memory(policy: Policy) -> Self {
        let store = Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()));
        let protocol = Protocol::builder()
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store)
            .resource::<Locker, _>(Memory::new());
        Self::of("memory", protocol.policy(policy).build().unwrap())
    }

    pub(crate) fn in_sqlite(policy: Policy) -> Self {
        let store = DocumentStore::in_memory()
            .unwrap()
            .resource::<User>()
            .resource::<Group>()
            .resource::<Locker>()
            .link(Group::paths().members(), User::paths().groups())
            .build()
            .unwrap();
        let protocol = Protocol::builder()
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store.clone())
            .resource::<Locker, _>(store);
        Self::of("SQLite", protocol.policy(policy).build().unwrap())
    }

    fn of(name: &'static str, protocol: Protocol<()>) -> Self {
        let mut peer = Self {
            name,
            protocol,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            made: 0.into(),
            ids: Vec::new(),
        };
        peer.ids = (0..3)
            .map(|number| {
                let person = json!({"schemas": [User::RESOURCE_TYPE.schema.id], "userName": format!("person-{number}")});
                let (status, made) = peer.ask(Method::POST, "/Users", Some(&person));
                assert_eq!(status, 201, "{made}");
                made["id"].as_str().unwrap().to_owned()
            })
            .collect();
        peer
    }

    pub(crate) fn ask(&self, method: Method, target: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = Request::new(method, target);
        if let Some(body) = body {
            request = request.with_body(body.to_string());
        }
        self.runtime.block_on(async {
            let answer = self.protocol.handle(&().into(), request).await;
            let bytes = answer.body.into_bytes().await.unwrap();
            (
                answer.status.as_u16(),
                serde_json::from_slice(&bytes).unwrap_or_default(),
            )
        })
    }

    /// Makes a resource with values everywhere. Returns its URL, what was sent, and what a GET shows.
    pub(crate) fn make(&self, resource_type: &'static ResourceType) -> (String, Value, Value) {
        self.made.set(self.made.get() + 1);
        let sent = document(resource_type, &self.ids, self.made.get());
        let (status, made) = self.ask(Method::POST, resource_type.endpoint, Some(&sent));
        assert_eq!(status, 201, "{made}");
        let target = format!("{}/{}", resource_type.endpoint, made["id"].as_str().unwrap());
        let shown = self.get(&target);
        (target, sent, shown)
    }

    pub(crate) fn get(&self, target: &str) -> Value {
        let (status, shown) = self.ask(Method::GET, target, None);
        assert_eq!(status, 200, "{shown}");
        shown
    }

    pub(crate) fn patch(&self, target: &str, operation: &Value) -> (u16, Value) {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [operation],
        });
        self.ask(Method::PATCH, target, Some(&body))
    }
}
