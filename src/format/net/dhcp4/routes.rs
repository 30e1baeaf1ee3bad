//! The routes of an answer, in the order in which the kernel takes them: a router has to be
//! reachable before a route leads through it.
//!
//! Classless routes replace the others (RFC 3442). A router outside of the machine's own network
//! gets a route of its own first, as in networks where each machine has an address of 32 bits.

use super::answer::is_host;
use super::code;
use super::options::Options;
use crate::base::bytes::{array, slice};
use crate::format::net::address::{Network, Route};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

/// More do not count: nobody's boot needs them, and each is compared with the others.
const ROUTES_MAX: usize = 64;

/// Where to, and the router; `0.0.0.0`: there is none.
type Pair = (Network, Ipv4Addr);

pub(super) fn routes(own: Network, options: &Options) -> Vec<Route> {
    let pairs = classless(&options.value(code::CLASSLESS_ROUTE))
        .or_else(|| classless(&options.value(code::CLASSLESS_ROUTE_MICROSOFT)))
        .unwrap_or_else(|| classful(options));
    // A router that is this machine itself: everybody answers for all others (proxy ARP).
    let on_link = |via: Ipv4Addr| via.is_unspecified() || IpAddr::V4(via) == own.address;
    let mut near: Vec<Route> = Vec::new();
    let mut far = Vec::new();
    for (to, _) in pairs.iter().filter(|(_, via)| on_link(*via)) {
        // The address itself brings the route to its own network.
        if to.prefix != own.prefix || !own.holds(to.address) {
            add(&mut near, *to, None);
        }
    }
    for (to, via) in pairs.iter().filter(|(_, via)| is_host(*via)) {
        let router = IpAddr::V4(*via);
        if on_link(*via) {
            continue;
        }
        if !own.holds(router) && !near.iter().any(|route| route.to.holds(router)) {
            add(&mut near, network(*via, 32), None);
        }
        add(&mut far, *to, Some(router));
    }
    near.append(&mut far);
    near
}

/// A network that has a route already keeps it: the kernel would refuse the second one.
fn add(routes: &mut Vec<Route>, to: Network, via: Option<IpAddr>) {
    if routes.len() < ROUTES_MAX && !routes.iter().any(|route| route.to == to) {
        let link = None;
        routes.push(Route { to, via, link });
    }
}

/// For each route: how many bits, the bytes that have them, the router. `None`: it says nothing,
/// or something else.
fn classless(value: &[u8]) -> Option<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut rest = value;
    while let Some((&bits, tail)) = rest.split_first() {
        let (known, tail) = tail.split_at_checked(usize::from(bits).div_ceil(8))?;
        let mut octets = [0; 4];
        for (octet, byte) in octets.iter_mut().zip(known) {
            *octet = *byte;
        }
        let via = array::<4>(tail, 0)?.into();
        if bits > 32 {
            return None;
        }
        pairs.push((network(octets.into(), bits), via));
        rest = tail.get(4..)?;
    }
    (!pairs.is_empty()).then_some(pairs)
}

/// Routes without masks (RFC 2132 §5.8), and the first usable router: the preferred one (§3.5).
fn classful(options: &Options) -> Vec<Pair> {
    let value = options.value(code::STATIC_ROUTE);
    let mut pairs = Vec::new();
    for pair in value.chunks(8) {
        let to = array::<4>(pair, 0).map(Ipv4Addr::from);
        let via = slice(pair, 4, 4).and_then(|via| array::<4>(via, 0));
        if let (Some(to), Some(via)) = (to.filter(|to| is_host(*to)), via) {
            let bits = class_prefix(to);
            let whole = network(to, bits).address == IpAddr::V4(to);
            pairs.push((network(to, if whole { bits } else { 32 }), via.into()));
        }
    }
    let routers = options.addresses(code::ROUTER);
    if let Some(router) = routers.into_iter().find(|router| is_host(*router)) {
        pairs.push((network(Ipv4Addr::UNSPECIFIED, 0), router));
    }
    pairs
}

/// The network that holds `address`: the bits behind the prefix are 0.
fn network(address: Ipv4Addr, prefix: u8) -> Network {
    let away = 32u32.saturating_sub(prefix.into());
    let mask = u32::MAX.checked_shl(away).unwrap_or(0);
    Network {
        address: Ipv4Addr::from(u32::from(address) & mask).into(),
        prefix,
    }
}

/// The prefix of a network before there were netmasks (RFC 791 §2.3).
pub(super) fn class_prefix(address: Ipv4Addr) -> u8 {
    let [first, ..] = address.octets();
    match first {
        0..128 => 8,
        128..192 => 16,
        192..224 => 24,
        _ => 32,
    }
}
