//! What is known of each block device: announced, being looked at, identified, gone.
//!
//! A device's *generation* counts how often its content may have become another one. An answer to
//! a question about an earlier generation is worth nothing. Its *epoch* is the walk that last
//! reported it: after a lost event, what the next walk does not report is gone.

use super::action::{Action, MAX_READ};
use super::event::Block;
use super::ticket::{Job, Tickets};
use crate::base::fault::Fault;
use crate::base::table::Table;
use crate::base::text::Text;
use crate::format::identity::{self, Finding, Partition, Range, Signature, Usage, View};
use crate::format::lens::Lens;
use crate::format::luks::table::FOR_A_MOMENT;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// More block devices than this are not looked at. (A large SAN has some thousands.)
pub const MAX_DEVICES: usize = 8192;

const SECTOR: u64 = 512;

/// How far we are with a device's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Not asked for.
    Unseen,
    Asked,
    Known(Box<Finding>),
    Failed(Fault),
}

#[derive(Clone, Debug)]
pub struct Device {
    pub block: Block,
    pub look: Look,
    pub generation: u32,
    /// It was what root asks for, and mounting it failed: not tried again until it changes.
    pub refused: bool,
    /// What udev would call it below `/dev/disk/`; whole disks only. `None`: not known yet.
    pub links: Option<Vec<String>>,
    links_asked: bool,
    /// The generation that is being read: one that changes all the time is read once at a time.
    reading: Option<u32>,
    /// It does not run yet: its bytes are seen through this.
    pub lens: Option<Lens>,
    /// Other names below `/dev` that it has, or will have: `vg/root`, `md/home`.
    pub aliases: Vec<String>,
    /// What was read of it besides its identity.
    pub view: View,
    /// The generation of which bytes are being read, as with `reading`.
    view_reading: Option<u32>,
    /// The kernel says that it changed: it may hold a medium whose size only opening it tells.
    stirred: bool,
    epoch: u32,
}

impl Device {
    pub fn signature(&self) -> Option<&Signature> {
        match &self.look {
            Look::Known(finding) => finding.signature.as_ref(),
            _ => None,
        }
    }

    pub fn table(&self) -> Option<&identity::Table> {
        match &self.look {
            Look::Known(finding) => finding.table.as_ref(),
            _ => None,
        }
    }

    /// Not without a medium, as far as we know: some sizes only show when the device is opened.
    pub fn may_hold_something(&self) -> bool {
        self.block.sectors > 0 || self.stirred
    }

    /// It does not run yet.
    pub fn is_virtual(&self) -> bool {
        self.lens.is_some()
    }

    /// It does not run yet, and nothing can be seen through it.
    pub fn is_opaque(&self) -> bool {
        let lens = self.lens.as_ref();
        lens.is_some_and(Lens::is_dark)
    }

    /// A member of something else: what its bytes look like is not what it is.
    pub fn is_container(&self) -> bool {
        matches!(self.signature(), Some(s) if matches!(s.usage, Usage::Raid | Usage::Crypto))
    }
}

#[derive(Default)]
pub struct Devices {
    all: Table<Device>,
    epoch: u32,
    next_generation: u32,
    /// Counts whatever happened to any of them.
    changes: u64,
    /// Devices that are only parts of others which we make, by their device-mapper names, with
    /// their numbers once they run. Nothing else is to be seen in them.
    internal: Table<Option<(u32, u32)>>,
    /// Containers that were opened, and the names of what is inside.
    opened: Vec<(String, String)>,
    /// Devices that were ignored because of [`MAX_DEVICES`].
    pub ignored: u32,
}

impl Devices {
    pub fn all(&self) -> impl Iterator<Item = &Device> {
        self.all.values()
    }

    /// A container is being opened under this name.
    pub fn opens(&mut self, container: &str, mapped: &str) {
        self.opened.push((container.into(), mapped.into()));
    }

    /// It was not.
    pub fn does_not_open(&mut self, container: &str) {
        self.opened.retain(|(below, _)| below != container);
    }

    /// Is it a container that is open, or being opened?
    pub fn is_below(&self, container: &str) -> bool {
        self.opened.iter().any(|(below, _)| below == container)
    }

    /// The container that `device` is the inside of.
    pub fn below(&self, device: &Device) -> Option<&Device> {
        let mapped = device.block.mapped.as_ref()?;
        let (below, _) = self.opened.iter().find(|(_, name)| name == mapped)?;
        self.all.get(below)
    }

    pub fn by_name(&self, name: &str) -> Option<&Device> {
        self.all.get(name)
    }

    /// The whole disk that `device` is a partition of.
    pub fn disk_of(&self, device: &Device) -> Option<&Device> {
        let (disk, _) = device.block.part_of.as_ref()?;
        self.all.get(disk)
    }

