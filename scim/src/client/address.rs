//! URLs: the base, and what may stand in a path or a query (RFC 3986).

use std::fmt::{self, Display, Formatter, Write};

use http::Uri;

use crate::client::{Error, Result};

/// Returns the base URL without a slash at its end.
pub(super) fn base(text: &str) -> Result<&str> {
    let base = text.trim_end_matches('/');
    let is_base = base.is_empty()
        || base.parse::<Uri>().is_ok_and(|uri| {
            let is_path = uri.scheme().is_none() && base.starts_with('/');
            (is_path || (uri.scheme().is_some() && uri.host().is_some()))
                && uri.query().is_none()
                && !base.contains('#')
        });
    if is_base {
        return Ok(base);
    }
    Err(Error::Request(crate::Error::invalid_value(format!(
        "{} is no base URL: it must look like https://example.com/scim/v2.",
        crate::error::quoted(text)
    ))))
}

/// Returns `text` with everything percent-encoded that is not unreserved.
pub(super) fn encoded(text: &str) -> Encoded<'_> {
    Encoded(text)
}

pub(super) struct Encoded<'t>(&'t str);

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// A query string that begins with its question mark, unless it is empty.
#[derive(Debug, Default)]
pub(super) struct Query(String);

impl Query {
    pub(super) fn push(&mut self, name: &str, value: &str) {
        let before = if self.0.is_empty() { '?' } else { '&' };
        // Writing to a string cannot fail.
        _ = write!(self.0, "{before}{name}={}", encoded(value));
    }

    pub(super) fn list(&mut self, name: &str, names: impl Iterator<Item = String>) {
        let names: Vec<_> = names.collect();
        if !names.is_empty() {
            self.push(name, &names.join(","));
        }
    }
}

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_a_url_or_a_path() {
        for (text, want) in [
            ("https://example.com/scim/v2/", "https://example.com/scim/v2"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("/scim/v2", "/scim/v2"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(base(text).unwrap(), want);
        }
        for text in [
            "example.com/scim",
            "https://",
            "https://e.com/?a=b",
            "/v2#x",
            "a b",
        ] {
            assert!(base(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_value_ends_it() {
        let mut query = Query::default();
        query.push("filter", r#"userName eq "a+b&c#d é""#);
        query.list("attributes", ["a", "b.c"].map(str::to_owned).into_iter());
        query.list("excludedAttributes", std::iter::empty());
        assert_eq!(
            query.to_string(),
            "?filter=userName%20eq%20%22a%2Bb%26c%23d%20%C3%A9%22&attributes=a%2Cb.c"
        );
        assert_eq!(encoded("a/../b?c").to_string(), "a%2F..%2Fb%3Fc");
    }
}
