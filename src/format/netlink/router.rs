//! What routers of IPv6 advertise, as the kernel tells it.
//!
//! The kernel itself takes addresses and routes from advertisements. It tells of two things more:
//! whether a router says that DHCPv6 is to be asked, as flags of the link; and options that it has
//! no use for, as they came.
//!
//! Source: `inet6_fill_ifinfo` (net/ipv6/addrconf.c), `ndisc_ra_useropt` (net/ipv6/ndisc.c),
//! include/net/if_inet6.h, linux/rtnetlink.h (Linux 6.12); RFC 4861 §4.2 (flags), RFC 8106 (name
//! servers).

use super::address::INET6;
use super::link;
use super::message::{Attributes, ne16, ne32};
use super::request::Request;
use crate::base::bytes::{array, be32, slice, u8};
use crate::format::net::lease::is_routed;
use crate::format::net::search;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

/// `RTM_NEWNDUSEROPT`.
pub const OPTION: u16 = 68;

/// `IFLA_PROTINFO`, and what is in it of IPv6: `IFLA_INET6_FLAGS`.
const PROTOCOL_INFO: u16 = 12;
const FLAGS: u16 = 1;

/// `IF_RA_OTHERCONF`, `IF_RA_MANAGED`, `IF_RA_RCVD`.
const OTHER: u32 = 0x80;
const MANAGED: u32 = 0x40;
const HEARD: u32 = 0x20;

/// `struct nduseroptmsg`: family, padding, length of the options (16 bits), index of the link, type
/// and code of ICMP, six bytes of nothing.
const OPTION_HEADER: usize = 16;

/// An advertisement (RFC 4861 §4.2), and its options with name servers and with domains.
const ADVERTISEMENT: u8 = 134;
const NAME_SERVERS: u8 = 25;
const DOMAINS: u8 = 31;

/// Name servers of one message; more do not count.
const SERVERS_MAX: usize = 8;

/// What a router says on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// The link's index.
    pub link: u32,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Whom to ask for more.
    Flags(Flags),
    /// Who knows names, and the domains in which short ones are looked for.
    Names {
        servers: Vec<IpAddr>,
        search: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// DHCPv6 gives addresses (M).
    pub managed: bool,
    /// DHCPv6 tells what else there is (O).
    pub other: bool,
}

impl Advert {
    /// The body of a message of type [`link::NEW`] that is of IPv6.
    ///
    /// `None`: of something else, cut off, or no router has said anything.
    pub fn of_link(body: &[u8]) -> Option<Self> {
        if u8(body, 0)? != INET6 {
            return None;
        }
        let info = Attributes::after(body, link::HEADER).find(PROTOCOL_INFO)?;
        let flags = Attributes(info).u32(FLAGS)?;
        // The kernel notes that one was heard only once it has asked, and tells of no change then:
        // flags that came unasked stand alone.
        (flags & (HEARD | MANAGED | OTHER) != 0).then_some(Self {
            link: ne32(body, 4)?,
            said: Said::Flags(Flags {
                managed: flags & MANAGED != 0,
                other: flags & OTHER != 0,
            }),
        })
    }

    /// The body of a message of type [`OPTION`]. `None`: without names that count now.
    pub fn of_option(body: &[u8]) -> Option<Self> {
        if u8(body, 0)? != INET6 || u8(body, 8)? != ADVERTISEMENT {
            return None;
        }
        let mut rest = slice(body, OPTION_HEADER, ne16(body, 2)?.into())?;
        let (mut servers, mut domains) = (Vec::new(), Vec::new());
        // Kind and length, in units of 8 bytes (RFC 4861 §4.6), then seconds at 4.
        while let (Some(kind), Some(units)) = (u8(rest, 0), u8(rest, 1)) {
            let length = usize::from(units).saturating_mul(8);
            let Some(option) = slice(rest, 0, length).filter(|_| length > 0) else {
                break;
            };
            rest = rest.get(length..).unwrap_or_default();
            let content = option.get(8..).unwrap_or_default();
            match kind {
                // Who is not to be asked any more.
                _ if be32(option, 4) == Some(0) => {}
                NAME_SERVERS => servers.extend(content.chunks(16).filter_map(server)),
                DOMAINS => domains.extend(search::names(content)),
                _ => {}
            }
        }
        servers.truncate(SERVERS_MAX);
        (!servers.is_empty() || !domains.is_empty()).then_some(Self {
            link: ne32(body, 4)?,
            said: Said::Names {
                servers,
                search: domains,
            },
        })
    }
}

