//! Which media types go in and out (RFC 7644 sections 3.1 and 3.8, RFC 9110 section 12.5.1).

use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};

use super::outcome::Outcome;
use crate::error::{Error, Result, quoted};
use crate::policy::{MEDIA_TYPES, OTHER_ACCEPT, PLAIN_JSON, Policy};

/// The media type of everything that is sent.
pub(super) const SCIM_JSON: &str = "application/scim+json";
const JSON: &str = "application/json";

/// Returns the media type of the answer: `application/json` only if the client takes no `application/scim+json`, and the
/// policy lets it. A tolerance answers a client that takes neither, as RFC 9110 section 12.5.1 lets a server do, and is
/// noted in `outcome`.
///
/// # Errors
/// 406 if the client takes neither, without that tolerance.
pub(super) fn answer_type(
    headers: &HeaderMap,
    policy: &Policy,
    outcome: &mut Outcome,
) -> Result<&'static str> {
    let mut ranges = Vec::new();
    for value in headers.get_all(ACCEPT) {
        // A value that is not text cannot be understood, and a header that cannot be understood is ignored.
        let Ok(text) = value.to_str() else {
            return Ok(SCIM_JSON);
        };
        ranges.extend(
            text.split(',')
                .map(str::trim)
                .filter(|range| !range.is_empty())
                .map(Range::parse),
        );
    }
    if ranges.is_empty() || is_accepted(SCIM_JSON, &ranges) {
        Ok(SCIM_JSON)
    } else if is_accepted(JSON, &ranges) {
        Ok(match policy.restricts(&PLAIN_JSON) {
            true => SCIM_JSON,
            false => JSON,
        })
    } else if let Some(tolerance) = policy.grants(&OTHER_ACCEPT) {
        outcome.fire(tolerance, "Accept");
        Ok(SCIM_JSON)
    } else {
        Err(Error::new(
            StatusCode::NOT_ACCEPTABLE,
            "The service answers with application/scim+json or application/json: accept one of them.",
        ))
    }
}

struct Range<'h> {
    name: &'h str,
    accepted: bool,
}

impl<'h> Range<'h> {
    fn parse(text: &'h str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim()
                .eq_ignore_ascii_case("q")
                .then(|| value.trim().parse::<f32>().unwrap_or(1.0))
        });
        Self {
            name,
            accepted: quality.is_none_or(|quality| quality > 0.0),
        }
    }

    /// Returns how precisely the range names `media_type`; `None` if it does not.
    fn precision(&self, media_type: &str) -> Option<u8> {
        if self.name.eq_ignore_ascii_case(media_type) {
            Some(2)
        } else if self.name.eq_ignore_ascii_case("application/*") {
            Some(1)
        } else {
            ["*/*", "*"].contains(&self.name).then_some(0)
        }
    }
}

/// Returns whether the most precise range accepts the media type.
fn is_accepted(media_type: &str, ranges: &[Range<'_>]) -> bool {
    let named = ranges
        .iter()
        .filter_map(|range| Some((range.precision(media_type)?, range.accepted)));
    named
        .max_by_key(|(precision, _)| *precision)
        .is_some_and(|(_, accepted)| accepted)
}

/// Checks the type of a request's body. A body without one is taken for JSON. Returns the tolerance that was needed.
///
/// # Errors
/// 415.
pub(super) fn check_body_type(headers: &HeaderMap, policy: &Policy) -> Result<Option<&'static str>> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(unsupported(
            "The service reads no compressed bodies: send them as they are.",
        ));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    for part in parts {
        if let Some((key, charset)) = part.split_once('=')
            && key.trim().eq_ignore_ascii_case("charset")
            && !is_utf_8(charset.trim().trim_matches('"'))
        {
            return Err(unsupported(
                "The service reads UTF-8 only: send no other charset.",
            ));
        }
    }
    let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
    if name.is_empty() || is(SCIM_JSON) || is(JSON) {
        return Ok(None);
    }
    if (is("text/json") || is("text/plain"))
        && let Some(tolerance) = policy.grants(&MEDIA_TYPES)
    {
        return Ok(Some(tolerance));
    }
    let name = quoted(name);
    Err(unsupported(format!(
        "The service reads application/scim+json or application/json, but the body is {name}."
    )))
}

fn is_utf_8(charset: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"]
        .iter()
        .any(|known| charset.eq_ignore_ascii_case(known))
}

fn unsupported(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    /// P-3.8-02 to P-3.8-05 (RFC 7644 section 3.8), A-17.
    #[test]
    fn scim_json_unless_the_client_excludes_it() {
        for (accept, wanted) in [
            ("application/scim+json", Some(SCIM_JSON)),
            ("APPLICATION/SCIM+JSON; charset=utf-8", Some(SCIM_JSON)),
            ("application/json", Some(JSON)),
            ("application/json, application/scim+json;q=0.1", Some(SCIM_JSON)),
            ("application/json, */*", Some(SCIM_JSON)),
            ("*/*", Some(SCIM_JSON)),
            ("application/*;q=0.5", Some(SCIM_JSON)),
            ("text/html, application/scim+json;q=0, */*;q=0.1", Some(JSON)),
            ("", Some(SCIM_JSON)),
            ("text/xml", None),
            ("text/html, image/png;q=0.5", None),
            ("application/scim+json;q=0", None),
        ] {
            let headers = headers(&[(ACCEPT, accept)]);
            let mut outcome = Outcome::default();
            let strict = answer_type(&headers, &Policy::strict(), &mut outcome);
            assert_eq!(
                strict.map_err(|error| error.status().as_u16()),
                wanted.ok_or(406),
                "{accept}"
            );
            assert!(outcome.fired.is_empty());
            let tolerant = answer_type(&headers, &Policy::tolerant(), &mut outcome);
            assert_eq!(tolerant.unwrap(), wanted.unwrap_or(SCIM_JSON), "{accept}");
            let fired: Vec<_> = outcome.fired.iter().map(|fired| fired.tolerance).collect();
            assert_eq!(fired.contains(&OTHER_ACCEPT.name), wanted.is_none(), "{accept}");
        }
        let mut outcome = Outcome::default();
        let none = answer_type(&HeaderMap::new(), &Policy::strict(), &mut outcome);
        assert_eq!(none.unwrap(), SCIM_JSON);
    }

    /// P-3.8-06 (RFC 7644 section 3.8).
    #[test]
    fn bodies_are_json() {
        let tolerant = Policy::tolerant();
        let strict = Policy::strict();
        for text in [
            "application/scim+json",
            "application/json; charset=UTF-8",
            "Application/JSON;charset=\"utf-8\"",
        ] {
            assert_eq!(
                check_body_type(&headers(&[(CONTENT_TYPE, text)]), &strict).unwrap(),
                None,
                "{text}"
            );
        }
        assert_eq!(check_body_type(&HeaderMap::new(), &strict).unwrap(), None);
        for text in ["text/json", "text/plain"] {
            let headers = headers(&[(CONTENT_TYPE, text)]);
            assert_eq!(
                check_body_type(&headers, &tolerant).unwrap(),
                Some(MEDIA_TYPES.name)
            );
            assert_eq!(check_body_type(&headers, &strict).unwrap_err().status(), 415);
        }
        for refused in [
            headers(&[(CONTENT_TYPE, "text/xml")]),
            headers(&[(CONTENT_TYPE, "application/json; charset=latin1")]),
            headers(&[(CONTENT_TYPE, "application/json"), (CONTENT_ENCODING, "gzip")]),
        ] {
            assert_eq!(check_body_type(&refused, &tolerant).unwrap_err().status(), 415);
        }
    }
}
