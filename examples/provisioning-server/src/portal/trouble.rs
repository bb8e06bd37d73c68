//! The sentence above a form that is shown again, because its fields did not let anybody in.

use axum::response::Response;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;

use super::moment;
use crate::domain::fault::Kind;
use crate::login::Refusal;

/// A sentence, and the status of the answer that has it.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) sentence: String,
    pub(super) status: StatusCode,
    /// In how many seconds it can be tried again.
    retry: Option<u64>,
}

impl Trouble {
    /// Returns what is to be said of a refusal; `wrong` is the sentence where name, password or code are not right.
    ///
    /// # Errors
    /// It is nothing that the form can say: the refusal itself.
    pub(super) fn of(refusal: Refusal, wrong: &str) -> Result<Self, Refusal> {
        let said = |sentence: String| Self {
            sentence,
            status: StatusCode::UNPROCESSABLE_ENTITY,
            retry: None,
        };
        match refusal {
            Refusal::Wrong => Ok(said(wrong.to_owned())),
            Refusal::Slowed { until } => Ok(Self::slowed(until, Timestamp::now())),
            Refusal::Fault(fault) if matches!(fault.kind(), Kind::Invalid | Kind::Conflict) => {
                Ok(said(fault.to_string()))
            }
            other => Err(other),
        }
    }

    fn slowed(until: Timestamp, now: Timestamp) -> Self {
        Self {
            sentence: format!(
                "Too many attempts have failed. Try again in {}.",
                moment::wait(now, until)
            ),
            status: StatusCode::TOO_MANY_REQUESTS,
            retry: Some(moment::seconds(now, until)),
        }
    }

    /// Says in a header when it can be tried again (RFC 6585 section 4).
    pub(super) fn mark(&self, mut answer: Response) -> Response {
        if let Some(seconds) = self.retry {
            answer
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
