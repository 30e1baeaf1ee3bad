//! Leases: who is asked for what, and what becomes of the answer.

use super::super::Plan;
use super::super::action::{Action, Level, NetAction};
use super::super::event::Ticket;
use super::super::ticket::Job;
use super::extending::Extension;
use super::{Known, Standing};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::net::address::Network;
use crate::format::net::lease::Lease;
use crate::format::net::order::{Asked, LeaseOrder, Placement};
use crate::format::net::wanted::{Method, Setup, Wanted};
use crate::format::netlink::link::Link;
use alloc::boxed::Box;
use alloc::format;

impl Plan {
    pub(super) fn ask_for_lease(&mut self, at: usize, setup: &Setup, asked: Asked) {
        let wanted = &self.wish.net;
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        known.standing = Standing::Leasing;
        let order = LeaseOrder {
            // Where a time is given, that is the bound of each try.
            tries: wanted.dhcp_tries.filter(|_| wanted.dhcp_ms.is_none()),
            ..order_of(wanted, &known.link, setup, asked)
        };
        let link = known.link.name.clone();
        let ticket = self.tickets.issue(Job::Lease(known.link.index));
        let order = order.into();
        let order = NetAction::Lease { link, order };
        self.out.push(Action::Net { ticket, order });
    }

    /// A lease was given, or none will be.
    pub(super) fn leased(
        &mut self,
        now: Millis,
        ticket: Ticket,
        result: Result<Box<Lease>, Fault>,
    ) {
        let index = match self.tickets.close(ticket) {
            Some(Job::Lease(index)) => index,
            Some(Job::Extend(index)) => return self.extended(now, index, result),
            _ => return,
        };
        let Some(at) = self.position(index) else {
            return;
        };
        match result {
            Ok(lease) => self.lease_given(at, now, lease),
            Err(fault) => self.lease_refused(at, now, fault),
        }
    }

    fn lease_given(&mut self, at: usize, now: Millis, lease: Box<Lease>) {
        if let Some(path) = &lease.root_path {
            self.heed_root_path(path, lease.boot_server());
        }
        let setup = self.setup_in_turn(at);
        let place = lease
            .address
            .map(|a| placement_of(a, &lease, setup.as_ref()));
        let wanted = &self.wish.net;
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        if let Some(setup) = setup.as_ref().filter(|_| lease.server.is_ipv4()) {
            let order = order_of(wanted, &known.link, setup, Asked::Dhcp4);
            known.extension = Extension::of(order, &lease, now);
        }
        let (name, server) = (&known.link.name, lease.server);
        let text = match lease.address {
            Some(address) => format!("{name} has {address} of {server}"),
            None => format!("{name} is told of the network by {server}"),
        };
        known.has(*lease);
        self.say(Level::Info, text);
        match place {
            Some(place) => self.address(at, setup.as_ref(), place),
            None => self.goes_on(at, now),
        }
    }

    /// Where routers may give addresses, none by a server is not the end.
    fn lease_refused(&mut self, at: usize, now: Millis, fault: Fault) {
        self.warn(&fault);
        match self.setup_in_turn(at).map(|setup| setup.method) {
            Some(Method::Either6) | None => self.goes_on(at, now),
            Some(_) => self.stand(at, Standing::Failed),
        }
        if let Some(known) = self.net.links.get_mut(at) {
            known.trouble = Some(fault.into_text());
        }
    }

    /// The link has what a router gave, or waits for it again.
    fn goes_on(&mut self, at: usize, now: Millis) {
        let serves = self.net.links.get(at).is_some_and(|known| known.place > 0);
        match serves {
            true => self.is_served(at),
            false => self.wait_for_router(at, now),
        }
    }
}

impl Known {
    /// A later lease of the same kind takes the place of the earlier one.
    pub(super) fn has(&mut self, lease: Lease) {
        let other = |known: &Lease| known.server.is_ipv6() != lease.server.is_ipv6();
        self.leases.retain(other);
        self.leases.push(lease);
    }
}

fn order_of(wanted: &Wanted, link: &Link, setup: &Setup, asked: Asked) -> LeaseOrder {
    let own = setup.client_id.clone().filter(|_| asked == Asked::Dhcp4);
    LeaseOrder {
        asked,
        index: link.index,
        mac: link.mac.unwrap_or_default(),
        client_id: own.unwrap_or_default(),
        hostname: setup.hostname.clone(),
        vendor_class: wanted.vendor_class.clone(),
        tries: None,
        extend: None,
    }
}

/// What the words say comes before what the server says.
fn placement_of(address: Network, lease: &Lease, setup: Option<&Setup>) -> Placement {
    let gateway = setup.and_then(|setup| setup.gateway);
    let kept =
        |route: &&crate::format::net::address::Route| gateway.is_none() || route.to.prefix != 0;
    Placement {
        address,
        leased: true,
        peer: None,
        routes: lease.routes.iter().filter(kept).cloned().listed(),
        mtu: setup.and_then(|setup| setup.mtu).or(lease.mtu),
    }
}
