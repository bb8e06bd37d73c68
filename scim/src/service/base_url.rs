//! Under which URL the service is reached (RFC 7644 section 1.3): every location in an answer begins with it.

use std::sync::Arc;

use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use http::{StatusCode, Uri};

use crate::error::{Error, Result};

/// The path below which the service is mounted, as a request extension: what a router has taken off the path of the
/// request. `scim-axum` sets it; other routers' adapters may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountedAt(pub String);

type PrefixOf<C> = Arc<dyn Fn(&C, &Parts) -> String + Send + Sync>;

/// The place where the service is mounted.
pub(super) enum Mount<C> {
    /// At the root, or where [`MountedAt`] says.
    Unknown,
    /// The service takes the prefix off itself.
    Own(String),
    /// A router has taken the prefix off.
    Nested(PrefixOf<C>),
}

/// How the service learns its own URL.
pub(super) struct BaseUrl<C> {
    pub(super) public: Option<String>,
    pub(super) trust_forwarded: bool,
    /// The scheme of a request that names a host and no scheme, as those of HTTP/1.1 do.
    pub(super) scheme: &'static str,
    pub(super) mount: Mount<C>,
}

impl<C> Default for BaseUrl<C> {
    fn default() -> Self {
        Self {
            public: None,
            trust_forwarded: false,
            scheme: "http",
            mount: Mount::Unknown,
        }
    }
}

impl<C> BaseUrl<C> {
    /// Returns the path below the mount.
    ///
    /// # Errors
    /// 404 for a path outside of it.
    pub(super) fn path<'p>(&self, parts: &'p Parts) -> Result<&'p str> {
        let path = parts.uri.path();
        let Mount::Own(prefix) = &self.mount else {
            return Ok(path);
        };
        match below(path, prefix) {
            Some(rest) => Ok(rest),
            None if is_mounted_twice(prefix, parts) => Ok(path),
            None => Err(Error::new(
                StatusCode::NOT_FOUND,
                "This service has nothing at this URL.",
            )),
        }
    }

    /// Returns the base URL of a request, without a slash at its end.
    ///
    /// # Errors
    /// 400 if the request names no usable host and no public URL is configured.
    pub(super) fn of(&self, cx: &C, parts: &Parts) -> Result<String> {
        let origin = match &self.public {
            Some(public) => public.clone(),
            None => self.origin(parts)?,
        };
        Ok(self.mounted(origin, cx, parts))
    }

    /// Returns the base URL below which the request reached the service, if a public URL hides it.
    pub(super) fn reached_at(&self, cx: &C, parts: &Parts) -> Option<String> {
        self.public.as_ref()?;
        let origin = self.origin(parts).ok()?;
        Some(self.mounted(origin, cx, parts))
    }

    /// Returns the URL of the mount.
    fn mounted(&self, origin: String, cx: &C, parts: &Parts) -> String {
        let mut base = origin;
        let prefix = match &self.mount {
            Mount::Unknown => mounted_at(parts).map(str::to_owned),
            Mount::Own(prefix) => Some(match mounted_at(parts) {
                // The router has taken off what the service would.
                Some(mounted) if below(parts.uri.path(), prefix).is_none() => mounted.to_owned(),
                Some(mounted) => format!("{}{prefix}", mounted.trim_end_matches('/')),
                None => prefix.clone(),
            }),
            Mount::Nested(prefix) => Some(prefix(cx, parts)),
        };
        if let Some(prefix) = prefix
            .as_deref()
            .map(|prefix| prefix.trim_matches('/'))
            .filter(|it| !it.is_empty())
        {
            base.push('/');
            base.push_str(prefix);
        }
        base
    }

    fn origin(&self, parts: &Parts) -> Result<String> {
        let forwarded = |name: &str| {
            if !self.trust_forwarded {
                return None;
            }
            let value = parts.headers.get(name)?.to_str().ok()?;
            value
                .split(',')
                .next()
                .map(str::trim)
                .filter(|value| !value.is_empty())
        };
        let scheme = match forwarded("x-forwarded-proto") {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            Some(_) => "http",
            None => parts.uri.scheme_str().unwrap_or(self.scheme),
        };
        let host = match forwarded("x-forwarded-host") {
            Some(host) => Some(host),
            None if parts.headers.contains_key(HOST) => Some(host(parts).ok_or_else(no_host)?),
            None => host(parts),
        };
        if parts.headers.get_all(HOST).iter().nth(1).is_some() {
            return Err(Error::new(
                StatusCode::BAD_REQUEST,
                "The request has more than one header Host (RFC 9112 section 3.2): send one.",
            ));
        }
        let host = host.unwrap_or("localhost");
        match is_host(host) {
            true => Ok([scheme, "://", host].concat()),
            false => Err(no_host()),
        }
    }
}

