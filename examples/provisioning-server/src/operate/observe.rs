//! The outside view of every request: a number in the metrics, a span in the traces, and at the level `debug` a
//! line in the log.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use http::Method;
use scim::ScimType;
use scim::service::{Operation, Outcome};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use super::metrics::{Kind, Metrics};
use super::traces::{self, Answered};
use crate::scim_api::Asked;

/// A layer that counts, traces and logs requests, and gives each an id. None of them has the path or the query: they name
/// people.
#[derive(Debug, Clone)]
pub(crate) struct Observe(pub(crate) Arc<Metrics>);

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        let metrics = Arc::clone(&self.0);
        Observed { inner, metrics }
    }
}

/// A service whose requests are observed.
#[derive(Debug, Clone)]
pub(crate) struct Observed<S> {
    inner: S,
    metrics: Arc<Metrics>,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let asked = Arc::new(Asked::of(&request));
        request.extensions_mut().insert(Arc::clone(&asked));
        let method = known(request.method());
        let span = traces::of_request(method, &request);
        let metrics = Arc::clone(&self.metrics);
        let answer = self.inner.call(request).instrument(span.clone());
        Box::pin(async move {
            let _under_way = metrics.begin();
            let mut response = answer.await?;
            asked.put_id(response.headers_mut());
            tell(
                &metrics,
                &span,
                method,
                &answered(&asked, &response),
                asked.began.elapsed(),
            );
            Ok(response)
        })
    }
}

/// Says what came of a request: in the metrics, in its span, and in the log.
fn tell(metrics: &Metrics, span: &Span, method: &'static str, answered: &Answered<'_>, duration: Duration) {
    let kind = Kind {
        method,
        status: answered.status,
        operation: answered.operation.unwrap_or("none"),
    };
    metrics.count(kind, duration);
    answered.record(span);
    span.in_scope(|| {
        tracing::debug!(
            request = answered.request_id,
            method = kind.method,
            status = kind.status,
            operation = kind.operation,
            seconds = duration.as_secs_f64(),
            "answered"
        );
    });
}

/// Returns what came of a request.
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

/// Returns a name of ours for a method: anybody may invent methods.
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
