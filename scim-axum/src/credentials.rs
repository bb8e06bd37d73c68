//! The credentials of a request (RFC 6750 section 2).

use std::fmt::{self, Debug, Formatter};

use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use scim::{BearerError, Error, Result};

/// The credentials of a request, before anybody has looked whose they are.
///
/// [`BearerLayer`](crate::BearerLayer) reads them and hands them to a [`Verify`](crate::Verify); those who authenticate in
/// another way read them themselves. `Debug` shows no token.
///
/// ```
/// use scim_axum::Credentials;
///
/// let request = http::Request::get("/Users").header("authorization", "Bearer sesame").body(())?;
/// let (parts, ()) = request.into_parts();
/// assert_eq!(Credentials::of(&parts).token()?, "sesame");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// None: no header `Authorization`, an empty one, or the scheme alone.
    Absent,
    /// `Bearer` and a token, the scheme in any case (RFC 9110 section 11.1).
    Bearer(String),
    /// A token without its scheme, as Okta's header authentication sends what an administrator pasted.
    Bare(String),
    /// `Bearer Bearer` and a token: the scheme was entered with the token, and the client put another before it.
    DoubledScheme,
    /// `Bearer` and more than one word.
    Malformed,
    /// Another scheme, or bytes that are not text.
    OtherScheme,
    /// The parameter `access_token` of the URL. URLs are written to logs, so a token there is not taken (RFC 6750
    /// section 5.3).
    InUrl,
    /// More than one header `Authorization`, or one beside the parameter `access_token` of the URL.
    Several,
}

impl Credentials {
    /// Reads the credentials of a request.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        Self::read(&parts.headers, &parts.uri)
    }

    /// Reads the credentials from the headers and the URL of a request.
    #[must_use]
    pub fn read(headers: &HeaderMap, uri: &Uri) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        match (values.next(), values.next(), has_access_token(uri)) {
            (None, _, false) => Self::Absent,
            (None, _, true) => Self::InUrl,
            (Some(value), None, false) => Self::in_header(value.as_bytes()),
            _ => Self::Several,
        }
    }

    fn in_header(value: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(value) else {
            return Self::OtherScheme;
        };
        let mut words = text.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (None, ..) => Self::Absent,
            (Some(word), None, _) if is_bearer(word) => Self::Absent,
            (Some(word), None, _) => Self::Bare(word.to_owned()),
            (Some(word), ..) if !is_bearer(word) => Self::OtherScheme,
            (_, Some(word), _) if is_bearer(word) => Self::DoubledScheme,
            (_, Some(token), None) => Self::Bearer(token.to_owned()),
            _ => Self::Malformed,
        }
    }

    /// Returns the token behind `Bearer`.
    ///
    /// # Errors
    /// 400 `invalid_request` if the request has more than one token; 401 otherwise, with `invalid_token` unless it has
    /// none at all or credentials of another scheme (RFC 6750 section 3.1).
    pub fn token(&self) -> Result<&str> {
        match self {
            Self::Bearer(token) => Ok(token),
            other => Err(other.refusal()),
        }
    }

    /// Returns the token, with or without `Bearer` before it.
    ///
    /// # Errors
    /// As those of [`token`](Self::token).
    pub fn token_or_bare(&self) -> Result<&str> {
        match self {
            Self::Bare(token) => Ok(token),
            other => other.token(),
        }
    }

    /// Returns the error for a request that is refused for what its credentials are, as [`token`](Self::token) returns it.
    #[must_use]
    pub fn refusal(&self) -> Error {
        let invalid = |detail: &'static str| Error::bearer(BearerError::InvalidToken, detail);
        let unauthorized = |detail: &'static str| Error::new(StatusCode::UNAUTHORIZED, detail);
        match self {
            Self::Absent => unauthorized(
                "The request has no token: send it in the header \"Authorization: Bearer <token>\".",
            ),
            Self::OtherScheme => unauthorized(
                "The header Authorization has another scheme than Bearer: send \"Authorization: Bearer <token>\".",
            ),
            Self::InUrl => unauthorized(
                "A token in the URL is not accepted: send it in the header \"Authorization: Bearer <token>\".",
            ),
            Self::Several => Error::bearer(
                BearerError::InvalidRequest,
                "The request has more than one token: send the header Authorization once, and no access_token in the URL.",
            ),
            Self::DoubledScheme => invalid(
                "The header Authorization has the scheme twice (\"Bearer Bearer …\"): enter the token at the client \
                 without the word Bearer.",
            ),
            Self::Bare(_) => {
                invalid("The header Authorization has no scheme: send \"Authorization: Bearer <token>\".")
            }
            Self::Malformed => {
                invalid("The header Authorization must have one token behind the word Bearer.")
            }
            Self::Bearer(_) => invalid("The token is not valid."),
        }
    }
}