/// Returns the host that a request names, with the port if it names one. `None` if the request names none.
///
/// A URL that names a host comes before the header `Host`, which must be the same and is ignored otherwise (RFC 9112
/// section 3.2.2, RFC 9113 section 8.3.1): requests of HTTP/2, those to a proxy, and those made in process have such a URL.
///
/// ```
/// use scim::service::host;
///
/// let (one, ()) = http::Request::get("/Users").header("host", "acme.example.com").body(())?.into_parts();
/// let (two, ()) = http::Request::get("https://acme.example.com/Users").header("host", "evil").body(())?.into_parts();
/// assert_eq!(host(&one), Some("acme.example.com"));
/// assert_eq!(host(&two), host(&one));
/// # Ok::<(), http::Error>(())
/// ```
#[must_use]
pub fn host(parts: &Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts.headers.get(HOST)?.to_str().ok(),
    }
}

/// Returns whether a text is a host, with a port or without (RFC 9110 section 7.2), and nothing else.
///
/// ```
/// use scim::service::is_host;
///
/// assert!(is_host("acme.example.com:8443") && is_host("[::1]"));
/// assert!(!is_host("ali@example.com") && !is_host("example.com/scim") && !is_host(""));
/// ```
#[must_use]
pub fn is_host(text: &str) -> bool {
    is_plain_host(text) || Authority::try_from(text).is_ok_and(|host| !host.as_str().contains('@'))
}

/// Returns whether a text is a name and perhaps a port, as most hosts are: these need not be taken apart.
fn is_plain_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    !name.is_empty() && name.bytes().all(in_name) && is_port
}

/// Returns the prefix that a router has taken off the path.
fn mounted_at(parts: &Parts) -> Option<&str> {
    parts
        .extensions
        .get::<MountedAt>()
        .map(|mounted| mounted.0.as_str())
}

/// Returns the part of a path below a prefix.
fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    path.strip_prefix(prefix)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns whether a router was told of the same prefix as the service, and has taken it off already.
fn is_mounted_twice(prefix: &str, parts: &Parts) -> bool {
    mounted_at(parts).is_some_and(|mounted| mounted.trim_end_matches('/').ends_with(prefix))
}

fn no_host() -> Error {
    Error::new(StatusCode::BAD_REQUEST, "The header Host names no host.")
}

