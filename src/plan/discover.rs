//! Root without `root=`: the first partition that its disk's table calls a root, on the disk that
//! the firmware booted from; or the only one on any disk, where that disk is not known, or not
//! seen, or has none.
//!
//! Any other root partition could still appear, so nothing else is chosen before everything was
//! tried and what is there was read. Several are an ambiguity that only a person can resolve: they
//! are named, whatever they hold, since an encrypted root must not lose against one that somebody
//! plugged in. Two disks that both seem to be the one that was booted from are one, too.

use super::action::Level;
use super::device::Device;
use super::give_up::Cause;
use super::root::{self, Answer};
use super::{Plan, STUCK_MS, Stage};
use crate::base::millis::Millis;
use crate::format::discoverable;
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
        // A server may be slow, and a network slower.
        let served = !self.wish.targets.is_empty();
        let waits = served || self.wish.patience == Patience::Forever;
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

    /// Roots by type are compared when all that may come has come; so are clones, where they are
    /// refused. One that was chosen stays. What is on the disk that the firmware booted from counts
    /// before all others, and needs no comparison.
    pub(super) fn must_wait_to_compare(&self) -> bool {
        if self.stage != Stage::Searching || self.settled {
            return false;
        }
        match self.wish.root {
            None => self.root_of_boot_disk().is_none(),
            Some(_) => self.refuses_clones(),
        }
    }

    /// Without `root=`: the first partition with the type of root on the disk that the firmware
    /// booted from, if that disk is the only one of its kind.
    pub(super) fn root_of_boot_disk(&self) -> Option<&Device> {
        if self.wish.root.is_some() {
            return None;
        }
        let whole = self.devices.all().filter(|d| d.block.part_of.is_none());
        let mut booted = whole.filter(|d| self.was_booted_from(d));
        let (disk, None) = (booted.next()?, booted.next()) else {
            return None;
        };
        let table = disk.table()?;
        let roots = table.partitions.iter();
        let roots = roots.filter(|entry| discoverable::is_root(table, entry));
        let number = roots.map(|entry| entry.number).min()?;
        let part_of = (disk.block.name.clone(), number);
        let own = |d: &&Device| d.block.part_of.as_ref() == Some(&part_of);
        self.devices.all().find(own)
    }

    /// Ends the boot if several partitions are roots by their type.
    pub(super) fn several(&mut self, now: Millis) -> bool {
        if self.must_wait_to_compare() || self.root_of_boot_disk().is_some() {
            return false;
        }
        let counts = |d: &&Device| {
            let answer = root::answer(&self.wish, &self.devices, d);
            let disk = self.devices.disk_of(d);
            // What shines through members of a mirror is no second root.
            let shines = disk.is_some_and(Device::is_container);
            // Nor is a container beside what is inside of it.
            let open = self.devices.is_below(&d.block.name);
            matches!(answer, Answer::Usable(_) | Answer::Unusable(_)) && !shines && !open
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
