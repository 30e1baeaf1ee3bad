//! A boot without a machine: the real plan, told what would happen, until it has decided.
//!
//! Devices are images or this machine's own; drivers are looked up where the boot would find them.
//! All work takes no time, so the clock stands still except when the plan waits for its deadline.
//! What cannot be known without mounting is taken to go well, and who asks is told so.

use crate::base::bytes::le64;
use crate::base::fault::Fault;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::format::cmdline;
use crate::format::efi_variable::Told;
use crate::format::identity::{Finding, Range, Signature, Usage};
use crate::format::image_files::ImageFile;
use crate::format::kmod::{Catalog, Resolution};
use crate::format::lens::Lens;
use crate::format::through::{Lower, Through};
use crate::format::wish::Source;
use crate::host::devices::Devices;
use crate::host::key_files::KeyFiles;
use crate::host::module_index::ModuleIndex;
use crate::host::stage::{Stage, partition_of};
use crate::plan::Plan;
use crate::plan::action::{Action, Mount};
use crate::plan::event::{Block, Event, Ticket};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

mod mapped;
mod shared;
mod unlocking;

const ENOENT: i32 = 2;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;

/// The device mapper takes a free major number; on most machines it is this one.
const DEVICE_MAPPER_MAJOR: u32 = 253;
const MD_MAJOR: u32 = 9;

/// No boot has more: the backstop against a plan that never ends.
const MAX_EVENTS: usize = 200_000;

/// One thing that happened or was wanted.
pub enum Record {
    Event(Millis, Event),
    Action(Millis, Action),
    /// What is only taken to be so.
    Note(Millis, String),
}

/// How it would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Boots,
    /// Root is in a file, and what is in the file is not looked at.
    InFile(Text),
    GivesUp,
    /// The kernel goes on with the system that hibernated on the device of this number.
    Resumes((u32, u32)),
    /// `rootwait`: nothing more happens, and nothing ends it.
    WaitsForEver,
}

pub struct Rehearsal<'a> {
    plan: Plan,
    now: Millis,
    queue: VecDeque<Event>,
    devices: Devices<'a>,
    keys: KeyFiles,
    /// What is taken to hold root, as was said.
    dark: BTreeSet<String>,
    /// Questions that were answered.
    asked: BTreeSet<String>,
    /// `None`: the kernel is taken to have every driver built in.
    drivers: Option<(&'a ModuleIndex, Catalog<'a>)>,
    loaded: BTreeSet<String>,
    /// For each disk how much of it was announced: its buses in order, then itself.
    announced: Vec<usize>,
    /// The share that root is.
    share: shared::Standing,
    /// What was looked through, by name: that is what it holds once it runs.
    lenses: BTreeMap<String, Lens>,
    /// Devices of btrfs that were announced, by the UUID of their file system.
    pools: BTreeMap<Vec<u8>, BTreeSet<String>>,
    /// Devices that were made, by the kernel's name, and the name that they were looked at by.
    made: BTreeMap<String, String>,
    /// Volumes that a person would have been asked for, and nobody was.
    pub closed: Vec<String>,
    pub records: Vec<Record>,
    ending: Option<Ending>,
}

impl<'a> Rehearsal<'a> {
    pub fn new(stage: &'a Stage, index: Option<&'a ModuleIndex>, words: &[u8]) -> Self {
        let drivers = index.map(|index| {
            let mut catalog = index.catalog();
            for word in cmdline::words(words) {
                catalog.config.word(word.key, word.value);
            }
            (index, catalog)
        });
        Self {
            plan: Plan::new(),
            now: Millis(0),
            queue: VecDeque::from([Event::Boot {
                cmdline: Text::from(words),
            }]),
            devices: Devices::new(stage),
            keys: KeyFiles::default(),
            dark: BTreeSet::new(),
            asked: BTreeSet::new(),
            drivers,
            loaded: BTreeSet::new(),
            announced: vec![0; stage.disks.len()],
            share: shared::Standing::default(),
            lenses: BTreeMap::new(),
            pools: BTreeMap::new(),
            made: BTreeMap::new(),
            closed: Vec::new(),
            records: Vec::new(),
            ending: None,
        }
    }

