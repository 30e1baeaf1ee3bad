//! DHCPv4: what a client says, and what a server's answer means.
//!
//! Not when to say it: that is `plan::talk`. Nor relays and servers. Messages are the payload of
//! UDP ([`super::frame`]).
//!
//! | File | What it is |
//! |---|---|
//! | `request` | a client's messages |
//! | `answer` | a server's, and which of them are not for this machine |
//! | `options` | options, wherever in a message they stand |
//! | `terms` | an answer as a lease |
//! | `routes` | the routes of an answer, in the order in which the kernel takes them |
//!
//! Sources: RFC 2131 (messages), 2132 (options), 3396 (long options), 3397 (domain search), 3442
//! (classless routes), 4361 and 6842 (client identifier).

mod answer;
mod options;
mod request;
mod routes;
mod terms;

pub use answer::{Answer, Kind, Refused};
pub use request::{Machine, Request, client_id_of};

pub const SERVER_PORT: u16 = 67;
pub const CLIENT_PORT: u16 = 68;

/// Before the options: the fixed fields, and the cookie.
const FIXED_BYTES: usize = 236;
/// What says that options follow as RFC 2132 has them (RFC 2131 §3).
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// `op` and `htype`.
const BOOTREQUEST: u8 = 1;
const BOOTREPLY: u8 = 2;
const ETHERNET: u8 = 1;

/// Codes of options, as the registry names them.
mod code {
    pub const PAD: u8 = 0;
    pub const SUBNET_MASK: u8 = 1;
    pub const ROUTER: u8 = 3;
    pub const DOMAIN_SERVER: u8 = 6;
    pub const HOSTNAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const ROOT_PATH: u8 = 17;
    pub const MTU_INTERFACE: u8 = 26;
    pub const STATIC_ROUTE: u8 = 33;
    pub const NTP_SERVERS: u8 = 42;
    pub const ADDRESS_REQUEST: u8 = 50;
    pub const ADDRESS_TIME: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const MESSAGE_TYPE: u8 = 53;
    pub const SERVER_ID: u8 = 54;
    pub const PARAMETER_LIST: u8 = 55;
    pub const MESSAGE: u8 = 56;
    pub const MAX_MESSAGE_SIZE: u8 = 57;
    pub const RENEWAL_TIME: u8 = 58;
    pub const REBINDING_TIME: u8 = 59;
    pub const CLASS_ID: u8 = 60;
    pub const CLIENT_ID: u8 = 61;
    pub const SERVER_NAME: u8 = 66;
    pub const BOOTFILE_NAME: u8 = 67;
    pub const DOMAIN_SEARCH: u8 = 119;
    pub const CLASSLESS_ROUTE: u8 = 121;
    /// The same before it had a number of its own.
    pub const CLASSLESS_ROUTE_MICROSOFT: u8 = 249;
    pub const END: u8 = 255;
}

#[cfg(test)]
mod tests;
