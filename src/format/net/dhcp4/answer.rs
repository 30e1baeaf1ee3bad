//! A server's message, and whether it is for this machine.

use super::options::Options;
use super::{BOOTREPLY, COOKIE, ETHERNET, FIXED_BYTES, code};
use crate::base::bytes::{array, be32, slice, u8};
use crate::base::text::Text;
use crate::format::net::address::Mac;
use core::net::Ipv4Addr;

/// Bytes of the text that comes with a refusal, at most: it is for a person, in one line.
const MESSAGE_MAX: usize = 160;

/// What a client hears from servers (RFC 2131 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Offer,
    Ack,
    Nak,
}

/// Why a message is no answer. The text is a verb and what belongs to it: "gives no address".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Somebody else's, or noise: no reason for anything.
    NotForUs(&'static str),
    /// An answer to this machine that is of no use.
    Unusable(&'static str),
}

use Refused::{NotForUs, Unusable};

/// A server's answer to this machine.
pub struct Answer<'a> {
    pub kind: Kind,
    /// The server's identifier: what a client calls it (RFC 2132 §9.7). Where its packets come
    /// from may be a relay.
    pub server: Ipv4Addr,
    /// `yiaddr`.
    pub address: Ipv4Addr,
    /// `siaddr`.
    pub(super) next_server: Ipv4Addr,
    /// `sname` and `file`, empty where they hold options.
    pub(super) sname: &'a [u8],
    pub(super) file: &'a [u8],
    pub(super) options: Options<'a>,
}

impl<'a> Answer<'a> {
    /// `message` is the payload of UDP; `xid` and `mac` are those of what was asked.
    pub fn parse(message: &'a [u8], xid: u32, mac: Mac) -> Result<Self, Refused> {
        let short = NotForUs("is too short");
        let number = |at| u8(message, at).ok_or(short);
        let address = |at| array::<4>(message, at).map(Ipv4Addr::from).ok_or(short);
        if number(0)? != BOOTREPLY {
            return Err(NotForUs("is not a server's"));
        }
        if be32(message, 4) != Some(xid) || array(message, 28) != Some(mac.0) {
            return Err(NotForUs("is for another machine"));
        }
        if number(1)? != ETHERNET || number(2)? != 6 {
            return Err(Unusable("is not for Ethernet"));
        }
        let (fixed, rest) = message.split_at_checked(FIXED_BYTES).ok_or(short)?;
        let Some(area) = rest.strip_prefix(&COOKIE) else {
            return Err(Unusable("is of BOOTP and not of DHCP"));
        };
        let sname = slice(fixed, 44, 64).unwrap_or_default();
        let file = slice(fixed, 108, 128).unwrap_or_default();
        let options = Options::new(area, file, sname);
        let kind = match options.value(code::MESSAGE_TYPE).first() {
            Some(2) => Kind::Offer,
            Some(5) => Kind::Ack,
            Some(6) => Kind::Nak,
            Some(_) => return Err(Unusable("is of a kind that servers do not send")),
            None => return Err(Unusable("does not say of which kind it is")),
        };
        let server = options.address(code::SERVER_ID).filter(|id| is_host(*id));
        Ok(Self {
            kind,
            server: server.ok_or(Unusable("has no server identifier"))?,
            address: address(16)?,
            next_server: address(20)?,
            sname: if options.took_sname() { &[] } else { sname },
            file: if options.took_file() { &[] } else { file },
            options,
        })
    }

    /// What the server says about its refusal, if anything.
    pub fn message(&self) -> Option<Text> {
        let mut message = self.options.text(code::MESSAGE)?;
        message.0.truncate(MESSAGE_MAX);
        Some(message)
    }
}

/// Can a machine have this address? Not "this network", many machines at once, or itself.
pub(super) fn is_host(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first != 0 && !address.is_loopback() && !address.is_multicast() && !address.is_broadcast()
}
