//! A server's message, and whether it is for this machine (RFC 8415 §16).

use super::options::Options;
use super::{Refused, code, kind};
use crate::base::bytes::{array, u8};

/// Longest DUID in bytes, with its type (§11.1).
const DUID_MAX: usize = 130;

/// What a client hears from servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Advertise,
    Reply,
}

use Refused::{NotForUs, Unusable};

/// A server's answer to this machine.
pub struct Answer<'a> {
    pub kind: Kind,
    /// The server's DUID: what a client calls it. Where its packets come from may be a relay.
    pub server: &'a [u8],
    /// The greatest is taken; 255: at once.
    pub preference: u8,
    /// It gives at once what was asked for in the first message.
    pub rapid: bool,
    pub(super) options: Options<'a>,
}

impl<'a> Answer<'a> {
    /// `message` is the payload of UDP; the others are those of what was asked.
    pub fn parse(message: &'a [u8], transaction: u32, duid: &[u8]) -> Result<Self, Refused> {
        let kind = match u8(message, 0) {
            Some(kind::ADVERTISE) => Kind::Advertise,
            Some(kind::REPLY) => Kind::Reply,
            _ => return Err(NotForUs("is not a server's")),
        };
        let [_, asked @ ..] = transaction.to_be_bytes();
        let options = Options(message.get(4..).unwrap_or_default());
        let client = options.find(code::CLIENT_ID);
        if array(message, 1) != Some(asked) || client != Some(duid) {
            return Err(NotForUs("is for another machine"));
        }
        let server = options.find(code::SERVER_ID);
        let server = server.filter(|id| (1..=DUID_MAX).contains(&id.len()));
        let preference = options.find(code::PREFERENCE);
        Ok(Self {
            kind,
            server: server.ok_or(Unusable("has no server identifier"))?,
            preference: preference.and_then(|value| u8(value, 0)).unwrap_or(0),
            rapid: options.find(code::RAPID_COMMIT).is_some(),
            options,
        })
    }
}
