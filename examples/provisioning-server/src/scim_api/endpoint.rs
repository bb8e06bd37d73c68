//! `/scim/{organization}/v2/…`, and the same without the version (RFC 7644 section 3.13): authentication and history around the service of people and groups.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::any;
use http::uri::PathAndQuery;
use http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use scim::Error;
use scim::service::Outcome;
use scim_axum::Credentials;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::answer;
use super::context::{Asked, Context};
use super::directory::{Directory, Verdict};
use super::request_id;
use super::service::People;
use crate::database::Access;
use crate::domain::access::Refusal;
use crate::domain::fault::Result;
use crate::domain::request_row::{RequestRow, shown_path};
use crate::history::Recorder;
use crate::history::look::{self, Look};

/// What serves the SCIM endpoints.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) directory: Directory,
    pub(crate) history: Arc<Recorder>,
    pub(crate) people: People,
}

/// The routes of every organization's endpoint.
pub(crate) fn router(endpoint: Arc<Endpoint>) -> Router {
    Router::new()
        .route("/scim/{organization}", any(serve))
        .route("/scim/{organization}/", any(serve))
        .route("/scim/{organization}/{*resource}", any(serve))
        .with_state(endpoint)
}

/// Every path that is none of ours.
pub(crate) async fn no_route(headers: HeaderMap) -> Response {
    let nothing = Error::new(
        StatusCode::NOT_FOUND,
        "Nothing is served here: the URL of an organization is /scim/{organization}/v2.",
    );
    answer::error(&nothing, &headers)
}

async fn serve(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let asked = asked(&request);
    let id = asked.id.clone();
    // The name has no character that would be percent-encoded, and what follows it is the service's to decode.
    let name = request.uri().path().split('/').nth(2).unwrap_or_default();
    let credentials = Credentials::read(request.headers(), request.uri());
    let verdict = endpoint
        .directory
        .decide(name, &credentials, asked.time)
        .instrument(tracing::info_span!("authenticate"))
        .await;
    if let Ok(Verdict::Admitted(access, _) | Verdict::Refused(access, _)) = &verdict {
        let organization = access.organization.id;
        Span::current().record("scim.organization.id", tracing::field::display(organization));
    }
    let mut response = endpoint.answer(verdict, asked, request).await;
    request_id::put(response.headers_mut(), &id);
    response
}

fn asked(request: &Request) -> Asked {
    Asked {
        id: request_id::of(request.headers()),
        sequence: Uuid::now_v7(),
        method: request.method().clone(),
        path: shown_path(request.uri().path(), request.uri().query()),
        time: Timestamp::now(),
        began: Instant::now(),
    }
}

impl Endpoint {
    async fn answer(&self, verdict: Result<Verdict>, asked: Asked, request: Request) -> Response {
        match verdict {
            Ok(Verdict::Admitted(access, token)) => self.admitted(asked, access, token, request).await,
            Ok(Verdict::Refused(access, refusal)) => {
                self.refused(&asked, &access, &refusal, request.headers())
            }
            Ok(Verdict::NoOrganization) => {
                let nobody = Error::new(
                    StatusCode::NOT_FOUND,
                    "No organization has this URL: check the part after \"/scim/\".",
                );
                answer::error(&nobody, request.headers())
            }
            Err(fault) => {
                tracing::error!(request = asked.id, "{}", fault.with_causes());
                let unreachable = Error::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The service cannot reach its database: repeat the request later.",
                );
                answer::error(&unreachable, request.headers())
            }
        }
    }

    fn refused(&self, asked: &Asked, access: &Access, refusal: &Refusal, headers: &HeaderMap) -> Response {
        let error = refusal.error();
        let organization = &access.organization;
        match refusal.token() {
            None => self.history.count_unattributed(organization.id),
            Some(token) => self.history.record(RequestRow {
                status: error.status().as_u16(),
                meaning: "refused".to_owned(),
                error: Some(error.to_string()),
                ..asked.row(organization, token)
            }),
        }
        answer::error(&error, headers)
    }

    async fn admitted(
        &self,
        asked: Asked,
        access: Arc<Access>,
        token: Uuid,
        mut request: Request,
    ) -> Response {
        self.history.used(access.organization.id, token, asked.time);
        let cx = Context::new(asked, access, token, self.people.policies());
        *request.uri_mut() = below_mount(request.uri());
        let query = request.uri().query().map(str::to_owned);
        let path = request.uri().path().to_owned();
        let span = cx.span().clone();
        let response = self.people.respond(&cx, request).instrument(span).await;
        cx.end_commit();
        if let Some(outcome) = response.extensions().get::<Outcome>() {
            self.remember(&cx, outcome, &path, query.as_deref());
        }
        answer::without_tokens(response.map(Body::new))
    }

    /// Keeps what the history wants to know, unless the transaction of the change has said it all.
    fn remember(&self, cx: &Context, outcome: &Outcome, path: &str, query: Option<&str>) {
        let status = outcome.status.as_u16();
        if let Some(cause) = outcome
            .problem
            .as_ref()
            .and_then(|problem| problem.cause.as_deref())
        {
            tracing::error!(request = cx.asked().id, status, "{cause}");
        }
        if cx.noted() == Some(status) && outcome.fired.is_empty() {
            return;
        }
        let look = Look {
            operation: outcome.operation.map_or("", |operation| operation.as_str()),
            resource_type: outcome.resource_type,
            path,
            query,
            total: outcome.total,
            status,
            is_first_use: cx.is_first_use(),
        };
        let problem = outcome.problem.as_ref();
        self.history.record(RequestRow {
            status,
            scim_type: problem
                .and_then(|problem| problem.scim_type)
                .map(|kind| kind.as_str()),
            meaning: look::meaning(look),
            resource_type: outcome.resource_type.map(str::to_owned),
            resource_id: outcome.id.clone(),
            notes: outcome.notes(),
            error: problem.map(|problem| problem.detail.clone()),
            ..cx.row()
        });
    }
}

/// The URL without `/scim/{organization}`.
fn below_mount(uri: &Uri) -> Uri {
    let path = uri.path().splitn(4, '/').nth(3).unwrap_or_default();
    let below = match uri.query() {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    };
    let mut parts = uri.clone().into_parts();
    if let Ok(below) = below.parse::<PathAndQuery>() {
        parts.path_and_query = Some(below);
    }
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_is_taken_off_and_the_rest_stays_encoded() {
        for (whole, below) in [
            ("/scim/acme", "/"),
            ("/scim/acme/", "/"),
            ("/scim/acme/v2", "/v2"),
            ("/scim/acme/v2/", "/v2/"),
            ("/scim/acme/v2/Users?count=1", "/v2/Users?count=1"),
            ("/scim/acme/Users/a%2Fb", "/Users/a%2Fb"),
            (
                "http://x.example/scim/acme/v2/.search",
                "http://x.example/v2/.search",
            ),
        ] {
            assert_eq!(below_mount(&whole.parse().unwrap()).to_string(), below, "{whole}");
        }
    }
}
