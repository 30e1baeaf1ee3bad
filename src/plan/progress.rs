//! Brings forward whatever can go now, after every event; and ends the boot that cannot.

use super::action::{Action, Level, Mount, Scope};
use super::bus::Tier;
use super::clones::Usable;
use super::device::{Device, Look};
use super::give_up::{self, Cause};
use super::root::{self, Answer};
use super::ticket::{Job, Purpose};
use super::{IDLE_MS, Plan, STUCK_MS, Stage, flash, integrity, luks, modules, verity};
use crate::base::millis::Millis;
use crate::format::hook::Place;
use crate::format::wish::{End, Source, Stop};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Plan {
    /// Root is still to be found, or to be mounted.
    pub(super) fn is_looking(&self) -> bool {
        matches!(self.stage, Stage::Searching | Stage::Preparing { .. })
    }

    pub(super) fn advance(&mut self, now: Millis) {
        self.load(now);
        self.end_hook(now);
        self.stay();
        self.lay();
        if self.is_looking() && self.needs_devices() {
            self.look();
            self.decide_on_resume(now);
            if self.build(now) {
                // What was just planned is looked at.
                self.look();
            }
            self.attach_ubi();
            self.map(now);
            self.attach();
            self.set_up_integrity(now);
            self.set_up_verity(now);
            self.judge_file(now);
        }
        self.mount_share(now);
        let looks = self.needs_devices();
        if self.is_looking() && looks {
            self.network(now);
        }
        self.end_optional(now);
        if self.is_looking() && looks {
            self.gather_btrfs(now);
            self.unlock(now);
            self.ask(now);
        }
        if self.is_looking() && looks {
            self.choose(now);
            self.widen(now);
            self.end_without_links(now);
            self.ask_for_the_last();
        }
        if self.is_looking() && looks {
            self.unlock(now);
            self.ask(now);
            self.load(now);
            self.prepare(now);
        }
        let waiting = matches!(
            self.stage,
            Stage::Searching
                | Stage::Preparing { .. }
                | Stage::Mounting { .. }
                | Stage::FindingInit
        );
        if waiting && self.trunk.is_some_and(|trunk| now >= trunk) {
            let cause = self.cause_of_the_deadline();
            self.give_up(now, cause);
        }
        self.leave_untouched(now);
        self.serve_keyboards(now);
    }

    pub(super) fn load(&mut self, now: Millis) {
        if self.first_until.is_some_and(|until| now >= until) {
            self.modules.stop_holding_for_first();
        }
        if !self.modules.first_is_open() {
            self.first_until = None;
        }
        let known = !matches!(
            self.stage,
            Stage::Searching | Stage::Shell { .. } | Stage::HaltAt(_)
        );
        // Root is enough, unless somebody is asked, or another device is looked for.
        self.modules
            .hold_drivers(known && !self.is_asking() && !self.seeks_resume());
        self.modules.advance(&mut self.tickets, &mut self.out);
    }

    /// What is to be loaded after the drivers of devices: root is found, or no more devices come.
    pub(super) fn ask_for_the_last(&mut self) {
        let due = match self.stage {
            Stage::Preparing { .. } => true,
            Stage::Searching => self.tickets.none_open(),
            _ => false,
        };
        if !due || core::mem::replace(&mut self.loaded_last, true) {
            return;
        }
        for name in self.wish.load_last.clone() {
            let purpose = Purpose::Wished(name.clone());
            modules::resolve(&name, purpose, &mut self.tickets, &mut self.out);
        }
    }

    /// Asks for the bytes of every device that could answer the wish.
    fn look(&mut self) {
        let Self {
            wish,
            devices,
            tickets,
            out,
            exhausted,
            modules,
            btrfs,
            ..
        } = self;
        let by_link = wish.goals().any(|goal| matches!(goal, Source::Link(_)))
            || luks::needs_links(wish)
            || verity::needs_links(wish)
            || integrity::needs_links(wish);
        if by_link {
            devices.ask_links(tickets, out, &|d| root::may_be_linked(&d.block.name));
        }
        let also = root::needed_besides(wish, devices);
        // Once it is there by name, what else there may be does not matter.
        let asked = |d: &Device| root::is_asked_by_name(wish.root.as_ref(), d);
        let is_there = devices.all().any(asked);
        let attaching = modules.is_loading("ubi");
        devices.look(tickets, out, |d| {
            !(attaching && flash::is_volume(d))
                && (*exhausted
                    || btrfs.gather()
                    || also.contains(&d.block.name)
                    || (!is_there || asked(d)) && root::worth_reading(wish, d))
        });
    }

    /// Takes the device that answers the wish, if there is one.
    pub(super) fn choose(&mut self, now: Millis) {
        self.comparing = false;
        if self.waits_for_file() {
            return;
        }
        let mut found = self.usable();
        let in_file = |(name, ..): &Usable| self.is_in_file(name);
        if found.iter().any(in_file) {
            found.retain(in_file);
        }
        self.drop_what_left(&found);
        if self.wish.root.is_none() && self.several(now) {
            return;
        }
        let Some(ranked) = self.ranked(now, found) else {
            return;
        };
        let Some((device, generation, types)) = ranked.into_iter().next() else {
            return;
        };
        // While the driver is being settled, a clone that comes first still may take over.
        if self
            .devices
            .by_name(&device)
            .is_some_and(Device::is_virtual)
        {
            self.want_real(&device);
            return self.start_wanted(now);
        }
        let chosen = matches!(&self.stage, Stage::Preparing { device: d, .. } if *d == device);
        if !chosen {
            self.protected = false;
            let place = self.place();
            let what = match self.is_outside() {
                true => "the file that root is in lies on".into(),
                false if place.0.is_empty() => "root is".into(),
                false => format!("{place} is"),
            };
            self.say(Level::Info, format!("{what} {device}"));
            self.warn_of_an_unreadable_disk(&device);
            self.stage = Stage::Preparing {
                device,
                generation,
                types,
            };
        }
    }

    /// One bad sector is no reason not to boot. But it may have held what makes the disk a member.
    fn warn_of_an_unreadable_disk(&mut self, device: &str) {
        let partition = self.devices.by_name(device);
        let disk = partition.and_then(|d| self.devices.disk_of(d));
        if let Some(Look::Failed(fault)) = disk.map(|d| &d.look) {
            let text = format!(
                "whether the disk of {device} is a member of an array is not known ({fault}): \
                 {device} is taken for what it looks like"
            );
            self.say(Level::Warning, text);
        }
    }

    /// Each device that can be mounted as root now.
    pub(super) fn usable(&self) -> Vec<Usable> {
        let mut found = Vec::new();
        if self.must_wait_to_compare() {
            return found;
        }
        let only = self.root_of_boot_disk();
        let is_only = |d: &Device| only.is_none_or(|only| only.block.name == d.block.name);
        // What is inside of a container counts as the container.
        let counts = |d: &&Device| is_only(d) || self.devices.below(d).is_some_and(is_only);
        for device in self.devices.all().filter(|d| !d.refused).filter(counts) {
            if let Answer::Usable(types) = root::answer(&self.wish, &self.devices, device)
                && self.btrfs_is_whole(device)
            {
                found.push((device.block.name.clone(), device.generation, types));
            }
        }
        found
    }

    /// Is there anything that can be mounted, or will be when the kernel knows all of it?
    pub(super) fn usable_exists(&self) -> bool {
        let coming = |d: &Device| {
            let answer = root::answer(&self.wish, &self.devices, d);
            !d.refused && matches!(answer, Answer::Usable(_)) && !self.btrfs_is_whole(d)
        };
        !self.usable().is_empty() || self.devices.all().any(coming)
    }

    /// Mounts root once its driver is settled.
    fn prepare(&mut self, now: Millis) {
        let Stage::Preparing {
            device,
            generation,
            types,
        } = &self.stage
        else {
            return;
        };
        let Some(kind) = types.first().filter(|_| !self.comparing) else {
            return;
        };
        let (device, generation, kind) = (device.clone(), *generation, kind.clone());
        self.modules
            .want_filesystem(&kind, &mut self.tickets, &mut self.out);
        let lacking = self.lacks_verity();
        if lacking && self.tickets.none_open() {
            for text in self.unmade_verity() {
                self.say_once(Level::Notice, text);
            }
        }
        let busy = lacking || self.is_mapping() || self.is_unlocking() || self.is_finishing();
        if !self.modules.filesystem_settled(&kind) || busy {
            return;
        }
        if self.is_held_by_resume(now) {
            return;
        }
        if self.stops(now, Stop::Mount) {
            return self.withdraw(now);
        }
        self.warn_of_images();
        self.withdraw(now);
        if self.check(now, &device, generation, &kind) {
            return;
        }
        let host = self.is_outside();
        let asked = self.wish.writable && !host;
        let forbidden = asked && (self.protected || self.must_not_write(&device));
        let mount = Mount {
            device: self.known_as(&device),
            nodev: false,
            fstype: kind,
            // What holds a file is not written to before the file is known to be there.
            read_only: !asked || forbidden,
            host,
            at: self.place(),
            anew: false,
            options: self.wish.flags.clone(),
            ceph: None,
        };
        self.taken.clone_from(&device);
        self.keep_mount(&mount);
        let ticket = self.tickets.issue(Job::Mount);
        self.out.push(Action::Mount {
            ticket,
            mount: mount.into(),
        });
        if let Stage::Preparing { types, .. } = core::mem::replace(&mut self.stage, Stage::Over) {
            self.stage = Stage::Mounting {
                device,
                generation,
                types,
            };
        }
    }

    /// Does a worker still see to a device that is announced already? It gives it the name that
    /// root is mounted by, and the records that udev and mdadm find after hand-over.
    fn is_finishing(&self) -> bool {
        let there = |name: &str| {
            let is = |d: &Device| d.block.name == name || d.block.mapped.as_deref() == Some(name);
            let mut real = self.devices.all().filter(|d| d.block.sectors > 0);
            real.any(|d| !d.is_virtual() && is(d))
        };
        self.tickets.open().any(|job| match job {
            Job::Start(name) => there(name.strip_prefix("mapper/").unwrap_or(name)),
            Job::Unlock(at) => self.locks.name(*at).is_some_and(there),
            Job::Verity(at) => self.wish.verity.get(*at).is_some_and(|v| there(&v.name)),
            Job::Integrity(at) => self.wish.integrity.get(*at).is_some_and(|v| there(&v.name)),
            _ => false,
        })
    }

    /// The name under which a mount shall be seen: of a mapped device, the one that people know.
    pub(super) fn known_as(&self, device: &str) -> String {
        let block = self.devices.by_name(device).map(|d| &d.block);
        let mapped = block.and_then(|block| block.mapped.as_ref());
        // Other names are spelled in another way below /dev/mapper.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"#+-.:=@_".contains(&b);
        match mapped.filter(|name| name.bytes().all(plain)) {
            Some(name) => format!("mapper/{name}"),
            None => device.into(),
        }
    }

    // -- when nothing happens -----------------------------------------------------------------

    /// When to try what is unlikely; `None` when nothing is left. What is under way goes first, but
    /// a worker that never answers does not hold up the rest.
    pub(super) fn idle_at(&self) -> Option<Millis> {
        // What is inside of a volume may be root.
        if self.exhausted && self.may_unlock() {
            return None;
        }
        // A device that comes after everything was tried is tried, too.
        let tried = self.exhausted && self.buses.next_tier().is_none();
        let compares = self.wish.root.is_none() || self.refuses_clones();
        let undecided = compares && !self.settled;
        let left = !tried || undecided;
        let wait = if self.tickets.none_open() && !tried {
            IDLE_MS
        } else {
            STUCK_MS
        };
        let waits = match self.stage {
            Stage::Searching => left,
            Stage::Preparing { .. } => self.seeks_resume() && self.is_untried(),
            _ => false,
        };
        waits.then(|| self.stirred.plus(wait))
    }

    /// Serves the next tier of drivers; in the end reads every device, so that the page can tell.
    fn widen(&mut self, now: Millis) {
        let searching = self.stage == Stage::Searching;
        if !searching && !self.seeks_resume() {
            return;
        }
        let free = self.tickets.none_open() && !self.network_under_way();
        let idle = self.idle_at().is_some_and(|at| now >= at);
        if !searching && (free || idle) {
            self.say_that_resume_waits();
        }
        match self.buses.next_tier() {
            Some(Tier::Quiet) if free || idle => self.serve(Tier::Quiet, now),
            _ if self.scope == Scope::Likely && (free || idle) => {
                self.scope = Scope::All;
                self.stirred = now;
                self.walk();
            }
            Some(tier) if idle => self.serve(tier, now),
            // Root is there; nothing more is done for what else is looked for.
            _ if !searching => {}
            None if self.exhausted && (free || idle) => self.hopeless(now),
            None if idle => {
                self.exhausted = true;
                if !self.buses.no_disks {
                    self.out.push(Action::WatchDrives);
                }
                let found = |d: &Device| {
                    let answer = root::answer(&self.wish, &self.devices, d);
                    matches!(answer, Answer::Usable(_))
                };
                let named = !matches!(self.wish.root, None | Some(Source::Unknown(_)));
                if named && !self.devices.all().any(found) {
                    self.say_that_it_waits();
                }
                self.look();
                if self.tickets.none_open() {
                    self.hopeless(now);
                } else {
                    self.stirred = now;
                }
            }
            _ => {}
        }
    }

    /// Whoever sits before a silent console learns what it is silent about.
    pub(super) fn say_that_it_waits(&mut self) {
        let asked = self.asked_for();
        self.say(
            Level::Notice,
            format!("{asked} is not there yet, waiting for it"),
        );
    }

    /// Are there drivers left to try?
    fn is_untried(&self) -> bool {
        self.buses.next_tier().is_some() || self.scope == Scope::Likely
    }

    fn serve(&mut self, tier: Tier, now: Millis) {
        self.buses.serve(tier, &mut self.tickets, &mut self.out);
        self.stirred = now;
    }

    /// Everything was tried and read. A wish that no device can fulfil ends here.
    fn hopeless(&mut self, now: Millis) {
        match &self.wish.root {
            _ if self.may_unlock() => {}
            None => self.discover(now),
            Some(Source::Unknown(_)) => self.give_up(now, Cause::UnknownRoot),
            Some(_) if self.refuses_clones() => {
                self.settled = true;
                self.choose(now);
            }
            Some(_) => self.start_the_dark(now),
        }
    }

    // -- the end ------------------------------------------------------------------------------

    pub(super) fn give_up(&mut self, now: Millis, cause: Cause) {
        self.withdraw(now);
        if self.goes_on_without(now, &cause) || self.falls_back(now, &cause) {
            return;
        }
        let lines = give_up::page(&cause, self);
        self.out.push(Action::Page { lines });
        let at_root = [Stage::FindingInit, Stage::Hooks(Place::Mounted)].contains(&self.stage);
        let mounted = matches!(cause, Cause::NoInit(_)) || at_root;
        let console = self.rescues() || self.wish.shell;
        if console && !matches!(cause, Cause::HandOver(_)) {
            let mounting = match &self.stage {
                Stage::Mounting {
                    device,
                    generation,
                    types,
                } => Some((device.clone(), *generation, types.clone())),
                _ => None,
            };
            let mounting = mounting.filter(|_| cause == Cause::Deadline);
            self.stage = Stage::Shell {
                opens: Some(self.want_keyboards(now)),
                mounted,
                mounting,
            };
            self.hook(now, Place::Failed);
        } else {
            self.end(now);
        }
    }

    pub(super) fn end(&mut self, now: Millis) {
        if self.hook(now, Place::Failed) {
            self.stage = Stage::Hooks(Place::Failed);
            return;
        }
        self.dismiss();
        match self.wish.end {
            End::Reboot(seconds) if seconds > 0 => {
                self.say(Level::Error, format!("rebooting in {seconds} s"));
                self.stage = Stage::RebootAt(now.plus(u64::from(seconds).saturating_mul(1000)));
            }
            End::Halt => self.stage = Stage::HaltAt(self.want_keyboards(now)),
            end => {
                self.stage = Stage::Over;
                self.out.push(Action::End { end });
            }
        }
    }

    /// Whoever in the kernel still waits for a module is told no: nobody will answer later.
    pub(super) fn dismiss(&mut self) {
        self.modules.give_up(&mut self.out);
        for request in self.tickets.close_requests() {
            self.out.push(Action::Reply { request, ok: false });
        }
    }

    pub(super) fn say(&mut self, level: Level, text: String) {
        self.out.push(Action::Say { level, text });
    }
}
