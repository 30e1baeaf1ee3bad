//! Hardware addresses, networks, routes.

use crate::base::hex;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;

/// A hardware address of Ethernet (EUI-48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Six pairs of hexadecimal digits with `:` or `-` between them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut mac = [0; 6];
        let mut pairs = text.split([':', '-']);
        for byte in &mut mac {
            let pair = pairs.next().filter(|p| p.len() == 2)?;
            let hex = pair.bytes().all(|b| b.is_ascii_hexdigit());
            *byte = u8::from_str_radix(pair, 16).ok().filter(|_| hex)?;
        }
        pairs.next().is_none().then_some(Self(mac))
    }

    /// The address that udev's name of a link tells, where it is made of that: `enx525400abcdef`.
    pub fn of_name(name: &str) -> Option<Self> {
        let digits = name.strip_prefix("enx").filter(|d| d.len() == 12)?;
        let bytes = hex::decode(digits.as_bytes())?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at > 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// An address and how many of its bits are the network's: `192.0.2.7/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    /// At most 32, or 128 of IPv6.
    pub prefix: u8,
}

impl Network {
    /// `None`: the prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        (prefix <= Self::longest(address)).then_some(Self { address, prefix })
    }

    /// `ADDRESS/PREFIX`, or `ADDRESS` alone for all of its bits.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, prefix.parse().ok()?),
            None => {
                let address = text.parse().ok()?;
                (address, Self::longest(address))
            }
        };
        Self::new(address, prefix)
    }

    pub fn longest(address: IpAddr) -> u8 {
        if address.is_ipv4() { 32 } else { 128 }
    }

    /// The network itself: its first address. (The kernel takes no route to anything else.)
    pub fn first(self) -> Self {
        let bits = u32::from(self.prefix);
        let address = match self.address {
            IpAddr::V4(v4) => {
                let hosts = u32::MAX.checked_shr(bits).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & !hosts).into())
            }
            IpAddr::V6(v6) => {
                let hosts = u128::MAX.checked_shr(bits).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & !hosts).into())
            }
        };
        Self { address, ..self }
    }

    /// Is `other` reached without a router?
    pub fn holds(&self, other: IpAddr) -> bool {
        let same = |a: u128, b: u128, bits: u8| {
            let away = 128u32.saturating_sub(u32::from(bits));
            a.checked_shr(away) == b.checked_shr(away)
        };
        match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let bits = self.prefix.saturating_add(96);
                same(u32::from(a).into(), u32::from(b).into(), bits)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.into(), b.into(), self.prefix),
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// How a network is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The default route is `0.0.0.0/0` or `::/0`.
    pub to: Network,
    /// `None`: everybody there is on the link itself.
    pub via: Option<IpAddr>,
    /// The link's name. `None`: whichever reaches `via`, or the one that brought the route.
    pub link: Option<String>,
}

/// The prefix of a netmask in the old form; `None` where its ones are not all in front.
pub fn prefix_of(mask: core::net::Ipv4Addr) -> Option<u8> {
    let bits = u32::from(mask);
    let ones = bits.leading_ones();
    (ones == bits.count_ones()).then_some(u8::try_from(ones).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_hardware_address_is_read_and_written() {
        let mac = Mac([0x52, 0x54, 0, 0xab, 0xcd, 0xef]);
        for typed in ["52:54:00:ab:cd:ef", "52-54-00-AB-CD-EF"] {
            assert_eq!(Mac::parse(typed), Some(mac));
        }
        assert_eq!(mac.to_string(), "52:54:00:ab:cd:ef");
        for odd in [
            "",
            "52:54:00:ab:cd",
            "52:54:00:ab:cd:ef:00",
            "5:54:00:ab:cd:ef",
        ] {
            assert_eq!(Mac::parse(odd), None, "{odd}");
        }
        assert_eq!(Mac::parse("+2:54:00:ab:cd:ef"), None);
        assert_eq!(Mac::of_name("enx525400abcdef"), Some(mac));
        for odd in [
            "enx",
            "enx525400abcde",
            "enx525400abcdefg",
            "enx525400abcdeg",
            "enp0s3",
        ] {
            assert_eq!(Mac::of_name(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_network_holds_what_has_its_first_bits() {
        for (network, other, holds) in [
            ("192.0.2.7/24", "192.0.2.200", true),
            ("192.0.2.7/24", "192.0.3.7", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("fe80::1/64", "fe80::2", true),
            ("fe80::1/64", "fe80:1::2", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "192.0.2.7", false),
        ] {
            let parsed = Network::parse(network).unwrap();
            assert_eq!(
                parsed.holds(other.parse().unwrap()),
                holds,
                "{network} {other}"
            );
        }
        for (typed, first) in [
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("192.0.2.7/0", "0.0.0.0/0"),
            ("192.0.2.7/32", "192.0.2.7/32"),
            ("2001:db8::ff/60", "2001:db8::/60"),
            ("2001:db8::ff/0", "::/0"),
            ("2001:db8::ff/128", "2001:db8::ff/128"),
        ] {
            let found = Network::parse(typed).unwrap().first();
            assert_eq!(found.to_string(), first, "{typed}");
        }
        for odd in [
            "192.0.2.7/33",
            "::/129",
            "192.0.2/24",
            "/24",
            "192.0.2.7/",
            "x",
        ] {
            assert_eq!(Network::parse(odd), None, "{odd}");
        }
        let shown = Network::parse("2001:db8::1/64").unwrap().to_string();
        assert_eq!(shown, "2001:db8::1/64");
    }

    #[test]
    fn a_netmask_is_a_prefix_or_nothing() {
        for (mask, prefix) in [
            ("255.255.255.0", Some(24)),
            ("0.0.0.0", Some(0)),
            ("255.255.255.255", Some(32)),
            ("255.255.240.0", Some(20)),
            ("255.0.255.0", None),
            ("0.0.0.255", None),
        ] {
            assert_eq!(prefix_of(mask.parse().unwrap()), prefix, "{mask}");
        }
    }
}
