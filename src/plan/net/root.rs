//! Root on a server: over which link it is mounted, in which version, and when again.
//!
//! Each link that is ready is tried, in the order in which they became ready; over each, every
//! version that may do. What a server may yet overcome (it starts, a switch learns the way) is
//! tried again, after one second, two, four, and eight from then on: no server announces itself.
//! What it refuses ends the boot when no other link can help. Documentation/filesystems/nfs.

use super::super::action::{Action, Level, Mount, NetAction};
use super::super::event::Ticket;
use super::super::give_up::Cause;
use super::super::ticket::Job;
use super::super::{Plan, Stage};
use super::served::{Missing, Served};
use super::{Known, meant};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::remote::{Host, Remote};
use alloc::string::String;
use alloc::vec::Vec;

/// The first wait before everything is tried again, and how often it is doubled.
const WAIT_MS: u64 = 1_000;
const WAITS_DOUBLED: u32 = 3;

/// How long until the next attempt, after so many.
pub(super) fn wait_ms(rounds: u32) -> u64 {
    WAIT_MS << rounds.min(WAITS_DOUBLED)
}

/// What a mount fails with that time may mend: errno(3).
pub(super) const MAY_PASS: [i32; 9] = [
    4,   // EINTR
    5,   // EIO
    11,  // EAGAIN
    100, // ENETDOWN
    101, // ENETUNREACH
    104, // ECONNRESET
    110, // ETIMEDOUT
    111, // ECONNREFUSED
    113, // EHOSTUNREACH
];

const ECONNREFUSED: i32 = 111;

#[derive(Default)]
pub(super) struct Attempts {
    /// The link over which root is tried.
    index: u32,
    served: Option<Served>,
    /// What is still to be tried over it, by name; the first one is under way.
    ways: Vec<(String, Text)>,
    /// The server is being asked whether it is there.
    reaching: bool,
    /// What failed in this round.
    pub(super) failed: Vec<(String, Fault)>,
    pub(super) kernel: Vec<Text>,
    pub(super) again: Option<Millis>,
    rounds: u32,
}

impl Plan {
    pub(in crate::plan) fn is_remote(&self) -> bool {
        self.wish.is_served_tree()
    }

    pub(super) fn mount_remote(&mut self, now: Millis) {
        if !self.is_remote() || self.stage != Stage::Searching {
            return;
        }
        let fstype = self.wish.remote.as_ref().map_or("nfs", Remote::fstype);
        self.modules
            .want_filesystem(fstype, &mut self.tickets, &mut self.out);
        if !self.modules.filesystem_settled(fstype) {
            return;
        }
        if self.net.attempts.again.is_some_and(|at| now >= at) {
            self.begin_round();
        }
        if self.net.attempts.again.is_some() {
            return;
        }
        if self.net.attempts.reaching {
            return;
        }
        if self.net.attempts.ways.is_empty() {
            // What is tried over it is known when its server has answered.
            self.next_link(now);
            return;
        }
        self.attempt();
    }

    fn begin_round(&mut self) {
        let attempts = &mut self.net.attempts;
        attempts.again = None;
        attempts.failed.clear();
        attempts.kernel.clear();
        self.net
            .links
            .iter_mut()
            .for_each(|known| known.tried = false);
    }

    /// The next link over which root is tried. Where none is left, what comes then.
    fn next_link(&mut self, now: Millis) -> bool {
        let device = self.wish.net.boot_device.as_ref();
        let serves = |k: &&mut Known| {
            let named = device.is_none_or(|which| meant::is(which, &k.link));
            k.place > 0 && k.link.carrier && !k.tried && named
        };
        let ready = self.net.links.iter_mut().filter(serves);
        if let Some(known) = ready.min_by_key(|known| known.place) {
            known.tried = true;
            let index = known.link.index;
            self.net.attempts.index = index;
            return match self.served_over(index) {
                Ok(served) => {
                    let (server, port) = (served.server, served.port);
                    self.net.attempts.ways.clone_from(&served.ways);
                    self.net.attempts.served = Some(served);
                    self.net.attempts.reaching = true;
                    let ticket = self.tickets.issue(Job::Reach);
                    let order = NetAction::Reach { server, port };
                    self.out.push(Action::Net { ticket, order });
                    true
                }
                Err(Missing::Address(name)) => {
                    // Found out for every link at once.
                    self.net
                        .links
                        .iter_mut()
                        .for_each(|known| known.tried = false);
                    self.address_of(&Host::Name(name), now);
                    false
                }
                Err(Missing::Word(text)) => {
                    let name = self.link_name();
                    self.say(Level::Warning, text.clone());
                    let fault = Fault::plain(&text);
                    self.net.attempts.failed.push((name, fault));
                    self.next_link(now)
                }
            };
        }
        if !self.net.attempts.failed.is_empty() {
            self.round_failed(now);
        }
        false
    }

