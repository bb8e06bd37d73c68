//! The filter and PATCH vectors, and what runs them against anything that answers SCIM requests.
//!
//! [`filter::run`] and [`patch::run`] need only an [`Exchange`]: the HTTP client is one, and so can be anything that
//! hands a request to the library without a socket.

pub mod compare;
pub mod filter;
pub mod patch;

use serde::Deserialize;
use serde_json::Value;

use crate::Failure;
use crate::http::Client;

/// The policy of the organization that the vectors run under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// The letter of the RFCs.
    Strict,
    /// The needs of identity providers in use.
    Tolerant,
}

impl Policy {
    /// Returns the word that stands for it on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Tolerant => "tolerant",
        }
    }
}

/// One request and its answer, over whatever carries it.
pub trait Exchange {
    /// Sends a request whose target follows the SCIM base URL, and returns the answer.
    fn exchange(&mut self, method: &str, target: &str, body: Option<&Value>) -> Result<Answer, Failure>;
}

/// An answer; `body` is `Null` if there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// Returns the body if the answer has the status, else a failure that shows it.
    pub fn expect(self, status: u16, what: &str) -> Result<Value, Failure> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(Failure::new(format!(
            "{what}: wanted status {status}, got {} {}",
            self.status, self.body
        )))
    }

    /// Says what differs from the error that was expected, if anything.
    pub fn differs_from(&self, error: &ExpectedError) -> Option<String> {
        let kind = self.body["scimType"].as_str().unwrap_or_default();
        let fits =
            self.status == error.status && error.scim_type.as_slice().iter().any(|wanted| wanted == kind);
        (!fits).then(|| {
            format!(
                "wanted {} {:?}, got {} {}",
                error.status,
                error.scim_type.as_slice(),
                self.status,
                self.body
            )
        })
    }
}

impl Exchange for Client {
    fn exchange(&mut self, method: &str, target: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let response = match body {
            Some(body) => self.json(method, target, body)?,
            None => self.send(&crate::http::Request::new(method, target))?,
        };
        let body = if response.body.is_empty() {
            Value::Null
        } else {
            response.json()?
        };
        Ok(Answer {
            status: response.status,
            body,
        })
    }
}

/// An error that a vector expects.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    /// The status code.
    pub status: u16,
    /// The values of `scimType`, any one of which is right.
    #[serde(rename = "scimType")]
    pub scim_type: OneOrMany,
}

/// A text or a list of texts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Any of these.
    Many(Vec<String>),
}

impl OneOrMany {
    /// Returns all of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// The results of a run of vectors.
#[derive(Debug, Default)]
pub struct Report {
    /// Vectors, not debatable, whose outcome was the expected one.
    pub passed: usize,
    /// Those whose outcome was another: the vector's id, what it is and what was wrong.
    pub failed: Vec<String>,
    /// Debatable vectors whose outcome was another.
    pub differing: Vec<String>,
}

impl Report {
    /// Notes the outcome of a vector: `fault` says what was wrong, if anything.
    pub fn add(&mut self, debatable: bool, id: &str, what: &str, fault: Option<String>) {
        match fault {
            None if debatable => {}
            None => self.passed += 1,
            Some(fault) => {
                let list = if debatable {
                    &mut self.differing
                } else {
                    &mut self.failed
                };
                list.push(format!("{id} ({what}): {fault}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    /// A server that keeps what is created, finds everybody whatever the filter, and changes nothing by PATCH.
    #[derive(Default)]
    struct Stubborn(BTreeMap<String, Value>);

    impl Exchange for Stubborn {
        fn exchange(&mut self, method: &str, target: &str, body: Option<&Value>) -> Result<Answer, Failure> {
            let all =
                || json!({"totalResults": self.0.len(), "Resources": self.0.values().collect::<Vec<_>>()});
            let (status, body) = match (method, target.rsplit('/').next().unwrap_or_default()) {
                ("POST", ".search") => (200, all()),
                ("GET", list) if list.starts_with("Users?") => (200, all()),
                ("POST", endpoint) => {
                    let id = crate::random::uuid();
                    let mut resource = body.cloned().unwrap_or_default();
                    resource["id"] = json!(id);
                    self.0.insert(format!("/{endpoint}/{id}"), resource.clone());
                    (201, resource)
                }
                ("DELETE", _) => {
                    self.0.remove(target);
                    (204, Value::Null)
                }
                ("GET", _) => (200, self.0.get(target).cloned().unwrap_or_default()),
                _ => (204, Value::Null),
            };
            Ok(Answer { status, body })
        }
    }

    #[test]
    fn a_server_that_ignores_filters_fails_all_but_those_that_match_everybody() {
        let fixture = filter::FilterVectors::load().unwrap();
        let deciding: Vec<_> = fixture
            .vectors
            .iter()
            .filter(|vector| vector.http && !vector.debatable)
            .collect();
        let everybody = deciding
            .iter()
            .filter(|v| v.matches.as_ref().is_some_and(|m| m.len() == fixture.users.len()));
        let mut peer = Stubborn::default();
        let report = filter::run(&mut peer).unwrap();
        assert_eq!(report.passed, everybody.count());
        assert_eq!(report.failed.len(), deciding.len() - report.passed);
        assert!(report.passed > 0 && peer.0.is_empty());
    }

    #[test]
    fn a_server_that_ignores_patches_passes_only_vectors_that_change_nothing() {
        let fixture = patch::PatchVectors::load().unwrap();
        for policy in [Policy::Strict, Policy::Tolerant] {
            let held = fixture
                .vectors
                .iter()
                .filter(|vector| vector.http && !vector.debatable && vector.holds_under(policy));
            let (idle, others): (Vec<_>, Vec<_>) = held.partition(|vector| {
                vector
                    .after
                    .as_ref()
                    .is_some_and(|after| compare::difference(after, &vector.before).is_none())
            });
            let mut peer = Stubborn::default();
            let report = patch::run(&mut peer, policy).unwrap();
            assert_eq!(
                (report.passed, report.failed.len()),
                (idle.len(), others.len()),
                "{policy:?}"
            );
            assert!(peer.0.is_empty());
        }
    }
}