    /// What the image says besides words; before anything runs.
    pub fn tell_files(&mut self, files: Vec<(ImageFile, Text)>) {
        for (file, text) in files {
            if !text.0.is_empty() {
                self.queue.push_front(Event::File { file, text });
            }
        }
    }

    /// Runs to the end.
    pub fn run(&mut self) -> Ending {
        for _ in 0..MAX_EVENTS {
            let event = match (self.queue.pop_front(), self.plan.deadline()) {
                (Some(event), _) => event,
                (None, Some(at)) => {
                    self.now = self.now.max(at);
                    Event::Timer
                }
                (None, None) => return Ending::WaitsForEver,
            };
            self.records.push(Record::Event(self.now, event.clone()));
            for action in self.plan.handle(self.now, event) {
                self.records.push(Record::Action(self.now, action.clone()));
                self.act(action);
            }
            if let Some(ending) = self.ending.take() {
                return ending;
            }
        }
        Ending::WaitsForEver
    }

    fn act(&mut self, action: Action) {
        let answer = match action {
            Action::Walk { ticket, .. } => {
                self.announced.fill(0);
                self.share = shared::Standing::default();
                self.announce();
                Event::Walked { ticket }
            }
            Action::Resolve { ticket, alias } => Event::Resolved {
                ticket,
                resolution: self.resolve(alias.as_bytes()).into(),
            },
            Action::Load { ticket, module } => self.load(ticket, module),
            Action::Probe {
                ticket,
                device,
                lens,
            } => self.probe(ticket, &device, lens),
            Action::Read {
                ticket,
                device,
                lens,
                ranges,
            } => Event::Bytes {
                ticket,
                pieces: self.pieces(&device, lens, &ranges),
            },
            Action::Map {
                ticket, mapping, ..
            } => {
                self.map(&mapping);
                Event::Mapped { ticket }
            }
            Action::Unlock { ticket, order } => self.unlock(ticket, &order),
            Action::Ask { ticket, question } => self.answer(ticket, &question),
            Action::Assemble { ticket, device, .. } => {
                self.assemble(&device);
                Event::Assembled { ticket }
            }
            Action::Announce { ticket, device } => Event::Announced {
                ticket,
                whole: self.announce_btrfs(&device),
            },
            Action::Links { ticket, device } => Event::Linked {
                ticket,
                names: self.devices.stage.links(&device),
            },
            Action::Mount { ticket, mount } => match self.mount(&mount) {
                Ok(()) => Event::Mounted { ticket },
                Err(fault) => Event::MountFailed {
                    ticket,
                    fault,
                    kernel: Vec::new(),
                },
            },
            Action::Layer { ticket, .. } => Event::Mounted { ticket },
            Action::Attach { file, .. } => return self.ending = Some(Ending::InFile(file)),
            Action::Resume { number, .. } => return self.ending = Some(Ending::Resumes(number)),
            Action::HandOver { .. } => return self.ending = Some(Ending::Boots),
            Action::Shell { .. } | Action::End { .. } | Action::Reboot => {
                return self.ending = Some(Ending::GivesUp);
            }
            other => match unanswerable(&other) {
                Some(answer) => answer,
                None => return,
            },
        };
        self.queue.push_back(answer);
    }

    // -- devices ------------------------------------------------------------------------------

    /// Announces whatever has its driver, in the order of the buses.
    fn announce(&mut self) {
        for i in 0..self.announced.len() {
            while let Some(events) = self.next_of(i) {
                self.queue.extend(events);
            }
        }
        self.announce_share();
    }

    /// What of disk `i` is announced next, if its driver is there.
    fn next_of(&mut self, i: usize) -> Option<Vec<Event>> {
        let disk = self.devices.stage.disks.get(i)?;
        let done = *self.announced.get(i)?;
        let buses = match self.drivers {
            Some(_) => disk.buses.as_slice(),
            None => &[],
        };
        let driven = match done.checked_sub(1).and_then(|last| buses.get(last)) {
            Some((_, modalias)) => self.is_driven(modalias),
            None => true,
        };
        if !driven || done > buses.len() {
            return None;
        }
        if let Some(announced) = self.announced.get_mut(i) {
            *announced = done.saturating_add(1);
        }
        Some(match buses.get(done) {
            Some((path, modalias)) => vec![Event::Bus {
                path: path.clone(),
                modalias: modalias.clone(),
            }],
            None => {
                let told = |block: &Block| Event::Block(block.clone().into());
                disk.blocks.iter().map(told).collect()
            }
        })
    }

