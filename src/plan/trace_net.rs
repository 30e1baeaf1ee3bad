//! What is told and asked of shares and networks, as lines of text. See [`super::trace`].

use super::action::{Action, NetAction};
use super::event::{NetEvent, Ticket};
use super::trace::{answer, failed};
use super::trace_firmware;
use super::trace_lease::{advert, advert_line, lease, lease_words, route_word, routes};
use super::trace_lease::{extend, extend_word};
use super::trace_read::{fault, ticket};
use crate::base::hex;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::base::words::{Line, Words};
use crate::format::ceph::Credentials;
use crate::format::net::address::{Mac, Network};
use crate::format::net::order::{Asked, Change, LeaseOrder, LookupOrder, Placement};
use crate::format::net::wanted::{Made, MadeOf};
use crate::format::netlink::link::Link;
use crate::format::remote::target::Target;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::net::IpAddr;
use core::str::FromStr;

pub fn event_line(event: &NetEvent) -> String {
    match event {
        NetEvent::Reached { ticket } => answer("reached", *ticket).done(),
        NetEvent::ReachFailed { ticket, fault } => failed("reach-failed", *ticket, fault).done(),
        NetEvent::Found { ticket, addresses } => {
            shown_words(answer("found", *ticket), "address", addresses).done()
        }
        NetEvent::LookupFailed { ticket, fault } => failed("lookup-failed", *ticket, fault).done(),
        NetEvent::Connected { ticket, device } => answer("connected", *ticket)
            .opt("device", device.as_ref())
            .done(),
        NetEvent::ConnectFailed { ticket, fault } => {
            failed("connect-failed", *ticket, fault).done()
        }
        NetEvent::Link(link) => link_line(link),
        NetEvent::LinkGone { index } => Line::new("link-gone").num(u64::from(*index)).done(),
        NetEvent::Nbft(left) => trace_firmware::words(Line::new("nbft"), left).done(),
        NetEvent::FirmwareRead { ticket, left } => {
            trace_firmware::words(answer("firmware-read", *ticket), left).done()
        }
        NetEvent::Address { index, network } => {
            let line = Line::new("address").num(u64::from(*index));
            line.word(network.to_string()).done()
        }
        NetEvent::AddressGone { index, network } => {
            let line = Line::new("address-gone").num(u64::from(*index));
            line.word(network.to_string()).done()
        }
        NetEvent::Advert(advert) => advert_line(advert),
        NetEvent::LinksListed { ticket } => answer("links-listed", *ticket).done(),
        NetEvent::Configured { ticket } => answer("configured", *ticket).done(),
        NetEvent::ConfigureFailed { ticket, fault } => {
            failed("configure-failed", *ticket, fault).done()
        }
        NetEvent::Leased { ticket, lease } => lease_words(answer("leased", *ticket), lease).done(),
        NetEvent::LeaseFailed { ticket, fault } => failed("lease-failed", *ticket, fault).done(),
        NetEvent::LeaseNews { ticket, text } => answer("lease-news", *ticket).word(text).done(),
    }
}

/// Events that answer nothing.
pub fn event(verb: &str, w: &mut Words) -> Option<NetEvent> {
    Some(match verb {
        "link" => NetEvent::Link(link(w)?.into()),
        "link-gone" => NetEvent::LinkGone {
            index: w.need_small(),
        },
        "nbft" => NetEvent::Nbft(trace_firmware::read(w)?.into()),
        "address" => NetEvent::Address {
            index: w.need_small(),
            network: Network::parse(&w.need_text())?,
        },
        "address-gone" => NetEvent::AddressGone {
            index: w.need_small(),
            network: Network::parse(&w.need_text())?,
        },
        "router" => NetEvent::Advert(advert(w)?.into()),
        _ => return None,
    })
}

/// Events that answer an action.
pub fn reply(verb: &str, ticket: Ticket, w: &mut Words) -> Option<NetEvent> {
    Some(match verb {
        "reached" => NetEvent::Reached { ticket },
        "reach-failed" => NetEvent::ReachFailed {
            ticket,
            fault: fault(w),
        },
        "found" => NetEvent::Found {
            ticket,
            addresses: addresses(w, "address")?,
        },
        "lookup-failed" => NetEvent::LookupFailed {
            ticket,
            fault: fault(w),
        },
        "connected" => NetEvent::Connected {
            ticket,
            device: w.key_text("device"),
        },
        "connect-failed" => NetEvent::ConnectFailed {
            ticket,
            fault: fault(w),
        },
        "firmware-read" => NetEvent::FirmwareRead {
            ticket,
            left: trace_firmware::read(w)?.into(),
        },
        "links-listed" => NetEvent::LinksListed { ticket },
        "configured" => NetEvent::Configured { ticket },
        "configure-failed" => NetEvent::ConfigureFailed {
            ticket,
            fault: fault(w),
        },
        "leased" => NetEvent::Leased {
            ticket,
            lease: lease(w)?,
        },
        "lease-failed" => NetEvent::LeaseFailed {
            ticket,
            fault: fault(w),
        },
        "lease-news" => NetEvent::LeaseNews {
            ticket,
            text: w.need_text(),
        },
        _ => return None,
    })
}

