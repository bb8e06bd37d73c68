//! The addresses that requests come from.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::domain::network::Networks;

/// The header in which each proxy adds the address of whoever has sent it the request. The standard one (RFC 7239) is not
/// read: a proxy that sets one of the two passes on what a client writes into the other.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The network address of whoever has opened the connection, which a reverse proxy may be. It is in the extensions of
/// every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Peer {
    /// Returns the address of the client: that of the connection, or, behind proxies that are trusted, the last one of the
    /// header that is none of them. The part before it was written by the client, who can write anything.
    pub(crate) fn client(self, trusted: &Networks, headers: &HeaderMap) -> IpAddr {
        let values = headers.get_all(FORWARDED_FOR).iter();
        let mut behind: Vec<_> = values
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
            .collect();
        let mut client = self.0.to_canonical();
        while trusted.contain(client) {
            let Some(next) = behind.pop().and_then(address) else {
                break;
            };
            client = next;
        }
        client
    }
}

/// Reads an address, which some proxies write with a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse();
    let address = address.or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    Some(address.ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let trusted = Networks::parse("10.0.0.0/8, fd00::/8").unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let peer = Peer(peer.parse().unwrap());
        peer.client(&trusted, &headers).to_string()
    }

    /// Feature row 93: the address of a client is told by proxies that are trusted, and by nobody else.
    #[test]
    fn a_trusted_proxy_tells_the_address_of_the_client() {
        let (proxy, ada) = ("10.0.0.1", "198.51.100.7");
        assert_eq!(client(ada, &["203.0.113.9"]), ada, "not behind a proxy");
        assert_eq!(client(proxy, &[]), proxy);
        assert_eq!(client(proxy, &[ada]), ada);
        assert_eq!(client(proxy, &["203.0.113.9, 198.51.100.7, 10.2.0.3"]), ada);
        assert_eq!(client(proxy, &["203.0.113.9", "198.51.100.7,10.2.0.3"]), ada);
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.7"]), ada);
        assert_eq!(client("fd00::1", &["[2001:db8::7]:4711"]), "2001:db8::7");
        assert_eq!(client("fd00::1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client(proxy, &["198.51.100.7:4711"]), ada);
        assert_eq!(
            client(proxy, &["198.51.100.7, unknown"]),
            proxy,
            "no further than what is read"
        );
        assert_eq!(client(proxy, &["10.9.9.9"]), "10.9.9.9", "a client within");
    }

    proptest! {
        /// Feature row 93: whatever a client writes, the address is the one that the proxy has added.
        #[test]
        fn a_client_cannot_choose_its_address(written in "[ -~]{0,60}") {
            let lines = format!("{written}, 198.51.100.7");
            prop_assert_eq!(client("10.0.0.1", &[&lines]), "198.51.100.7");
            prop_assert_eq!(client("203.0.113.5", &[&written]), "203.0.113.5");
        }
    }
}
