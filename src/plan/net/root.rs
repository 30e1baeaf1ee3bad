//! Root on a server: over which link it is mounted, in which version, and when again.
//!
//! Each link that is ready is tried, in the order in which they became ready; over each, every
//! version that may do. What a server may yet overcome (it starts, a switch learns the way) is
//! tried again. What it refuses ends the boot when no other link can help.
//! Documentation/filesystems/nfs.

use super::super::action::{Action, Level, Mount, NetAction};
use super::super::event::Ticket;
use super::super::give_up::Cause;
use super::super::ticket::Job;
use super::super::{Plan, Stage};
use super::retry::{ECONNREFUSED, Retry, is_absent, may_pass};
use super::served::{Missing, Served};
use super::{Known, meant};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::remote::{Host, Remote};
use alloc::string::String;
use alloc::vec::Vec;

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
    pub(super) retry: Retry,
}

impl Attempts {
    /// Is root mounted over this link, or was that tried last?
    pub(super) const fn is_over(&self, index: u32) -> bool {
        self.index == index
    }
}

impl Plan {
    pub(in crate::plan) fn is_remote(&self) -> bool {
        self.wish.is_served_tree()
    }

    pub(super) fn mount_remote(&mut self, now: Millis) {
        if !self.is_remote() || self.stage != Stage::Searching || self.is_beside_root() {
            return;
        }
        let fstype = self.wish.remote.as_ref().map_or("nfs", Remote::fstype);
        self.modules
            .want_filesystem(fstype, &mut self.tickets, &mut self.out);
        if !self.modules.filesystem_settled(fstype) {
            return;
        }
        let attempts = &self.net.attempts;
        if attempts.retry.again.is_some() || attempts.reaching {
            return;
        }
        match attempts.ways.is_empty() {
            // What is tried over it is known when its server has answered.
            true => self.next_link(now),
            false if self.is_held_by_resume(now) => {}
            false => self.attempt(),
        }
    }

    /// The next link over which root is tried. Where none is left, what comes then.
    fn next_link(&mut self, now: Millis) {
        while let Some(index) = self.take_link() {
            self.net.attempts.index = index;
            match self.served_over(index) {
                Ok(served) => return self.reach(served),
                Err(Missing::Address(names)) => {
                    // Found out for every link at once.
                    self.net.forget_tries();
                    for name in names {
                        self.address_of(&Host::Name(name));
                    }
                    return;
                }
                Err(Missing::Word(text)) => {
                    self.say(Level::Warning, text.clone());
                    self.link_failed(Fault::plain(text));
                }
            }
        }
        if !self.net.attempts.failed.is_empty() {
            self.round_failed(now);
        }
    }

    /// The first link that serves and was not tried in this round: now it is.
    fn take_link(&mut self) -> Option<u32> {
        let device = self.wish.net.boot_device.as_ref();
        let serves = |k: &&mut Known| {
            let named = device.is_none_or(|which| meant::is(which, &k.link));
            k.place > 0 && k.link.carrier && !k.tried && named
        };
        let ready = self.net.links.iter_mut().filter(serves);
        let first = ready.min_by_key(|known| known.place)?;
        first.tried = true;
        Some(first.link.index)
    }

    /// Asks whether the server is there.
    fn reach(&mut self, served: Served) {
        let attempts = &mut self.net.attempts;
        attempts.ways.clone_from(&served.ways);
        attempts.served = Some(served);
        self.reach_next();
    }

    /// Asks at the next of its doors. False: there is none.
    fn reach_next(&mut self) -> bool {
        let attempts = &mut self.net.attempts;
        let doors = attempts.served.as_mut().map(|served| &mut served.doors);
        let Some(doors) = doors.filter(|doors| !doors.is_empty()) else {
            return false;
        };
        let door = doors.remove(0);
        attempts.reaching = true;
        let ticket = self.tickets.issue(Job::Reach);
        let (server, port) = (door.ip(), door.port());
        let order = NetAction::Reach { server, port };
        self.out.push(Action::Net { ticket, order });
        true
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
        if self.reach_next() {
            self.say(Level::Info, fault.into_text());
            return;
        }
        let attempts = &mut self.net.attempts;
        match fault.errno {
            ECONNREFUSED => attempts.ways.retain(|(name, _)| name == "nfs 3"),
            _ => attempts.ways.clear(),
        }
        self.say(Level::Info, fault.text.clone());
        self.link_failed(fault);
    }

    /// Nothing can be had over the link that is being tried.
    fn link_failed(&mut self, fault: Fault) {
        let known = self.net.known(self.net.attempts.index);
        let name = known.map_or(String::new(), |known| known.link.name.clone());
        self.net.attempts.failed.push((name, fault));
    }

    /// Everything was tried over every link that is ready.
    fn round_failed(&mut self, now: Millis) {
        let attempts = &self.net.attempts;
        let passes = |(_, fault): &(String, Fault)| may_pass(fault.errno);
        let hope = attempts.failed.iter().any(passes) || self.links_coming();
        if !hope {
            return self.give_up(now, Cause::Remote);
        }
        let retry = &mut self.net.attempts.retry;
        retry.put_off(now);
        if retry.rounds == 1 {
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
            at: Text::default(),
            anew: false,
            options,
            ceph: served.ceph.clone(),
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
        // What a cluster refuses to write to it refuses to read.
        let cluster = matches!(self.wish.remote, Some(Remote::Ceph(_)));
        if !cluster && self.is_protected("root", fault.errno) {
            return;
        }
        let attempts = &mut self.net.attempts;
        let name = match attempts.ways.is_empty() {
            true => String::new(),
            false => attempts.ways.remove(0).0,
        };
        for line in kernel {
            if !attempts.kernel.contains(&line) {
                attempts.kernel.push(line);
            }
        }
        attempts.failed.push((name, fault.clone()));
        // Nobody is there: no other version is, either.
        if is_absent(fault.errno) {
            attempts.ways.clear();
        }
        self.say(Level::Info, fault.text.clone());
    }
}