pub fn action_line(ticket: Ticket, order: &NetAction) -> String {
    match order {
        NetAction::Reach { server, port } => {
            let line = answer("reach", ticket).word(server.to_string());
            line.num(u64::from(*port)).done()
        }
        NetAction::Lookup(order) => {
            let line = answer("lookup", ticket).word(&order.name);
            let line = shown_words(line, "server", &order.servers);
            let line = shown_words(line, "search", &order.search);
            let (v4, v6) = order.families;
            line.flag("v4", v4).flag("v6", v6).done()
        }
        NetAction::Connect { target, server } => {
            let line = answer("connect", ticket).word(target.to_string());
            shown_word(line, "server", server.as_ref()).done()
        }
        NetAction::ReadFirmware => answer("read-firmware", ticket).done(),
        NetAction::WatchLinks => answer("watch-links", ticket).done(),
        NetAction::Configure { link, change } => {
            change_words(answer("configure", ticket).word(link), change).done()
        }
        NetAction::Lease { link, order } => {
            let line = answer("lease", ticket).word(link);
            let line = line.num(u64::from(order.index)).word(order.mac.to_string());
            let line = line.flag("dhcp6", order.asked == Asked::Dhcp6);
            let line = line.flag("information", order.asked == Asked::Information);
            let line = bytes_word(line, "client-id", &order.client_id);
            let line = text_word(line, "hostname", order.hostname.as_ref());
            let line = text_word(line, "vendor-class", order.vendor_class.as_ref());
            let line = shown_word(line, "tries", order.tries.as_ref());
            extend_word(line, order.extend).done()
        }
    }
}

pub fn action(verb: &str, w: &mut Words) -> Option<Action> {
    const VERBS: [&str; 7] = [
        "read-firmware",
        "watch-links",
        "configure",
        "lease",
        "reach",
        "lookup",
        "connect",
    ];
    if !VERBS.contains(&verb) {
        return None;
    }
    let ticket = ticket(w);
    let order = match verb {
        "reach" => NetAction::Reach {
            server: w.need_text().parse().ok()?,
            port: u16::try_from(w.need_small()).ok()?,
        },
        "lookup" => NetAction::Lookup(
            LookupOrder {
                name: w.need_text(),
                servers: addresses(w, "server")?,
                search: all(w, "search"),
                families: (w.flag("v4"), w.flag("v6")),
            }
            .into(),
        ),
        "read-firmware" => NetAction::ReadFirmware,
        "watch-links" => NetAction::WatchLinks,
        "connect" => NetAction::Connect {
            target: Target::parse(&w.need_text()).ok()?.into(),
            server: parsed(w, "server")?,
        },
        "configure" => NetAction::Configure {
            link: w.need_text(),
            change: change(w)?.into(),
        },
        _ => NetAction::Lease {
            link: w.need_text(),
            order: LeaseOrder {
                index: w.need_small(),
                mac: Mac::parse(&w.need_text())?,
                asked: match (w.flag("dhcp6"), w.flag("information")) {
                    (true, _) => Asked::Dhcp6,
                    (_, true) => Asked::Information,
                    _ => Asked::Dhcp4,
                },
                client_id: bytes(w, "client-id")?,
                hostname: w.key("hostname").map(Text),
                vendor_class: w.key("vendor-class").map(Text),
                tries: parsed(w, "tries")?,
                extend: extend(w)?,
            }
            .into(),
        },
    };
    Some(Action::Net { ticket, order })
}

// -- clusters ---------------------------------------------------------------------------------

/// Without the secret.
pub fn credentials_words(line: Line, who: &Credentials) -> Line {
    let line = line.key("client", who.user());
    line.opt(
        "secretfile",
        Some(&who.file).filter(|file| !file.is_empty()),
    )
}

/// `None`: they make no sense.
pub fn credentials(w: &mut Words) -> Option<Option<Box<Credentials>>> {
    let Some(user) = w.key_text("client") else {
        return Some(None);
    };
    let mut who = Credentials::default();
    who.set_user(&user).ok()?;
    who.file = w.key_text("secretfile").unwrap_or_default();
    Some(Some(who.into()))
}

// -- links ------------------------------------------------------------------------------------

fn link_line(link: &Link) -> String {
    let line = Line::new("link")
        .num(u64::from(link.index))
        .word(&link.name);
    let line = line.key_num("kind", u64::from(link.kind));
    let line = shown_word(line, "mac", link.mac.as_ref());
    let line = line.flag("up", link.up).flag("carrier", link.carrier);
    let line = line.key_num("mtu", u64::from(link.mtu));
    let line = line.opt("made", link.made.as_ref());
    let line = shown_word(line, "master", link.master.as_ref());
    let line = shown_word(line, "below", link.below.as_ref());
    shown_word(line, "vlan", link.vlan.as_ref()).done()
}

