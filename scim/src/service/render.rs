//! Headers and bodies of answers.

use http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName,
    LOCATION, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::body::Body;
use super::endpoint::Shown;
use super::negotiation::SCIM_JSON;
use super::outcome::Outcome;
use super::response::Response;
use crate::error::{BearerError, Error};
use crate::message::write_error;
use crate::schema::ResourceType;

/// How many headers an answer has at most: `HeaderMap` need not grow, also if a layer adds one.
const MOST_HEADERS: usize = 8;

/// The content that is shown, before it has headers.
pub(super) enum Content {
    Resource(&'static ResourceType, Shown),
    Document(Body),
}

/// Makes the answer to a request that succeeded. Its status goes into `outcome`.
pub(super) fn content(
    content: Content,
    base: &str,
    media_type: &'static str,
    outcome: &mut Outcome,
) -> (HeaderMap, Body) {
    let mut headers = HeaderMap::with_capacity(MOST_HEADERS);
    // Personal data: only the client itself may keep it, and it must ask whether it still holds.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    // The media type is the client's choice (RFC 9110 section 12.5.5).
    headers.insert(VARY, HeaderValue::from_static("accept"));
    let body = match content {
        Content::Document(document) => {
            outcome.status = StatusCode::OK;
            document
        }
        Content::Resource(resource_type, shown) => {
            outcome.status = shown.status;
            if let Some(version) = &shown.version {
                let location = [base, "/", resource_type.segment(), "/", &shown.id].concat();
                // One copy for both headers.
                if let Ok(location) = HeaderValue::try_from(location) {
                    if shown.status != StatusCode::NO_CONTENT {
                        headers.insert(CONTENT_LOCATION, location.clone());
                    }
                    headers.insert(LOCATION, location);
                }
                insert(&mut headers, ETAG, version.entity_tag());
            }
            outcome.id = Some(shown.id);
            outcome.version = shown.version;
            shown.body
        }
    };
    if !matches!(outcome.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    (headers, body)
}

/// Returns what HEAD shows of what GET would (RFC 9110 section 9.3.2).
pub(super) fn without_body(mut headers: HeaderMap, body: &Body) -> (HeaderMap, Body) {
    if let Some(length) = body.length().filter(|length| *length > 0) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    (headers, Body::empty())
}

/// Makes the answer to a request that failed. `asked` are the headers of the request.
pub(super) fn error(
    error: &Error,
    allow: Option<&'static str>,
    asked: &HeaderMap,
    realm: &str,
    outcome: Outcome,
) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(allow) = allow {
        headers.insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(pause) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1)));
    }
    if let Some(challenge) = challenge(error, asked, realm) {
        insert(&mut headers, WWW_AUTHENTICATE, challenge);
    }
    let mut body = Vec::new();
    write_error(&mut body, error);
    Response {
        status: error.status(),
        headers,
        body: Body::whole(body),
        outcome,
    }
}

/// Returns the value of `WWW-Authenticate` (RFC 6750 section 3); `None` for an error that has nothing to do with a token. `asked`
/// are the headers of the request.
fn challenge(error: &Error, asked: &HeaderMap, realm: &str) -> Option<String> {
    let unauthorized = error.status() == StatusCode::UNAUTHORIZED;
    let code = error
        .bearer_error()
        .or_else(|| (unauthorized && shows_token(asked)).then_some(BearerError::InvalidToken))
        // Whoever was let in without a token lacks no scope of one.
        .filter(|code| *code != BearerError::InsufficientScope || asked.contains_key(AUTHORIZATION));
    if !unauthorized && code.is_none() {
        return None;
    }
    let realm = quotable(realm);
    let code = code.map_or_else(String::new, |code| format!(", error=\"{code}\""));
    Some(format!("Bearer realm=\"{realm}\"{code}"))
}

/// Returns whether a request has a bearer token. RFC 6750 section 3.1 has no code for one without credentials, or with those of
/// another scheme.
fn shows_token(asked: &HeaderMap) -> bool {
    asked.get_all(AUTHORIZATION).iter().any(|value| {
        let words = value.as_bytes().split(u8::is_ascii_whitespace);
        let mut words = words.filter(|word| !word.is_empty());
        let scheme = words.next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"bearer") && words.next().is_some()
    })
}

/// Returns the part of a text that can stand between quotes in a header: 401 must not go out without its challenge.
fn quotable(text: &str) -> String {
    text.chars()
        .filter(|character| (' '..='~').contains(character) && !['"', '\\'].contains(character))
        .collect()
}

/// Sets a header, unless its value is none.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Turns a SCIM error into an HTTP response (RFC 7644 section 3.12), for layers around the service that refuse requests.
/// `asked` are the headers of the request: a 401 that names no [`BearerError`] itself has `invalid_token` if they show a
/// bearer token, and no code otherwise.
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use scim::{BearerError, Error, service::error_response};
///
/// let error = Error::new(StatusCode::UNAUTHORIZED, "The request has no token.");
/// let response = error_response(&error, &HeaderMap::new(), "scim");
/// assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="scim""#);
///
/// let error = Error::bearer(BearerError::InvalidToken, "The token has expired.");
/// let response = error_response(&error, &HeaderMap::new(), "scim");
/// assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="scim", error="invalid_token""#);
/// ```
#[must_use]
pub fn error_response(problem: &Error, asked: &HeaderMap, realm: &str) -> http::Response<Body> {
    let mut outcome = Outcome::default();
    outcome.fail(problem, None);
    error(problem, None, asked, realm, outcome).into()
}
