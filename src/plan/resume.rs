//! A system that hibernates: whether there is one is decided before anything is mounted.
//!
//! Its memory lies in swap space, and holds what it knew of every disk. Whoever changes a disk
//! before it goes on, and be it by the replay of a journal, destroys that: so root, and whatever
//! else is to be mounted, waits here until it is known that there is no such system, or until the
//! kernel could not go on with it. So does the start of volumes that write when they start. Other
//! volumes, and arrays, are started as for root: that changes nothing on their disks.
//!
//! Without `resume=` a machine with EFI is asked where systemd hibernated to.
//!
//! # The wait
//! The device is looked for beside root. Where it is there first, nothing waits. Where everything
//! else is ready and the device is not there, it gets a time of its own ([`Resume::patience`]), in
//! which all drivers are tried; then the boot goes on, and says so: that is the end of a system
//! that hibernates there. What hibernates may lie in one of the volumes that wait: they are started
//! first, then, and there is another wait for what is in them.

use super::Plan;
use super::action::{Action, Level};
use super::clones::Firmware;
use super::device::{Device, Look};
use super::event::Ticket;
use super::root;
use super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::dm_init::Target;
use crate::format::identity::{Need, Range};
use crate::format::resume::{self, Resume};
use crate::format::wish::{Patience, Source};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Targets of device-mapper that write nothing by themselves. Others replay a journal, or note in
/// their metadata that they were started (Documentation/admin-guide/device-mapper/).
const QUIET: [&str; 6] = ["linear", "striped", "crypt", "verity", "zero", "error"];

/// How far the decision is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is not known whether such a system is there.
    #[default]
    Open,
    /// The kernel is to go on with it. It does not return from that, or says why not.
    Asked,
    /// There is none, or it will not go on.
    Settled,
}

#[derive(Default)]
pub(super) struct Decision {
    standing: Standing,
    /// Everything else is ready: when it is waited for no longer.
    until: Option<Millis>,
    /// Something that writes when it starts was held back.
    holds: bool,
    /// It may start now, though it is not known whether such a system is there.
    released: bool,
}

/// What is on a device that was named. Where several are, the greatest counts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// It is not there, or what it holds is not known yet.
    NotYet,
    /// No system, nor could there be one: a sentence.
    Wrong(String),
    Nothing,
    Read(String, Vec<Range>),
    /// It is to be started first.
    Start(String),
    /// The kernel's number of the device.
    Image(u32, u32),
}

impl Plan {
    /// May nothing be mounted yet?
    pub(super) fn awaits_resume(&self) -> bool {
        let named = self.wish.resume.is_some() && self.resume.standing != Standing::Settled;
        named || self.place_may_be_left() && self.firmware == Firmware::Asked
    }

    /// May the device that was named still come?
    pub(super) fn seeks_resume(&self) -> bool {
        self.wish.resume.is_some() && self.resume.standing == Standing::Open
    }

    /// May the place stand in a variable of EFI?
    pub(super) fn place_may_be_left(&self) -> bool {
        self.efi && self.wish.resume.is_none() && !self.wish.resume_off
    }

    /// A variable of EFI says where a system hibernates, or that none does.
    pub(super) fn hibernated_at(&mut self, place: Option<(String, u64)>) {
        let Some((uuid, offset)) = place.filter(|_| self.place_may_be_left()) else {
            return self.start_again();
        };
        let typed = Text::from(format!("UUID={uuid}"));
        self.say(
            Level::Notice,
            format!("EFI's HibernateLocation is {typed}, at page {offset}"),
        );
        self.wish.resume = Some(Resume {
            source: Source::parse(typed.as_bytes()),
            typed,
            offset,
            patience: Patience::Ms(Resume::WAIT_MS),
        });
        // Root may be elsewhere than on a disk.
        if core::mem::take(&mut self.buses.no_disks) {
            self.walk();
        }
    }

    /// Brings the decision forward.
    pub(super) fn decide_on_resume(&mut self, now: Millis) {
        let Some(resume) = self.wish.resume.as_ref().filter(|_| self.seeks_resume()) else {
            return;
        };
        let offset = resume.offset;
        let found = self.hibernated(resume);
        // What may be inside of a volume comes some time after that was opened.
        if self.is_unlocking() {
            self.resume.until = None;
        }
        match found {
            Found::NotYet => self.end_the_wait(now),
            Found::Start(device) => self.want_real(&device),
            Found::Read(device, ranges) => self.read(&device, &ranges),
            Found::Nothing => self.settle(),
            Found::Wrong(text) => {
                self.settle();
                self.say(Level::Warning, text);
            }
            Found::Image(major, minor) => {
                self.resume.standing = Standing::Asked;
                self.say(Level::Notice, "a hibernated system goes on".into());
                let ticket = self.tickets.issue(Job::Resume);
                let number = (major, minor);
                self.out.push(Action::Resume {
                    ticket,
                    number,
                    offset,
                });
            }
        }
    }

    fn hibernated(&self, resume: &Resume) -> Found {
        let is = |d: &Device| root::shadow(&self.wish, &self.devices, d).is_none();
        let named = root::all_named(&self.devices, &resume.source, &is);
        // What is inside of a container that was named counts.
        let inside = |named: &Device| {
            let below = |d: &&Device| self.devices.below(d).map(|b| &b.block.name);
            let mut all = self.devices.all();
            all.find(|d| below(d) == Some(&named.block.name))
        };
        let found = named.map(|device| on_device(resume, inside(device).unwrap_or(device)));
        found.max().unwrap_or(Found::NotYet)
    }

