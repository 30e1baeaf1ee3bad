//! `/run/NetworkManager/system-connections/landfall-LINK.nmconnection`: a profile, as
//! NetworkManager's own generator for initramfs writes them.
//!
//! Who reads it: NetworkManager, when it starts in the real system; only if nobody but root can
//! read the file. At its first start it looks for a profile that is what a link has already, and
//! goes on with it. A start is the first one if `/run/NetworkManager/devices` is not there:
//! nobody may make that folder. A profile of the administrator's for the same link comes before
//! this one, by its priority.
//!
//! Bonds, bridges and VLANs have profiles of other kinds, which this is not.
//! Sources: nm-settings-keyfile(5), nm-settings-nmcli(5), nm-initrd-generator(8).

use super::networkd::pairs;
use super::{File, Handed, Lines, is_default};
use crate::base::hex;
use crate::base::list::Listed;
use crate::base::text::Joined;
use crate::format::net::address::Mac;
use crate::format::net::dhcp6;
use crate::format::net::domain::Name;
use alloc::format;
use alloc::string::{String, ToString};
use core::net::IpAddr;

/// Seconds that mean for ever: NetworkManager gives a connection up when no lease came for so long,
/// be it the first one or the next, and root with it.
const PATIENCE: &str = "2147483647";

/// `None`: the link has a name that cannot be in a path, or is known by its name: not Ethernet,
/// or not with its own address.
pub fn connection(handed: &Handed<'_>) -> Option<File> {
    let link = handed.link().filter(|_| !handed.by_name)?;
    let mut out = Lines::default();
    out.section("connection");
    out.key("id", &format!("landfall {link}"));
    out.key("uuid", &uuid(handed.mac));
    out.key("type", &"ethernet");
    out.key("autoconnect", &"true");
    out.key("autoconnect-priority", &"-100");
    out.section("ethernet");
    out.key("mac-address", &handed.mac);
    if let Some(mtu) = handed.mtu() {
        out.key("mtu", &mtu);
    }
    out.section("ipv4");
    ip(handed, false, &mut out);
    out.section("ipv6");
    ip(handed, true, &mut out);
    let folder = "/run/NetworkManager/system-connections";
    Some(out.file(format!("{folder}/landfall-{link}.nmconnection"), 0o600))
}

/// The same at each boot: `landfall` in ASCII, two zero bytes, the hardware address; with the bits
/// that say how it was made set to a version of our own (RFC 9562 §5.8).
fn uuid(mac: Mac) -> String {
    let digits = [hex::encode(b"landfa\x8cl\x80\0"), hex::encode(&mac.0)].concat();
    hex::as_uuid(&digits).unwrap_or_default()
}

/// One of the sections `ipv4` and `ipv6`.
fn ip(handed: &Handed<'_>, v6: bool, out: &mut Lines) {
    let of_this = |address: IpAddr| address.is_ipv6() == v6;
    let how = handed.how;
    let networks = how.fixed.iter().filter(|n| of_this(n.address)).listed();
    let told = if v6 {
        how.by_routers()
    } else {
        how.dhcp4.is_some()
    };
    match (told, networks.is_empty(), v6) {
        (false, false, _) => out.key("method", &"manual"),
        (false, true, false) => out.key("method", &"disabled"),
        _ => out.key("method", &"auto"),
    }
    for (number, network) in (1u32..).zip(&networks) {
        out.key(&format!("address{number}"), network);
    }
    if let (Some(lease), false) = (how.dhcp4, v6) {
        match lease.client_id.as_slice() {
            [] => out.key("dhcp-client-id", &"mac"),
            id => out.key("dhcp-client-id", &pairs(id)),
        }
        out.key("dhcp-timeout", &PATIENCE);
    }
    if v6 && how.by_routers() {
        // The kernel's way to an address from an advertisement: it stays the same.
        out.key("addr-gen-mode", &"eui64");
        if let Some(lease) = how.dhcp6 {
            out.key("dhcp-duid", &pairs(&lease.client_id));
            out.key("dhcp-iaid", &dhcp6::iaid_of(handed.mac));
            out.key("dhcp-timeout", &PATIENCE);
        }
    }
    // Of a profile with addresses the first default route is the gateway.
    let gateway = handed.gateway(v6).filter(|_| !networks.is_empty());
    if let Some(gateway) = gateway {
        out.key("gateway", &gateway);
    }
    routes(handed, v6, gateway, out);
    let servers = handed.dns.iter().filter(|server| of_this(**server));
    let servers = servers.map(IpAddr::to_string).listed();
    list("dns", &servers.joined(";"), out);
    if how.has_lease() || how.by_routers() {
        if handed.ignore_dns {
            out.key("ignore-auto-dns", &"true");
        }
    } else if !networks.is_empty() {
        let search = handed.all_search();
        let search = search.iter().map(Name::as_str).listed();
        list("dns-search", &search.joined(";"), out);
    }
}

fn routes(handed: &Handed<'_>, v6: bool, gateway: Option<IpAddr>, out: &mut Lines) {
    let routes = handed.own_routes().filter(|route| {
        let said = gateway.is_some() && is_default(route) && route.via == gateway;
        route.to.address.is_ipv6() == v6 && !said
    });
    for (number, route) in (1u32..).zip(routes) {
        let to = route.to;
        match route.via {
            None => out.key(&format!("route{number}"), &to),
            Some(router) => {
                out.key(&format!("route{number}"), &format!("{to},{router}"));
                if handed.is_outside(router) {
                    out.key(&format!("route{number}_options"), &"onlink=true");
                }
            }
        }
    }
}

/// Items of a list end with a semicolon.
fn list(key: &str, items: &str, out: &mut Lines) {
    if !items.is_empty() {
        out.key(key, &format!("{items};"));
    }
}
