//! A service for users and groups that is asked without a socket.

use std::sync::Arc;

use http::Method;
use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::service::{Protocol, Request};
use scim::store::Memory;
use scim::store::documents::DocumentStore;
use serde_json::Value;

use crate::Failure;
use crate::vectors::{self, Answer, Exchange};

/// A service and what drives it.
pub struct Peer {
    protocol: Protocol<()>,
    runtime: tokio::runtime::Runtime,
}

/// The place in which a service keeps what it holds.
#[derive(Debug, Clone, Copy)]
pub enum Kept {
    /// In memory.
    InMemory,
    /// In an SQLite database of its own.
    InSqlite,
}

impl Peer {
    /// Makes a service with nobody in it.
    pub fn new(kept: Kept, policy: vectors::Policy) -> Result<Self, Failure> {
        let policy = match policy {
            vectors::Policy::Strict => Policy::strict(),
            vectors::Policy::Tolerant => Policy::tolerant(),
        };
        // As the product does: only `active: true` enables a disabled person.
        let policy = policy.absence_never_enables(User::paths().active());
        let (members, groups) = (Group::paths().members(), User::paths().groups());
        let builder = match kept {
            Kept::InMemory => {
                let store = Arc::new(Memory::new().link(members, groups));
                Protocol::builder()
                    .resource::<User, _>(store.clone())
                    .resource::<Group, _>(store)
            }
            Kept::InSqlite => {
                let store = DocumentStore::in_memory()
                    .map_err(failure)?
                    .resource::<User>()
                    .resource::<Group>()
                    .link(members, groups);
                let store: DocumentStore = store.build().map_err(failure)?;
                Protocol::builder()
                    .resource::<User, _>(store.clone())
                    .resource::<Group, _>(store)
            }
        };
        Ok(Self {
            protocol: builder.policy(policy).build().map_err(failure)?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .map_err(failure)?,
        })
    }
}

impl Exchange for Peer {
    fn exchange(&mut self, method: &str, target: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let method = Method::from_bytes(method.as_bytes()).map_err(failure)?;
        let mut request = Request::new(method, target);
        if let Some(body) = body {
            request = request.with_body(body.to_string());
        }
        self.runtime.block_on(async {
            let answer = self.protocol.handle(&().into(), request).await;
            let bytes = answer.body.into_bytes().await.map_err(failure)?;
            Ok(Answer {
                status: answer.status.as_u16(),
                body: serde_json::from_slice(&bytes).unwrap_or_default(),
            })
        })
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure::new(error.to_string())
}
