//! The demands of RFC 7644 on a service, over `Protocol` and over the tower service around it, with the store in memory.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of these tests are tests, too: they end where something fails"
)]

mod bodies;
mod conditional;
mod contexts;
mod discovery;
mod errors;
mod hooks;
mod interop_profile;
mod limits;
mod lists;
mod mounting;
mod references;
mod resources;
mod seams;
mod shown_errors;
mod sorting;
mod wording;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::service::{Builder, Outcome, Plain, Protocol, Request, Response};
use scim::store::Memory;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A service for users and groups under `tolerant`, and what a test says to it.
struct Peer {
    protocol: Protocol<()>,
}

/// An answer that was read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: Vec<u8>,
    outcome: Outcome,
}

impl Answer {
    async fn of(response: Response) -> Self {
        Self {
            status: response.status,
            headers: response.headers,
            body: response.body.into_bytes().await.unwrap().to_vec(),
            outcome: response.outcome,
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        self
    }

    /// Checks that the answer is a SCIM error of this status and type: RFC 7644 section 3.12.
    #[track_caller]
    fn refused(self, status: u16, scim_type: &str) -> Self {
        let answer = self.expect(status);
        let body = answer.json();
        assert_eq!(answer.header("content-type"), "application/scim+json");
        assert_eq!(body["schemas"], json!([ERROR]));
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body["scimType"].as_str().unwrap_or_default(), scim_type, "{body}");
        assert!(!body["detail"].as_str().unwrap_or_default().is_empty());
        answer
    }

    fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }
}

fn store() -> Arc<Memory> {
    Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()))
}

fn builder() -> Builder<(), Plain> {
    let store = store();
    Protocol::builder()
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
}

impl Peer {
    fn tolerant() -> Self {
        Self::of(builder())
    }

    fn strict() -> Self {
        Self::of(builder().policy(Policy::strict()))
    }

    fn of(builder: Builder<(), Plain>) -> Self {
        Self {
            protocol: builder.build().unwrap(),
        }
    }

    async fn send(&self, request: Request) -> Answer {
        Answer::of(self.protocol.handle(&().into(), request).await).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.send(Request::get(target)).await
    }

    async fn with(&self, method: Method, target: &str, body: &Value) -> Answer {
        self.send(Request::new(method, target).with_body(body.to_string()))
            .await
    }

    async fn post(&self, target: &str, body: &Value) -> Answer {
        self.with(Method::POST, target, body).await
    }

    async fn put(&self, target: &str, body: &Value) -> Answer {
        self.with(Method::PUT, target, body).await
    }

    async fn patch(&self, target: &str, operations: &Value) -> Answer {
        self.with(
            Method::PATCH,
            target,
            &json!({"schemas": [PATCH_OP], "Operations": operations}),
        )
        .await
    }

    async fn delete(&self, target: &str) -> Answer {
        self.send(Request::new(Method::DELETE, target)).await
    }

    /// Makes a new user, and returns its path.
    async fn user(&self, name: &str) -> String {
        let created = self.post("/Users", &user(name)).await.expect(201);
        format!("/Users/{}", created.id())
    }

    /// Makes a new group with these members, given by their paths, and returns its path.
    async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|path| json!({"value": id_in(path)})).collect();
        let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
        let created = self.post("/Groups", &group).await.expect(201);
        format!("/Groups/{}", created.id())
    }
}

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn header(name: &'static str, value: &str) -> (HeaderName, HeaderValue) {
    (
        HeaderName::from_static(name),
        HeaderValue::from_str(value).unwrap(),
    )
}

/// Returns the same request with one more header.
fn and(request: Request, name: &'static str, value: &str) -> Request {
    let (name, value) = header(name, value);
    request.with_header(name, value)
}