    /// Is a driver for this alias built in or loaded?
    fn is_driven(&self, alias: &str) -> bool {
        let found = self.resolve(alias.as_bytes());
        found.builtin || found.answers.iter().any(|name| self.loaded.contains(name))
    }

    // -- devices made of others ---------------------------------------------------------------

    /// How a device is read: as the plan says, or, once it runs, as it was looked at before.
    fn lens(&mut self, device: &str, told: Option<Lens>) -> Option<Lens> {
        if let Some(lens) = told {
            let through = lens.through.over(&|name: &String| self.lower(name));
            let lens = Lens {
                through: through.unwrap_or_default(),
                ..lens
            };
            self.lenses.insert(device.into(), lens.clone());
            return Some(lens);
        }
        self.known_lens(device)
    }

    /// The lens of a device that was made.
    fn known_lens(&self, device: &str) -> Option<Lens> {
        let mut names = self.made.iter();
        let made = |(own, seen): &(&String, &String)| *own == device || *seen == device;
        let (_, known) = names.find(made)?;
        let dark = || Lens {
            bytes: 0,
            sector: 512,
            through: Through::default(),
        };
        Some(self.lenses.get(known).cloned().unwrap_or_else(dark))
    }

    /// What a device that others lie on is: one of the stage, or one that was made.
    fn lower(&self, name: &String) -> Option<Lower<String>> {
        match self.made.get(name) {
            None => Some(Lower::Device(name.clone())),
            Some(seen) => {
                let lens = self.lenses.get(seen)?;
                Some(Lower::Mapping(lens.through.clone()))
            }
        }
    }

    fn probe(&mut self, ticket: Ticket, device: &str, told: Option<Lens>) -> Event {
        let lens = self.lens(device, told);
        match self.look(device, lens.as_ref()) {
            Ok(finding) => Event::Probed {
                ticket,
                finding: finding.into(),
            },
            Err(fault) => Event::ProbeFailed { ticket, fault },
        }
    }

    /// Bytes of a device; none where it cannot be read.
    fn pieces(&mut self, device: &str, told: Option<Lens>, ranges: &[Range]) -> Vec<Option<Text>> {
        let lens = self.lens(device, told);
        let read = |r: &Range| self.devices.read(device, lens.as_ref(), *r).ok().map(Text);
        ranges.iter().map(read).collect()
    }

    /// What is on a device. One that cannot be looked through, and runs, is taken to hold the root
    /// that was asked for: only a boot can know.
    fn look(&mut self, device: &str, lens: Option<&Lens>) -> Result<Finding, Fault> {
        let dark = lens.is_some_and(Lens::is_dark);
        if !dark {
            return self.devices.identify(device, lens);
        }
        let own = self
            .made
            .get(device)
            .map_or(device, String::as_str)
            .to_owned();
        if self.dark.insert(own.clone()) {
            let text = "cannot be looked through here: it is taken to hold what was asked for";
            let note = Record::Note(self.now, format!("{own} {text}"));
            self.records.push(note);
        }
        let wish = self.plan.wish();
        let kind = wish.fstypes.first().map_or("ext4", String::as_str);
        let (uuid, label) = match &wish.root {
            Some(Source::Uuid(uuid)) => (Some(uuid.clone()), None),
            Some(Source::Label(label)) => (None, Some(label.clone())),
            _ => (None, None),
        };
        Ok(Finding {
            signature: Some(Signature {
                kind: kind.into(),
                usage: Usage::Filesystem,
                uuid,
                label,
                ..Signature::default()
            }),
            ..Finding::default()
        })
    }