    /// The server is there, or not. One that refuses may be an old one, without version 4.
    pub(super) fn reached(&mut self, ticket: Ticket, result: Result<(), Fault>) {
        if self.tickets.close(ticket) != Some(Job::Reach) {
            return;
        }
        self.net.attempts.reaching = false;
        let Err(fault) = result else {
            return;
        };
        let attempts = &mut self.net.attempts;
        match fault.errno {
            ECONNREFUSED => attempts.ways.retain(|(name, _)| name == "nfs 3"),
            _ => attempts.ways.clear(),
        }
        let name = self.link_name();
        self.say(Level::Info, fault.text.clone());
        self.net.attempts.failed.push((name, fault));
    }

    fn link_name(&self) -> String {
        let index = self.net.attempts.index;
        let mut links = self.net.links.iter();
        let known = links.find(|known| known.link.index == index);
        known
            .map(|known| known.link.name.clone())
            .unwrap_or_default()
    }

    /// Everything was tried over every link that is ready.
    fn round_failed(&mut self, now: Millis) {
        let attempts = &self.net.attempts;
        let passes = |(_, fault): &(String, Fault)| MAY_PASS.contains(&fault.errno);
        let hope = attempts.failed.iter().any(passes) || self.links_coming();
        if !hope {
            return self.give_up(now, Cause::Remote);
        }
        let attempts = &mut self.net.attempts;
        attempts.again = Some(now.plus(wait_ms(attempts.rounds)));
        attempts.rounds = attempts.rounds.saturating_add(1);
        if attempts.rounds == 1 {
            self.say_that_it_waits();
        }
    }

    fn attempt(&mut self) {
        let attempts = &self.net.attempts;
        let (Some(served), Some((name, options))) = (&attempts.served, attempts.ways.first())
        else {
            return;
        };
        let device = served.source.clone();
        let (fstype, name, options) = (served.fstype, name.clone(), options.clone());
        let host = self.is_outside();
        let mount = Mount {
            device: device.clone(),
            nodev: true,
            fstype: fstype.into(),
            read_only: host || self.protected || !self.wish.writable,
            host,
            options,
        };
        self.taken.clone_from(&device);
        let ticket = self.tickets.issue(Job::Mount);
        self.out.push(Action::Mount {
            ticket,
            mount: mount.into(),
        });
        self.stage = Stage::Mounting {
            device,
            generation: 0,
            types: alloc::vec![name],
        };
    }

    /// A mount of root over the network failed.
    pub(in crate::plan) fn remote_failed(&mut self, fault: &Fault, kernel: Vec<Text>) {
        self.stage = Stage::Searching;
        if self.is_protected("root", fault.errno) {
            return;
        }
        let attempts = &mut self.net.attempts;
        let name = match attempts.ways.is_empty() {
            true => String::new(),
            false => attempts.ways.remove(0).0,
        };
        let said = kernel.into_iter();
        let new = said.filter(|line| !attempts.kernel.contains(line));
        let new: Vec<Text> = new.collect();
        attempts.kernel.extend(new);
        attempts.failed.push((name, fault.clone()));
        // Nobody is there: no other version is, either.
        if matches!(fault.errno, 100 | 101 | 110 | 113) {
            attempts.ways.clear();
        }
        self.say(Level::Info, fault.text.clone());
    }
}
