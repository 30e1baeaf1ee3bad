//! Decides. Events in, actions out; no I/O, no clock, no thread, no secret.
//!
//! # One boot
//! `Boot` carries the command line; it becomes a [`Wish`]. One `walk` reports what exists; from
//! then on the kernel's events keep the picture current. Each bus device's modalias is looked up
//! and its drivers loaded ([`bus`] says whose and when, [`modules`] in what order). Each block
//! device that could answer the wish is identified ([`device`]). The first that is what was asked
//! for, and usable ([`root`]), is mounted; the real init is looked up inside; the machine is
//! handed over. Without `root=`, the only partition that its table calls a root is taken, once
//! everything was tried: any other could still have appeared before.
//!
//! # What makes progress
//! Every event ends in [`Plan::advance`], which brings forward whatever can go now: modules whose
//! dependencies are there, devices worth reading, a root that is known and whose driver is
//! settled. Nothing waits for anything that it does not need, and nothing is asked twice.
//!
//! # Devices made of others
//! Mapped devices that the command line spells out are made as soon as their pieces are there
//! ([`mapping`]); then they are devices like any other. So are volumes of dm-verity ([`verity`]).
//!
//! # A system that hibernates
//! Where `resume=` names a place for one, nothing is mounted before it is known that none is there
//! ([`resume`]).
//!
//! # Root in a file
//! The device that holds the file is found and mounted first, as root would be; then root is
//! looked for in the device that the kernel makes of the file ([`loops`]).
//!
//! # Checks
//! Where the image holds the program for it, a file system is checked before it is mounted
//! ([`check`]).
//!
//! # Over root
//! Root may stay as it is, while changes go to a layer over it ([`layers`]).
//!
//! # Hooks
//! Programs of the user's own run before all else, when all is mounted, and behind the page
//! ([`hooks`]).
//!
//! # A second choice
//! Where root cannot be had, another one may be looked for ([`fallback`]).
//!
//! # Besides root
//! `/usr`, and what root's fstab marks, are looked for as root was, once root is mounted
//! ([`mounts`]).
//!
//! # Root without a device
//! What the host of a virtual machine shares is mounted by its tag ([`shares`]); what a server
//! exports, over the first network link that serves ([`net`]).
//!
//! # Root in RAM
//! An image may be the system itself, or hold an archive that is unpacked into a file system in
//! RAM: no device is waited for ([`ram`]).
//!
//! # Devices that leave
//! A device may vanish or change at any moment. Answers about what it was are dropped
//! ([`device`]: generations). A root that vanishes while it is being mounted is looked for again.
//! After a lost event everything is walked anew; what the walk does not report is gone.
//!
//! # Deadlines
//! One trunk: the wish's patience, from the first event. Branches are shorter: when nothing is
//! under way, buses that seldom carry a disk are walked, and their drivers tried, at once
//! ([`bus::Tier::Quiet`]) or after [`IDLE_MS`] ([`bus::Tier::Idle`]); a device that never rests
//! puts that off a few times only ([`news`]). A wish that nothing can
//! fulfil (a `root=` that we do not understand, a root that cannot be mounted) ends at once, or as
//! soon as the page can list what there is; without `root=`, when no root has appeared for
//! [`STUCK_MS`] either.
//!
//! # Servers
//! What is said to a server, when, and what its answers mean is a conversation of its own
//! ([`talk`]); a worker holds it.
//!
//! # The end of the real system
//! The program may stay behind for the end of the real system, and takes down then what root lies
//! on, in an order that is decided apart from all else ([`shutdown`]).
//!
//! # A person
//! Before a shell opens, or the page stays until somebody presses ctrl-alt-del, the drivers that
//! keyboards need are loaded ([`keyboards`]): a boot from the first disk needs none of them. After
//! a failure, or at a stop, the person may have a console of our own ([`rescue`]).

