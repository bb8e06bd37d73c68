//! What is seen of every request from outside: a number in the metrics, and at the level `debug` a line in the log.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use scim::service::Outcome;

use super::metrics::{Kind, Metrics};

/// The header with the id of a request.
const REQUEST_ID: &str = "x-request-id";

/// Counts and logs a request. Neither has the path or the query: they name people.
pub(crate) async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = known(request.method());
    let response = next.run(request).await;
    let outcome = response.extensions().get::<Outcome>();
    let kind = Kind {
        method,
        status: response.status().as_u16(),
        operation: outcome
            .and_then(|outcome| outcome.operation)
            .map_or("none", |operation| operation.as_str()),
    };
    let duration = began.elapsed();
    metrics.count(kind, duration);
    let id = response.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    tracing::debug!(
        request = id.unwrap_or_default(),
        method = kind.method,
        status = kind.status,
        operation = kind.operation,
        seconds = duration.as_secs_f64(),
        "answered"
    );
    response
}

/// A method by a name of ours: anybody may invent methods.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
