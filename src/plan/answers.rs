//! What each event changes. Nothing is brought forward here: that is [`super::progress`].

use super::action::{Action, Level};
use super::clones::Firmware;
use super::event::{Event, Ticket};
use super::give_up::Cause;
use super::ticket::{Job, Purpose};
use super::{IDLE_MS, Plan, Stage};
use super::{integrity, layers, loops, mapping, modules, verity};
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::{Joined, Text};
use crate::format::efi_variable::Told;
use crate::format::hook::Place;
use crate::format::identity::Finding;
use crate::format::image_files::ImageFile;
use crate::format::wish::{End, Patience, Stop, Wish};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Plan {
    pub(super) fn take(&mut self, now: Millis, event: Event) {
        match event {
            Event::File { file, text } => self.files.push((file, text)),
            Event::Boot { cmdline } => self.boot(now, &cmdline),
            Event::Signatures { faster, .. } => self.load_first(now, &faster),
            Event::Bus { modalias, .. } => {
                self.buses
                    .appeared(modalias, &mut self.tickets, &mut self.out);
            }
            Event::Net(event) => self.take_of_network(now, event),
            Event::Bound { path, driver, tag } => self.bound(path, driver, tag),
            Event::Block(block) => self.devices.announce(*block, false),
            Event::BlockChanged(block) => self.devices.announce(*block, true),
            Event::BlockGone { name } => self.gone(&name),
            Event::Overflow => self.walk_soon(),
            Event::Walked { ticket } => self.walked(ticket),
            Event::Resolved { ticket, resolution } => {
                if let Some(Job::Resolve(purpose)) = self.tickets.close(ticket) {
                    self.modules.resolved(purpose, *resolution);
                }
            }
            Event::Loaded { ticket } => self.load_ended(ticket, None),
            Event::LoadFailed { ticket, fault } => self.load_ended(ticket, Some(fault)),
            Event::Probed { ticket, finding } => self.probe_ended(ticket, Ok(*finding)),
            Event::ProbeFailed { ticket, fault } => self.probe_ended(ticket, Err(fault)),
            Event::Bytes { ticket, pieces } => self.read_ended(ticket, pieces),
            Event::ReadFailed { ticket, fault } => {
                self.say(Level::Warning, fault.into_text());
                self.read_ended(ticket, Vec::new());
            }
            Event::Linked { ticket, names } => self.linked(ticket, names),
            Event::Efi => self.efi = true,
            Event::System => self.system = true,
            Event::Firmware { ticket, told } => self.firmware_told(ticket, told),
            Event::Unlocked { .. } | Event::UnlockFailed { .. } => self.take_of_volume(now, event),
            Event::Answered { .. }
            | Event::Agreed { .. }
            | Event::Said { .. }
            | Event::Typing { .. }
            | Event::AskFailed { .. } => self.take_of_person(now, event),
            Event::Mapped { ticket } => self.mapped(now, ticket, None),
            Event::MapFailed { ticket, fault } => self.mapped(now, ticket, Some(fault)),
            Event::Assembled { ticket } => self.start_ended(now, ticket, None),
            Event::AssembleFailed { ticket, fault } => self.start_ended(now, ticket, Some(fault)),
            Event::Announced { ticket, whole } => self.announced(ticket, Ok(whole)),
            Event::AnnounceFailed { ticket, fault } => self.announced(ticket, Err(fault)),
            Event::Attached { ticket, device } => self.attach_ended(now, ticket, Ok(device)),
            Event::AttachFailed { ticket, fault } => self.attach_ended(now, ticket, Err(fault)),
            Event::NotResumed {
                ticket,
                fault,
                kernel,
            } => self.not_resumed(ticket, &fault, &kernel),
            Event::Checkers { programs } => self.checks.programs = programs,
            Event::Checked { ticket, ended } => self.checked(now, ticket, ended),
            Event::Hooks { names } => self.hooks.told(&names),
            Event::HookEnded { ticket, ended } => self.hook_ended(now, ticket, ended),
            Event::Fstab { ticket, text } => self.fstab_told(ticket, &text),
            Event::Mounted { .. }
            | Event::MountFailed { .. }
            | Event::InitFound { .. }
            | Event::InitMissing { .. }
            | Event::HandOverFailed { .. } => self.take_of_root(now, event),
            Event::ModuleWanted { request, name } => self.module_wanted(request, name),
            Event::ShellLeft { ticket, fault } => self.shell_left(now, ticket, fault),
            Event::CtrlAltDel => self.ctrl_alt_del(),
            Event::Timer => {}
        }
    }

    fn firmware_told(&mut self, ticket: Ticket, told: Told) {
        if self.tickets.close(ticket) == Some(Job::AskFirmware) {
            self.firmware = Firmware::Known(told.booted);
            self.hibernated_at(told.hibernated);
        }
    }

    fn boot(&mut self, now: Millis, cmdline: &Text) {
        if self.stage != Stage::New {
            return;
        }
        self.wish = Wish::read(cmdline.as_bytes(), self.file(ImageFile::Crypttab));
        for complaint in self.wish.complaints.clone() {
            self.say(Level::Warning, complaint);
        }
        self.rescue.cmdline = cmdline.clone();
        self.complain_of_volumes();
        self.buses.shares = self.is_share() && !self.is_memory();
        self.buses.links = self.wish.needs_net();
        let elsewhere = self.is_share() || self.is_remote();
        self.buses.no_disks = elsewhere && self.wish.resume.is_none();
        self.begin_looking(now);
    }

    /// Begins to look for what is wanted, once the first hooks have run.
    pub(super) fn begin_looking(&mut self, now: Millis) {
        if self.hook(now, Place::Early) {
            return;
        }
        self.begun = true;
        self.stage = Stage::Searching;
        self.be_patient(now);
        if self.needs_devices() {
            self.walk();
            if self.wish.root.is_none() || self.place_may_be_left() {
                self.ask_firmware();
            }
        }
        for name in self.wish.load.clone() {
            let purpose = Purpose::Wished(name.clone());
            modules::resolve(&name, purpose, &mut self.tickets, &mut self.out);
        }
        let mut drivers = mapping::drivers(&self.wish);
        drivers.extend(verity::drivers(&self.wish).iter().map(|&name| name.into()));
        drivers.extend(
            integrity::drivers(&self.wish)
                .iter()
                .map(|&name| name.into()),
        );
        drivers.extend(self.wish.file.iter().map(|_| loops::DRIVER.into()));
        for alias in drivers {
            let Self {
                modules,
                tickets,
                out,
                ..
            } = self;
            modules.want_driver(&alias, tickets, out);
        }
        // A type that was given is needed whatever is found: its driver loads beside the disk's.
        // That of UBIFS brings UBI along, whose time comes later.
        if let [kind] = self.wish.fstypes.as_slice()
            && kind != "ubifs"
        {
            self.modules
                .want_filesystem(kind, &mut self.tickets, &mut self.out);
        }
        if self.wants_overlay() {
            self.modules
                .want_filesystem(layers::OVERLAY, &mut self.tickets, &mut self.out);
        }
        self.stops(now, Stop::Start);
    }

    /// Signatures are dear: what makes checking them cheaper goes first. It is a matter of
    /// milliseconds, and worth no more than a moment.
    fn load_first(&mut self, now: Millis, module: &str) {
        if self.stage == Stage::Searching && self.first_until.is_none() {
            self.first_until = Some(now.plus(IDLE_MS));
            let (tickets, out) = (&mut self.tickets, &mut self.out);
            self.modules.load_first(module, tickets, out);
        }
    }

    fn linked(&mut self, ticket: Ticket, names: Vec<String>) {
        if let Some(Job::Links { device, generation }) = self.tickets.close(ticket) {
            self.devices.linked(&device, generation, names);
        }
    }

    fn module_wanted(&mut self, request: u32, alias: Text) {
        let purpose = Purpose::Kernel(request);
        let ticket = self.tickets.issue(Job::Resolve(purpose));
        self.out.push(Action::Resolve { ticket, alias });
    }

    fn take_of_root(&mut self, now: Millis, event: Event) {
        match event {
            Event::Mounted { ticket } => self.mounted(now, ticket),
            Event::MountFailed {
                ticket,
                fault,
                kernel,
            } => self.mount_failed(now, ticket, &fault, kernel),
            Event::InitFound { ticket, path } => self.init_found(now, ticket, path),
            Event::InitMissing { ticket, fault } if self.init_was_sought(ticket) => {
                self.give_up(now, Cause::NoInit(fault));
            }
            Event::HandOverFailed { ticket, fault }
                if self.tickets.close(ticket) == Some(Job::HandOver) =>
            {
                self.give_up(now, Cause::HandOver(fault));
            }
            _ => {}
        }
    }

    fn take_of_volume(&mut self, now: Millis, event: Event) {
        let (ticket, result) = match event {
            Event::Unlocked { ticket } => (ticket, Ok(())),
            Event::UnlockFailed { ticket, why, fault } => (ticket, Err((why, fault))),
            _ => return,
        };
        if let Some(Job::Unlock(at)) = self.tickets.close(ticket) {
            self.unlocked(now, at, result);
        }
    }

    fn take_of_person(&mut self, now: Millis, event: Event) {
        match event {
            Event::Answered { ticket, secret } => self.answered(now, ticket, secret),
            Event::Agreed { ticket, yes } => self.agreed(now, ticket, yes),
            Event::Said { ticket, text } => self.said(now, ticket, &text),
            Event::Typing { ticket } if self.touches(ticket) => {}
            Event::Typing { ticket } => self.typing(now, ticket),
            Event::AskFailed { ticket, fault } if self.closes_prompt(ticket) => {
                self.no_prompt(now, &fault);
            }
            Event::AskFailed { ticket, fault } => self.ask_failed(now, ticket, &fault),
            _ => {}
        }
    }

    fn mapped(&mut self, now: Millis, ticket: Ticket, fault: Option<Fault>) {
        match self.tickets.job(ticket) {
            Some(Job::Map) => {
                self.tickets.close(ticket);
                self.map_ended(now, fault);
            }
            Some(Job::Integrity(index)) => {
                let index = *index;
                self.tickets.close(ticket);
                self.integrity_mapped(now, index, fault);
            }
            Some(Job::Verity(index)) => {
                let index = *index;
                self.tickets.close(ticket);
                self.verity_mapped(now, index, fault);
            }
            _ => self.start_ended(now, ticket, fault),
        }
    }

    pub(super) fn be_patient(&mut self, now: Millis) {
        self.trunk = match self.wish.patience {
            Patience::Ms(ms) => Some(now.plus(ms)),
            Patience::Forever => None,
        };
    }

    pub(super) fn walk(&mut self) {
        let epoch = self.devices.new_epoch();
        let ticket = self.tickets.issue(Job::Walk { epoch });
        let scope = self.scope;
        self.out.push(Action::Walk { ticket, scope });
    }

    /// Walks, or walks again after the walk that is under way.
    pub(super) fn walk_soon(&mut self) {
        if self
            .tickets
            .open()
            .any(|job| matches!(job, Job::Walk { .. }))
        {
            self.walk_again = true;
        } else {
            self.walk();
        }
    }

    fn walked(&mut self, ticket: Ticket) {
        if let Some(Job::Walk { epoch }) = self.tickets.close(ticket) {
            self.devices.forget_older_than(epoch);
            if core::mem::take(&mut self.walk_again) {
                self.walk();
            }
        }
    }

    fn load_ended(&mut self, ticket: Ticket, fault: Option<Fault>) {
        if let Some(Job::Load(name)) = self.tickets.close(ticket) {
            self.keyboards_loading |= fault.is_none();
            match fault {
                None => self.modules.loaded(&name),
                Some(fault) => self.modules.failed(&name, fault),
            }
        }
    }

    fn probe_ended(&mut self, ticket: Ticket, result: Result<Finding, Fault>) {
        if let Some(Job::Probe { device, generation }) = self.tickets.close(ticket) {
            self.devices.looked(&device, generation, result);
            self.name_late_clone(&device);
        }
    }

    /// `pieces`: fewer than were asked for where the others cannot be read.
    fn read_ended(&mut self, ticket: Ticket, pieces: Vec<Option<Text>>) {
        if let Some(Job::Read {
            device,
            generation,
            ranges,
        }) = self.tickets.close(ticket)
        {
            self.devices.was_read(&device, generation, &ranges, pieces);
        }
    }

    fn mounted(&mut self, now: Millis, ticket: Ticket) {
        if self.laid(now, ticket, None) || self.tickets.close(ticket) != Some(Job::Mount) {
            return;
        }
        let host = self.is_outside();
        match &mut self.stage {
            // It took longer than our patience, but it is what was asked for.
            Stage::Shell {
                mounted, mounting, ..
            } => {
                *mounted = !host;
                *mounting = None;
            }
            Stage::Searching | Stage::Preparing { .. } | Stage::Mounting { .. } if host => {
                self.stage = Stage::Searching;
            }
            Stage::Searching | Stage::Preparing { .. } | Stage::Mounting { .. } => {
                self.goes_on_mounted(now);
            }
            _ => {}
        }
        if host {
            self.file = loops::Standing::Mounted;
        }
    }

    pub(super) fn find_init(&mut self) {
        self.stage = Stage::FindingInit;
        // What lies over root comes first.
        if self.wish.layers.is_some() && !self.image_is_root() {
            return;
        }
        let ticket = self.tickets.issue(Job::FindInit);
        let init = self.wish.init.clone();
        self.out.push(match self.image_is_root() {
            true => Action::Stay { ticket, init },
            false => Action::FindInit { ticket, init },
        });
    }

    fn mount_failed(&mut self, now: Millis, ticket: Ticket, fault: &Fault, kernel: Vec<Text>) {
        let failed = Some((fault, kernel.as_slice()));
        if self.laid(now, ticket, failed) || self.tickets.close(ticket) != Some(Job::Mount) {
            return;
        }
        if let Stage::Shell { mounting, .. } = &mut self.stage {
            *mounting = None;
        }
        let Stage::Mounting {
            device,
            generation,
            types,
        } = self.stage.clone()
        else {
            return;
        };
        if self.mounts_as_before(fault) {
            return;
        }
        if self.is_remote() && !self.is_beside_root() {
            return self.remote_failed(fault, kernel);
        }
        if self.is_share() {
            return self.share_failed(now, fault, kernel);
        }
        let named = self.devices.by_name(&device);
        let there = named.is_some_and(|d| d.generation == generation);
        self.stage = Stage::Searching;
        if !there || left_meanwhile(fault.errno) {
            self.say(
                Level::Warning,
                format!("{device} left while it was being mounted: {fault}"),
            );
            // What has the name now is another device, and gets its own chance.
            if there {
                self.devices.refuse(&device);
            }
            return;
        }
        if self.is_protected(&device, fault.errno) {
            self.stage = Stage::Preparing {
                device,
                generation,
                types,
            };
            return;
        }
        self.try_next_type(now, device, generation, types, (fault, kernel));
    }

    /// Mounts it as the next type, if there is one.
    fn try_next_type(
        &mut self,
        now: Millis,
        device: String,
        generation: u32,
        mut types: Vec<String>,
        (fault, kernel): (&Fault, Vec<Text>),
    ) {
        if !types.is_empty() {
            types.remove(0);
        }
        if types.is_empty() {
            self.devices.refuse(&device);
            if !self.usable_exists() {
                self.give_up(
                    now,
                    Cause::Mount {
                        device,
                        fault: fault.clone(),
                        kernel,
                    },
                );
            }
        } else {
            self.say(
                Level::Info,
                format!("{fault}; trying {}", types.joined(", ")),
            );
            self.stage = Stage::Preparing {
                device,
                generation,
                types,
            };
        }
    }

    /// Was writing asked for, and is that what the device refuses? Then it is mounted read-only, as
    /// the kernel does it; once.
    pub(super) fn is_protected(&mut self, device: &str, errno: i32) -> bool {
        const EACCES: i32 = 13;
        const EROFS: i32 = 30;
        let refused = self.wish.writable && matches!(errno, EACCES | EROFS);
        if !refused || core::mem::replace(&mut self.protected, true) {
            return false;
        }
        let text = format!("{device} is write-protected: it is mounted read-only");
        self.say(Level::Warning, text);
        true
    }

    /// What this file of the image says; empty: it is not there.
    pub(super) fn file(&self, file: ImageFile) -> &[u8] {
        let found = self.files.iter().find(|(known, _)| *known == file);
        found.map_or(b"", |(_, text)| text.as_bytes())
    }

    /// Is this the answer that is waited for? After the page it is too late: a person is at it.
    fn init_was_sought(&mut self, ticket: Ticket) -> bool {
        self.tickets.close(ticket) == Some(Job::FindInit) && self.stage == Stage::FindingInit
    }

    fn init_found(&mut self, now: Millis, ticket: Ticket, path: Text) {
        if self.init_was_sought(ticket) {
            if self.stops(now, Stop::HandOver) {
                return;
            }
            self.stage = Stage::HandingOver;
            self.say(Level::Info, format!("handing over to {path}"));
            self.dismiss();
            if self.shutdown_is_wanted() {
                self.out.push(Action::LeaveShutdown);
            }
            let ticket = self.tickets.issue(Job::HandOver);
            self.out.push(Action::HandOver {
                ticket,
                init: path,
                arrays: self.running_arrays(),
                net: self.network_left(now).into(),
            });
        }
    }

    pub(super) fn ctrl_alt_del(&mut self) {
        self.dismiss();
        self.stage = Stage::Over;
        self.out.push(Action::Reboot);
    }

    /// Nothing is decided any more; whoever still waits is answered, and the keys still work.
    pub(super) fn after_the_end(&mut self, now: Millis, event: Event) {
        match event {
            Event::ModuleWanted { request, .. } => {
                self.out.push(Action::Reply { request, ok: false });
            }
            Event::CtrlAltDel => self.ctrl_alt_del(),
            _ => {}
        }
        if let Stage::RebootAt(at) = self.stage
            && now >= at
        {
            self.stage = Stage::Over;
            self.out.push(Action::End {
                end: End::Reboot(0),
            });
        }
    }
}

/// Errors of a mount that mean: the device is not there (any more).
fn left_meanwhile(errno: i32) -> bool {
    const ENXIO: i32 = 6;
    const ENOMEDIUM: i32 = 123;
    matches!(errno, ENXIO | ENOMEDIUM)
}
