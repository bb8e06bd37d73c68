//! The filter and PATCH vectors over `Protocol` and the store in memory, under both policies: no server, no network.

use http::Method;
use scim::policy;
use scim::resources::{Group, User};
use scim::service::{Protocol, Request};
use scim::store::Memory;
use scim_tests::vectors::{Answer, Exchange, Policy, Report, filter, patch};
use scim_tests::{Failure, check};
use serde_json::Value;

struct Peer {
    protocol: Protocol<()>,
    runtime: tokio::runtime::Runtime,
}

impl Peer {
    fn new(policy: Policy) -> Result<Self, Failure> {
        let store = Memory::new().link(Group::paths().members(), User::paths().groups());
        let store = std::sync::Arc::new(store);
        let policy = match policy {
            Policy::Strict => policy::Policy::strict(),
            Policy::Tolerant => policy::Policy::tolerant(),
        };
        let protocol = Protocol::builder()
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store)
            .policy(policy)
            .build()
            .map_err(|error| Failure::new(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { protocol, runtime })
    }
}

impl Exchange for Peer {
    fn exchange(&mut self, method: &str, target: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let failure = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let method = Method::from_bytes(method.as_bytes()).map_err(|error| failure(&error))?;
        let mut request = Request::new(method, target);
        if let Some(body) = body {
            request = request.with_body(body.to_string());
        }
        self.runtime.block_on(async {
            let answer = self.protocol.handle(&(), request).await;
            let bytes = answer.body.into_bytes().await.map_err(|error| failure(&error))?;
            Ok(Answer {
                status: answer.status.as_u16(),
                body: serde_json::from_slice(&bytes).unwrap_or_default(),
            })
        })
    }
}

/// All must have passed but those that are debatable.
fn run(policy: Policy, vectors: impl FnOnce(&mut Peer) -> Result<Report, Failure>) -> Result<(), Failure> {
    let report = vectors(&mut Peer::new(policy)?)?;
    check(report.failed.is_empty(), || {
        format!(
            "{} passed, {} failed\n{}",
            report.passed,
            report.failed.len(),
            report.failed.join("\n")
        )
    })?;
    check(report.passed > 0, || "no vector was run".to_owned())?;
    Ok(())
}

#[test]
fn filters_mean_what_rfc_7644_section_3_4_2_2_says_under_strict() -> Result<(), Failure> {
    run(Policy::Strict, filter::run)
}

#[test]
fn filters_mean_what_rfc_7644_section_3_4_2_2_says_under_tolerant() -> Result<(), Failure> {
    run(Policy::Tolerant, filter::run)
}

#[test]
fn patches_do_what_rfc_7644_section_3_5_2_says_under_strict() -> Result<(), Failure> {
    run(Policy::Strict, |peer| patch::run(peer, Policy::Strict))
}

#[test]
fn patches_do_what_rfc_7644_section_3_5_2_says_under_tolerant() -> Result<(), Failure> {
    run(Policy::Tolerant, |peer| patch::run(peer, Policy::Tolerant))
}