#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod action;
mod answers;
pub mod btrfs;
pub mod bus;
mod check;
mod clones;
pub mod device;
mod discover;
pub mod event;
mod fallback;
mod flash;
pub mod give_up;
mod hooks;
pub mod integrity;
mod keyboards;
mod layers;
pub mod loops;
pub mod luks;
pub mod mapping;
mod module_graph;
pub mod modules;
mod mounts;
pub mod nearest;
mod net;
mod news;
mod progress;
mod questions;
mod ram;
pub mod rescue;
mod resume;
pub mod root;
mod shares;
pub mod shutdown;
pub mod stack;
pub mod talk;
pub mod ticket;
pub mod trace;
pub mod trace_array;
pub mod trace_check;
pub mod trace_finding;
pub mod trace_firmware;
pub mod trace_lease;
pub mod trace_luks;
pub mod trace_mount;
pub mod trace_net;
pub mod trace_read;
pub mod verity;

use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::hook::Place;
use crate::format::image_files::ImageFile;
use crate::format::wish::Wish;
use action::{Action, Scope};
use alloc::string::String;
use alloc::vec::Vec;
use bus::Buses;
use check::Checks;
use clones::Firmware;
use device::Devices;
use event::Event;
use hooks::Hooks;
use luks::Locks;
use mapping::Mappings;
use modules::Modules;
use mounts::Mounts;
use net::Net;
use news::News;
use questions::Questions;
use shares::Shares;
use stack::Stack;
use ticket::Tickets;

/// Nothing has happened and nothing is under way for this long: try what is unlikely.
pub const IDLE_MS: u64 = 1_000;

/// Nothing has happened for this long while something is under way: it may never end.
pub const STUCK_MS: u64 = 5_000;

/// Where the boot stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Before the first event.
    New,
    /// The hooks of this place run.
    Hooks(Place),
    /// Waiting for a device that answers the wish.
    Searching,
    /// Root is known; its file system's driver is being settled. The types still to try, the
    /// current one first.
    Preparing {
        device: String,
        generation: u32,
        types: Vec<String>,
    },
    /// Its file system is being checked, since then.
    Checking {
        device: String,
        generation: u32,
        types: Vec<String>,
        since: Millis,
    },
    Mounting {
        device: String,
        generation: u32,
        types: Vec<String>,
    },
    /// Root is mounted: from here on its device is no longer watched.
    FindingInit,
    HandingOver,
    /// A person has a shell; the boot goes on when it is left.
    Shell {
        /// It is not open yet: the drivers of keyboards are awaited, until this time at most.
        opens: Option<Millis>,
        mounted: bool,
        /// A mount that has not ended yet: device, generation, types.
        mounting: Option<(String, u32, Vec<String>)>,
    },
    /// The page is shown and stays, once the keyboards are there; at this time at the latest.
    HaltAt(Millis),
    /// The page is shown; reboot at this time.
    RebootAt(Millis),
    Over,
}

pub struct Plan {
    wish: Wish,
    stage: Stage,
    tickets: Tickets,
    buses: Buses,
    modules: Modules,
    devices: Devices,
    mappings: Mappings,
    locks: Locks,
    questions: Questions,
    rescue: rescue::Console,
    shares: Shares,
    net: Net,
    stack: Stack,
    verity: verity::Volumes,
    btrfs: btrfs::Pools,
    /// How far we are with the file that root is in.
    file: loops::Standing,
    mounts: Mounts,
    checks: Checks,
    hooks: Hooks,
    /// Why the first root is not looked for any more: the sentence.
    fallen: Option<String>,
    /// That was just now: what is there is looked at anew.
    fell: bool,
    /// Devices are looked for.
    begun: bool,
    /// Volumes of dm-integrity that were made, or are being made, or failed.
    integrity_done: Vec<usize>,
    /// Root is write-protected: it is mounted read-only whatever was asked for.
    protected: bool,
    resume: resume::Decision,
    /// The end of patience.
    trunk: Option<Millis>,
    /// When nothing waits any longer for the module that was to be loaded first.
    first_until: Option<Millis>,
    /// When something last happened.
    stirred: Millis,
    news: News,
    /// How much a walk looks at.
    scope: Scope,
    /// Events were lost while a walk was under way: walk again.
    walk_again: bool,
    /// Everything was tried: every tier served, every device read.
    exhausted: bool,
    /// Everything was tried and nothing has happened since: what is there may be compared.
    settled: bool,
    /// The modules of `rd.driver.post=` were asked for.
    loaded_last: bool,
    /// A driver was loaded while a person was being waited for: devices may still come of it.
    keyboards_loading: bool,
    /// The clones that were reported last, by name.
    clones_named: String,
    /// The device that was mounted as root, or is to be.
    taken: String,
    /// Several devices answer, and what decides between them is not known yet.
    comparing: bool,
    firmware: Firmware,
    /// There are variables of EFI.
    efi: bool,
    /// The image holds an init besides ours.
    system: bool,
    /// The driver of UBI was asked for.
    ubi_asked: bool,
    /// The image's.
    files: Vec<(ImageFile, Text)>,
    out: Vec<Action>,
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}

