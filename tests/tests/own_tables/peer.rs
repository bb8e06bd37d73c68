//! A service over the tables, and what a test says to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::Method;
use scim::resources::{Group, User};
use scim::service::{Protocol, Request};
use scim::store::Hooks;
use scim::store::table::Table;
use scim::testkit::Tenant;
use serde_json::{Value, json};

use crate::directory::{Directory, store};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

pub(crate) struct Peer {
    protocol: Protocol<Tenant>,
    tenant: Arc<Tenant>,
    pub(crate) table: Table<Directory, Tenant>,
}

impl Peer {
    pub(crate) fn new() -> Self {
        Self::over(Directory::in_memory(), Hooks::new())
    }

    pub(crate) fn over(directory: Directory, hooks: Hooks<Tenant>) -> Self {
        let table = store(directory, 1);
        let protocol = Protocol::builder()
            .resource::<User, _>(table.clone())
            .resource::<Group, _>(table.clone())
            .hooks(hooks)
            .build()
            .unwrap();
        Self {
            protocol,
            tenant: Arc::new(Tenant::new("acme")),
            table,
        }
    }

    /// Status and body.
    pub(crate) async fn ask(&self, method: Method, target: &str, body: &Value) -> (u16, Value) {
        let mut request = Request::new(method, target);
        if !body.is_null() {
            request = request.with_body(body.to_string());
        }
        let response = self.protocol.handle(&self.tenant, request).await;
        let status = response.status.as_u16();
        let body = response.body.into_bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn get(&self, target: &str) -> Value {
        let (status, body) = self.ask(Method::GET, target, &Value::Null).await;
        assert_eq!(status, 200, "{target}: {body}");
        body
    }

    pub(crate) async fn user(&self, name: &str) -> String {
        let user = json!({"schemas": [USER], "userName": name});
        let (status, body) = self.ask(Method::POST, "/Users", &user).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn group(&self, name: &str, members: &[String]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        let group = json!({"schemas": [GROUP], "displayName": name, "members": members});
        let (status, body) = self.ask(Method::POST, "/Groups", &group).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn patch(&self, target: &str, operations: Value) -> (u16, Value) {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
        let body = json!({"schemas": schemas, "Operations": operations});
        self.ask(Method::PATCH, target, &body).await
    }

    /// Returns how many transactions that read, and how many that write, were begun.
    pub(crate) fn begun(&self) -> (usize, usize) {
        let tables = self.table.tables();
        (
            tables.reads.load(Ordering::Relaxed),
            tables.writes.load(Ordering::Relaxed),
        )
    }

    /// Returns the statements that `act` runs.
    pub(crate) async fn statements(&self, act: impl Future<Output = ()>) -> Vec<String> {
        self.table.tables().statements.lock().unwrap().clear();
        act.await;
        self.table.tables().statements.lock().unwrap().clone()
    }

    /// Returns the lines of the application's own history.
    pub(crate) fn history(&self) -> Vec<String> {
        self.table.tables().behind(|connection| {
            let mut lines = connection.prepare("SELECT line FROM history ORDER BY rowid")?;
            let lines = lines.query_map([], |row| row.get(0))?;
            lines.collect()
        })
    }
}
