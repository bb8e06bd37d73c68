//! What is seen of every request from outside: a number in the metrics, a span in the traces, and at the level `debug` a
//! line in the log.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use scim::ScimType;
use scim::service::{Operation, Outcome};
use tracing::Instrument;

use super::metrics::{Kind, Metrics};
use super::traces::{self, Answered};
use crate::scim_api::Asked;

/// Counts, traces and logs a request, and gives it an id. None of them has the path or the query: they name people.
pub(crate) async fn observe(
    State(metrics): State<Arc<Metrics>>,
    mut request: Request,
    next: Next,
) -> Response {
    let asked = Arc::new(Asked::of(&request));
    request.extensions_mut().insert(Arc::clone(&asked));
    let _under_way = metrics.begin();
    let method = known(request.method());
    let span = traces::of_request(method, &request);
    let mut response = next.run(request).instrument(span.clone()).await;
    asked.put_id(response.headers_mut());
    let answered = answered(&asked, &response);
    let kind = Kind {
        method,
        status: answered.status,
        operation: answered.operation.unwrap_or("none"),
    };
    let duration = asked.began.elapsed();
    metrics.count(kind, duration);
    answered.record(&span);
    span.in_scope(|| {
        tracing::debug!(
            request = asked.id,
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
fn answered<'a>(asked: &'a Asked, response: &'a Response) -> Answered<'a> {
    let outcome = response.extensions().get::<Outcome>();
    let problem = outcome.and_then(|outcome| outcome.problem.as_ref());
    Answered {
        status: response.status().as_u16(),
        request_id: &asked.id,
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
