//! What is seen of every request from outside: a number in the metrics, a span in the traces, and at the level `debug` a
//! line in the log.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use scim::ScimType;
use scim::service::{Operation, Outcome};
use tracing::Instrument;

use super::metrics::{Kind, Metrics};
use super::traces::{self, Answered};

/// The header with the id of a request.
const REQUEST_ID: &str = "x-request-id";

/// Counts, traces and logs a request. None of them has the path or the query: they name people.
pub(crate) async fn observe(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _under_way = metrics.begin();
    let method = known(request.method());
    let span = traces::of_request(method, &request);
    let response = next.run(request).instrument(span.clone()).await;
    let answered = answered(&response);
    let kind = Kind {
        method,
        status: answered.status,
        operation: answered.operation.unwrap_or("none"),
    };
    let duration = began.elapsed();
    metrics.count(kind, duration);
    answered.record(&span);
    span.in_scope(|| {
        tracing::debug!(
            request = answered.request_id.unwrap_or_default(),
            method = kind.method,
            status = kind.status,
            operation = kind.operation,
            seconds = duration.as_secs_f64(),
            "answered"
        );
    });
    response
}

/// What came of a request.
fn answered(response: &Response) -> Answered<'_> {
    let outcome = response.extensions().get::<Outcome>();
    let problem = outcome.and_then(|outcome| outcome.problem.as_ref());
    Answered {
        status: response.status().as_u16(),
        request_id: response.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()),
        operation: outcome
            .and_then(|outcome| outcome.operation)
            .map(Operation::as_str),
        resource_type: outcome.and_then(|outcome| outcome.resource_type),
        scim_type: problem
            .and_then(|problem| problem.scim_type)
            .map(ScimType::as_str),
    }
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
