//! The file format of a trace.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::rule::Rule;

/// One provider's lifecycle. The format is described in `fixtures/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The name of the trace, that of its file.
    pub name: String,
    /// The identity provider.
    pub idp: String,
    /// Which of the provider's dialects.
    #[serde(default)]
    pub variant: Option<String>,
    /// A description of what the trace covers.
    #[serde(default)]
    pub description: Option<String>,
    /// How sure it is that the provider sends exactly this.
    pub confidence: String,
    /// The sources of the shapes.
    pub sources: Vec<String>,
    #[serde(default)]
    pub(super) vars: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) default_headers: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) name: String,
    #[serde(default, rename = "phase")]
    _phase: Option<String>,
    #[serde(default)]
    pub(super) why: Option<String>,
    pub(super) method: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub(super) auth: Auth,
    #[serde(default)]
    pub(super) body: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) raw_body: Option<String>,
    #[serde(default)]
    pub(super) body_from: Option<BodyFrom>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) capture: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) skip_if: Option<String>,
    #[serde(default)]
    pub(super) level: Level,
    #[serde(default, rename = "verify")]
    _verify: bool,
    #[serde(default)]
    pub(super) expect: Expectation,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Auth {
    #[default]
    Bearer,
    Lower,
    Raw,
    Bad,
    None,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    #[default]
    Must,
    Should,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyFrom {
    pub(super) var: String,
    #[serde(default)]
    pub(super) set: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) drop: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    #[serde(default)]
    pub(super) status: Statuses,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) json: Vec<Rule>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Statuses {
    One(u16),
    Many(Vec<u16>),
}

impl Statuses {
    pub(super) fn as_slice(&self) -> &[u16] {
        match self {
            Self::One(status) => std::slice::from_ref(status),
            Self::Many(statuses) => statuses,
        }
    }
}

impl Default for Statuses {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}
