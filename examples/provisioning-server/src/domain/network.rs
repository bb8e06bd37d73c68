//! Addresses of networks: which of them anybody can be sent to, and which only the operator opens.

use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fault::{Fault, Result};

/// A network by its first address and the length of its prefix, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: IpAddr,
    bits: u8,
}

/// Networks that are not the public internet but may be reached all the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Networks(Vec<Network>);

/// Everything in IPv4 that is not the address of a host on the public internet (RFC 6890 and its registry).
const SPECIAL: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The one part of IPv6 in which hosts of the public internet are: neither mapped nor translated addresses, nor
/// unique-local, link-local and multicast ones are in it.
const GLOBAL: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The parts of it that are not: protocols such as Teredo, documentation, and 6to4, which has an address of IPv4 within it.
const SPECIAL_GLOBAL: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Returns whether an address is one of a host on the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    let within = |first: IpAddr, bits: u8| Network { first, bits }.contains(address);
    match address {
        IpAddr::V4(_) => !SPECIAL.iter().any(|(first, bits)| within((*first).into(), *bits)),
        IpAddr::V6(_) => {
            let special = SPECIAL_GLOBAL.iter();
            within(GLOBAL.0.into(), GLOBAL.1)
                && !special
                    .into_iter()
                    .any(|(first, bits)| within((*first).into(), *bits))
        }
    }
}

impl Network {
    /// Reads a network such as `10.1.0.0/16`, or one address.
    ///
    /// # Errors
    /// The text is neither.
    fn parse(text: &str) -> Result<Self> {
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(address, bits)| (address, Some(bits)));
        let read = || {
            let first: IpAddr = address.parse().ok()?;
            let most = if first.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
            let network = Self { first, bits };
            (bits <= most && network.is_first()).then_some(network)
        };
        read().ok_or_else(|| {
            Fault::invalid(format!(
                "{text:?} is not a valid network; expected its first address and the length of its prefix, such as \
                 10.1.0.0/16, or one address, such as 10.1.2.3."
            ))
        })
    }

    /// Returns whether an address is in it.
    fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32_u32.saturating_sub(self.bits.into());
                (first.to_bits() ^ address.to_bits())
                    .checked_shr(shift)
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128_u32.saturating_sub(self.bits.into());
                (first.to_bits() ^ address.to_bits())
                    .checked_shr(shift)
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }

    /// Returns whether the address is the first one of the network, so that nobody has meant another prefix.
    fn is_first(&self) -> bool {
        match self.first {
            IpAddr::V4(first) => first.to_bits().checked_shl(self.bits.into()).unwrap_or(0) == 0,
            IpAddr::V6(first) => first.to_bits().checked_shl(self.bits.into()).unwrap_or(0) == 0,
        }
    }
}

impl Networks {
    /// Reads a list with commas.
    ///
    /// # Errors
    /// A part of it is not a network.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(Network::parse).collect::<Result<_>>().map(Self)
    }

    /// Returns whether an address is in one of them.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feature row 93: what is refused after a name was resolved.
    #[test]
    fn addresses_that_are_not_of_the_public_internet_are_known() {
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "2001:200::1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    /// Feature row 93: the operator's list is read strictly.
    #[test]
    fn a_list_of_networks_is_read() {
        let networks = Networks::parse("10.1.0.0/16, 127.0.0.1,fd00::/8,").unwrap();
        for (address, is_in) in [
            ("10.1.255.255", true),
            ("10.2.0.0", false),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fdff::1", true),
            ("fe00::1", false),
            ("::ffff:10.1.0.1", false),
        ] {
            assert_eq!(networks.contain(address.parse().unwrap()), is_in, "{address}");
        }
        assert_eq!(Networks::parse("").unwrap(), Networks::default());
        let all = Networks::parse("0.0.0.0/0,::/0").unwrap();
        assert!(all.contain("127.0.0.1".parse().unwrap()) && all.contain("::1".parse().unwrap()));
        for bad in [
            "10.1.0.0/33",
            "10.1.0.0/8",
            "10.1",
            "::/129",
            "fd00::1/8",
            "x",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            let fault = Networks::parse(bad).unwrap_err().to_string();
            assert!(
                fault.contains("is not a valid network; expected"),
                "{bad}: {fault}"
            );
        }
    }

    proptest! {
        /// A network has its own addresses, and no other one differs in its first bits.
        #[test]
        fn a_network_is_its_prefix(first: u32, bits in 0_u8..=32, other: u32) {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            let text = format!("{}/{bits}", Ipv4Addr::from_bits(first & mask));
            let network = Network::parse(&text).unwrap();
            prop_assert_eq!(network.to_string(), text);
            prop_assert!(network.contains(IpAddr::V4(first.into())));
            prop_assert_eq!(network.contains(IpAddr::V4(other.into())), first & mask == other & mask);
        }
    }
}
