//! Error answers of the endpoint itself, before any resource is looked at.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, header};
use scim::Error;
use scim::message::write_error;
use scim::service::{Outcome, error_response};

use crate::domain::redact;

/// The realm of every organization.
const REALM: &str = "scim";

/// Answers a request with an error (RFC 7644 section 3.12). `asked` are the headers of the request.
pub(crate) fn error(error: &Error, asked: &HeaderMap) -> Response {
    error_response(error, asked, REALM).map(Body::new)
}

/// Takes tokens out of an error that repeats what was asked for: providers keep errors in their logs.
pub(super) fn without_tokens(mut response: Response) -> Response {
    let outcome = response.extensions().get::<Outcome>();
    let Some(problem) = outcome.and_then(|outcome| outcome.problem.as_ref()) else {
        return response;
    };
    if let Cow::Owned(detail) = redact::tokens(&problem.detail) {
        let error = Error::new(response.status(), detail);
        let error = match problem.scim_type {
            Some(scim_type) => error.with_type(scim_type),
            None => error,
        };
        let mut body = Vec::new();
        write_error(&mut body, &error);
        *response.body_mut() = Body::from(body);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}
