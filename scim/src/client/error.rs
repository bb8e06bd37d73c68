//! The things that can go wrong for a client.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use http::StatusCode;

use crate::client::exchange::Answer;
use crate::error::{ScimType, quoted};
use crate::limits::Limits;
use crate::value::Json;

/// Why a request has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server has refused the request.
    Refused(Box<Refusal>),
    /// There is no answer: the connection failed or broke. The server may have done what it was asked.
    Unreachable(Box<dyn std::error::Error + Send + Sync>),
    /// There is an answer, but not one of this protocol.
    Unreadable {
        /// The status of the answer.
        status: StatusCode,
        /// The fault.
        error: crate::Error,
    },
    /// The request could not be made.
    Request(crate::Error),
}

/// A server's refusal: its status and the error document (RFC 7644 section 3.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The keyword of the fault as the server has written it.
    pub keyword: Option<String>,
    /// The sentence of the server for people; the beginning of the body if it is not an error document.
    pub detail: Option<String>,
    /// How long the server wants to be left in peace.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(super) fn of(answer: &Answer) -> Self {
        let mut refusal = Self {
            status: answer.status,
            keyword: None,
            detail: None,
            retry_after: answer.retry_after(),
        };
        match Json::parse(&answer.body, &Limits::default()) {
            Ok(json) if json.is_object() => {
                let text = |name| {
                    json.get(name)
                        .and_then(Json::as_str)
                        .map(|text| text.into_owned())
                };
                refusal.keyword = text("scimType");
                refusal.detail = text("detail");
            }
            _ if answer.body.trim_ascii().is_empty() => {}
            _ => refusal.detail = Some(quoted(String::from_utf8_lossy(&answer.body).trim())),
        }
        refusal
    }

    /// Returns the type of the fault, if it is one that the RFCs know.
    #[must_use]
    pub fn scim_type(&self) -> Option<ScimType> {
        ScimType::of_keyword(self.keyword.as_deref()?)
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "The server refuses the request with {}", self.status.as_u16())?;
        if let Some(keyword) = &self.keyword {
            write!(f, " {keyword}")?;
        }
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => f.write_str("."),
        }
    }
}

impl Error {
    pub(super) fn unreadable(status: StatusCode, error: crate::Error) -> Self {
        Self::Unreadable { status, error }
    }

    /// Returns the server's refusal, if that is what went wrong.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Returns the status of the answer, if there is one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(refusal) => Some(refusal.status),
            Self::Unreadable { status, .. } => Some(*status),
            Self::Unreachable(_) | Self::Request(_) => None,
        }
    }

    /// Returns the type of the fault that the server names.
    #[must_use]
    pub fn scim_type(&self) -> Option<ScimType> {
        self.refusal()?.scim_type()
    }

    /// Returns whether the resource does not exist: 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// Returns whether the resource exists already, or an attribute that must be unique is taken: 409.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// Returns whether a precondition does not hold: 412.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.status() == Some(StatusCode::PRECONDITION_FAILED)
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => Display::fmt(refusal, f),
            Self::Unreachable(_) => f.write_str("The server does not answer."),
            Self::Unreadable { status, error } => {
                write!(
                    f,
                    "The answer with status {} is not SCIM: {error}",
                    status.as_u16()
                )
            }
            Self::Request(error) => Display::fmt(error, f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable(source) => Some(&**source),
            Self::Unreadable { error, .. } => Some(error),
            Self::Refused(_) | Self::Request(_) => None,
        }
    }
}

/// For a service that stands before another: a refusal is handed on with status, type and detail, everything else is
/// 502.
impl From<Error> for crate::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => {
                let scim_type = refusal.scim_type();
                let status = refusal.status;
                let detail = refusal
                    .detail
                    .unwrap_or_else(|| format!("The request was refused with {}.", status.as_u16()));
                let error = Self::new(status, detail);
                match scim_type {
                    Some(scim_type) => error.with_type(scim_type),
                    None => error,
                }
            }
            Error::Request(error) => error,
            Error::Unreachable(source) => Self::new(
                StatusCode::BAD_GATEWAY,
                "The server behind this one does not answer.",
            )
            .with_source(source),
            Error::Unreadable { error, .. } => Self::new(
                StatusCode::BAD_GATEWAY,
                "The server behind this one does not answer with SCIM.",
            )
            .with_source(error),
        }
    }
}
