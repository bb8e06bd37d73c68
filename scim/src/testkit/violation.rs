//! What a store does wrong.

use std::fmt::{self, Display, Formatter};

use crate::error::Error;

/// What a store did wrong, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(String);

impl Violation {
    /// A violation.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// A violation that an error shows.
    pub(super) fn of(what: &str, error: &Error) -> Self {
        let source = std::error::Error::source(error);
        let source = source.map(|source| format!(" ({source})")).unwrap_or_default();
        Self(format!("{what}: {} {error}{source}", error.status()))
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}
