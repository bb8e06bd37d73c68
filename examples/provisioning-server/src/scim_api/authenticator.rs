//! Authentication at the endpoint of an organization.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, Path};
use http::StatusCode;
use http::request::Parts;
use scim::{Error, Result};
use scim_axum::{Credentials, Verify};
use tracing::{Instrument, Span};

use super::asked::Asked;
use super::context::Context;
use super::directory::{Directory, Verdict};
use super::policies::Policies;
use super::request_history;
use crate::history::Recorder;

/// Admits requests with a token of the organization that the URL names.
#[derive(Debug)]
pub(super) struct Authenticator {
    pub(super) directory: Directory,
    pub(super) history: Arc<Recorder>,
    pub(super) policies: Arc<Policies>,
}

impl Verify for Authenticator {
    type Principal = Context;

    /// 404 for whoever names no organization, whatever token comes along; 401 for whoever is not known; 403 where the
    /// organization is disabled; 503 if the database does not answer.
    async fn verify(&self, credentials: &Credentials, parts: &mut Parts) -> Result<Context> {
        let asked = parts.extensions.get::<Arc<Asked>>().cloned();
        let asked = asked.ok_or_else(|| Error::internal("a request that nobody has observed"))?;
        let Ok(Path(name)) = Path::<String>::from_request_parts(parts, &()).await else {
            return Err(no_organization());
        };
        let decided = self.directory.decide(&name, credentials, asked.time);
        let verdict = decided.instrument(tracing::info_span!("authenticate")).await;
        if let Ok(Verdict::Admitted(access, _) | Verdict::Refused(access, _)) = &verdict {
            Span::current().record("scim.organization.id", &*access.tenant);
        }
        match verdict {
            Ok(Verdict::Admitted(access, token)) => {
                self.history.used(access.organization.id, token, asked.time);
                Ok(Context::new(asked, access, token, Arc::clone(&self.policies)))
            }
            Ok(Verdict::Refused(access, refusal)) => {
                let error = refusal.error();
                request_history::refused(&self.history, &asked, &access.organization, &refusal, &error);
                Err(error)
            }
            Ok(Verdict::NoOrganization) => Err(no_organization()),
            Err(fault) => {
                tracing::error!(request = asked.id, "{}", fault.with_causes());
                Err(Error::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The service cannot reach its database: repeat the request later.",
                ))
            }
        }
    }
}

fn no_organization() -> Error {
    Error::new(
        StatusCode::NOT_FOUND,
        "No organization has this URL: check the part after \"/scim/\".",
    )
}
