//! Each link from down to ready. All that are meant go side by side; nobody waits for another.

use super::super::Plan;
use super::super::action::{Action, Level, NetAction};
use super::super::event::Ticket;
use super::super::ticket::Job;
use super::{Known, Standing, meant};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::format::net::address::{Network, Route};
use crate::format::net::lease::Lease;
use crate::format::net::order::{Change, LeaseOrder, Placement};
use crate::format::net::wanted::{Made, Method, Setup};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Plan {
    pub(super) fn bring_up(&mut self) {
        self.make_firmware_links();
        self.make_links();
        for at in 0..self.net.links.len() {
            let Some(known) = self.net.links.get(at) else {
                return;
            };
            let setups = meant::setups_of(&self.wish.net, &known.link);
            let Some(first) = setups.first() else {
                continue;
            };
            let carrier = known.link.carrier;
            match known.standing {
                Standing::Untouched | Standing::Renamed => {
                    let named = known.standing == Standing::Renamed;
                    let name = meant::name_of(&self.wish.net, &known.link);
                    if let Some(name) = name.filter(|_| !named) {
                        self.change(at, Standing::Renaming, Change::Rename(name));
                        continue;
                    }
                    let (mtu, mac) = (first.mtu, first.mac);
                    self.change(at, Standing::Raising, Change::Raise { mtu, mac });
                }
                Standing::Waiting if carrier => match setups.get(known.next) {
                    Some(setup) => self.begin(at, setup),
                    None => self.stand(at, Standing::Ready),
                },
                _ => {}
            }
        }
    }

    fn stand(&mut self, at: usize, standing: Standing) {
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
    fn begin(&mut self, at: usize, setup: &Setup) {
        if let Some(address) = setup.address {
            let place = Placement {
                address,
                peer: setup.peer,
                routes: Vec::new(),
                mtu: None,
            };
            return self.address(at, Some(setup), place);
        }
        self.ask_for(at, setup);
    }

    /// What the word does not say itself.
    fn ask_for(&mut self, at: usize, setup: &Setup) {
        match setup.method {
            Method::Dhcp4 => self.ask_for_lease(at, setup),
            Method::Auto6 | Method::LinkLocal | Method::Either6 => {
                self.stand(at, Standing::Advertised);
            }
            Method::Static | Method::Up => self.is_served(at),
            Method::Dhcp6 | Method::Firmware => {
                let what = match setup.method {
                    Method::Dhcp6 => "DHCPv6 is not known here yet",
                    _ => "the firmware left nothing for this link",
                };
                if let Some(known) = self.net.links.get_mut(at) {
                    known.trouble = Some(what.into());
                    known.standing = Standing::Failed;
                }
            }
        }
    }

    /// One setup of the link is done; the next one follows.
    fn is_served(&mut self, at: usize) {
        let count = self.net.ready.saturating_add(1);
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
        if known.place == 0 {
            known.place = count;
            self.net.ready = count;
        }
    }

    fn ask_for_lease(&mut self, at: usize, setup: &Setup) {
        let wanted = &self.wish.net;
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        known.standing = Standing::Leasing;
        let order = LeaseOrder {
            index: known.link.index,
            mac: known.link.mac.unwrap_or_default(),
            client_id: setup.client_id.clone().unwrap_or_default(),
            hostname: setup.hostname.clone(),
            vendor_class: wanted.vendor_class.clone(),
            // Where a time is given, that is the bound of each try.
            tries: wanted.dhcp_tries.filter(|_| wanted.dhcp_ms.is_none()),
        };
        let link = known.link.name.clone();
        let ticket = self.tickets.issue(Job::Lease(known.link.index));
        let order = order.into();
        let order = NetAction::Lease { link, order };
        self.out.push(Action::Net { ticket, order });
    }

    /// Gives it with the routes that the words say, besides those that are with it.
    fn address(&mut self, at: usize, setup: Option<&Setup>, mut place: Placement) {
        let all = &self.wish.net.routes;
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        let gateway = setup.and_then(|setup| setup.gateway).map(default_route);
        known.routes = gateway.into_iter().listed();
        let name = &known.link.name;
        known.routes.extend(routes_over(name, place.address, all));
        place.routes.extend(known.routes.iter().cloned());
        known.address = Some(place.address);
        self.change(at, Standing::Addressing, Change::Address(place));
    }

    fn setup_in_turn(&self, at: usize) -> Option<Setup> {
        let known = self.net.links.get(at)?;
        let setups = meant::setups_of(&self.wish.net, &known.link);
        setups.get(known.next).cloned()
    }

    /// A lease was given, or none will be.
    pub(super) fn leased(&mut self, ticket: Ticket, result: Result<Box<Lease>, Fault>) {
        let Some(Job::Lease(index)) = self.tickets.close(ticket) else {
            return;
        };
        let Some(at) = self.position(index) else {
            return;
        };
        match result {
            Ok(lease) => {
                let setup = self.setup_in_turn(at);
                let place = placement_of(&lease, setup.as_ref());
                if let Some(path) = &lease.root_path {
                    let server = lease.next_server.unwrap_or(lease.server);
                    self.heed_root_path(path, server);
                }
                if let Some(known) = self.net.links.get_mut(at) {
                    let name = &known.link.name;
                    let text = format!("{name} has {} of {}", lease.address, lease.server);
                    known.lease = Some(lease);
                    self.say(Level::Info, text);
                }
                self.address(at, setup.as_ref(), place);
            }
            Err(fault) => {
                self.warn(&fault);
                if let Some(known) = self.net.links.get_mut(at) {
                    known.standing = Standing::Failed;
                    known.trouble = Some(fault.into_text());
                }
            }
        }
    }

    pub(super) fn configured(&mut self, ticket: Ticket, result: Result<(), Fault>) {
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
            _ => {
                // An address that the word said; the method may add to it.
                let leased = known.lease.is_some();
                match self.setup_in_turn(at).filter(|s| s.address.is_some()) {
                    Some(setup) if !leased => self.ask_for(at, &setup),
                    _ => self.is_served(at),
                }
            }
        }
    }

    /// An address that is ready for use: where one is waited for that a router advertises, that.
    pub(super) fn advertised(&mut self, index: u32, network: Network) {
        let Some(at) = self.position(index) else {
            return;
        };
        let method = self.setup_in_turn(at).map(|setup| setup.method);
        let local = match network.address {
            IpAddr::V6(address) => address.is_unicast_link_local(),
            IpAddr::V4(_) => return,
        };
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        let counts = local == (method == Some(Method::LinkLocal));
        if known.standing == Standing::Advertised && counts {
            known.address = Some(network);
            self.is_served(at);
        }
    }

    fn position(&self, index: u32) -> Option<usize> {
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

/// What the words say comes before what the server says.
fn placement_of(lease: &Lease, setup: Option<&Setup>) -> Placement {
    let gateway = setup.and_then(|setup| setup.gateway);
    let kept = |route: &&Route| gateway.is_none() || route.to.prefix != 0;
    Placement {
        address: lease.address,
        peer: None,
        routes: lease.routes.iter().filter(kept).cloned().listed(),
        mtu: setup.and_then(|setup| setup.mtu).or(lease.mtu),
    }
}
