//! What decoding and editing know of the request they serve.

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::schema::Shape;
use crate::value::{Json, JsonBuf};

/// Why a value is being decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// A client creates a resource.
    Create,
    /// A client replaces a resource.
    Replace,
    /// A client changes a resource.
    Patch,
    /// A store takes over what another has kept: checked as from a client, with what only a service sets.
    Import,
    /// A store reads what it has written: nothing is ignored, nothing is refused.
    Stored,
}

/// The seam through which a policy bends input to the shape of an attribute, declared here and implemented above.
///
/// The default of every method is the RFC's letter.
pub trait Coerce: Send + Sync {
    /// Offers another value for one that does not fit `want`, and says which tolerance made it.
    fn coerce(&self, json: Json<'_>, want: &Shape) -> Option<Coerced> {
        _ = (json, want);
        None
    }

    /// Whether names that no schema knows are left out rather than refused; returns the tolerance's name.
    fn ignores_unknown(&self) -> Option<&'static str> {
        None
    }

    /// Whether a body without `schemas` is taken for what its endpoint serves; returns the tolerance's name.
    fn infers_schemas(&self) -> Option<&'static str> {
        None
    }

    /// Whether the application keeps this attribute of resources of this schema, or a part of it.
    fn keeps(&self, schema: &str, attribute: AttrPath) -> bool {
        _ = (schema, attribute);
        true
    }

    /// Whether an empty string means that an attribute has no value; returns the tolerance's name.
    fn empty_is_absent(&self) -> Option<&'static str> {
        None
    }

    /// Whether `attribute[filter].sub` creates the element it does not find; returns the tolerance's name.
    fn creates_elements(&self) -> Option<&'static str> {
        None
    }

    /// Whether formats that providers often break are checked: countries, languages, time zones.
    fn checks_formats(&self) -> bool {
        true
    }
}

/// A value that a tolerance offers instead of the one that was sent.
#[derive(Debug)]
pub struct Coerced {
    /// The value that fits.
    pub json: JsonBuf,
    /// The name of the tolerance.
    pub tolerance: &'static str,
}

/// The RFC's letter: nothing is bent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Strict;

impl Coerce for Strict {}

/// A tolerance that acted on a request, for the history and for the administrator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The name of the tolerance.
    pub tolerance: &'static str,
    /// What it acted on, where a name is known.
    pub subject: String,
}

/// The context of decoding and editing: why, under which policy, within which limits, and which tolerances fired.
pub struct Cx<'a> {
    intent: Intent,
    rules: &'a dyn Coerce,
    limits: &'a Limits,
    fired: Vec<Fired>,
}

/// Tolerances that are reported for one request; more say nothing new.
const MOST_FIRED: usize = 32;

impl<'a> Cx<'a> {
    /// A context for a request.
    #[must_use]
    pub fn new(intent: Intent, rules: &'a dyn Coerce, limits: &'a Limits) -> Self {
        Self {
            intent,
            rules,
            limits,
            fired: Vec::new(),
        }
    }

    /// Why the value is decoded.
    #[must_use]
    pub fn intent(&self) -> Intent {
        self.intent
    }

    /// Whether a store reads what it has written.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.intent == Intent::Stored
    }

    /// Whether read-only attributes are taken, as from a service, and not left out, as from a client.
    #[must_use]
    pub fn takes_read_only(&self) -> bool {
        matches!(self.intent, Intent::Import | Intent::Stored)
    }

    /// The policy.
    #[must_use]
    pub fn rules(&self) -> &'a dyn Coerce {
        self.rules
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Notes that a tolerance acted.
    pub fn fire(&mut self, tolerance: &'static str, subject: impl Into<String>) {
        let fired = Fired {
            tolerance,
            subject: subject.into(),
        };
        if self.fired.len() < MOST_FIRED && !self.fired.contains(&fired) {
            self.fired.push(fired);
        }
    }

    /// The tolerances that acted so far.
    #[must_use]
    pub fn fired(&self) -> &[Fired] {
        &self.fired
    }

    /// Takes the tolerances that acted so far.
    #[must_use]
    pub fn take_fired(&mut self) -> Vec<Fired> {
        std::mem::take(&mut self.fired)
    }

    /// `json` as the shape wants it: itself, or what a tolerance makes of it.
    pub fn fit<'j>(&mut self, json: Json<'j>, want: &Shape) -> Fitted<'j> {
        if self.is_stored() {
            return Fitted::Sent(json);
        }
        match self.rules.coerce(json, want) {
            Some(coerced) => {
                self.fire(coerced.tolerance, "");
                Fitted::Made(coerced.json)
            }
            None => Fitted::Sent(json),
        }
    }

    /// Whether a member of a body leaves its attribute unassigned (RFC 7643 section 2.5, and `""` by tolerance).
    pub fn is_absent(&mut self, json: Json<'_>) -> bool {
        if json.is_null() {
            return true;
        }
        if json.text() != "\"\"" || self.is_stored() {
            return false;
        }
        match self.rules.empty_is_absent() {
            Some(tolerance) => {
                self.fire(tolerance, "");
                true
            }
            None => false,
        }
    }

    /// Leaves a name out that no schema knows, or refuses it.
    ///
    /// # Errors
    /// 400 `invalidSyntax` under a policy without that tolerance.
    pub fn unknown(&mut self, name: &str) -> Result<()> {
        if self.is_stored() {
            return Ok(());
        }
        match self.rules.ignores_unknown() {
            Some(tolerance) => {
                self.fire(tolerance, name);
                Ok(())
            }
            None => Err(Error::invalid_syntax(format!(
                "No schema of this resource type knows the attribute {}.",
                crate::error::quoted(name)
            ))),
        }
    }
}

/// JSON that is of the wanted shape as far as a policy could bend it.
pub enum Fitted<'j> {
    /// What the client sent.
    Sent(Json<'j>),
    /// What a tolerance made of it.
    Made(JsonBuf),
}

impl Fitted<'_> {
    /// The value.
    #[must_use]
    pub fn json(&self) -> Json<'_> {
        match self {
            Self::Sent(json) => *json,
            Self::Made(json) => json.as_json(),
        }
    }
}