    /// Does the kernel know all devices of this one's file system now? Superblock: fsid, and the
    /// number of devices (btrfs_tree.h).
    fn announce_btrfs(&mut self, device: &str) -> bool {
        let lens = self.lens(device, None);
        let read = |at: u64, len: usize| {
            let at = 64 * 1024 + at;
            let bytes = self.devices.read(device, lens.as_ref(), Range { at, len });
            bytes.unwrap_or_default()
        };
        let (uuid, count) = (read(32, 16), le64(&read(136, 8), 0).unwrap_or(1));
        let pool = self.pools.entry(uuid).or_default();
        pool.insert(device.into());
        pool.len() as u64 >= count
    }

    fn assemble(&mut self, device: &str) {
        self.made.insert(device.into(), device.into());
        let number = device.strip_prefix("md").and_then(|n| n.parse().ok());
        let lens = self.lens(device, None);
        let whole = Block {
            name: device.into(),
            major: MD_MAJOR,
            minor: number.unwrap_or(0),
            // What cannot be looked through has some size.
            sectors: lens.as_ref().map_or(0, |l| l.bytes / 512).max(1),
            part_of: None,
            sequence: 0,
            mapped: None,
        };
        let finding = self
            .devices
            .identify(device, lens.as_ref())
            .unwrap_or_default();
        self.queue.push_back(Event::Block(whole.clone().into()));
        for entry in finding.table.iter().flat_map(|t| &t.partitions) {
            let name = format!("{device}p{}", entry.number);
            if let Some(part) = partition_of(&whole, entry, name.clone()) {
                self.made.insert(name.clone(), name);
                self.queue.push_back(Event::Block(part.into()));
            }
        }
    }

    // -- drivers ------------------------------------------------------------------------------

    fn resolve(&self, alias: &[u8]) -> Resolution {
        match &self.drivers {
            Some((_, catalog)) => catalog.resolve(alias),
            None => Resolution {
                builtin: true,
                ..Resolution::default()
            },
        }
    }

    fn load(&mut self, ticket: Ticket, module: String) -> Event {
        if let Some((index, catalog)) = &self.drivers {
            let path = catalog.path_of(&module).unwrap_or_default();
            if !index.holds(&path) {
                let text = format!("load {module}: {path} is listed but is not there");
                let fault = Fault::new(ENOENT, text);
                return Event::LoadFailed { ticket, fault };
            }
        }
        self.loaded.insert(module);
        // The kernel announces what a driver found before loading ends.
        self.announce();
        Event::Loaded { ticket }
    }

    // -- root ---------------------------------------------------------------------------------

    fn mount(&mut self, mount: &Mount) -> Result<(), Fault> {
        let (device, wanted) = (&mount.device, &mount.fstype);
        if !self.is_driven(&format!("fs-{wanted}")) {
            let text = format!("mount {device}: there is no driver for {wanted}");
            return Err(Fault::new(ENODEV, text));
        }
        if mount.nodev {
            return Ok(());
        }
        let lens = self.lens(device, None);
        let finding = self.look(device, lens.as_ref())?;
        if mounts(wanted, &finding) {
            return Ok(());
        }
        let found = finding.signature.map_or("nothing known".into(), |s| s.kind);
        let text = format!("mount {device} as {wanted}: what is on it is {found}");
        Err(Fault::new(EINVAL, text))
    }
}

/// What only a machine, or a person at it, could answer.
fn unanswerable(action: &Action) -> Option<Event> {
    Some(match action {
        // No firmware has booted.
        Action::AskFirmware { ticket } => Event::Firmware {
            ticket: *ticket,
            told: Told::default(),
        },
        Action::FindInit { ticket, init } => Event::InitFound {
            ticket: *ticket,
            path: init.clone().unwrap_or_else(|| Text::from("/sbin/init")),
        },
        _ => return None,
    })
}

/// Would the driver of `wanted` take what was found? (That of ext4 takes its ancestors, too.)
fn mounts(wanted: &str, finding: &Finding) -> bool {
    let Some(signature) = &finding.signature else {
        return finding.ambivalent.iter().any(|kind| kind == wanted);
    };
    let ext = |kind: &str| matches!(kind, "ext2" | "ext3" | "ext4");
    signature.kind == wanted || (wanted == "ext4" && ext(&signature.kind))
}
