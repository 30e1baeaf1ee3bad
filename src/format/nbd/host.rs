//! A server: an address or a name.

use alloc::string::String;
use core::fmt;
use core::net::IpAddr;

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    /// An address (of IPv6 with or without brackets) or a name.
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(address) = inner.unwrap_or(text).parse() {
            return Some(Self::Address(address));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let named = inner.is_none() && text.len() <= 253 && text.bytes().all(plain);
        (named && !text.is_empty()).then(|| Self::Name(text.into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_or_a_name() {
        for (text, is) in [
            ("192.0.2.1", true),
            ("2001:db8::1", true),
            ("[2001:db8::1]", true),
            ("store.example", true),
            ("[store]", false),
            ("", false),
            ("a/b", false),
            ("a b", false),
        ] {
            assert_eq!(Host::parse(text).is_some(), is, "{text}");
        }
    }
}
