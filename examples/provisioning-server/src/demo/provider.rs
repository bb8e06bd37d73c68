//! The identity provider of one organization, which speaks SCIM with the routes of the server in this process.

use std::fmt;

use axum::Router;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use jiff::Timestamp;
use scim::testkit::simulate::{Dialect, Request, Script, Simulation, Through, Transport};
use serde_json::Value;

use super::decisions;
use crate::actions::token::{self, New};
use crate::database::Product;
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Name;
use crate::domain::secret::Secret;
use crate::domain::token::{Issue, Purpose, Token};

/// A provider with its token.
pub(super) struct Provider {
    organization: Name,
    endpoint: Through<Router>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// Gives the provider of an organization a token in place of the one that an earlier start has made.
    pub(super) async fn connect(product: &Product, routes: &Router, organization: &str) -> Result<Self> {
        let organization = Name::parse(organization)?;
        let secret = token(product, &organization).await?;
        let bearer = format!("Bearer {}", secret.reveal());
        let mut credentials = HeaderValue::try_from(bearer)
            .map_err(|cause| Fault::internal("A token cannot be sent.", cause))?;
        credentials.set_sensitive(true);
        let base = format!("http://localhost/scim/{organization}/v2");
        let endpoint = Through::new(routes.clone(), &base).with_header(AUTHORIZATION, credentials);
        Ok(Self {
            organization,
            endpoint,
        })
    }

    /// Returns the organization whose people and groups it provisions.
    pub(super) fn organization(&self) -> &Name {
        &self.organization
    }

    /// Tells a story in the dialect of a provider.
    ///
    /// # Errors
    /// The server is not in step at its end.
    pub(super) async fn simulate(&mut self, dialect: Dialect, script: Script) -> Result<()> {
        let report = Simulation::new(dialect, script).run(&mut self.endpoint).await;
        if report.is_success() {
            return Ok(());
        }
        Err(Fault::internal(
            "The demonstration cannot be made.",
            report.to_string(),
        ))
    }

    /// Sends one request, and returns the status and the document of the answer.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value)> {
        let lost = |why: String| Fault::internal("The demonstration got no answer.", why);
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(CONTENT_TYPE, "application/scim+json");
        let body = body.map(Value::to_string).unwrap_or_default();
        let request: Request = request
            .body(body.into())
            .map_err(|error| lost(error.to_string()))?;
        let answer = self.endpoint.send(request).await.map_err(|error| lost(error.0))?;
        let document = serde_json::from_slice(answer.body()).unwrap_or_default();
        Ok((answer.status(), document))
    }
}

/// Makes a token of its own, in place of the one that an earlier start has made.
async fn token(product: &Product, organization: &Name) -> Result<Secret> {
    let now = Timestamp::now();
    let is_live = |token: &Token| token.purpose == Purpose::Scim && token.is_live(now);
    let all = token::list(product, &decisions::actor(), organization).await?;
    let how = if all.iter().any(is_live) {
        Issue::Rotate
    } else {
        Issue::Create
    };
    let new = New {
        purpose: Purpose::Scim,
        how,
        days: None,
    };
    let issued = token::issue(product, &decisions::actor(), organization, new).await?;
    Ok(issued.secret)
}
