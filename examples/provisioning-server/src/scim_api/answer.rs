//! Error answers of the endpoint itself, before any resource is looked at.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// A SCIM error (RFC 7644 section 3.12).
pub(crate) fn error(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.as_str(),
        "detail": detail,
    });
    let content_type = [(header::CONTENT_TYPE, "application/scim+json")];
    let mut response = (status, content_type, Body::from(body.to_string())).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 7644 section 2, RFC 6750 section 3.
        let challenge = HeaderValue::from_static("Bearer realm=\"scim\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