    /// Something is ready to be mounted: may it be? From the first time on the wait has an end.
    pub(super) fn is_held_by_resume(&mut self, now: Millis) -> bool {
        if self.seeks_resume() {
            self.begin_the_wait(now);
            self.end_the_wait(now);
        }
        self.awaits_resume()
    }

    fn begin_the_wait(&mut self, now: Millis) {
        let Some(resume) = &self.wish.resume else {
            return;
        };
        if let Patience::Ms(wait) = resume.patience {
            // A branch of root's deadline: root is to be mounted within that.
            let left = self.trunk.map_or(u64::MAX, |trunk| now.until(trunk) / 2);
            self.resume.until.get_or_insert(now.plus(wait.min(left)));
        }
    }

    /// Nothing but that is waited for.
    pub(super) fn say_that_resume_waits(&mut self) {
        let resume = self.wish.resume.as_ref();
        let text = resume.map(|r| format!("resume={} is not there yet, waiting for it", r.typed));
        if let Some(text) = text {
            self.say_once(Level::Notice, text);
        }
    }

    fn end_the_wait(&mut self, now: Millis) {
        let over = self.resume.until.is_some_and(|until| now >= until);
        let Some(resume) = self.wish.resume.as_ref().filter(|_| over) else {
            return;
        };
        let typed = &resume.typed;
        if self.resume.holds && !self.resume.released {
            self.resume.released = true;
            self.resume.until = None;
            return self.start_again();
        }
        let text = format!(
            "resume={typed} did not appear: the boot goes on without it, and a system that \
             hibernates there must not be resumed any more"
        );
        self.settle();
        self.say(Level::Warning, text);
    }

    fn settle(&mut self) {
        self.resume.standing = Standing::Settled;
        self.start_again();
    }

    /// May a mapping of these targets not be made yet, since its start writes?
    pub(super) fn is_start_held(&mut self, now: Millis, targets: &[Target]) -> bool {
        let quiet = |target: &Target| QUIET.contains(&target.kind.as_str());
        if targets.iter().all(quiet) || self.resume.released {
            return false;
        }
        let held = self.is_held_by_resume(now);
        self.resume.holds |= held;
        held
    }

    /// For the page: what holds root back.
    pub(super) fn resume_problem(&self) -> Option<String> {
        let resume = self.wish.resume.as_ref().filter(|_| self.seeks_resume())?;
        let typed = &resume.typed;
        Some(format!(
            "whether a system hibernates on resume={typed} is not known, and nothing is mounted \
             before (noresume mounts root whatever is there)"
        ))
    }

    /// When the device is waited for no longer.
    pub(super) fn resume_due(&self) -> Option<Millis> {
        let open = self.resume.standing == Standing::Open;
        self.resume.until.filter(|_| open)
    }

    /// The kernel came back: the system that hibernated is lost.
    pub(super) fn not_resumed(&mut self, ticket: Ticket, fault: &Fault, kernel: &[Text]) {
        if self.tickets.close(ticket) != Some(Job::Resume) {
            return;
        }
        self.settle();
        self.say(Level::Error, fault.text.clone());
        for line in kernel {
            self.say(Level::Error, format!("kernel: {line}"));
        }
    }

    /// Root is about to be mounted: whoever hibernated, and is not resumed, learns of it.
    pub(super) fn warn_of_images(&mut self) {
        let holds = |d: &&Device| d.signature().is_some_and(|s| s.kind == "swsuspend");
        let names = self.devices.all().filter(holds);
        let names: Vec<String> = names.map(|d| d.block.name.clone()).listed();
        for name in names {
            let text = format!(
                "{name} holds a hibernated system, which is not resumed: it must not be resumed \
                 any more, since its disks change now (mkswap makes swap space of it again)"
            );
            self.say_once(Level::Warning, text);
        }
    }
}

/// What is on this device.
fn on_device(resume: &Resume, device: &Device) -> Found {
    let name = &device.block.name;
    let Look::Known(finding) = &device.look else {
        return Found::NotYet;
    };
    if device.is_container() {
        return Found::NotYet;
    }
    let signature = finding.signature.as_ref();
    let image = match (resume.offset, signature) {
        (0, Some(s)) if s.kind == "swap" => false,
        (0, Some(s)) if s.kind == "swsuspend" => match s.version.as_deref() {
            Some("s1suspend") => true,
            other => return Found::Wrong(by_another(name, other)),
        },
        (0, other) => {
            let kind = other.map_or("nothing known", |s| s.kind.as_str());
            return Found::Wrong(format!(
                "resume={} is {name}, which holds {kind} and no swap space; a swap file needs \
                 resume_offset=",
                resume.typed
            ));
        }
        (offset, _) => match image_in_file(device, offset) {
            Ok(image) => image,
            Err(missing) => return Found::Read(name.clone(), missing),
        },
    };
    match image {
        false => Found::Nothing,
        true if device.is_virtual() => Found::Start(name.clone()),
        true => Found::Image(device.block.major, device.block.minor),
    }
}

/// Is there an image so many pages behind the device's beginning? `Err`: what is to be read first.
fn image_in_file(device: &Device, offset: u64) -> Result<bool, Vec<Range>> {
    let (mut image, mut missing) = (false, Vec::new());
    for place in resume::places(offset) {
        match device.view.bytes(place.at, place.len) {
            Err(Need(range)) => missing.push(range),
            Ok(bytes) => image |= bytes.is_some_and(resume::is_image),
        }
    }
    match missing.is_empty() {
        true => Ok(image),
        false => Err(missing),
    }
}

fn by_another(name: &str, program: Option<&str>) -> String {
    let program = program.unwrap_or("another program");
    format!(
        "{name} holds a system that was hibernated by {program}, with which the kernel cannot go \
         on"
    )
}
