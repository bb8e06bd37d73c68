//! Error answers of the endpoint itself, before any resource is looked at.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use scim::ScimType;
use scim::service::Outcome;
use serde_json::json;

use crate::domain::redact;

/// A SCIM error (RFC 7644 section 3.12).
pub(crate) fn error(status: StatusCode, detail: &str) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/scim+json")];
    let mut response = (status, content_type, body(status, None, detail)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 7644 section 2, RFC 6750 section 3.
        let challenge = HeaderValue::from_static("Bearer realm=\"scim\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn body(status: StatusCode, scim_type: Option<ScimType>, detail: &str) -> Body {
    let mut document = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.as_str(),
        "detail": detail,
    });
    if let (Some(scim_type), Some(members)) = (scim_type, document.as_object_mut()) {
        members.insert("scimType".to_owned(), scim_type.as_str().into());
    }
    Body::from(document.to_string())
}

/// Takes tokens out of an error that repeats what was asked for: providers keep errors in their logs.
pub(super) fn without_tokens(mut response: Response) -> Response {
    let outcome = response.extensions().get::<Outcome>();
    let Some(problem) = outcome.and_then(|outcome| outcome.problem.as_ref()) else {
        return response;
    };
    if let Cow::Owned(detail) = redact::tokens(&problem.detail) {
        let body = body(response.status(), problem.scim_type, &detail);
        *response.body_mut() = body;
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}
