//! DHCPv6: what a client says, and what a server's answer means.
//!
//! Not when to say it: that is `plan::talk`. Nor relays and servers, nor what else a client may ask
//! for (prefixes, temporary addresses). Messages are the payload of UDP.
//!
//! | File | What it is |
//! |---|---|
//! | `request` | a client's messages |
//! | `answer` | a server's, and which of them are not for this machine |
//! | `options` | options, one behind the other |
//! | `terms` | an answer as a lease |
//!
//! There is no root-path in DHCPv6, and none of the usual servers has one of its own. What there is
//! is the URL of a boot file (RFC 5970), by which firmware is told what to load. Where it names a
//! root, as a root-path would (`nfs://server/path`, `nfs:…`, `iscsi:…`, `nbd:…`), it counts as one.
//!
//! Sources: RFC 8415 (messages, options), 3646 (name servers), 4075 and 5908 (time servers), 5970
//! (boot file).

mod answer;
mod options;
mod request;
mod terms;

pub use super::dhcp4::Refused;
pub use answer::{Answer, Kind};
pub use request::{Machine, Request};

use crate::format::net::address::Mac;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

pub const SERVER_PORT: u16 = 547;
pub const CLIENT_PORT: u16 = 546;
/// All servers of a link, and relays to others (`All_DHCP_Relay_Agents_and_Servers`, §7.1).
pub const SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// Who this machine is: a DUID of the link's hardware address (DUID-LL, §11.4). It is the same at
/// each boot, without memory and without a clock, and the real system's clients can be told it.
pub fn duid_of(mac: Mac) -> Vec<u8> {
    let mut duid = alloc::vec![0, 3, 0, 1];
    duid.extend_from_slice(&mac.0);
    duid
}

/// Which of this machine's links: the end of its hardware address, as is usual.
pub fn iaid_of(mac: Mac) -> u32 {
    let [_, _, rest @ ..] = mac.0;
    u32::from_be_bytes(rest)
}

/// Types of messages (§7.3).
mod kind {
    pub const SOLICIT: u8 = 1;
    pub const ADVERTISE: u8 = 2;
    pub const REQUEST: u8 = 3;
    pub const REPLY: u8 = 7;
    pub const DECLINE: u8 = 9;
    pub const INFORMATION_REQUEST: u8 = 11;
}

/// Codes of options, as the registry names them.
mod code {
    pub const CLIENT_ID: u16 = 1;
    pub const SERVER_ID: u16 = 2;
    pub const IA_NA: u16 = 3;
    pub const IA_ADDRESS: u16 = 5;
    pub const OPTION_REQUEST: u16 = 6;
    pub const PREFERENCE: u16 = 7;
    pub const ELAPSED_TIME: u16 = 8;
    pub const STATUS: u16 = 13;
    pub const RAPID_COMMIT: u16 = 14;
    pub const VENDOR_CLASS: u16 = 16;
    pub const NAME_SERVERS: u16 = 23;
    pub const DOMAIN_SEARCH: u16 = 24;
    pub const SIMPLE_TIME_SERVERS: u16 = 31;
    pub const TIME_SERVERS: u16 = 56;
    pub const BOOT_FILE_URL: u16 = 59;
}

/// Codes of statuses (§21.13).
mod status {
    pub const SUCCESS: u16 = 0;
    pub const NO_ADDRESSES: u16 = 2;
    pub const NO_BINDING: u16 = 3;
    pub const NOT_ON_LINK: u16 = 4;
    pub const USE_MULTICAST: u16 = 5;
}

#[cfg(test)]
mod tests;
