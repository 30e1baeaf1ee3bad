//! What routers of IPv6 give: addresses, the word that DHCPv6 is to be asked, name servers.
//!
//! The kernel asks for advertisements itself and takes addresses and routes from them. Here it is
//! heard of them; each may come at any time, also before anybody waits for it.

use super::super::Plan;
use super::{Known, Standing, meant};
use crate::base::millis::Millis;
use crate::format::net::address::Network;
use crate::format::net::order::Asked;
use crate::format::net::wanted::Method;
use crate::format::netlink::router::{Advert, Flags, Said};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// How long routers are waited for until DHCPv6 is asked in any case: three solicitations, 4
/// seconds apart (RFC 4861 §10, `MAX_RTR_SOLICITATIONS`, `RTR_SOLICITATION_INTERVAL`).
const PATIENCE_MS: u64 = 12_000;

/// Addresses, name servers, domains of one link; more do not count.
const EACH_MAX: usize = 16;

/// What was heard on a link, whoever waits for it.
#[derive(Default)]
pub(super) struct Router {
    /// Addresses of IPv6 that can be used, whoever gave them.
    addresses: Vec<Network>,
    flags: Flags,
    pub(super) servers: Vec<IpAddr>,
    pub(super) search: Vec<String>,
    /// DHCPv6 was asked because of it.
    pub(super) asked: bool,
    /// When DHCPv6 is asked without a router.
    patience: Option<Millis>,
    /// The address that it gave.
    pub(super) gave: Option<Network>,
}

impl Router {
    /// Addresses that a link has; `local`: good on this link alone.
    fn first(&self, local: bool, others: &[Network]) -> Option<Network> {
        let counts = |network: &&Network| {
            let own = others.iter().any(|other| other.address == network.address);
            is_local(network) == local && !own
        };
        self.addresses.iter().find(counts).copied()
    }
}

impl Known {
    /// When DHCPv6 is to be asked though no router was heard.
    pub(super) fn patience(&self) -> Option<Millis> {
        let waits = self.standing == Standing::Advertised && !self.router.asked;
        self.router.patience.filter(|_| waits && self.link.carrier)
    }
}

impl Plan {
    pub(super) fn wait_for_router(&mut self, at: usize, now: Millis) {
        let method = self.setup_in_turn(at).map(|setup| setup.method);
        if let Some(known) = self.net.links.get_mut(at) {
            known.standing = Standing::Advertised;
            let either = method == Some(Method::Either6);
            known.router.patience = either.then(|| now.plus(PATIENCE_MS));
        }
        self.heed_router(at, now);
    }

    pub(super) fn address_heard(&mut self, now: Millis, index: u32, network: Network) {
        let Some((at, known)) = self.at_index(index) else {
            return;
        };
        let all = &mut known.router.addresses;
        let new = network.address.is_ipv6() && !all.contains(&network);
        if new && all.len() < EACH_MAX {
            all.push(network);
            self.heed_router(at, now);
        }
    }

    pub(super) fn address_gone(&mut self, index: u32, network: Network) {
        if let Some((_, known)) = self.at_index(index) {
            known.router.addresses.retain(|known| *known != network);
        }
    }

    pub(super) fn advert_heard(&mut self, now: Millis, advert: Advert) {
        let Some((at, known)) = self.at_index(advert.link) else {
            return;
        };
        match advert.said {
            Said::Flags(flags) => {
                known.router.flags = flags;
                self.heed_router(at, now);
            }
            Said::Names { servers, search } => {
                add(&mut known.router.servers, servers);
                add(&mut known.router.search, search);
            }
        }
    }

    fn at_index(&mut self, index: u32) -> Option<(usize, &mut Known)> {
        let at = self.position(index)?;
        Some((at, self.net.links.get_mut(at)?))
    }

    /// Takes from what was heard what the link waits for.
    pub(super) fn heed_router(&mut self, at: usize, now: Millis) {
        let method = self.setup_in_turn(at).map(|setup| setup.method);
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        let waits = match known.standing {
            Standing::Advertised => true,
            // An address comes sooner than the lease that is to complete it.
            Standing::Leasing => method == Some(Method::Either6) && known.router.gave.is_none(),
            _ => false,
        };
        let local = method == Some(Method::LinkLocal);
        let found = known.router.first(local, &known.addresses);
        if let Some(network) = found.filter(|_| waits) {
            known.router.gave = Some(network);
            known.addresses.push(network);
            match known.standing {
                Standing::Advertised => self.is_served(at),
                _ => self.begins_to_serve(at),
            }
        }
        self.ask_as_router_says(at, now);
    }

    fn ask_as_router_says(&mut self, at: usize, now: Millis) {
        let Some(known) = self.net.links.get(at) else {
            return;
        };
        let mut setups = meant::setups_of(&self.wish.net, &known.link).into_iter();
        let either = setups.find(|setup| setup.method == Method::Either6);
        let idle = matches!(known.standing, Standing::Advertised | Standing::Ready);
        let idle = idle && known.link.carrier;
        let Some(setup) = either.filter(|_| idle && !known.router.asked) else {
            return;
        };
        let alone = known.patience().is_some_and(|at| now >= at);
        let asked = match known.router.flags {
            Flags { managed: true, .. } => Asked::Dhcp6,
            Flags { other: true, .. } => Asked::Information,
            _ if alone => Asked::Dhcp6,
            _ => return,
        };
        if let Some(known) = self.net.links.get_mut(at) {
            known.router.asked = true;
        }
        self.ask_for_lease(at, &setup, asked);
    }
}

fn is_local(network: &Network) -> bool {
    match network.address {
        IpAddr::V6(address) => address.is_unicast_link_local(),
        IpAddr::V4(_) => false,
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, new: Vec<T>) {
    for one in new {
        if all.len() < EACH_MAX && !all.contains(&one) {
            all.push(one);
        }
    }
}
