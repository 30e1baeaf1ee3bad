//! `/run/systemd/network/69-landfall-LINK.network`: how systemd-networkd goes on with the link.
//!
//! Who reads it: systemd-networkd, when it starts in the real system. The first file of all
//! folders whose name sorts first and that matches counts, and no other. 69 is before what
//! systemd-network-generator makes of the same command line, and distributions' defaults (70 and
//! later), which would let go of root's address; and behind what an administrator writes, who is
//! told to use smaller numbers.
//!
//! With DHCP it says to the server what was said before, and asks for the same address.
//! `KeepConfiguration=yes` leaves what it finds, and what it gets, alone for as long as root may
//! be behind it: when it starts, stops, and when the lease ends without a server that answers.
//!
//! Sources: systemd.network(5), networkd.conf(5) (DUIDs), systemd-network-generator(8), RFC 4361
//! §6.1 (client identifiers with a DUID).

use super::{File, Handed, Lines, is_default};
use crate::base::bytes::{be16, be32};
use crate::base::hex;
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::net::domain::Name;
use crate::format::net::lease::Lease;
use crate::format::net::{dhcp4, dhcp6};
use alloc::format;
use alloc::string::String;

/// The type of a client identifier that is an IAID and a DUID.
const RFC4361: u8 = 255;

/// `None`: the link has a name that cannot be in a path.
pub fn network(handed: &Handed<'_>) -> Option<File> {
    let link = handed.link()?;
    let mut out = Lines::default();
    out.section("Match");
    if handed.by_name {
        out.key("Name", &link);
    } else {
        out.key("MACAddress", &handed.mac);
        // What is made of this link, and has its address, is another one.
        out.key("Kind", &"!*");
    }
    if let Some(mtu) = handed.mtu() {
        out.section("Link");
        out.key("MTUBytes", &mtu);
    }
    out.section("Network");
    let how = handed.how;
    match (how.dhcp4, how.address_by_dhcp6()) {
        (Some(_), Some(_)) => out.key("DHCP", &"yes"),
        (Some(_), None) => out.key("DHCP", &"ipv4"),
        (None, Some(_)) => out.key("DHCP", &"ipv6"),
        (None, None) => {}
    }
    if how.by_routers() {
        out.key("IPv6AcceptRA", &"yes");
    }
    for network in how.fixed {
        out.key("Address", network);
    }
    out.key("KeepConfiguration", &"yes");
    for server in handed.dns {
        out.key("DNS", server);
    }
    if !how.has_lease() && !how.by_routers() {
        let search = handed.all_search();
        let search = search.iter().map(Name::as_str).listed();
        if !search.is_empty() {
            out.key("Domains", &search.joined(" "));
        }
    }
    if let Some(lease) = how.dhcp4 {
        out.section("DHCPv4");
        client_id(handed, lease, &mut out);
        if let Some(network) = lease.address {
            out.key("RequestAddress", &network.address);
        }
        ignored_dns(handed, &mut out);
    }
    ipv6(handed, &mut out);
    routes(handed, &mut out);
    Some(out.file(
        format!("/run/systemd/network/69-landfall-{link}.network"),
        0o644,
    ))
}

/// Who this machine was to servers of DHCPv6, and what counts of what they and routers say.
fn ipv6(handed: &Handed<'_>, out: &mut Lines) {
    let how = handed.how;
    if let Some(lease) = how.dhcp6 {
        out.section("DHCPv6");
        if let Some((kind, data)) = be16(&lease.client_id, 0).zip(lease.client_id.get(2..)) {
            out.key("DUIDType", &kind);
            out.key("DUIDRawData", &pairs(data));
            out.key("IAID", &dhcp6::iaid_of(handed.mac));
        }
        if how.address_by_dhcp6().is_some() {
            // As it was asked for: whatever routers say.
            out.key("WithoutRA", &"solicit");
        }
        ignored_dns(handed, out);
    }
    if how.by_routers() && handed.ignore_dns {
        out.section("IPv6AcceptRA");
        ignored_dns(handed, out);
    }
}

fn ignored_dns(handed: &Handed<'_>, out: &mut Lines) {
    if handed.ignore_dns {
        out.key("UseDNS", &"no");
    }
}

/// networkd sends the hardware address, or an IAID with a DUID. Another identifier cannot be said
/// to it; a server that goes by it gives another address, and the present one is kept besides.
fn client_id(handed: &Handed<'_>, lease: &Lease, out: &mut Lines) {
    let id = lease.client_id.as_slice();
    let duid = match (id, id.get(7..)) {
        ([RFC4361, ..], Some(data)) if !data.is_empty() => {
            be32(id, 1).zip(be16(id, 5)).map(|found| (found, data))
        }
        _ => None,
    };
    if let Some(((iaid, kind), data)) = duid {
        out.key("ClientIdentifier", &"duid");
        out.key("IAID", &iaid);
        out.key("DUIDType", &kind);
        out.key("DUIDRawData", &pairs(data));
    } else if id.is_empty() || id == dhcp4::client_id_of(handed.mac) {
        out.key("ClientIdentifier", &"mac");
    }
}

/// Hexadecimal digits with a colon between bytes.
pub(super) fn pairs(bytes: &[u8]) -> String {
    let pairs = bytes.iter().map(|byte| hex::encode(&[*byte]));
    pairs.listed().joined(":")
}

fn routes(handed: &Handed<'_>, out: &mut Lines) {
    for route in handed.own_routes() {
        out.section("Route");
        if !is_default(route) || route.via.is_none() {
            out.key("Destination", &route.to);
        }
        if let Some(router) = route.via {
            out.key("Gateway", &router);
            if handed.is_outside(router) {
                out.key("GatewayOnLink", &"yes");
            }
        }
    }
}