/// One that can be asked without saying over which link.
fn server(bytes: &[u8]) -> Option<IpAddr> {
    let address = Ipv6Addr::from(array::<16>(bytes, 0)?);
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    Some(IpAddr::V6(address)).filter(|address| !special && is_routed(*address))
}

/// What routers have said on all links.
pub fn list() -> Request {
    let mut header = [0; link::HEADER];
    header.iter_mut().take(1).for_each(|family| *family = INET6);
    Request::dump(link::GET, &header)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::super::message::Messages;
    use super::super::{News, news};
    use super::*;
    use crate::base::hex;
    use alloc::string::ToString;
    use alloc::vec;

    /// As Linux 6.18 sent them (little-endian). Of the first, about the link 3, settings and
    /// statistics are cut out; behind it a router's prefix, name servers, and domains.
    const LINK: &str = "\
        380000001000000000000000000000000a000100030000004310010000000000090003006e65617200000000\
        0c000c0008000100f0000080";
    const PREFIX: &str = "\
        540000004400000000000000000000000a002000030000008600000000000000030440c000000e1000000708\
        0000000020010db800050000000000000000000014000100fe80000000000000a0d594fffe246e6d";
    const SERVERS: &str = "\
        5c0000004400000000000000000000000a002800030000008600000000000000190500000000025820010db8\
        000000000000000000000053fe80000000000000000000000000005314000100fe80000000000000a0d594ff\
        fe246e6d";
    const DOMAINS_TOLD: &str = "\
        540000004400000000000000000000000a0020000300000086000000000000001f04000000000258036c6162\
        076578616d706c650003656e670000000000000014000100fe80000000000000a0d594fffe246e6d";

    fn told(digits: &str) -> Option<Advert> {
        let bytes = hex::decode(digits.as_bytes()).unwrap();
        match Messages(&bytes).find_map(|message| news(&message))? {
            News::Advert(advert) => Some(advert),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_are_read_once_a_router_was_heard() {
        for (flags, expected) in [
            ("f0000080", Some((true, true))),
            ("70000080", Some((true, false))),
            ("b0000080", Some((false, true))),
            ("30000080", Some((false, false))),
            // One that spoke before it was asked.
            ("d0000080", Some((true, true))),
            ("80000080", Some((false, true))),
            // None was heard yet.
            ("10000080", None),
        ] {
            let advert = told(&LINK.replace("f0000080", flags));
            let found = advert.map(|advert| match advert {
                Advert {
                    link: 3,
                    said: Said::Flags(flags),
                } => (flags.managed, flags.other),
                other => panic!("{other:?}"),
            });
            assert_eq!(found, expected, "{flags}");
        }
        // A bridge's port has such messages, too.
        assert_eq!(told(&LINK.replace("0a00010003", "0700010003")), None);
    }

    #[test]
    fn name_servers_and_domains_are_read_while_they_count() {
        let names = |digits: &str| match told(digits)?.said {
            Said::Names { servers, search } => Some((
                servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                search,
            )),
            Said::Flags(_) => None,
        };
        // The second one is good on a link that nobody would be told of.
        let expected = (vec!["2001:db8::53".to_string()], vec![]);
        assert_eq!(names(SERVERS), Some(expected));
        let search = vec!["lab.example".into(), "eng".into()];
        assert_eq!(names(DOMAINS_TOLD), Some((vec![], search)));
        assert_eq!(names(PREFIX), None);
        for digits in [SERVERS, DOMAINS_TOLD] {
            assert_eq!(names(&digits.replace("00000258", "00000000")), None);
            // Of another kind of message than an advertisement.
            assert_eq!(names(&digits.replace("0300000086", "0300000087")), None);
        }
    }

    #[test]
    fn what_is_cut_or_changed_is_no_more_than_nothing() {
        for digits in [LINK, PREFIX, SERVERS, DOMAINS_TOLD] {
            let whole = hex::decode(digits.as_bytes()).unwrap();
            for at in 0..whole.len() {
                for value in [0, 1, 0x7f, 0xff] {
                    let mut changed = whole.clone();
                    changed[at] = value;
                    for bytes in [&changed[16..], &whole[16..at.max(16)], &whole[..at]] {
                        let _ = (Advert::of_link(bytes), Advert::of_option(bytes));
                    }
                }
            }
        }
    }
}