impl Plan {
    pub fn new() -> Self {
        Self {
            wish: Wish::default(),
            stage: Stage::New,
            tickets: Tickets::default(),
            buses: Buses::default(),
            modules: Modules::default(),
            devices: Devices::default(),
            mappings: Mappings::default(),
            locks: Locks::default(),
            questions: Questions::default(),
            rescue: rescue::Console::default(),
            shares: Shares::default(),
            net: Net::default(),
            stack: Stack::default(),
            verity: verity::Volumes::default(),
            btrfs: btrfs::Pools::default(),
            file: loops::Standing::default(),
            mounts: Mounts::default(),
            checks: Checks::default(),
            hooks: Hooks::default(),
            fallen: None,
            fell: false,
            begun: false,
            integrity_done: Vec::new(),
            protected: false,
            resume: resume::Decision::default(),
            trunk: None,
            first_until: None,
            stirred: Millis(0),
            news: News::default(),
            scope: Scope::Likely,
            walk_again: false,
            exhausted: false,
            settled: false,
            loaded_last: false,
            keyboards_loading: false,
            clones_named: String::new(),
            taken: String::new(),
            comparing: false,
            firmware: Firmware::Unasked,
            efi: false,
            system: false,
            ubi_asked: false,
            files: Vec::new(),
            out: Vec::new(),
        }
    }

    /// What is wanted; the default before the `Boot` event.
    pub fn wish(&self) -> &Wish {
        &self.wish
    }

    /// One entry, one exit. `now` never runs backwards.
    pub fn handle(&mut self, now: Millis, event: Event) -> Vec<Action> {
        if self.is_news(&event) {
            self.stirred = now;
            self.settled = false;
        }
        match self.stage {
            Stage::Over | Stage::RebootAt(_) => self.after_the_end(now, event),
            _ => {
                self.take(now, event);
                self.advance(now);
                if core::mem::take(&mut self.fell) {
                    self.advance(now);
                }
            }
        }
        core::mem::take(&mut self.out)
    }

    /// When to call back with [`Event::Timer`], if nothing else happens.
    pub fn deadline(&self) -> Option<Millis> {
        if self.hooks.is_running() {
            return earliest([self.hooks.until, self.first_until, None]);
        }
        match &self.stage {
            Stage::RebootAt(at) => Some(*at),
            Stage::HaltAt(until)
            | Stage::Shell {
                opens: Some(until), ..
            } => Some(self.keyboards_due(*until)),
            Stage::Checking { .. } => self.first_until,
            Stage::Shell { .. } => self.rescue.until,
            Stage::New | Stage::Hooks(_) | Stage::Over | Stage::HandingOver => None,
            Stage::Searching if !self.needs_devices() => {
                earliest([self.first_until, self.trunk, None])
            }
            Stage::Searching => {
                let due = earliest([self.idle_at(), self.stack_due(), self.asking_due()]);
                let due = earliest([due, self.network_due(), self.extension_due()]);
                let due = earliest([due, self.resume_due(), self.first_until]);
                earliest([due, self.trunk, self.mounts.until])
            }
            Stage::Preparing { .. } => {
                let due = earliest([self.idle_at(), self.resume_due(), self.asking_due()]);
                let due = earliest([due, self.first_until, self.mounts.until]);
                earliest([due, self.trunk, None])
            }
            _ => earliest([self.first_until, self.trunk, None]),
        }
    }
}

fn earliest(times: [Option<Millis>; 3]) -> Option<Millis> {
    times.into_iter().flatten().min()
}
