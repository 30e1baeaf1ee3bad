//! btrfs over several devices: the kernel is told of each, and says when it knows all of them.
//!
//! How many there are is in the superblock of any. Only those of the file system that root is are
//! told of, so that nothing stays busy that root does not need. With `degraded` in `rootflags=` it
//! is mounted without those that are missing, when they had their time (`landfall.degraded=`).
//!
//! Source: btrfs on-disk format, kernel `include/uapi/linux/btrfs_tree.h` (6.6).

use super::Plan;
use super::action::{Action, Level};
use super::device::Device;
use super::event::Ticket;
use super::root::{self, Answer};
use super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::table::Table;
use crate::base::text::Joined;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// File systems over several devices that root may be, by their UUID.
#[derive(Default)]
pub struct Pools(Table<Pool>);

#[derive(Default)]
struct Pool {
    /// The devices that the kernel was told of, with their generation.
    told: Table<u32>,
    /// The kernel knows all.
    whole: bool,
    /// What is missing, while it is.
    missing: Option<String>,
}

impl Pools {
    /// Devices of a file system are looked for: any may be one.
    pub fn gather(&self) -> bool {
        self.0.values().any(|pool| !pool.whole)
    }
}

fn uuid_of(device: &Device) -> Option<&String> {
    let signature = device.signature().filter(|s| s.kind == "btrfs")?;
    signature.uuid.as_ref()
}

impl Plan {
    /// Tells the kernel of the devices of every btrfs that could be root.
    pub(super) fn gather_btrfs(&mut self, now: Millis) {
        let answers = |d: &&Device| {
            let may = || root::answer(&self.wish, &self.devices, d);
            uuid_of(d).is_some() && !d.refused && matches!(may(), Answer::Usable(_))
        };
        let candidates: Vec<String> = self
            .devices
            .all()
            .filter(answers)
            .map(|d| d.block.name.clone())
            .listed();
        for name in candidates {
            self.gather_for(now, &name);
        }
    }

    fn gather_for(&mut self, now: Millis, name: &str) {
        let Some(device) = self.devices.by_name(name) else {
            return;
        };
        let Some(uuid) = uuid_of(device).cloned() else {
            return;
        };
        let count = device.signature().map_or(1, |s| u64::from(s.devices));
        if count < 2 {
            return;
        }
        self.modules
            .want_filesystem("btrfs", &mut self.tickets, &mut self.out);
        let is_one = |d: &&Device| uuid_of(d) == Some(&uuid) && d.block.sectors > 0;
        let members = self.devices.all().filter(is_one);
        let members: Vec<(String, u32, bool)> = members
            .map(|d| (d.block.name.clone(), d.generation, d.is_virtual()))
            .listed();
        let Some(pool) = self.btrfs.0.or_insert(&uuid, Pool::default()) else {
            return;
        };
        let there = |(name, generation): (&String, &u32)| {
            let same = |m: &(String, u32, bool)| m.0 == *name && m.1 == *generation;
            members.iter().any(same)
        };
        if !pool.told.iter().all(there) {
            *pool = Pool::default();
        }
        let said = pool.missing.take();
        if pool.whole {
            return;
        }
        let own = format!("btrfs {uuid} has {} of {count} devices", members.len());
        let told: Vec<&str> = members.iter().map(|m| m.0.as_str()).listed();
        let text = format!("{own}: {}", told.joined(" and "));
        pool.missing = ((members.len() as u64) < count).then(|| text.clone());
        let news = pool.missing.is_some() && said.as_ref() != Some(&text);
        if news {
            self.say(Level::Notice, format!("{text}; waiting for the others"));
        }
        self.tell_btrfs(&uuid, members);
        self.do_without(now, &uuid, &text);
    }

    fn tell_btrfs(&mut self, uuid: &str, members: Vec<(String, u32, bool)>) {
        let settled = self.modules.filesystem_settled("btrfs");
        for (device, generation, is_virtual) in members {
            let Some(pool) = self.btrfs.0.get_mut(uuid) else {
                return;
            };
            if is_virtual {
                self.want_real(&device);
            } else if settled && !pool.told.contains(&device) {
                pool.told.insert(&device, generation);
                let ticket = self.tickets.issue(Job::Announce(uuid.into()));
                self.out.push(Action::Announce { ticket, device });
            }
        }
    }

    /// Where that was asked for, and the others had their time.
    fn do_without(&mut self, now: Millis, uuid: &str, text: &str) {
        let mut words = self.wish.flags.as_bytes().split(|&b| b == b',');
        let missing = self.btrfs.0.get(uuid).is_some_and(|p| p.missing.is_some());
        if missing && words.any(|w| w == b"degraded") && self.may_start_degraded(now, uuid, text) {
            self.now_whole(uuid);
        }
    }

    fn now_whole(&mut self, uuid: &str) {
        if let Some(pool) = self.btrfs.0.get_mut(uuid) {
            pool.whole = true;
        }
    }

    pub(super) fn announced(&mut self, ticket: Ticket, whole: Result<bool, Fault>) {
        let Some(Job::Announce(uuid)) = self.tickets.close(ticket) else {
            return;
        };
        match whole {
            Ok(true) => self.now_whole(&uuid),
            Ok(false) => {}
            Err(fault) => self.say(Level::Warning, fault.into_text()),
        }
    }

    /// Can it be mounted, as far as its devices are concerned?
    pub(super) fn btrfs_is_whole(&self, device: &Device) -> bool {
        let pool = |uuid: &String| self.btrfs.0.get(uuid);
        let several = device.signature().is_some_and(|s| s.devices > 1);
        !several || uuid_of(device).is_none_or(|uuid| pool(uuid).is_some_and(|pool| pool.whole))
    }

    /// For the page.
    pub(super) fn btrfs_problems(&self) -> Vec<String> {
        let missing = self.btrfs.0.values().filter(|pool| !pool.whole);
        let mut lines: Vec<String> = missing.filter_map(|pool| pool.missing.clone()).listed();
        if !lines.is_empty() {
            let text = "a btrfs is mounted without a device only with degraded in rootflags=";
            lines.push(text.into());
        }
        lines
    }
}
