//! Answers in JSON, which nobody on the way may keep.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

const JSON: [(http::HeaderName, &str); 2] = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];

/// Answers with the document and its entity tag, or with 304 if whoever asks has it.
pub(super) fn document(asked: &HeaderMap, document: &impl Serialize) -> Response {
    let body = serde_json::to_string(document).unwrap_or_default();
    let digest: String = Sha256::digest(body.as_bytes())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tag = format!("\"{digest}\"");
    match is_known(asked, &tag) {
        true => (
            StatusCode::NOT_MODIFIED,
            [(ETAG, tag)],
            [(CACHE_CONTROL, "no-store")],
        )
            .into_response(),
        false => (StatusCode::OK, [(ETAG, tag)], JSON, body).into_response(),
    }
}

/// Compares the tag weakly with each tag of the list (RFC 9110 section 13.1.2).
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let values = asked.get_all(IF_NONE_MATCH).iter();
    values.filter_map(|value| value.to_str().ok()).any(|list| {
        let mut tags = list.split(',').map(str::trim);
        tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    })
}

/// Makes an error with a sentence that says what to do.
pub(super) fn error(status: StatusCode, word: &str, sentence: &str) -> Response {
    let body = json!({ "error": word, "detail": sentence }).to_string();
    (status, JSON, body).into_response()
}

/// Makes the error for whoever has shown no good token. `has_shown` one at all (RFC 6750 section 3.1).
pub(super) fn unauthorized(has_shown: bool, sentence: &str) -> Response {
    let challenge = match has_shown {
        true => "Bearer realm=\"access\", error=\"invalid_token\"",
        false => "Bearer realm=\"access\"",
    };
    let answer = error(StatusCode::UNAUTHORIZED, "unauthorized", sentence);
    ([(WWW_AUTHENTICATE, challenge)], answer).into_response()
}

/// Makes the error that is sent while the database does not answer.
pub(super) fn unavailable() -> Response {
    let sentence = "The service cannot reach its database: repeat the request later.";
    let answer = error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", sentence);
    ([(RETRY_AFTER, "1")], answer).into_response()
}

/// Answers with the error for another method than those of the route.
pub(super) async fn method_not_allowed() -> Response {
    let sentence = "This can only be read: send GET.";
    let answer = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", sentence);
    ([(ALLOW, "GET, HEAD")], answer).into_response()
}
