//! The outcome of a request, for histories, events and logs.

use std::error::Error as _;

use http::StatusCode;

use crate::error::{Error, ScimType};
use crate::policy::ALL;
use crate::store::Version;
use crate::value::{Fired, NOT_KEPT};

/// The action of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Creates a resource: POST.
    Create,
    /// Reads a resource: GET by id.
    Get,
    /// Lists resources of one type: GET, or POST to `.search`.
    Query,
    /// Lists resources of all types.
    QueryAll,
    /// Replaces a resource: PUT.
    Replace,
    /// Changes a resource: PATCH.
    Patch,
    /// Deletes a resource: DELETE.
    Delete,
    /// Reads what the service can do: its configuration, resource types and schemas.
    Discover,
    /// Asks what can be done somewhere: OPTIONS.
    Options,
}

impl Operation {
    /// Returns a word for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Get => "get",
            Self::Query => "query",
            Self::QueryAll => "query-all",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Discover => "discover",
            Self::Options => "options",
        }
    }

    /// Returns whether it is meant to change a resource.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(self, Self::Create | Self::Replace | Self::Patch | Self::Delete)
    }
}

/// The outcome of a request. The response carries it as an extension, too.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The operation that was asked for; `None` if the request did not get that far.
    pub operation: Option<Operation>,
    /// The name of the resource type.
    pub resource_type: Option<&'static str>,
    /// The id of the resource: of the new one, after it was created.
    pub id: Option<String>,
    /// The status of the answer.
    pub status: StatusCode,
    /// Whether a resource is another than before. A PATCH or PUT that changes nothing does not count.
    pub changed: bool,
    /// The version of the resource now.
    pub version: Option<Version>,
    /// How many resources a list has found, on all pages.
    pub total: Option<u64>,
    /// The tolerances that the request needed.
    pub fired: Vec<Fired>,
    /// The fault.
    pub problem: Option<Problem>,
}

impl Outcome {
    /// Returns whether the client was told that it has the current version: 304.
    #[must_use]
    pub fn is_not_modified(&self) -> bool {
        self.status == StatusCode::NOT_MODIFIED
    }

    /// Returns what the tolerances did to the request, for a history: `ignored: favouriteColour (unknown-names); not kept:
    /// title`. Attributes that were sent and are not in the resource stand there. `None` if the request needed no tolerance.
    #[must_use]
    pub fn notes(&self) -> Option<String> {
        let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
        for fired in &self.fired {
            let group = groups.iter().position(|(name, _)| *name == fired.tolerance);
            match group.and_then(|index| groups.get_mut(index)) {
                Some((_, subjects)) if subjects.contains(&fired.subject.as_str()) => {}
                Some((_, subjects)) => subjects.push(&fired.subject),
                None => groups.push((fired.tolerance, vec![&fired.subject])),
            }
        }
        let texts: Vec<String> = groups
            .iter()
            .map(|(name, subjects)| note(name, subjects))
            .collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }

    pub(super) fn fire(&mut self, tolerance: &'static str, subject: &str) {
        let fired = Fired {
            tolerance,
            subject: subject.to_owned(),
        };
        if !self.fired.contains(&fired) {
            self.fired.push(fired);
        }
    }

    /// Notes the error that the client is shown, and the cause of the request's failure if that error has none.
    pub(super) fn fail(&mut self, shown: &Error, cause: Option<String>) {
        let mut problem = Problem::of(shown);
        problem.cause = problem.cause.or(cause);
        self.status = shown.status();
        self.problem = Some(problem);
    }
}

/// Returns what one tolerance did, and to what.
fn note(name: &str, subjects: &[&str]) -> String {
    let tolerance = ALL.iter().find(|tolerance| tolerance.name == name);
    let done = match (name, tolerance) {
        (NOT_KEPT, _) => "not kept",
        (_, Some(tolerance)) => tolerance.done,
        // A tolerance of the application's own.
        (name, None) => name,
    };
    let named: Vec<&str> = subjects
        .iter()
        .copied()
        .filter(|subject| !subject.is_empty())
        .collect();
    let mut text = done.to_owned();
    if !named.is_empty() {
        text.push_str(": ");
        text.push_str(&named.join(", "));
    }
    if tolerance.is_some() {
        text.push_str(&format!(" ({name})"));
    }
    text
}

/// An error as the client was told of it, and its cause, which the client was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The SCIM error type.
    pub scim_type: Option<ScimType>,
    /// The sentence.
    pub detail: String,
    /// The attribute at fault.
    pub attribute: Option<String>,
    /// The PATCH operation at fault, counted from 0.
    pub operation: Option<usize>,
    /// The cause, for the operator's log only: it may hold what no client may see.
    pub cause: Option<String>,
}

impl Problem {
    fn of(error: &Error) -> Self {
        Self {
            scim_type: error.scim_type(),
            detail: error.to_string(),
            attribute: error.attribute(),
            operation: error.operation(),
            cause: cause(error),
        }
    }
}

/// Returns the sources of an error in one line.
pub(super) fn cause(error: &Error) -> Option<String> {
    let mut cause = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        if !cause.is_empty() {
            cause.push_str(": ");
        }
        cause.push_str(&error.to_string());
        source = error.source();
    }
    (!cause.is_empty()).then_some(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_for_the_log() {
        let mut outcome = Outcome::default();
        outcome.fail(&Error::internal("the disk is full"), None);
        let problem = outcome.problem.unwrap();
        assert_eq!(outcome.status, 500);
        assert_eq!(problem.cause.as_deref(), Some("the disk is full"));
        assert!(!problem.detail.contains("disk"));
    }

    #[test]
    fn notes_say_what_was_done_to_what() {
        let mut outcome = Outcome::default();
        assert_eq!(outcome.notes(), None);
        for (tolerance, subject) in [
            ("unknown-names", "favouriteColour"),
            (NOT_KEPT, "title"),
            ("unknown-names", "urn:x"),
            ("unknown-names", "favouriteColour"),
            (NOT_KEPT, "name.middleName"),
            ("empty-paths", ""),
            ("of-my-own", "badge"),
        ] {
            outcome.fire(tolerance, subject);
        }
        let notes = "ignored: favouriteColour, urn:x (unknown-names); not kept: title, name.middleName; \
                     read as no path (empty-paths); of-my-own: badge";
        assert_eq!(outcome.notes().as_deref(), Some(notes));
    }

    #[test]
    fn every_tolerance_says_what_it_does() {
        for tolerance in ALL {
            assert!(
                tolerance.done.starts_with(char::is_lowercase) && !tolerance.done.ends_with(['.', ':']),
                "{tolerance:?}"
            );
        }
    }
}