    /// The entry in the disk's table that describes this partition.
    pub fn entry_of(&self, device: &Device) -> Option<&Partition> {
        let (_, number) = device.block.part_of.as_ref()?;
        let table = self.disk_of(device)?.table()?;
        table.partitions.iter().find(|p| p.number == *number)
    }

    /// Grows whenever anything about any device becomes another.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    fn count_change(&mut self) {
        self.changes = self.changes.saturating_add(1);
    }

    /// What is made under this name is only a part of something.
    pub fn hide(&mut self, mapped: &str) {
        self.internal.or_insert(mapped, None);
    }

    /// The number of such a part, if it runs.
    pub fn internal(&self, mapped: &str) -> Option<(u32, u32)> {
        self.internal.get(mapped).copied().flatten()
    }

    pub fn any_planned(&self) -> bool {
        self.all.values().any(Device::is_virtual)
    }

    /// `changed`: the content may be another one, even if nothing that we can see differs.
    pub fn announce(&mut self, block: Block, changed: bool) {
        let moment = |name: &String| name.starts_with(FOR_A_MOMENT);
        if block.mapped.as_ref().is_some_and(moment) {
            return;
        }
        let epoch = self.epoch;
        self.count_change();
        let part = block.mapped.as_ref().and_then(|m| self.internal.get_mut(m));
        if let Some(number) = part {
            *number = (block.sectors > 0).then_some((block.major, block.minor));
            self.all.remove(&block.name);
            return;
        }
        let mut reading = (None, None);
        if let Some(known) = self.all.get_mut(&block.name) {
            // A device that is being set up has no size yet.
            if known.is_virtual() && block.sectors == 0 {
                return;
            }
            known.epoch = epoch;
            // Media are counted upwards: what was told of an earlier one comes late.
            let late = !known.is_virtual() && (1..known.block.sequence).contains(&block.sequence);
            if late || !changed && known.block == block {
                return;
            }
            reading = (known.reading, known.view_reading);
        } else if self.all.len() >= MAX_DEVICES {
            self.ignored = self.ignored.saturating_add(1);
            return;
        }
        let mut device = self.new_device(block);
        (device.reading, device.view_reading) = reading;
        device.stirred = changed;
        device.aliases = self.aliases_of(&device.block);
        let name = device.block.name.clone();
        self.all.insert(&name, device);
    }

    fn new_device(&mut self, block: Block) -> Device {
        Device {
            look: Look::Unseen,
            generation: self.new_generation(),
            refused: false,
            links: None,
            links_asked: false,
            reading: None,
            lens: None,
            aliases: Vec::new(),
            view: View::new(block.sectors.saturating_mul(SECTOR), 512),
            view_reading: None,
            stirred: false,
            epoch: self.epoch,
            block,
        }
    }

    /// The names that it was to have before it ran. What runs is no longer looked through.
    fn aliases_of(&mut self, block: &Block) -> Vec<String> {
        let mapped = block.mapped.as_ref().filter(|_| block.sectors > 0);
        let planned = mapped.map(|name| alloc::format!("mapper/{name}"));
        let planned = planned.and_then(|name| self.all.remove(&name));
        let before = planned.as_ref().or_else(|| self.all.get(&block.name));
        before.map(|d| d.aliases.clone()).unwrap_or_default()
    }

    /// A device that could be started, seen through those below it.
    pub fn plan(&mut self, block: Block, lens: Lens, aliases: Vec<String>) {
        let same = |d: &Device| d.lens.as_ref() == Some(&lens) && d.block == block;
        let name = block.name.clone();
        let runs = |d: &Device| {
            d.block.mapped.is_some() && name.strip_prefix("mapper/") == d.block.mapped.as_deref()
        };
        let known = self.all.get(&name);
        if known.is_some_and(|d| same(d) || !d.is_virtual()) || self.all.values().any(runs) {
            return;
        }
        self.count_change();
        let mut device = self.new_device(block);
        device.links = Some(Vec::new());
        device.links_asked = true;
        device.view.sector = lens.sector;
        device.lens = Some(lens);
        device.aliases = aliases;
        self.all.insert(&name, device);
    }

    /// Only these are still planned.
    pub fn keep_planned(&mut self, names: &[String]) {
        let before = self.all.len();
        let named = |name: &str| names.iter().any(|n| n == name);
        self.all.retain(|name, d| !d.is_virtual() || named(name));
        if self.all.len() != before {
            self.count_change();
        }
    }

    pub fn gone(&mut self, name: &str) {
        self.count_change();
        self.all.remove(name);
    }

    /// A walk begins: whatever it does not report will be gone.
    pub fn new_epoch(&mut self) -> u32 {
        self.epoch = self.epoch.saturating_add(1);
        self.epoch
    }

    /// The walk of `epoch` is over.
    pub fn forget_older_than(&mut self, epoch: u32) {
        self.count_change();
        self.all.retain(|_, d| d.epoch >= epoch || d.is_virtual());
    }

    /// Asks for every device that `worth` names and that was not looked at yet.
    pub fn look(
        &mut self,
        tickets: &mut Tickets,
        out: &mut Vec<Action>,
        worth: impl Fn(&Device) -> bool,
    ) {
        for device in self.all.values_mut() {
            let free =
                device.look == Look::Unseen && device.reading.is_none() && !device.is_opaque();
            if !free || !device.may_hold_something() || !worth(device) {
                continue;
            }
            device.look = Look::Asked;
            device.reading = Some(device.generation);
            let job = Job::Probe {
                device: device.block.name.clone(),
                generation: device.generation,
            };
            let ticket = tickets.issue(job);
            out.push(Action::Probe {
                ticket,
                device: device.block.name.clone(),
                lens: device.lens.clone(),
            });
        }
    }

    /// Asks for bytes of a device, as many as one answer holds, unless it is being read already.
    pub fn read(
        &mut self,
        (tickets, out): (&mut Tickets, &mut Vec<Action>),
        name: &str,
        wanted: &[Range],
    ) {
        let Some(device) = self.all.get_mut(name).filter(|d| d.view_reading.is_none()) else {
            return;
        };
        let mut left = MAX_READ;
        let mut ranges = Vec::new();
        for range in wanted {
            let Some(rest) = left.checked_sub(range.len) else {
                break;
            };
            left = rest;
            ranges.push(*range);
        }
        device.view_reading = Some(device.generation);
        let ticket = tickets.issue(Job::Read {
            device: name.into(),
            generation: device.generation,
            ranges: ranges.clone(),
        });
        out.push(Action::Read {
            ticket,
            device: name.into(),
            lens: device.lens.clone(),
            ranges,
        });
    }

    pub fn was_read(
        &mut self,
        name: &str,
        generation: u32,
        ranges: &[Range],
        pieces: Vec<Option<Text>>,
    ) {
        self.count_change();
        let Some(device) = self.all.get_mut(name) else {
            return;
        };
        if device.view_reading == Some(generation) {
            device.view_reading = None;
        }
        let same = device.generation == generation;
        if !same {
            return;
        }
        let mut pieces = pieces.into_iter();
        for range in ranges {
            match pieces.next().flatten() {
                Some(Text(mut bytes)) => {
                    bytes.resize(range.len, 0);
                    device.view.add(range.at, bytes);
                }
                None => device.view.lose(*range),
            }
        }
    }

    pub fn looked(&mut self, name: &str, generation: u32, result: Result<Finding, Fault>) {
        self.count_change();
        let Some(device) = self.all.get_mut(name) else {
            return;
        };
        if device.reading == Some(generation) {
            device.reading = None;
        }
        if device.generation != generation {
            return;
        }
        device.look = match result {
            Ok(finding) => Look::Known(Box::new(finding)),
            Err(fault) => Look::Failed(fault),
        };
    }

    /// Asks what udev would call every disk that `worth` names, where that was not asked yet.
    pub fn ask_links(
        &mut self,
        tickets: &mut Tickets,
        out: &mut Vec<Action>,
        worth: &dyn Fn(&Device) -> bool,
    ) {
        for device in self.all.values_mut() {
            if device.links_asked || device.block.part_of.is_some() || !worth(device) {
                continue;
            }
            device.links_asked = true;
            let (name, generation) = (device.block.name.clone(), device.generation);
            let device = name.clone();
            let ticket = tickets.issue(Job::Links { device, generation });
            out.push(Action::Links {
                ticket,
                device: name,
            });
        }
    }

    pub fn linked(&mut self, name: &str, generation: u32, names: Vec<String>) {
        let same = |d: &&mut Device| d.generation == generation;
        if let Some(device) = self.all.get_mut(name).filter(same) {
            device.links = Some(names);
            self.count_change();
        }
    }

    pub fn refuse(&mut self, name: &str) {
        if let Some(device) = self.all.get_mut(name) {
            device.refused = true;
        }
    }

    /// A person was at it: everything may be tried again, what failed is looked at again.
    pub fn forgive(&mut self) {
        for device in self.all.values_mut() {
            device.refused = false;
            if matches!(device.look, Look::Failed(_)) {
                device.look = Look::Unseen;
            }
        }
    }

    fn new_generation(&mut self) -> u32 {
        self.next_generation = self.next_generation.saturating_add(1);
        self.next_generation
    }
}