/// Checks a public URL: P-1.3-01 and P-7.1-01 (RFC 7644 sections 1.3 and 7.1).
///
/// # Errors
/// A sentence for the operator.
pub(super) fn check_public(url: &str) -> Result<String> {
    let refuse = |why: &str| {
        let url = crate::error::quoted(url);
        Err(Error::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("The public URL {url} {why}."),
        ))
    };
    let Ok(uri) = url.parse::<Uri>() else {
        return refuse("is no URL");
    };
    let Some(authority) = uri.authority() else {
        return refuse("must be complete, such as https://scim.example.com");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return refuse("must begin with https:// or http://");
    }
    if authority.as_str().contains('@') {
        return refuse("must not contain a user name");
    }
    if uri.query().is_some() || url.contains('#') {
        return refuse("must not contain a query or a fragment");
    }
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// P-1.3-02 (RFC 7644 section 1.3): any prefix.
    #[test]
    fn the_host_of_the_request_and_the_prefix_of_the_mount() {
        let mut url = BaseUrl::<String>::default();
        let plain = parts("/Users", &[("host", "example.com:8080")]);
        let tenant = "acme".to_owned();
        assert_eq!(url.of(&tenant, &plain).unwrap(), "http://example.com:8080");
        let mut mounted = plain.clone();
        mounted.extensions.insert(MountedAt("/scim/acme/v2/".into()));
        assert_eq!(
            url.of(&tenant, &mounted).unwrap(),
            "http://example.com:8080/scim/acme/v2"
        );
        url.mount = Mount::Nested(Arc::new(|tenant: &String, _| format!("/t/{tenant}")));
        assert_eq!(url.of(&tenant, &plain).unwrap(), "http://example.com:8080/t/acme");
        url.public = Some(check_public("https://id.example.com/x/").unwrap());
        assert_eq!(
            url.of(&tenant, &plain).unwrap(),
            "https://id.example.com/x/t/acme"
        );
    }

    #[test]
    fn forwarded_headers_count_only_if_they_are_trusted() {
        let forwarded = parts(
            "/Users",
            &[
                ("host", "inside"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-host", "outside, inside"),
            ],
        );
        let mut url = BaseUrl::<()>::default();
        assert_eq!(url.of(&(), &forwarded).unwrap(), "http://inside");
        url.trust_forwarded = true;
        assert_eq!(url.of(&(), &forwarded).unwrap(), "https://outside");
    }

    /// A request of HTTP/1.1 names no scheme (RFC 9112 section 3.2.1), one of HTTP/2 does (RFC 9113 section 8.3.1).
    #[test]
    fn a_server_that_ends_tls_itself_says_so() {
        let url = BaseUrl::<()> {
            scheme: "https",
            ..BaseUrl::default()
        };
        let one = parts("/Users", &[("host", "example.com")]);
        assert_eq!(url.of(&(), &one).unwrap(), "https://example.com");
        let two = parts("https://example.com/Users", &[]);
        assert_eq!(BaseUrl::default().of(&(), &two).unwrap(), "https://example.com");
    }

    #[test]
    fn a_host_that_is_none_is_400() {
        let url = BaseUrl::<()>::default();
        for host in ["a b", "user@example.com", "exa\"mple.com", "a/b"] {
            assert_eq!(
                url.of(&(), &parts("/Users", &[("host", host)]))
                    .unwrap_err()
                    .status(),
                400,
                "{host}"
            );
        }
    }

    proptest! {
        /// The short way says what the whole syntax says.
        #[test]
        fn a_plain_host_is_a_host(text in "[a-b0-1.:@/-]{0,8}") {
            if is_plain_host(&text) {
                prop_assert!(text.parse::<Authority>().is_ok_and(|host| !host.as_str().contains('@')), "{}", text);
            }
        }
    }

    /// F9: RFC 9112 section 3.2 refuses a header `Host` that comes twice; section 3.2.2 has the URL count, and not the
    /// header.
    #[test]
    fn the_host_is_named_once_and_by_the_url_if_it_names_one() {
        let url = BaseUrl::<()>::default();
        let twice = parts("/Users", &[("host", "example.com"), ("host", "example.com")]);
        assert_eq!(url.of(&(), &twice).unwrap_err().status(), 400);
        let both = parts("http://example.com/Users", &[("host", "evil")]);
        assert_eq!(url.of(&(), &both).unwrap(), "http://example.com");
    }

    #[test]
    fn the_own_prefix_is_taken_off_at_a_slash() {
        let url = BaseUrl::<()> {
            mount: Mount::Own("/scim/v2".into()),
            ..BaseUrl::default()
        };
        assert_eq!(url.path(&parts("/scim/v2/Users", &[])).unwrap(), "/Users");
        assert_eq!(url.path(&parts("/scim/v2", &[])).unwrap(), "");
        for outside in ["/scim/v22/Users", "/Users"] {
            assert_eq!(
                url.path(&parts(outside, &[])).unwrap_err().status(),
                404,
                "{outside}"
            );
        }
    }

    /// P-1.3-01 and P-7.1-01 (RFC 7644 sections 1.3 and 7.1).
    #[test]
    fn a_public_url_has_no_query_and_no_user() {
        for url in [
            "example.com",
            "/scim",
            "ftp://example.com",
            "https://me@example.com",
            "https://example.com/?x=1",
            "https://example.com/#x",
        ] {
            assert!(check_public(url).is_err(), "{url}");
        }
    }
}
