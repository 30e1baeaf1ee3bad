//! How a login ended, in words; and where a target has moved.
//!
//! Source: RFC 7143 §11.13.5 (status), §13.8 (TargetAddress).

use super::PORT;
use crate::base::text::cut_last;
use crate::format::remote::Host;
use core::fmt;

/// Numbers of errno(3): what time may mend is tried again.
const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const EACCES: i32 = 13;
const ENOENT: i32 = 2;
pub const EPROTO: i32 = 71;

/// What a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Fine,
    /// Somewhere else, as the text tells; for good, or for now.
    Moved,
    /// An errno, and why. The end of a sentence.
    Refused(i32, &'static str),
}

pub fn read((class, detail): (u8, u8)) -> Status {
    let (errno, why) = match (class, detail) {
        (0, _) => return Status::Fine,
        (1, _) => return Status::Moved,
        (2, 1) => (EACCES, "authentication failed: see user and password"),
        (2, 2) => (
            EACCES,
            "this initiator may not use the target: see rd.iscsi.initiator= and the target's list",
        ),
        (2, 3) => (ENOENT, "there is no such target there"),
        (2, 4) => (ENOENT, "the target was removed, and is not coming back"),
        (2, 5) => (EPROTO, "it speaks no version of iSCSI that is spoken here"),
        (2, 6) => (EAGAIN, "it has too many connections"),
        (2, 7) => (EPROTO, "it misses a parameter"),
        (2, 8) => (EPROTO, "it cannot serve the session here"),
        (2, 9) => (EPROTO, "it does not serve disks there"),
        (2, 10) => (EPROTO, "it does not know the session"),
        (2, 11) => (
            EPROTO,
            "it takes a message for one that does not belong there",
        ),
        (2, _) => (EPROTO, "it refuses the login"),
        (3, 1) => (EAGAIN, "it does not serve for now"),
        (3, 2) => (EAGAIN, "it has no resources left"),
        (3, _) => (EIO, "it has an error of its own"),
        _ => (EPROTO, "it answers what is not known here"),
    };
    Status::Refused(errno, why)
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: Host,
    pub port: u16,
}

impl Address {
    /// `HOST[:PORT][,GROUP]`, addresses of IPv6 in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split_once(',').map_or(text, |(address, _)| address);
        let bracketed = text.ends_with(']');
        let (host, port) = match cut_last(text, ":").filter(|_| !bracketed) {
            Some((host, port)) => (host, port.parse().ok().filter(|port| *port > 0)?),
            None => (text, PORT),
        };
        let named = host.starts_with('[') || !host.contains(':');
        let host = Host::parse(host).filter(|_| named)?;
        Some(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn addresses_are_read_with_port_and_group() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1:3260")),
            ("192.0.2.1:3261,1", Some("192.0.2.1:3261")),
            ("[2001:db8::1],2", Some("[2001:db8::1]:3260")),
            ("[2001:db8::1]:860", Some("[2001:db8::1]:860")),
            ("store.example:3260", Some("store.example:3260")),
            ("2001:db8::1", None),
            ("192.0.2.1:0", None),
            ("192.0.2.1:65536", None),
            ("", None),
            (":3260", None),
        ] {
            let found = Address::parse(text).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn every_status_has_words() {
        assert_eq!(read((0, 0)), Status::Fine);
        assert_eq!(read((1, 1)), Status::Moved);
        for class in 2..=u8::MAX {
            for detail in 0..=u8::MAX {
                assert!(matches!(read((class, detail)), Status::Refused(1.., _)));
            }
        }
    }
}
