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
    /// What identity providers in use need.
    Interop,
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
    /// The body if the answer has the status, else a failure that shows it.
    pub fn expect(self, status: u16, what: &str) -> Result<Value, Failure> {
        if self.status == status {
            return Ok(self.body);
        }
        Err(Failure::new(format!(
            "{what}: wanted status {status}, got {} {}",
            self.status, self.body
        )))
    }

    /// What differs from the error that was expected, if anything.
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
    /// All of them.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// What a run of vectors found.
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
    fn add(&mut self, debatable: bool, id: &str, what: &str, fault: Option<String>) {
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
