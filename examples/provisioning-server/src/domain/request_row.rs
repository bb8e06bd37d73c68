//! One row of the API history: what a request was and what came of it.

use std::borrow::Cow;

use http::Method;
use jiff::Timestamp;
use uuid::Uuid;

use super::redact;
use super::settings::IdentityProvider;

/// The record that is kept of one request. No token, query value or body is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestRow {
    pub(crate) organization: Uuid,
    /// Rows of an organization sort by it in the order of their requests.
    pub(crate) sequence: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) method: Cow<'static, str>,
    /// The path with the names of the query's parameters, without their values.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) scim_type: Option<&'static str>,
    pub(crate) duration_us: i64,
    /// The operation as a word: `get`, `query`, `create`…
    pub(crate) operation: Option<&'static str>,
    /// How many resources a list has found.
    pub(crate) total: Option<u64>,
    /// The meaning of the request to the organization, such as "created user a@x", unless operation, type, total and status
    /// say it: then the sentence is made of them when it is shown.
    pub(crate) sentence: Option<Cow<'static, str>>,
    pub(crate) resource_type: Option<&'static str>,
    pub(crate) resource_id: Option<String>,
    pub(crate) external_id: Option<String>,
    /// The name of the person or group that a request asked for in vain.
    pub(crate) asked_for: Option<String>,
    pub(crate) token: Option<Uuid>,
    pub(crate) request_id: String,
    pub(crate) idp: IdentityProvider,
    /// The tolerances by which the request was put up with, and what each was needed for.
    pub(crate) notes: Option<String>,
    pub(crate) error: Option<String>,
}

impl RequestRow {
    /// Cuts every text that a client can make long, so that a row has a bounded size, and hides tokens in it: a client may
    /// have sent one as anything.
    pub(crate) fn bounded(mut self) -> Self {
        let own = [Some(&mut self.method), self.sentence.as_mut()];
        for text in own.into_iter().flatten() {
            if let Cow::Owned(text) = text {
                redact::keep(text);
            }
        }
        for text in [&mut self.path, &mut self.request_id] {
            redact::keep(text);
        }
        let optional = [
            &mut self.resource_id,
            &mut self.external_id,
            &mut self.asked_for,
            &mut self.notes,
            &mut self.error,
        ];
        for text in optional.into_iter().flatten() {
            redact::keep(text);
        }
        self
    }
}

/// Returns the name of a method; that of a common one without a copy.
pub(crate) fn method_name(method: &Method) -> Cow<'static, str> {
    const COMMON: [(Method, &str); 7] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    match COMMON.iter().find(|(common, _)| common == method) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(method.as_str().to_owned()),
    }
}

/// Returns the part of a path and query that is kept: a filter holds personal data.
pub(crate) fn shown_path(path: &str, query: Option<&str>) -> String {
    let mut text = path.to_owned();
    let names = query
        .unwrap_or_default()
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name))
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()));
    for (number, name) in names.enumerate() {
        text.push(if number == 0 { '?' } else { '&' });
        text.push_str(name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret;

    #[test]
    fn a_path_keeps_the_names_of_its_parameters_and_no_value() {
        let query = "filter=userName+eq+%22a@x%22&startIndex=1&count&=z&tok%65n=1";
        assert_eq!(
            shown_path("/scim/acme/v2/Users", Some(query)),
            "/scim/acme/v2/Users?filter&startIndex&count"
        );
        assert_eq!(shown_path("/Users", None), "/Users");
    }

    #[test]
    fn a_token_in_a_path_is_hidden() {
        let token = secret::Secret::from_random(secret::SecretKind::Token, [3; 32]);
        let mut path = shown_path(&format!("/Users/{}", token.reveal()), Some(token.reveal()));
        redact::keep(&mut path);
        assert!(!path.contains(token.last_four()), "{path}");
    }

    #[test]
    fn every_method_has_its_name() {
        for name in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            let named = method_name(&Method::from_bytes(name.as_bytes()).unwrap());
            assert!(matches!(named, Cow::Borrowed(named) if named == name), "{name}");
        }
        assert_eq!(method_name(&Method::from_bytes(b"SPY").unwrap()), "SPY");
    }
}
