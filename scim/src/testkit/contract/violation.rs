//! Faults of a store that a check has found.

use std::fmt::{self, Display, Formatter};

use super::rule::Rule;
use crate::error::Error;

/// A rule that a store has broken. Displayed, it is the rule, what was seen, and what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Violation {
    /// The rule.
    pub rule: &'static Rule,
    /// The subject of the check: a resource type, or an attribute such as `Group.members`.
    pub subject: String,
    /// The behaviour of the store.
    pub seen: String,
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { rule, subject, seen } = self;
        write!(f, "{subject} breaks the rule {}: {}", rule.name(), rule.demand())?;
        match rule.reference() {
            Some(reference) => writeln!(f, " ({reference}).")?,
            None => writeln!(f, ".")?,
        }
        write!(f, "Seen: {seen}\nRemedy: {}", rule.remedy())
    }
}

impl std::error::Error for Violation {}

/// A fault that a check has seen.
#[derive(Debug)]
pub(super) struct Seen(pub(super) String);

impl Seen {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// Makes a fault of an error where there should be none.
    pub(super) fn of(what: &str, error: &Error) -> Self {
        let source = std::error::Error::source(error);
        let source = source.map(|source| format!(" ({source})")).unwrap_or_default();
        Self(format!("{what}: {} {error}{source}", error.status()))
    }
}

/// Ends a check unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(crate::testkit::contract::violation::Seen::new(format!($($what)+)));
        }
    };
}
pub(super) use ensure;
