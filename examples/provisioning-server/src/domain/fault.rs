//! Faults: what went wrong, said to the operator or administrator who has to put it right.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

use http::StatusCode;

/// The result of everything in the product that can fail.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// The kind of a fault: a script branches on the word, a person reads the sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A value does not fit.
    Invalid,
    /// The thing that the command names does not exist.
    NotFound,
    /// The thing that the command names was there once, and is not kept any more.
    Gone,
    /// The state of things forbids it.
    Conflict,
    /// Whoever asks lacks a permission.
    Forbidden,
    /// Whoever asks has to prove a second factor again.
    Stale,
    /// The database, the network or the machine refused.
    Internal,
}

impl Kind {
    /// Returns the word for it in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Gone => "gone",
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::Stale => "fresh_factor_needed",
            Self::Internal => "internal",
        }
    }
}

/// The remedy for a fault where it is not the same on a page as at the command line. It goes on from the sentence, behind a
/// colon, to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remedy {
    /// The step on the pages.
    pub(crate) page: &'static str,
    /// The command or flag.
    pub(crate) command: &'static str,
}

/// A fault: its kind, a sentence that says what to do, and the cause, which only the operator sees.
#[derive(Debug)]
pub(crate) struct Fault {
    kind: Kind,
    sentence: Cow<'static, str>,
    remedy: Option<Remedy>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    fn new(kind: Kind, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            remedy: None,
            source: None,
        }
    }

    /// Says that a value does not fit.
    pub(crate) fn invalid(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, sentence)
    }

    /// Says that something named does not exist.
    pub(crate) fn not_found(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::NotFound, sentence)
    }

    /// Says that something named is not kept any more.
    pub(crate) fn gone(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Gone, sentence)
    }

    /// Says that the state of things forbids it.
    pub(crate) fn conflict(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Conflict, sentence)
    }

    /// Says that whoever asks lacks a permission.
    pub(crate) fn forbidden(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, sentence)
    }

    /// Says that whoever asks has to prove a second factor again.
    pub(crate) fn stale(sentence: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Stale, sentence)
    }

    /// Says that the machine refused; `source` says why.
    pub(crate) fn internal(
        sentence: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Kind::Internal, sentence)
        }
    }

    /// Returns the fault with a remedy, which ends its sentence.
    #[must_use]
    pub(crate) fn mended_by(self, remedy: Remedy) -> Self {
        Self {
            remedy: Some(remedy),
            ..self
        }
    }

    /// Returns the kind of fault that it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the sentence, with the remedy of the command line, followed by every cause: for the operator's terminal and log,
    /// never for a client. The text for clients in place of a cause, that somebody else finds it, is left out.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = self.sentence.to_string();
        if let Some(remedy) = self.remedy {
            text.push_str(": ");
            text.push_str(remedy.command);
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) && !stands_for_a_cause(error) {
                text.push_str(" Cause: ");
                text.push_str(&said);
            }
            cause = error.source();
        }
        text
    }
}

fn stands_for_a_cause(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<scim::Error>();
    error.is_some_and(|error| {
        error.status() == StatusCode::INTERNAL_SERVER_ERROR && std::error::Error::source(error).is_some()
    })
}

/// Writes the sentence as pages and clients show it.
impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match self.remedy {
            Some(remedy) => write!(f, ": {}", remedy.page),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_for_the_operator_only() {
        let fault = Fault::internal(
            "The database cannot be opened.",
            std::io::Error::other("disk is full"),
        );
        assert_eq!(fault.to_string(), "The database cannot be opened.");
        assert_eq!(
            fault.with_causes(),
            "The database cannot be opened. Cause: disk is full"
        );
    }
}
