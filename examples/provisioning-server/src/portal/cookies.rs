//! Cookies of the portal: out of reach of scripts and other sites, and of this host alone.

use std::fmt::Write;
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::domain::public_url::Scheme;

/// Names and attributes of cookies, which follow from how the server is reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cookies {
    scheme: Scheme,
}

impl Cookies {
    /// Creates the cookies of a server that is reached by this scheme.
    pub(crate) const fn new(scheme: Scheme) -> Self {
        Self { scheme }
    }

    /// Returns the name of a cookie as browsers have it. The prefix holds a browser to `Secure`, this host and `Path=/`;
    /// over http, which is for this machine alone, no browser would keep such a cookie.
    fn name(self, name: &str) -> String {
        match self.scheme {
            Scheme::Https => format!("__Host-{name}"),
            Scheme::Http => name.to_owned(),
        }
    }

    /// Returns the value that the browser has sent.
    pub(crate) fn read<'a>(self, asked: &'a HeaderMap, name: &str) -> Option<&'a str> {
        let name = self.name(name);
        let values = asked.get_all(COOKIE).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Returns the header that sets a cookie: for `age`, or until the browser ends.
    pub(crate) fn set(self, name: &str, value: &str, age: Option<Duration>) -> Option<HeaderValue> {
        let mut text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", self.name(name));
        if self.scheme == Scheme::Https {
            text.push_str("; Secure");
        }
        if let Some(age) = age {
            _ = write!(text, "; Max-Age={}", age.as_secs());
        }
        HeaderValue::from_str(&text).ok()
    }

    /// Returns the header that sets a cookie which the browser also sends with a form of another site. Without `Secure`, which
    /// http on this machine does not have, no browser keeps one that says so: there it says nothing, and is sent for two
    /// minutes.
    pub(crate) fn set_across_sites(self, name: &str, value: &str, age: Duration) -> Option<HeaderValue> {
        let attributes = match self.scheme {
            Scheme::Https => "; SameSite=None; Secure",
            Scheme::Http => "",
        };
        let (name, age) = (self.name(name), age.as_secs());
        HeaderValue::from_str(&format!(
            "{name}={value}; Path=/; HttpOnly{attributes}; Max-Age={age}"
        ))
        .ok()
    }

    /// Returns the header that deletes a cookie.
    pub(crate) fn delete(self, name: &str) -> Option<HeaderValue> {
        self.set(name, "", Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookies: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_static(cookie));
        }
        headers
    }

    /// RFC 6265bis section 4.1.3.2: `__Host-` needs `Secure`, `Path=/` and no `Domain`.
    #[test]
    fn over_https_a_cookie_is_of_this_host_alone() {
        let cookies = Cookies::new(Scheme::Https);
        assert_eq!(
            cookies.set("o-acme", "abc", None).unwrap(),
            "__Host-o-acme=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let asked = sent(&["o-acme=planted; __Host-o-acme=abc"]);
        assert_eq!(cookies.read(&asked, "o-acme"), Some("abc"));
    }

    #[test]
    fn over_http_a_cookie_has_the_same_name_without_prefix() {
        let cookies = Cookies::new(Scheme::Http);
        assert_eq!(
            cookies
                .set("instance", "abc", Some(Duration::from_secs(60)))
                .unwrap(),
            "instance=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
        assert_eq!(
            cookies.delete("instance").unwrap(),
            "instance=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    /// Feature row 21: the cookie that binds a request to a browser comes back with the form of another site, and no script
    /// reads it.
    #[test]
    fn a_cookie_across_sites_is_secure() {
        let age = Duration::from_secs(60);
        assert_eq!(
            Cookies::new(Scheme::Https)
                .set_across_sites("saml", "abc", age)
                .unwrap(),
            "__Host-saml=abc; Path=/; HttpOnly; SameSite=None; Secure; Max-Age=60"
        );
        assert_eq!(
            Cookies::new(Scheme::Http)
                .set_across_sites("saml", "abc", age)
                .unwrap(),
            "saml=abc; Path=/; HttpOnly; Max-Age=60"
        );
    }

    /// RFC 9113 section 8.2.3: HTTP/2 may send one header for each cookie.
    #[test]
    fn a_cookie_is_found_in_any_header() {
        let cookies = Cookies::new(Scheme::Http);
        let asked = sent(&["a=1; b=2", "o-acme=x=y", "broken"]);
        assert_eq!(cookies.read(&asked, "o-acme"), Some("x=y"));
        assert_eq!(cookies.read(&asked, "o"), None);
    }
}
