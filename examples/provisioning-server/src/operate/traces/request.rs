//! The span of a request, by OpenTelemetry's conventions for HTTP servers.

use axum::extract::Request;
use tracing::Span;
use tracing::field::Empty;

use super::{export, route};

/// Begins the span of a request, as a part of the caller's trace if the caller names one. `method` is one of a few.
///
/// By the conventions it would have the path and the address of the caller, too: they name people. Nor has it the scheme:
/// what ends TLS may stand before the server.
pub(in crate::operate) fn of_request(method: &'static str, request: &Request) -> Span {
    let path = request.uri().path();
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        otel.name = name(method, route::of(path)),
        otel.status_code = Empty,
        http.request.method = if method == "other" { "_OTHER" } else { method },
        http.route = route::of(path),
        http.response.status_code = Empty,
        "error.type" = Empty,
        request.id = Empty,
        scim.organization.id = Empty,
        scim.operation = Empty,
        scim.resource_type = Empty,
        scim.scim_type = Empty,
    );
    if !span.is_disabled() {
        export::continue_from(&span, request.headers());
    }
    span
}

fn name(method: &str, route: Option<&str>) -> String {
    let method = if method == "other" { "HTTP" } else { method };
    match route {
        Some(route) => format!("{method} {route}"),
        None => method.to_owned(),
    }
}

/// The outcome of a request, in words that are few.
#[derive(Debug, Default)]
pub(in crate::operate) struct Answered<'a> {
    pub(in crate::operate) status: u16,
    pub(in crate::operate) request_id: &'a str,
    pub(in crate::operate) operation: Option<&'static str>,
    pub(in crate::operate) resource_type: Option<&'static str>,
    pub(in crate::operate) scim_type: Option<&'static str>,
}

impl Answered<'_> {
    /// Says it in the request's span.
    pub(in crate::operate) fn record(&self, span: &Span) {
        if span.is_disabled() {
            return;
        }
        span.record("http.response.status_code", self.status);
        span.record("request.id", self.request_id);
        span.record("scim.operation", self.operation);
        span.record("scim.resource_type", self.resource_type);
        span.record("scim.scim_type", self.scim_type);
        if self.status >= 500 {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", self.status.to_string());
        }
    }
}
