//! Each link from down to ready. All that are meant go side by side; nobody waits for another.

use super::super::Plan;
use super::super::action::{Action, NetAction};
use super::super::event::Ticket;
use super::super::ticket::Job;
use super::{Known, Standing, meant};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::net::address::{Network, Route};
use crate::format::net::order::{Asked, Change, Placement};
use crate::format::net::wanted::{Made, Method, Setup};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Plan {
    pub(super) fn bring_up(&mut self, now: Millis) {
        self.make_firmware_links();
        self.make_links();
        for at in 0..self.net.links.len() {
            let Some(known) = self.net.links.get(at) else {
                return;
            };
            if known.standing == Standing::Untouched && self.is_unfinished(&known.link.name) {
                continue;
            }
            let name = meant::name_of(&self.wish.net, &known.link);
            if let Some(name) = name.filter(|_| known.standing == Standing::Untouched) {
                // Other words may say the new name: whether it is meant is seen then.
                self.change(at, Standing::Renaming, Change::Rename(name));
                continue;
            }
            let setups = meant::setups_of(&self.wish.net, &known.link);
            let Some(first) = setups.first() else {
                continue;
            };
            let carrier = known.link.carrier;
            match known.standing {
                Standing::Untouched | Standing::Renamed => {
                    let (mtu, mac) = (first.mtu, first.mac);
                    self.change(at, Standing::Raising, Change::Raise { mtu, mac });
                }
                Standing::Waiting if carrier => match setups.get(known.next) {
                    Some(setup) if setup.is_of_ipv6() && !self.has_ipv6() => {}
                    Some(setup) => self.begin(at, setup, now),
                    None => self.stand(at, Standing::Ready),
                },
                Standing::Advertised | Standing::Ready => self.heed_router(at, now),
                _ => {}
            }
        }
    }

    /// The kernel has it, or will not have it. Some kernels have it as a module, for which nobody
    /// asks while addresses are waited for.
    fn has_ipv6(&mut self) -> bool {
        const IPV6: &str = "ipv6";
        self.modules
            .want_driver(IPV6, &mut self.tickets, &mut self.out);
        self.modules.driver_settled(IPV6)
    }

    pub(super) fn stand(&mut self, at: usize, standing: Standing) {
        if let Some(known) = self.net.links.get_mut(at) {
            known.standing = standing;
        }
    }

    fn change(&mut self, at: usize, standing: Standing, change: Change) {
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        known.standing = standing;
        let link = known.link.name.clone();
        let ticket = self.tickets.issue(Job::Configure(known.link.index));
        let change = change.into();
        let order = NetAction::Configure { link, change };
        self.out.push(Action::Net { ticket, order });
    }

    /// There is a carrier: the link gets an address.
    fn begin(&mut self, at: usize, setup: &Setup, now: Millis) {
        if let Some(address) = setup.address {
            let place = Placement {
                address,
                leased: false,
                peer: setup.peer,
                routes: Vec::new(),
                mtu: None,
            };
            return self.address(at, Some(setup), place);
        }
        self.ask_for(at, setup, now);
    }

    /// What the word does not say itself.
    fn ask_for(&mut self, at: usize, setup: &Setup, now: Millis) {
        match setup.method {
            Method::Dhcp4 => self.ask_for_lease(at, setup, Asked::Dhcp4),
            Method::Dhcp6 => self.ask_for_lease(at, setup, Asked::Dhcp6),
            Method::Auto6 | Method::LinkLocal | Method::Either6 => self.wait_for_router(at, now),
            Method::Static | Method::Up => self.is_served(at),
            Method::Firmware => {
                let what = "the firmware left nothing for this link";
                if let Some(known) = self.net.links.get_mut(at) {
                    known.trouble = Some(what.into());
                    known.standing = Standing::Failed;
                }
            }
        }
    }

    /// Something can be reached over the link.
    pub(super) fn begins_to_serve(&mut self, at: usize) {
        let count = self.net.ready.saturating_add(1);
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        // Root may be behind what it carries.
        let carries = meant::carries(&self.wish.net, &known.link);
        if known.place == 0 && !carries {
            known.place = count;
            self.net.ready = count;
        }
    }

    /// One setup of the link is done; the next one follows.
    pub(super) fn is_served(&mut self, at: usize) {
        self.begins_to_serve(at);
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        known.next = known.next.saturating_add(1);
        let setups = meant::setups_of(&self.wish.net, &known.link);
        known.standing = match known.next < setups.len() {
            true => Standing::Waiting,
            false => Standing::Ready,
        };
        known.trouble = None;
    }

    /// Gives it with the routes that the words say, besides those that are with it.
    pub(super) fn address(&mut self, at: usize, setup: Option<&Setup>, mut place: Placement) {
        let all = &self.wish.net.routes;
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        let gateway = setup.and_then(|setup| setup.gateway).map(default_route);
        let mut routes = gateway.into_iter().listed();
        let name = &known.link.name;
        routes.extend(routes_over(name, place.address, all));
        for route in &routes {
            if !known.routes.contains(route) {
                known.routes.push(route.clone());
            }
        }
        place.routes.extend(routes);
        if !known.addresses.contains(&place.address) {
            known.addresses.push(place.address);
        }
        let leased = place.leased;
        self.change(at, Standing::Addressing { leased }, Change::Address(place));
    }

    pub(super) fn setup_in_turn(&self, at: usize) -> Option<Setup> {
        let known = self.net.links.get(at)?;
        let setups = meant::setups_of(&self.wish.net, &known.link);
        setups.get(known.next).cloned()
    }

    pub(super) fn configured(&mut self, now: Millis, ticket: Ticket, result: Result<(), Fault>) {
        let at = match self.tickets.close(ticket) {
            Some(Job::Configure(index)) => self.position(index),
            Some(Job::MakeLink(_)) => {
                if let Err(fault) = result {
                    self.warn(&fault);
                    self.net.odd.push(fault.into_text());
                }
                return;
            }
            _ => return,
        };
        let Some((at, known)) = at.and_then(|at| Some((at, self.net.links.get_mut(at)?))) else {
            return;
        };
        let standing = known.standing;
        if let Err(fault) = result {
            known.trouble = Some(fault.text.clone());
            known.standing = match standing {
                // A name is not worth a boot.
                Standing::Renaming => Standing::Renamed,
                _ => Standing::Failed,
            };
            return self.warn(&fault);
        }
        match standing {
            Standing::Renaming => known.standing = Standing::Renamed,
            Standing::Raising => known.standing = Standing::Waiting,
            // The method may add to what the word said.
            Standing::Addressing { leased: false } => match self.setup_in_turn(at) {
                Some(setup) => self.ask_for(at, &setup, now),
                None => self.is_served(at),
            },
            _ => self.is_served(at),
        }
    }

    pub(super) fn position(&self, index: u32) -> Option<usize> {
        let mut links = self.net.links.iter();
        links.position(|known| known.link.index == index)
    }

    /// May a link still become ready without anything new happening to the machine?
    pub(super) fn links_coming(&self) -> bool {
        let coming = |known: &Known| {
            let meant = !meant::setups_of(&self.wish.net, &known.link).is_empty();
            let ended = matches!(
                known.standing,
                Standing::Ready | Standing::Failed | Standing::NoCarrier
            );
            meant && !ended && (known.link.carrier || known.standing != Standing::Waiting)
        };
        !self.net.listed || self.wish.net.awaits_firmware || self.net.links.iter().any(coming)
    }

    /// Is something awaited that no ticket stands for: a carrier, a router, the next attempt?
    pub(in crate::plan) fn network_under_way(&self) -> bool {
        let waits = |known: &Known| {
            let waiting = matches!(known.standing, Standing::Waiting | Standing::Advertised);
            waiting && !meant::setups_of(&self.wish.net, &known.link).is_empty()
        };
        self.network_due().is_some() || self.net.links.iter().any(waits)
    }

    /// Is it still to be made, or being made? Some of what a link is made with can be set only
    /// while it is down, and the kernel makes a first bond on its own.
    fn is_unfinished(&self, name: &str) -> bool {
        let Some(number) = self.wish.net.made.iter().position(|m| m.name == name) else {
            return false;
        };
        let asked = self.net.made.get(number).is_some_and(|of| *of > 0);
        !asked || self.tickets.open().any(|job| *job == Job::MakeLink(number))
    }

    /// Makes links of others, as soon as one of those is there, and again when another comes.
    fn make_links(&mut self) {
        for number in 0..self.wish.net.made.len() {
            let Some(made) = self.wish.net.made.get(number) else {
                return;
            };
            // Under the kernel's names, which is how it is told of them.
            let named = |name: &alloc::string::String| {
                let mut links = self.net.links.iter();
                let known = links.find(|known| meant::goes_by(name, &known.link))?;
                Some(known.link.name.clone())
            };
            let there = made.of.iter().map(named);
            let count = there.clone().flatten().count();
            let before = self.net.made.get(number).copied().unwrap_or(0);
            if count <= before && !(made.of.is_empty() && before == 0) {
                continue;
            }
            let names = there.zip(&made.of);
            let names = names.map(|(there, said)| there.unwrap_or_else(|| said.clone()));
            let made = Made {
                of: names.listed(),
                ..made.clone()
            };
            let link = made.name.clone();
            let change = Change::Make(made);
            while self.net.made.len() <= number {
                self.net.made.push(0);
            }
            if let Some(made) = self.net.made.get_mut(number) {
                *made = count.max(1);
            }
            let ticket = self.tickets.issue(Job::MakeLink(number));
            let change = change.into();
            let order = NetAction::Configure { link, change };
            self.out.push(Action::Net { ticket, order });
        }
    }
}

/// The way to everybody, by this gateway.
fn default_route(gateway: IpAddr) -> Route {
    let address = match gateway {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    Route {
        to: Network { address, prefix: 0 },
        via: Some(gateway),
        link: None,
    }
}

/// Those of `rd.route=` that begin at this link: they name it, or it reaches their gateway.
fn routes_over(link: &str, address: Network, all: &[Route]) -> Vec<Route> {
    let over = |route: &&Route| match (&route.link, route.via) {
        (Some(name), _) => name == link,
        (None, Some(via)) => address.holds(via),
        (None, None) => false,
    };
    all.iter().filter(over).cloned().listed()
}
