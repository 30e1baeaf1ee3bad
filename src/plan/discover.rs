//! Root without `root=`: the only partition that its disk's table calls a root.
//!
//! Any other root partition could still appear, so nothing is chosen before everything was tried
//! and what is there was read. Several are an ambiguity that only a person can resolve: they are
//! named, whatever they hold, since an encrypted root must not lose against one that somebody
//! plugged in. Which disk the firmware booted from is not known here.

use super::action::Level;
use super::device::Device;
use super::give_up::Cause;
use super::root::{self, Answer};
use super::{Plan, STUCK_MS, Stage};
use crate::base::millis::Millis;
use crate::format::wish::Patience;
use alloc::format;
use alloc::string::String;

impl Plan {
    /// Everything was tried: takes the only root there is. Where there is none, a while is left for
    /// slow disks; whoever wrote `gpt-auto` or `rootwait` gets all the time that was given.
    pub(super) fn discover(&mut self, now: Millis) {
        self.settled = true;
        self.choose(now);
        if self.stage != Stage::Searching {
            return;
        }
        let waits = self.wish.patience == Patience::Forever;
        let typed = !self.wish.root_as_typed.as_bytes().is_empty();
        if now < self.stirred.plus(STUCK_MS) {
            self.settled = false;
        } else if typed || waits {
            let text = "no partition with the type of root is there yet, waiting for one";
            self.say(Level::Notice, text.into());
        } else {
            self.give_up(now, Cause::NoRoot);
        }
    }

    /// Roots by type are compared when all that may come has come. One that was chosen stays.
    pub(super) fn must_wait_to_compare(&self) -> bool {
        self.wish.root.is_none() && self.stage == Stage::Searching && !self.settled
    }

    /// Ends the boot if several partitions are roots by their type.
    pub(super) fn several(&mut self, now: Millis) -> bool {
        if self.must_wait_to_compare() {
            return false;
        }
        let counts = |d: &&Device| {
            let answer = root::answer(&self.wish, &self.devices, d);
            let disk = self.devices.disk_of(d);
            // What shines through members of a mirror is no second root.
            let shines = disk.is_some_and(Device::is_container);
            matches!(answer, Answer::Usable(_) | Answer::Unusable(_)) && !shines
        };
        let mut names = String::new();
        let mut count = 0u32;
        for device in self.devices.all().filter(counts) {
            if count > 0 {
                names.push_str(" and ");
            }
            names.push_str(&device.block.name);
            count = count.saturating_add(1);
        }
        if count > 1 {
            self.give_up(now, Cause::SeveralRoots(names));
        }
        count > 1
    }

    /// The table says that root is read-only: that beats the word `rw`.
    pub(super) fn must_not_write(&mut self, device: &str) -> bool {
        let forbidden = root::must_not_write(&self.wish, &self.devices, device);
        if forbidden {
            let text = format!("the partition table marks {device} read-only: rw is not honoured");
            self.say(Level::Warning, text);
        }
        forbidden
    }
}
