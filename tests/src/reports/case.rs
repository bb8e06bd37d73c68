//! The file format of the cases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::vectors::Policy;

/// `reports/cases.json`. The format is described in `fixtures/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cases {
    /// The version of the format.
    pub format: u32,
    /// A description of the file.
    pub about: String,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case: the smallest input of its kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The identifier.
    pub id: String,
    /// A title that says what is sent.
    pub title: String,
    /// The kind of fault that it stands for.
    pub kind: String,
    /// The place where it was reported.
    pub source: String,
    /// The rule, and why it holds.
    pub why: String,
    /// The answer that was given when the report was first tried.
    pub observed: String,
    /// The origin of the rule.
    pub verdict: Verdict,
    /// The policy under which it holds.
    pub policy: Policy,
    pub(super) steps: Vec<Step>,
}

/// The origin of the rule of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The RFCs, or what the client needs: any other answer is wrong.
    Wrong,
    /// The RFCs leave it open, and it was decided.
    Decided,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) query: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: Option<Value>,
    pub(super) expect: Expectation,
    #[serde(default)]
    pub(super) save: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    /// The status codes, any one of which is right.
    pub(super) status: Vec<u16>,
    /// Pointers with what must stand there.
    #[serde(default)]
    pub(super) json: BTreeMap<String, Value>,
}
