//! A client's messages (RFC 2131 §4.4.1, table 5).

use super::{BOOTREQUEST, COOKIE, ETHERNET, FIXED_BYTES, code};
use crate::base::text::Text;
use crate::format::net::address::Mac;
use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// Shorter messages are made longer: BOOTP's had this size, and some relays and servers drop
/// what is shorter (RFC 1542 §2.1).
const BYTES_MIN: usize = 300;
/// Longest message that is taken: what fits into Ethernet's 1500 bytes with the headers of IP and
/// UDP, so that it is never in fragments.
const BYTES_MAX: u16 = 1472;

/// What is asked for. Classless routes come before the others (RFC 3442).
const PARAMETERS: [u8; 18] = [
    code::CLASSLESS_ROUTE,
    code::CLASSLESS_ROUTE_MICROSOFT,
    code::SUBNET_MASK,
    code::ROUTER,
    code::STATIC_ROUTE,
    code::DOMAIN_SERVER,
    code::HOSTNAME,
    code::DOMAIN_NAME,
    code::DOMAIN_SEARCH,
    code::ROOT_PATH,
    code::MTU_INTERFACE,
    code::NTP_SERVERS,
    code::ADDRESS_TIME,
    code::SERVER_ID,
    code::RENEWAL_TIME,
    code::REBINDING_TIME,
    code::SERVER_NAME,
    code::BOOTFILE_NAME,
];

/// What the machine says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    pub mac: Mac,
    /// The type first, then the value (RFC 2132 §9.14). Empty: none is sent.
    pub client_id: Vec<u8>,
    pub hostname: Option<Text>,
    pub vendor_class: Option<Text>,
    /// Answers are to be broadcast: for a link that gives no packet to an address that the
    /// machine does not have yet (RFC 2131 §4.1).
    pub broadcast: bool,
}

/// The usual identifier of a client: its hardware address.
pub fn client_id_of(mac: Mac) -> Vec<u8> {
    let mut id = vec![ETHERNET];
    id.extend_from_slice(&mac.0);
    id
}

/// What is said to servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// DHCPDISCOVER: who has an address?
    Discover,
    /// DHCPREQUEST: this server's offer is taken.
    Select { server: Ipv4Addr, address: Ipv4Addr },
    /// DHCPREQUEST: a longer lease. Sent to its server alone it renews, to all it rebinds.
    Extend { address: Ipv4Addr },
    /// DHCPDECLINE: somebody else has the address.
    Decline { server: Ipv4Addr, address: Ipv4Addr },
    /// DHCPRELEASE: the address is not needed any more.
    Release { server: Ipv4Addr, address: Ipv4Addr },
}

impl Request {
    /// The message. `secs`: seconds since the first one; `xid`: what answers have to repeat.
    pub fn build(self, machine: &Machine, xid: u32, secs: u16) -> Vec<u8> {
        let (kind, own, wanted, server) = match self {
            Self::Discover => (1, None, None, None),
            Self::Select { server, address } => (3, None, Some(address), Some(server)),
            Self::Extend { address } => (3, Some(address), None, None),
            Self::Decline { server, address } => (4, None, Some(address), Some(server)),
            Self::Release { server, address } => (7, Some(address), None, Some(server)),
        };
        // What ends something says nothing that asks for something.
        let asks = kind <= 3;
        let flag = machine.broadcast && asks && own.is_none();

        let mut out = vec![BOOTREQUEST, ETHERNET, 6, 0];
        out.extend_from_slice(&xid.to_be_bytes());
        out.extend_from_slice(&if asks { secs } else { 0 }.to_be_bytes());
        out.extend_from_slice(&[if flag { 0x80 } else { 0 }, 0]);
        out.extend_from_slice(&own.unwrap_or(Ipv4Addr::UNSPECIFIED).octets());
        // `yiaddr`, `siaddr` and `giaddr` are for others to fill in.
        out.resize(28, 0);
        out.extend_from_slice(&machine.mac.0);
        out.resize(FIXED_BYTES, 0);
        out.extend_from_slice(&COOKIE);

        let mut option = |code: u8, value: &[u8]| {
            for piece in value.chunks(255) {
                out.extend_from_slice(&[code, u8::try_from(piece.len()).unwrap_or(0)]);
                out.extend_from_slice(piece);
            }
        };
        option(code::MESSAGE_TYPE, &[kind]);
        option(code::CLIENT_ID, &machine.client_id);
        if let Some(address) = wanted {
            option(code::ADDRESS_REQUEST, &address.octets());
        }
        if let Some(server) = server {
            option(code::SERVER_ID, &server.octets());
        }
        if asks {
            option(code::MAX_MESSAGE_SIZE, &BYTES_MAX.to_be_bytes());
            for (code, text) in [
                (code::HOSTNAME, &machine.hostname),
                (code::CLASS_ID, &machine.vendor_class),
            ] {
                option(code, text.as_ref().map_or(&[], |text| text.as_bytes()));
            }
            option(code::PARAMETER_LIST, &PARAMETERS);
        }
        out.push(code::END);
        out.resize(out.len().max(BYTES_MIN), 0);
        out
    }
}
