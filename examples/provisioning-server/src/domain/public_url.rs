//! The URL at which the server is reached from outside.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Url;
use uuid::Uuid;

use super::fault::{Fault, Result};
use super::organization::Name;

/// Whether a server ends TLS itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// It does not.
    Http,
    /// It does.
    Https,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
        })
    }
}

/// An absolute `http` or `https` URL without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// Checks a URL.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Fault::invalid(format!(
                "The public URL {text:?} {why}: give the address under which identity providers reach this server, \
                 such as https://scim.example.com."
            )))
        };
        let Ok(url) = Url::parse(text) else {
            return refuse("is not a URL");
        };
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return refuse("is not an http or https URL");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("has a query or fragment");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("has a user name or password");
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// Returns the URL under which this machine reaches a listening server.
    pub(crate) fn of_listener(scheme: Scheme, address: SocketAddr) -> Self {
        let ip = match address.ip() {
            ip if !ip.is_unspecified() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        Self(format!("{scheme}://{}", SocketAddr::new(ip, address.port())))
    }

    /// Returns whether browsers reach the server by http or https.
    pub(crate) fn scheme(&self) -> Scheme {
        match self.0.starts_with("https:") {
            true => Scheme::Https,
            false => Scheme::Http,
        }
    }

    /// Returns the origin of its pages as browsers name it (RFC 6454 section 6.2).
    pub(crate) fn origin(&self) -> String {
        Url::parse(&self.0).map_or_else(|_| self.0.clone(), |url| url.origin().ascii_serialization())
    }

    /// Returns the SCIM base URL of an organization.
    pub(crate) fn scim(&self, organization: &Name) -> String {
        format!("{}/scim/{organization}/v2", self.0)
    }

    /// Returns the entity id of an organization as a service of SAML, where its metadata are, too.
    pub(crate) fn saml_entity_id(&self, organization: Uuid) -> String {
        format!("{}/saml/{organization}", self.0)
    }

    /// Returns the URL of an organization's assertion consumer service, which the answers of its identity provider go to.
    pub(crate) fn saml_acs(&self, organization: &Name) -> String {
        format!(
            "{}/portalApi/{organization}/AuthenticationSAML/AssertionConsumerService",
            self.0
        )
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scim_url_of_an_organization_is_under_the_public_url() {
        let name = Name::parse("acme").unwrap();
        for (public, expected) in [
            (
                "https://scim.example.com",
                "https://scim.example.com/scim/acme/v2",
            ),
            ("https://example.com/idp/", "https://example.com/idp/scim/acme/v2"),
            ("HTTP://Example.com:8080", "http://example.com:8080/scim/acme/v2"),
        ] {
            assert_eq!(PublicUrl::parse(public).unwrap().scim(&name), expected);
        }
    }

    #[test]
    fn what_cannot_be_a_public_url_is_refused() {
        for bad in [
            "",
            "scim.example.com",
            "ftp://example.com",
            "https://",
            "https://h/?x=1",
            "https://h/#x",
            "https://u:p@h/",
        ] {
            assert!(PublicUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_loopback() {
        for (scheme, address, expected) in [
            (Scheme::Http, "0.0.0.0:80", "http://127.0.0.1:80"),
            (Scheme::Https, "[::]:8080", "https://[::1]:8080"),
            (Scheme::Http, "10.0.0.7:1", "http://10.0.0.7:1"),
        ] {
            assert_eq!(
                PublicUrl::of_listener(scheme, address.parse().unwrap()).to_string(),
                expected
            );
        }
    }
}
