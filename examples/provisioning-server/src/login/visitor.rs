//! Browsers that come to sign in, as far as sign-in has to know them.

use std::net::IpAddr;

use crate::domain::secret::Secret;
use crate::domain::session::readable_agent;

/// A browser and where it comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Visitor {
    pub(crate) address: Option<IpAddr>,
    /// As it calls itself.
    pub(crate) agent: Option<String>,
    /// The secret by which it is known from an earlier sign-in.
    pub(crate) device: Option<Secret>,
}

impl Visitor {
    /// Returns the address as it is shown.
    pub(super) fn shown_address(&self) -> Option<String> {
        self.address.map(|address| address.to_canonical().to_string())
    }

    /// Returns the browser as it is shown.
    pub(super) fn shown_agent(&self) -> Option<String> {
        self.agent.as_deref().map(readable_agent)
    }

    /// Returns the part of the address that stands for one place: of IPv6 the first half, because a place has all of the rest.
    pub(super) fn place(&self) -> Option<String> {
        match self.address?.to_canonical() {
            IpAddr::V4(address) => Some(address.to_string()),
            IpAddr::V6(address) => {
                let half: Vec<String> = address
                    .segments()
                    .iter()
                    .take(4)
                    .map(|part| format!("{part:x}"))
                    .collect();
                Some(half.join(":"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: &str) -> Option<String> {
        let visitor = Visitor {
            address: address.parse().ok(),
            ..Visitor::default()
        };
        visitor.place()
    }

    /// Feature row 90: whoever has a network of IPv6 addresses is one place, however many addresses they use.
    #[test]
    fn a_place_is_an_address_or_half_of_one() {
        assert_eq!(place("192.0.2.7"), Some("192.0.2.7".to_owned()));
        assert_eq!(place("::ffff:192.0.2.7"), place("192.0.2.7"));
        assert_eq!(place("2001:db8:1:2::7"), place("2001:db8:1:2:ffff::1"));
        assert_ne!(place("2001:db8:1:2::7"), place("2001:db8:1:3::7"));
        assert_eq!(Visitor::default().place(), None);
    }
}
