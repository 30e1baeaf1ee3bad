//! Root in a file (`loop=`): first the device that holds the file, then what is in it.
//!
//! The device that holds the file is looked for as root is, by the same wish with other words, and
//! mounted beside root's place. The kernel makes a loop device of the file; that is a device like
//! any other, with partitions, and the wish turns to what is to be found in it. What is in the file
//! goes before its like elsewhere, so nothing is chosen before the file's devices are known.

use super::Plan;
use super::action::Action;
use super::device::{Device, Look};
use super::event::Ticket;
use super::give_up::Cause;
use super::root::{self, Answer};
use super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::format::wish::Source;
use alloc::format;
use alloc::string::String;

/// The loop device's driver.
pub const DRIVER: &str = "loop";

/// How far we are. Of a wish without a file: at the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// The device that holds the file is to be found and mounted.
    #[default]
    Outside,
    /// It is mounted.
    Mounted,
    Attaching,
    /// The kernel's name of the loop device.
    Attached(String),
}

impl Plan {
    /// Is what is looked for only the device that holds the file?
    pub(super) fn is_outside(&self) -> bool {
        self.wish.file.is_some() && self.file == Standing::Outside
    }

    /// Lets the kernel make a device of the file.
    pub(super) fn attach(&mut self) {
        let Some(file) = self.wish.file.as_ref() else {
            return;
        };
        if self.file != Standing::Mounted || !self.modules.driver_settled(DRIVER) {
            return;
        }
        self.file = Standing::Attaching;
        let ticket = self.tickets.issue(Job::Attach);
        self.out.push(Action::Attach {
            ticket,
            file: file.path.clone(),
            writable: self.wish.writable,
            ram: self.wish.ram,
        });
    }

    pub(super) fn attach_ended(
        &mut self,
        now: Millis,
        ticket: Ticket,
        result: Result<String, Fault>,
    ) {
        if self.tickets.close(ticket) != Some(Job::Attach) {
            return;
        }
        let device = match result {
            Ok(device) => device,
            Err(fault) => {
                // After a person was at it, it is tried again.
                self.file = Standing::Mounted;
                if self.is_looking() {
                    let text = format!("the file is looked for on {}: {fault}", self.taken);
                    self.give_up(now, Cause::File(text));
                }
                return;
            }
        };
        self.wish.turn();
        if self.wish.root.is_none() {
            self.wish.root = Some(Source::Name(device.clone()));
        }
        self.devices.refuse(&self.taken);
        self.file = Standing::Attached(device);
    }

    /// Must root still wait, because what is in the file is not known?
    pub(super) fn waits_for_file(&self) -> bool {
        if self.wish.file.is_none() {
            return false;
        }
        match &self.file {
            Standing::Outside => false,
            Standing::Mounted | Standing::Attaching => true,
            Standing::Attached(name) => {
                let there = self.devices.by_name(name);
                let own = |d: &&Device| is_in(name, d);
                let mut own = self.devices.all().filter(own);
                there.is_none_or(|d| d.block.sectors == 0)
                    || own.any(|d| matches!(d.look, Look::Asked))
            }
        }
    }

    /// Is it the loop device, or a partition on it?
    pub(super) fn is_in_file(&self, device: &str) -> bool {
        let device = self.devices.by_name(device);
        match &self.file {
            Standing::Attached(name) => device.is_some_and(|d| is_in(name, d)),
            _ => false,
        }
    }

    /// Root is to be what the file itself holds, and that is nothing that can be mounted or opened:
    /// no time changes that.
    pub(super) fn judge_file(&mut self, now: Millis) {
        let Standing::Attached(name) = &self.file else {
            return;
        };
        let own = self.wish.root == Some(Source::Name(name.clone()));
        let Some(device) = self.devices.by_name(name).filter(|_| own) else {
            return;
        };
        let Answer::Unusable(why) = root::answer(&self.wish, &self.devices, device) else {
            return;
        };
        // What is encrypted may be opened yet.
        if device.signature().is_some_and(|s| s.kind == "crypto_LUKS") {
            return;
        }
        let text = format!("{name}, made of the file, cannot be root: {why}");
        self.give_up(now, Cause::File(text));
    }
}

fn is_in(name: &str, device: &Device) -> bool {
    let disk = device.block.part_of.as_ref();
    device.block.name == name || disk.is_some_and(|(disk, _)| disk == name)
}
