//! `/scim/{organization}/v2/…`: authentication and history around what serves the resources.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::response::Response;
use axum::routing::any;
use http::{StatusCode, header};
use jiff::Timestamp;
use uuid::Uuid;

use super::answer;
use super::directory::{Directory, Verdict};
use super::request_id;
use crate::domain::access::Credentials;
use crate::domain::request_row::{RequestRow, shown_path};
use crate::history::Recorder;

/// What serves the SCIM endpoints.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) directory: Directory,
    pub(crate) history: Arc<Recorder>,
}

/// The routes of every organization's endpoint.
pub(crate) fn router(endpoint: Arc<Endpoint>) -> Router {
    Router::new()
        .route("/scim/{organization}/v2", any(serve))
        .route("/scim/{organization}/v2/", any(serve))
        .route("/scim/{organization}/v2/{*resource}", any(serve))
        .with_state(endpoint)
}

/// Every path that is none of ours.
pub(crate) async fn no_route() -> Response {
    answer::error(
        StatusCode::NOT_FOUND,
        "Nothing is served here: the URL of an organization is /scim/{organization}/v2.",
    )
}

/// What is known of a request before it is answered.
struct Asked {
    id: String,
    method: String,
    path: String,
    time: Timestamp,
    began: Instant,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            id: request_id::of(request.headers()),
            method: request.method().as_str().to_owned(),
            path: shown_path(request.uri().path(), request.uri().query()),
            time: Timestamp::now(),
            began: Instant::now(),
        }
    }
}

async fn serve(State(endpoint): State<Arc<Endpoint>>, params: RawPathParams, request: Request) -> Response {
    let asked = Asked::of(&request);
    let name = params
        .iter()
        .find(|(key, _)| *key == "organization")
        .map_or("", |(_, value)| value);
    let header = request.headers().get(header::AUTHORIZATION);
    let credentials = Credentials::read(header.map(|value| value.as_bytes()));
    let verdict = endpoint.directory.decide(name, &credentials, asked.time).await;
    let mut response = match &verdict {
        Ok(verdict) => answer(verdict),
        Err(fault) => {
            tracing::error!(request = asked.id, "{}", fault.with_causes());
            answer::error(
                StatusCode::SERVICE_UNAVAILABLE,
                "The service cannot reach its database: repeat the request later.",
            )
        }
    };
    request_id::put(response.headers_mut(), &asked.id);
    if let Ok(verdict) = &verdict {
        endpoint.remember(asked, verdict, response.status());
    }
    response
}

fn answer(verdict: &Verdict) -> Response {
    match verdict {
        Verdict::NoOrganization => answer::error(
            StatusCode::NOT_FOUND,
            "No organization has this URL: check the part after \"/scim/\".",
        ),
        Verdict::Refused(_, refusal) => {
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
            answer::error(status, &refusal.sentence())
        }
        Verdict::Admitted(..) => answer::error(
            StatusCode::NOT_IMPLEMENTED,
            "This version of the server does not serve resources yet.",
        ),
    }
}

impl Endpoint {
    /// Keeps what the history wants to know of a request that changed nothing.
    fn remember(&self, asked: Asked, verdict: &Verdict, status: StatusCode) {
        let Some(organization) = verdict.organization() else {
            return;
        };
        let Some(token) = verdict.token() else {
            self.history.count_unattributed(organization.id);
            return;
        };
        let refusal = match verdict {
            Verdict::Refused(_, refusal) => Some(refusal.sentence()),
            _ => None,
        };
        if refusal.is_none() {
            self.history.used(organization.id, token, asked.time);
        }
        self.history.record(RequestRow {
            organization: organization.id,
            sequence: Uuid::now_v7(),
            time: asked.time,
            method: asked.method,
            path: asked.path,
            status: status.as_u16(),
            scim_type: None,
            duration_us: i64::try_from(asked.began.elapsed().as_micros()).unwrap_or(i64::MAX),
            meaning: if refusal.is_some() {
                "refused"
            } else {
                "not served"
            }
            .to_owned(),
            resource_type: None,
            resource_id: None,
            external_id: None,
            token: Some(token),
            request_id: asked.id,
            idp: organization.settings.idp,
            error: refusal,
        });
    }
}
