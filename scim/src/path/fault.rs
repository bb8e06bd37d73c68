//! The thing that a parser found where it expected something else.

use std::borrow::Cow;

use nom::IResult;
use nom::error::{ErrorKind, ParseError};

use crate::error::{Error, ScimType, quoted};

/// The result of a token parser: the rest of the text and the token, or a fault.
pub(crate) type Parsed<'a, O> = IResult<&'a str, O, Fault<'a>>;

/// A fault knows the text that was left when it happened, so it costs nothing until it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault<'a> {
    rest: &'a str,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    Expected(&'static str),
    Beyond {
        limit: &'static str,
        most: usize,
        of: &'static str,
    },
}

impl<'a> Fault<'a> {
    /// Makes the fault that `rest` begins where something other than `expected` was found.
    pub(crate) fn expected(rest: &'a str, expected: &'static str) -> Self {
        Self {
            rest,
            problem: Problem::Expected(expected),
        }
    }

    /// Makes the fault that the part from `rest` on would be more than the `most` of something that a limit with this
    /// name allows.
    pub(crate) fn beyond(rest: &'a str, limit: &'static str, most: usize, of: &'static str) -> Self {
        Self {
            rest,
            problem: Problem::Beyond { limit, most, of },
        }
    }

    /// Makes the error for the client; `text` is everything that was to be parsed and `subject` what it is called.
    pub(crate) fn into_error(self, subject: &str, text: &str, scim_type: ScimType) -> Error {
        let at = text.len().saturating_sub(self.rest.len());
        let error = |detail| Error::new(http::StatusCode::BAD_REQUEST, detail).with_type(scim_type);
        match self.problem {
            Problem::Expected(expected) => {
                let found = self.found();
                error(format!(
                    "{subject}: at byte {at} found {found}, expected {expected}"
                ))
            }
            Problem::Beyond { limit, most, of } => error(format!(
                "{subject}: at byte {at} it goes beyond the limit of {most} {of} ({limit})"
            ))
            .with_limit(limit),
        }
    }

    /// Returns the word, or else the single character, at the fault.
    fn found(self) -> Cow<'static, str> {
        let Some(first) = self.rest.chars().next() else {
            return Cow::Borrowed("the end");
        };
        let end = match self.rest.bytes().position(is_delimiter) {
            None => self.rest.len(),
            Some(0) => first.len_utf8(),
            Some(end) => end,
        };
        match first {
            '"' => Cow::Borrowed("a double quote"),
            ' ' => Cow::Borrowed("a space"),
            _ => Cow::Owned(quoted(self.rest.get(..end).unwrap_or_default())),
        }
    }
}

/// Returns whether a word ends at this byte.
pub(crate) fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'(' | b')' | b'[' | b']' | b'"')
}

impl<'a> From<nom::Err<Fault<'a>>> for Fault<'a> {
    fn from(error: nom::Err<Fault<'a>>) -> Self {
        match error {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => fault,
            nom::Err::Incomplete(_) => Self::expected("", "more text"),
        }
    }
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Self {
        Self::expected(rest, "something else")
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Returns a recoverable nom error.
pub(crate) fn expected<'a, O>(rest: &'a str, what: &'static str) -> Parsed<'a, O> {
    Err(nom::Err::Error(Fault::expected(rest, what)))
}