impl Debug for Credentials {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Bearer(_) => "Bearer(…)",
            Self::Bare(_) => "Bare(…)",
            Self::DoubledScheme => "DoubledScheme",
            Self::Malformed => "Malformed",
            Self::OtherScheme => "OtherScheme",
            Self::InUrl => "InUrl",
            Self::Several => "Several",
        })
    }
}

fn is_bearer(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer")
}

/// Returns whether the URL has the parameter of RFC 6750 section 2.3.
fn has_access_token(uri: &Uri) -> bool {
    let parameters = uri.query().unwrap_or_default().split('&');
    parameters
        .map(|parameter| parameter.split('=').next().unwrap_or_default())
        .any(|name| name == "access_token")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&[u8]], uri: &'static str) -> Credentials {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        Credentials::read(&headers, &Uri::from_static(uri))
    }

    fn refusal(values: &[&[u8]], uri: &'static str) -> (u16, Option<BearerError>) {
        let error = read(values, uri).token().unwrap_err();
        (error.status().as_u16(), error.bearer_error())
    }

    /// B-2.1-01 (RFC 6750 section 2.1), RFC 9110 section 11.1.
    #[test]
    fn the_scheme_is_read_in_any_case() {
        for value in ["Bearer abc", "bearer abc", "BEARER  abc ", "Bearer\tabc"] {
            let credentials = read(&[value.as_bytes()], "/");
            assert_eq!(credentials.token().unwrap(), "abc", "{value}");
        }
    }

    /// Okta's header authentication sends the token as it was pasted.
    #[test]
    fn a_bare_token_counts_only_if_it_may() {
        for value in [&b"abc"[..], b" abc ", b"Bearer abc"] {
            assert_eq!(read(&[value], "/").token_or_bare().unwrap(), "abc");
        }
        assert!(read(&[b"abc"], "/").token().is_err());
        for value in [&b"Bearer"[..], b"", b"Basic abc", b"a b", b"Bearer Bearer abc"] {
            assert!(read(&[value], "/").token_or_bare().is_err(), "{value:?}");
        }
    }

    /// B-3-02 and B-3.1-01 (RFC 6750 sections 3 and 3.1): a code for whoever shows a token, and for nobody else.
    #[test]
    fn the_code_says_what_is_wrong_with_a_token() {
        for value in [&b""[..], b"Bearer", b"Bearer ", b"Basic abc", b"a b", b"\xff\xfe"] {
            assert_eq!(refusal(&[value], "/"), (401, None), "{value:?}");
        }
        assert_eq!(refusal(&[], "/"), (401, None));
        assert_eq!(refusal(&[], "/Users?access_token=abc"), (401, None));
        for value in [&b"Bearer a b"[..], b"abc", b"Bearer Bearer abc", b"bearer BEARER"] {
            let invalid = (401, Some(BearerError::InvalidToken));
            assert_eq!(refusal(&[value], "/"), invalid, "{value:?}");
        }
    }

    /// B-2-01 (RFC 6750 section 2): the second is never ignored, whatever it is.
    #[test]
    fn more_than_one_token_is_an_invalid_request() {
        let invalid = (400, Some(BearerError::InvalidRequest));
        for values in [
            [&b"Bearer a"[..], b"Bearer b"],
            [b"Bearer a", b"Bearer a"],
            [b"Bearer a", b""],
            [b"Basic a", b"Bearer b"],
        ] {
            assert_eq!(refusal(&values, "/"), invalid, "{values:?}");
        }
        for uri in [
            "/?access_token=b",
            "/Users?count=1&access_token",
            "/?access_token=a&x",
        ] {
            assert_eq!(refusal(&[b"Bearer a"], uri), invalid, "{uri}");
        }
        assert_eq!(read(&[b"Bearer a"], "/?my_access_token=b").token().unwrap(), "a");
    }

    /// An administrator who enters the token with its scheme is told so.
    #[test]
    fn a_doubled_scheme_is_named() {
        let error = read(&[b"Bearer bearer abc"], "/").token().unwrap_err();
        assert!(error.to_string().contains("Bearer Bearer"), "{error}");
    }

    #[test]
    fn no_token_is_shown_for_debugging() {
        for value in ["Bearer sesame", "sesame", "Bearer Bearer sesame", "Basic sesame"] {
            assert!(!format!("{:?}", read(&[value.as_bytes()], "/")).contains("sesame"));
        }
    }
}
