//! The headers by which every answer of the portal limits what the browser does with it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

use crate::domain::public_url::Scheme;

/// Nothing but what this server serves, in no frame, and no script or style within a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of pages that send no referrer.
pub(super) const NO_REFERRER: &str = "no-referrer";

/// Two years.
const HTTPS_ALONE: &str = "max-age=63072000";

const ALWAYS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Adds the headers to an answer.
pub(super) async fn secure(State(scheme): State<Scheme>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    add(answer.headers_mut(), scheme);
    answer
}

fn add(headers: &mut HeaderMap, scheme: Scheme) {
    // A page with a secret in its path sends no referrer at all.
    let sends_none = headers
        .get(REFERRER_POLICY)
        .is_some_and(|policy| policy == NO_REFERRER);
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if sends_none {
        headers.insert(REFERRER_POLICY, HeaderValue::from_static(NO_REFERRER));
    }
    if scheme == Scheme::Https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HTTPS_ALONE));
    }
    // Pages name people; assets say themselves that they may be kept.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6797 section 7.2: a host that is reached by http must not send the header.
    #[test]
    fn browsers_are_told_to_use_https_over_https_alone() {
        for (scheme, told) in [(Scheme::Http, None), (Scheme::Https, Some(HTTPS_ALONE))] {
            let mut headers = HeaderMap::new();
            add(&mut headers, scheme);
            let found = headers.get(STRICT_TRANSPORT_SECURITY);
            assert_eq!(found.map(|value| value.to_str().unwrap()), told);
        }
    }

    /// The policy has no exception that would let injected text run.
    #[test]
    fn the_policy_is_strict() {
        for word in ["unsafe", "data:", "blob:", "*", "http", "nonce"] {
            assert!(!POLICY.contains(word), "{word}");
        }
    }
}