fn link(w: &mut Words) -> Option<Link> {
    let (index, name) = (w.need_small(), w.need_text());
    let mac = w.key_text("mac");
    Some(Link {
        index,
        name,
        kind: u16::try_from(w.need_key_num("kind")).ok()?,
        mac: match mac {
            Some(text) => Some(Mac::parse(&text)?),
            None => None,
        },
        up: w.flag("up"),
        carrier: w.flag("carrier"),
        mtu: u32::try_from(w.need_key_num("mtu")).ok()?,
        made: w.key_text("made"),
        master: parsed(w, "master")?,
        below: parsed(w, "below")?,
        vlan: parsed(w, "vlan")?,
    })
}

fn change_words(line: Line, change: &Change) -> Line {
    match change {
        Change::Raise { mtu, mac } => {
            let line = shown_word(line.word("raise"), "mtu", mtu.as_ref());
            shown_word(line, "mac", mac.as_ref())
        }
        Change::Address(place) => {
            let line = line.word("address").word(place.address.to_string());
            let line = line.flag("leased", place.leased);
            let line = shown_word(line, "peer", place.peer.as_ref());
            let line = place.routes.iter().fold(line, route_word);
            shown_word(line, "mtu", place.mtu.as_ref())
        }
        Change::Make(made) => {
            let line = line.word("make").word(&made.name);
            let line = match &made.kind {
                MadeOf::Vlan(number) => line.key_num("vlan", u64::from(*number)),
                MadeOf::Bond(options) => {
                    let option = |line: Line, (key, value): &(String, String)| {
                        line.key("option", format!("{key}={value}"))
                    };
                    options.iter().fold(line.flag("bond", true), option)
                }
                MadeOf::Bridge => line.flag("bridge", true),
            };
            let line = made.of.iter().fold(line, |line, of| line.key("of", of));
            shown_word(line, "mtu", made.mtu.as_ref())
        }
        Change::Rename(name) => line.word("rename").word(name),
    }
}

fn change(w: &mut Words) -> Option<Change> {
    Some(match w.need_text().as_str() {
        "raise" => Change::Raise {
            mtu: parsed(w, "mtu")?,
            mac: mac(w)?,
        },
        "address" => Change::Address(Placement {
            address: Network::parse(&w.need_text())?,
            leased: w.flag("leased"),
            peer: parsed(w, "peer")?,
            routes: routes(w)?,
            mtu: parsed(w, "mtu")?,
        }),
        "make" => {
            let name = w.need_text();
            let vlan = parsed(w, "vlan")?;
            let kind = match vlan {
                Some(number) => MadeOf::Vlan(number),
                None if w.flag("bond") => {
                    let pair = |text: String| {
                        let (key, value) = text.split_once('=')?;
                        Some((String::from(key), String::from(value)))
                    };
                    let options = all(w, "option").into_iter().map(pair);
                    MadeOf::Bond(options.collect::<Option<Vec<_>>>()?)
                }
                None if w.flag("bridge") => MadeOf::Bridge,
                None => return None,
            };
            Change::Make(Made {
                name,
                kind,
                of: all(w, "of"),
                mtu: parsed(w, "mtu")?,
            })
        }
        "rename" => Change::Rename(w.need_text()),
        _ => return None,
    })
}

// -- words ------------------------------------------------------------------------------------

pub(super) fn shown_word(line: Line, key: &str, value: Option<&impl Display>) -> Line {
    line.opt(key, value.map(ToString::to_string))
}

pub(super) fn shown_words(line: Line, key: &str, values: &[impl Display]) -> Line {
    let word = |line: Line, value| shown_word(line, key, Some(value));
    values.iter().fold(line, word)
}

pub(super) fn text_word(line: Line, key: &str, text: Option<&Text>) -> Line {
    line.opt(key, text.map(Text::as_bytes))
}

pub(super) fn bytes_word(line: Line, key: &str, bytes: &[u8]) -> Line {
    line.opt(
        key,
        Some(hex::encode(bytes)).filter(|text| !text.is_empty()),
    )
}

pub(super) fn bytes(w: &mut Words, key: &str) -> Option<Vec<u8>> {
    match w.key_text(key) {
        Some(text) => hex::decode(text.as_bytes()),
        None => Some(Vec::new()),
    }
}

/// The value of a key that may be missing. `None`: it is there and makes no sense.
pub(super) fn parsed<T: FromStr>(w: &mut Words, key: &str) -> Option<Option<T>> {
    match w.key_text(key) {
        Some(text) => text.parse().ok().map(Some),
        None => Some(None),
    }
}

fn mac(w: &mut Words) -> Option<Option<Mac>> {
    match w.key_text("mac") {
        Some(text) => Mac::parse(&text).map(Some),
        None => Some(None),
    }
}

pub(super) fn all(w: &mut Words, key: &str) -> Vec<String> {
    core::iter::from_fn(|| w.key_text(key)).listed()
}

pub(super) fn addresses(w: &mut Words, key: &str) -> Option<Vec<IpAddr>> {
    let texts = all(w, key).into_iter();
    texts.map(|text| text.parse().ok()).collect()
}
