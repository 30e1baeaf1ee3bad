//! How long links are waited for, where a word says that; and links that lose their carrier.
//!
//! Each wait is a branch of root's deadline, armed by its cause: a link is up and has no carrier,
//! or somebody is asked for a lease. What was given up is taken again when its carrier comes after
//! all. Without such words everything is waited for as long as root may take.
//! `carrier_timeout=` is the kernel's (net/ipv4/ipconfig.c), the others are dracut.cmdline(7)'s.

use super::super::action::{Action, Level};
use super::super::give_up::Cause;
use super::super::ticket::Job;
use super::super::{Plan, Stage};
use super::{Known, Standing, meant};
use crate::base::millis::Millis;
use crate::format::netlink::link::Link;
use crate::format::remote::Remote;
use alloc::format;

impl Plan {
    /// Whoever sits before the machine is told that a cable fell out.
    pub(super) fn hear_of(&mut self, link: Link) {
        let known = self.net.known(link.index);
        let lost = known.is_some_and(|known| known.link.carrier) && !link.carrier;
        if lost && !meant::setups_of(&self.wish.net, &link).is_empty() {
            self.say(Level::Info, format!("{} has lost its carrier", link.name));
        }
        self.net.heard(link);
    }

    /// Gives up what has taken too long, and takes again what has come after all.
    pub(super) fn mind_links(&mut self, now: Millis) {
        for at in 0..self.net.links.len() {
            self.mind_link(now, at);
        }
    }

    fn mind_link(&mut self, now: Millis, at: usize) {
        let net = &self.wish.net;
        let tries = u64::from(net.dhcp_tries.unwrap_or(1));
        let lease_ms = net.dhcp_ms.map(|ms| ms.saturating_mul(tries));
        let carrier_ms = net.carrier_ms;
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        let (standing, carrier) = (known.standing, known.link.carrier);
        let regained = core::mem::take(&mut known.regained);
        let wait_ms = match standing {
            Standing::NoCarrier if carrier => return known.starts_over(),
            // Whoever was asked may never have heard it, and is asked again without a pause.
            Standing::Leasing if regained => return self.stop_asking(at, Standing::Waiting),
            Standing::Waiting if !carrier => carrier_ms,
            Standing::Leasing => lease_ms,
            _ => None,
        };
        let Some(wait_ms) = wait_ms else {
            known.until = None;
            return;
        };
        if known.until.is_none_or(|(of, _)| of != standing) {
            known.until = Some((standing, now.plus(wait_ms)));
        }
        if known.until.is_none_or(|(_, until)| now < until) {
            return;
        }
        let seconds = wait_ms.div_ceil(1000);
        known.until = None;
        let what = match standing {
            Standing::Leasing => "lease",
            _ => "carrier",
        };
        let name = known.link.name.clone();
        known.trouble = Some(format!("no {what} within {seconds} s"));
        match standing {
            Standing::Leasing => self.stop_asking(at, Standing::Failed),
            _ => known.standing = Standing::NoCarrier,
        }
        let text = format!("{name} has no {what} after {seconds} s, and is given up");
        self.say(Level::Warning, text);
    }

    /// Nobody is asked for a lease over this link any more.
    fn stop_asking(&mut self, at: usize, standing: Standing) {
        let Some(known) = self.net.links.get_mut(at) else {
            return;
        };
        known.standing = standing;
        known.until = None;
        known.router.asked = false;
        if let Some(ticket) = self.tickets.withdraw(&Job::Lease(known.link.index)) {
            self.out.push(Action::Abandon { ticket });
        }
    }

    /// The next time at which a link is given up.
    pub(super) fn links_due(&self) -> Option<Millis> {
        let until = |known: &Known| {
            let (of, until) = known.until?;
            (of == known.standing).then_some(until)
        };
        self.net.links.iter().filter_map(until).min()
    }

    /// Everything was tried. Root is behind a link, and every link was given up: that ends it.
    pub(in crate::plan) fn end_without_links(&mut self, now: Millis) {
        let target = matches!(self.wish.remote, Some(Remote::Target(_)));
        let behind = (target || self.is_remote()) && !self.is_beside_root();
        if behind && self.exhausted && self.stage == Stage::Searching && self.links_given_up() {
            self.give_up(now, Cause::Remote);
        }
    }

    /// Is there a link that was given up, and none that serves or may yet?
    fn links_given_up(&self) -> bool {
        let is_meant = |known: &&Known| !meant::setups_of(&self.wish.net, &known.link).is_empty();
        let mut meant = self.net.links.iter().filter(is_meant).peekable();
        let ended = |known: &Known| {
            let failed = matches!(known.standing, Standing::NoCarrier | Standing::Failed);
            failed && known.place == 0
        };
        self.net.listed && meant.peek().is_some() && meant.all(ended)
    }
}

impl Known {
    /// The carrier is there after all.
    fn starts_over(&mut self) {
        self.standing = Standing::Waiting;
        (self.until, self.trouble) = (None, None);
    }
}
