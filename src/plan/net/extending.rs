//! Leases that end before the boot does: while a person or a server is waited for, hours may pass.
//!
//! From the time that the server named on (T1) more of the lease is asked for. The link keeps its
//! address whatever the answer is: root may hang on it, and a machine that stops is no better off
//! than one whose address somebody else may get. It is told, since the server is free to do that.
//! Leases of DHCPv6 are for days, and are left to the real system.

use super::super::Plan;
use super::super::action::{Action, Level, NetAction};
use super::super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::net::lease::{FOR_EVER, Lease};
use crate::format::net::order::{Extend, LeaseOrder};
use alloc::boxed::Box;
use alloc::format;
use core::net::IpAddr;

/// Least time between two questions, in ms: a server that lends addresses for a second, or wants
/// them extended at once, is not asked as fast as it can answer.
const LEAST_MS: u64 = 1_000;

/// What will be asked for, and when.
pub(super) struct Extension {
    at: Millis,
    asked: bool,
    order: LeaseOrder,
}

impl Extension {
    /// `order`: as the lease was asked for. `None`: it does not end, or not in our time.
    pub fn of(order: LeaseOrder, lease: &Lease, now: Millis) -> Option<Self> {
        let address = lease.address.map(|network| network.address);
        let (Some(IpAddr::V4(address)), IpAddr::V4(server)) = (address, lease.server) else {
            return None;
        };
        let rest = lease.lifetime.saturating_sub(lease.renew);
        let soonest = u64::from(lease.renew).saturating_mul(1000);
        let at = now.plus(soonest.max(LEAST_MS));
        let extend = Extend {
            address,
            server,
            rest,
        };
        let order = LeaseOrder {
            extend: Some(extend),
            ..order
        };
        (lease.lifetime != FOR_EVER && rest > 0).then_some(Self {
            at,
            asked: false,
            order,
        })
    }
}

impl Plan {
    pub(super) fn extend_leases(&mut self, now: Millis) {
        for known in &mut self.net.links {
            let due = known.extension.as_mut().filter(|e| !e.asked && now >= e.at);
            let Some(extension) = due else {
                continue;
            };
            extension.asked = true;
            let ticket = self.tickets.issue(Job::Extend(known.link.index));
            let (link, order) = (known.link.name.clone(), extension.order.clone().into());
            let order = NetAction::Lease { link, order };
            self.out.push(Action::Net { ticket, order });
        }
    }

    /// When more of a lease is to be asked for.
    pub(in crate::plan) fn extension_due(&self) -> Option<Millis> {
        let links = self.net.links.iter();
        let all = links.filter_map(|known| known.extension.as_ref());
        let due = all.filter(|extension| !extension.asked);
        due.map(|extension| extension.at).min()
    }

    pub(super) fn extended(&mut self, now: Millis, index: u32, result: Result<Box<Lease>, Fault>) {
        let Some(known) = self.net.by_index(index) else {
            return;
        };
        // Another lease may have come meanwhile.
        let Some(Extension { order, .. }) = known.extension.take_if(|e| e.asked) else {
            return;
        };
        let name = known.link.name.clone();
        let (level, text) = match result {
            Ok(lease) => {
                known.extension = Extension::of(order, &lease, now);
                let text = format!("{name} has its address for {} s more", lease.lifetime);
                known.has(*lease);
                (Level::Debug, text)
            }
            Err(fault) => {
                let text = format!("{name} keeps its address although the lease ends: {fault}");
                (Level::Warning, text)
            }
        };
        self.say(level, text);
    }
}
