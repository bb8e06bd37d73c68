//! Authentication at the endpoint of an organization.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts as _, Path};
use http::StatusCode;
use http::request::Parts;
use scim::{Error, Result};
use scim_axum::{Credentials, Verify};
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::asked::Asked;
use super::context::Context;
use super::directory::{Directory, Verdict};
use super::policies::Policies;
use super::rates::Rates;
use super::request_history;
use crate::database::Access;
use crate::domain::access::Refusal;
use crate::domain::batch::Use;
use crate::domain::token::Purpose;
use crate::history::Recorder;

/// When to come again while the database does not answer.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Admits requests with a token of the organization that the URL names.
#[derive(Debug)]
pub(super) struct Authenticator {
    pub(super) directory: Directory,
    pub(super) history: Arc<Recorder>,
    pub(super) policies: Arc<Policies>,
    pub(super) rates: Rates,
}

impl Verify for Authenticator {
    type Principal = Context;

    /// Answers 401 to whoever is not known, whether the URL names an organization or not; 403 if it is disabled; 429 to
    /// whoever asks too often; 503 if the database does not answer.
    async fn verify(&self, credentials: &Credentials, parts: &mut Parts) -> Result<Context> {
        let asked = parts.extensions.get::<Arc<Asked>>().cloned();
        let asked = asked.ok_or_else(|| Error::internal("a request that nobody has observed"))?;
        // A path that is not a name of an organization is answered like a name that is not taken.
        let name = Path::<String>::from_request_parts(parts, &()).await;
        let name = name.map_or_else(|_| String::new(), |Path(name)| name);
        let decided = self.directory.decide(&name, credentials, asked.time);
        let verdict = decided.instrument(tracing::info_span!("authenticate")).await;
        if let Ok(Verdict::Admitted(access, _) | Verdict::Refused(access, _)) = &verdict {
            Span::current().record("scim.organization.id", &*access.tenant);
        }
        match verdict {
            Ok(Verdict::Admitted(access, token)) => {
                self.check_rate(&asked, &access, token)?;
                let used = Use {
                    organization: access.organization.id,
                    purpose: Purpose::Scim,
                    at: asked.time,
                };
                self.history.used(token, used);
                let (policies, sent) = (Arc::clone(&self.policies), self.history.begin_body());
                Ok(Context::new(asked, access, token, policies, sent))
            }
            Ok(Verdict::Refused(access, refusal)) => {
                let error = refusal.error();
                request_history::refused(&self.history, &asked, &access.organization, &refusal, &error);
                Err(error)
            }
            Ok(Verdict::NoOrganization(refusal)) => Err(refusal.error()),
            Err(fault) => {
                tracing::error!(request = asked.id, "{}", fault.with_causes());
                Err(Error::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The service cannot reach its database: repeat the request later.",
                )
                .with_retry_after(RETRY_AFTER))
            }
        }
    }
}

impl Authenticator {
    /// Refuses a request that comes too early. The history tells of one a second: the others would only fill it.
    fn check_rate(&self, asked: &Asked, access: &Access, token: Uuid) -> Result<()> {
        let Err(early) = self.rates.admit(access.organization.id) else {
            return Ok(());
        };
        let refusal = Refusal::TooMany {
            token,
            limit: self.rates.limit(),
            wait: early.wait,
        };
        let error = refusal.error();
        if early.is_told {
            request_history::refused(&self.history, asked, &access.organization, &refusal, &error);
        }
        Err(error)
    }
}
