//! Routes: ways to networks.
//!
//! Those to several next hops at a time are read without them; no such routes are made.
//! Source: rtnetlink(7), linux/rtnetlink.h (Linux 6.12).

use super::address::{INET, INET6, family_of};
use super::message::{self, Attributes};
use super::request::{CREATE, EXCLUSIVE, Request};
use crate::base::bytes;
use crate::format::net::address::{Network, Route};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Types of messages (`RTM_*ROUTE`).
pub const NEW: u16 = 24;
pub const DEL: u16 = 25;
const GET: u16 = 26;

/// `struct rtmsg`: family, prefix, prefix of the source, service, table, protocol, scope, type
/// (8 bits each), flags.
const HEADER: usize = 12;

/// `RTA_*`.
mod attribute {
    pub const TO: u16 = 1;
    pub const LINK: u16 = 4;
    pub const GATEWAY: u16 = 5;
    pub const PRIORITY: u16 = 6;
    pub const SOURCE: u16 = 7;
    pub const TABLE: u16 = 15;
    pub const VIA: u16 = 18;
}

/// `RT_TABLE_MAIN`: the one that is meant where none is named.
pub const MAIN: u32 = 254;
const TABLE_MAIN: u8 = 254;

/// `RTPROT_BOOT`: made while booting. Daemons may replace it.
pub const BOOT: u8 = 3;

const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;

/// `RTN_UNICAST`: packets are sent there.
const UNICAST: u8 = 1;

/// `RTNH_F_ONLINK`: the gateway is on the link, though no address says so.
const FORCE_LINK: u8 = 4;

/// A route that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub to: Network,
    pub via: Option<IpAddr>,
    /// The link's index. `None`: it leads nowhere, or to several.
    pub link: Option<u32>,
    /// The smallest is taken.
    pub metric: u32,
    /// The address that packets are from.
    pub source: Option<IpAddr>,
    pub table: u32,
    /// Who made it: [`BOOT`], or another number of linux/rtnetlink.h.
    pub protocol: u8,
    /// Packets are sent there: not one of this machine's own addresses, of multicast, ….
    pub unicast: bool,
}

impl Entry {
    /// The body of a message of type [`NEW`] or [`DEL`].
    ///
    /// `None`: cut off, or no route of IPv4 or IPv6.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let family = bytes::u8(body, 0)?;
        let attributes = Attributes::after(body, HEADER);
        let find = |kind| attributes.find(kind).and_then(message::address);
        let to = match (find(attribute::TO), family) {
            (Some(to), _) => Some(to).filter(|to| family_of(*to) == family),
            (None, INET) => Some(Ipv4Addr::UNSPECIFIED.into()),
            (None, INET6) => Some(Ipv6Addr::UNSPECIFIED.into()),
            (None, _) => None,
        };
        // `struct rtvia`: the family in 16 bits, then the address.
        let other = attributes.find(attribute::VIA);
        let other = || message::address(other?.get(2..)?);
        let table = bytes::u8(body, 4).map(u32::from);
        Some(Self {
            to: Network::new(to?, bytes::u8(body, 1)?)?,
            via: find(attribute::GATEWAY).or_else(other),
            link: attributes.u32(attribute::LINK),
            metric: attributes.u32(attribute::PRIORITY).unwrap_or(0),
            source: find(attribute::SOURCE),
            table: attributes.u32(attribute::TABLE).or(table)?,
            protocol: bytes::u8(body, 5)?,
            unicast: bytes::u8(body, 7)? == UNICAST,
        })
    }

    /// The default route.
    pub fn is_default(&self) -> bool {
        self.to.prefix == 0 && self.unicast
    }
}

/// What a route is besides the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Besides {
    /// `None`: the kernel's, 0 of IPv4, 1024 of IPv6.
    pub metric: Option<u32>,
    /// The address that packets are from. `None`: the kernel chooses.
    pub source: Option<IpAddr>,
    /// Believe that `via` is on the link.
    pub force_link: bool,
}

/// All routes of all tables.
pub fn list() -> Request {
    Request::dump(GET, &[0; HEADER])
}

/// Adds it; `EEXIST`: there is one of the same network and metric. `link` is the index.
pub fn add(route: &Route, link: u32, besides: Besides) -> Request {
    about(NEW, CREATE | EXCLUSIVE, route, link, besides)
}

/// Takes away what [`add`] added.
pub fn delete(route: &Route, link: u32, besides: Besides) -> Request {
    about(DEL, 0, route, link, besides)
}

fn about(kind: u16, flags: u16, route: &Route, link: u32, besides: Besides) -> Request {
    let to = first_of(route.to);
    let scope = match route.via {
        None if to.is_ipv4() => SCOPE_LINK,
        _ => SCOPE_UNIVERSE,
    };
    let mut header = [0; HEADER];
    let force = if besides.force_link { FORCE_LINK } else { 0 };
    let [a, b, c, d] = u32::from(force).to_ne_bytes();
    let prefix = route.to.prefix;
    let known = [
        family_of(to),
        prefix,
        0,
        0,
        TABLE_MAIN,
        BOOT,
        scope,
        UNICAST,
    ];
    let flagged = known.into_iter().chain([a, b, c, d]);
    header.iter_mut().zip(flagged).for_each(|(to, b)| *to = b);
    Request::new(kind, flags, &header).with(|all| {
        if prefix > 0 {
            all.address(attribute::TO, to);
        }
        all.u32(attribute::LINK, link);
        match route.via {
            Some(via) if via.is_ipv4() == to.is_ipv4() => all.address(attribute::GATEWAY, via),
            Some(via) => all.bytes(attribute::VIA, &other_family(via)),
            None => {}
        }
        if let Some(metric) = besides.metric {
            all.u32(attribute::PRIORITY, metric);
        }
        if let Some(source) = besides.source {
            all.address(attribute::SOURCE, source);
        }
    })
}

/// `struct rtvia`: a gateway whose addresses are of another kind.
fn other_family(via: IpAddr) -> alloc::vec::Vec<u8> {
    let mut bytes = u16::from(family_of(via)).to_ne_bytes().to_vec();
    match via {
        IpAddr::V4(address) => bytes.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => bytes.extend_from_slice(&address.octets()),
    }
    bytes
}

/// The network's own address: the kernel refuses one with further bits.
fn first_of(network: Network) -> IpAddr {
    let away = |bits: u32| bits.saturating_sub(network.prefix.into());
    match network.address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(away(32)).unwrap_or(0);
            Ipv4Addr::from(u32::from(address) & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(away(128)).unwrap_or(0);
            Ipv6Addr::from(u128::from(address) & mask).into()
        }
    }
}
