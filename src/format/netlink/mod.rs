//! What is said to the kernel over netlink, and what it says: links, addresses, routes.
//!
//! | File | What it is |
//! |---|---|
//! | `request` | a message to the kernel, built piece by piece |
//! | `message` | the messages of a datagram, and the attributes of a message |
//! | `ack` | how a request ended |
//! | `generic` | families that have a name |
//! | `link` | network devices: told, changed, made |
//! | `bond` | options of bonds |
//! | `address` | addresses of links |
//! | `route` | ways to networks |
//! | `router` | what routers of IPv6 advertise |
//!
//! Numbers are in the order of bytes of the machine, but for addresses.
//! Source: netlink(7), rtnetlink(7), linux/netlink.h, Documentation/userspace-api/netlink
//! (Linux 6.12).

pub mod ack;
pub mod address;
pub mod bond;
pub mod generic;
pub mod link;
pub mod message;
pub mod request;
pub mod route;
pub mod router;

use address::Address;
use link::Link;
use message::Message;
use route::Entry;
use router::Advert;

/// Something changed, or is listed because it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Link(Link),
    LinkGone(Link),
    Address(Address),
    AddressGone(Address),
    Route(Entry),
    RouteGone(Entry),
    Advert(Advert),
}

/// `None`: about something else, or cut off.
pub fn news(message: &Message) -> Option<News> {
    let body = message.body;
    Some(match message.kind {
        link::NEW => match Link::parse(body) {
            Some(link) => News::Link(link),
            None => News::Advert(Advert::of_link(body)?),
        },
        link::DEL => News::LinkGone(Link::parse(body)?),
        address::NEW => News::Address(Address::parse(body)?),
        address::DEL => News::AddressGone(Address::parse(body)?),
        route::NEW => News::Route(Entry::parse(body)?),
        route::DEL => News::RouteGone(Entry::parse(body)?),
        router::OPTION => News::Advert(Advert::of_option(body)?),
        _ => return None,
    })
}

/// Groups of rtnetlink whose members are told of changes: `enum rtnetlink_groups`,
/// linux/rtnetlink.h.
pub mod group {
    pub const LINK: u32 = 1;
    pub const IPV4_ADDRESS: u32 = 5;
    pub const IPV4_ROUTE: u32 = 7;
    pub const IPV6_ADDRESS: u32 = 9;
    pub const IPV6_ROUTE: u32 = 11;
    /// What routers said, as flags of links.
    pub const IPV6_LINK: u32 = 12;
    /// What they said besides.
    pub const ROUTER_OPTION: u32 = 20;
}

#[cfg(test)]
mod tests;
