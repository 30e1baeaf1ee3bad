//! Volumes of dm-verity: each is made as soon as its devices are there, and its superblock is read.
//!
//! Nothing of a volume is trusted before the kernel checks it against the root hash, so nothing is
//! decided by what shines through: the data device is never root itself, and what the volume holds
//! is read once it runs. A root hash that does not fit, and a block that was changed, show in that
//! first read; no retry can mend them.

use super::Plan;
use super::action::{Action, Level};
use super::device::{Device, Devices, Look};
use super::give_up::Cause;
use super::root;
use super::ticket::Job;
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Joined;
use crate::format::dm_init::Mapping;
use crate::format::identity::{Need, Range};
use crate::format::verity::table::{self, Below};
use crate::format::verity::{SUPERBLOCK, Superblock, Volume};
use crate::format::wish::{Source, Wish};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const SECTOR: u64 = 512;

/// How far each volume is, in the order of the wish.
#[derive(Default)]
pub struct Volumes(Vec<State>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Waiting,
    UnderWay {
        /// Bytes of one block.
        block: u32,
    },
    Made {
        block: u32,
    },
    Failed(String),
}

/// What stands between a volume and its table.
enum Step {
    /// A device is not there, or being read.
    Wait,
    Start(String),
    Read(String, Range),
    /// The device to be made, and the bytes of one block of it.
    Map(Box<Mapping>, u32),
    Fail(String),
}

/// The drivers of all volumes.
pub fn drivers(wish: &Wish) -> &'static [&'static str] {
    match wish.verity.is_empty() {
        true => &[],
        false => &["dm-mod", "dm-verity"],
    }
}

/// The volume that `device` is a piece of. `None`: it cannot be told yet.
pub fn piece_of<'w>(
    wish: &'w Wish,
    devices: &Devices,
    device: &Device,
) -> Option<Option<&'w Volume>> {
    for volume in wish.verity.iter().filter(|v| !is_made_of(v, device)) {
        for source in volume.devices() {
            if root::identity_matches(Some(source), devices, device)? {
                return Some(Some(volume));
            }
        }
    }
    Some(None)
}

/// Must the names that udev gives to disks be known?
pub fn needs_links(wish: &Wish) -> bool {
    let mut sources = wish.verity.iter().flat_map(Volume::devices);
    sources.any(|source| matches!(source, Source::Link(_)))
}

/// What the command line demands is read before root is mounted, whatever root is called.
pub fn needed(wish: &Wish, devices: &Devices) -> Vec<String> {
    let is = |d: &&Device| wish.verity.iter().any(|v| v.needed && is_made_of(v, d));
    let devices = devices.all().filter(is);
    devices.map(|d| d.block.name.clone()).listed()
}

/// Is the device what became of the volume?
fn is_made_of(volume: &Volume, device: &Device) -> bool {
    device.block.mapped.as_ref() == Some(&volume.name)
}

/// The device that a volume names. Where there are several, each is checked against the root hash.
fn named<'d>(devices: &'d Devices, volume: &Volume, source: &Source) -> Option<&'d Device> {
    root::first_named(devices, source, &|d| !is_made_of(volume, d))
}

fn below(device: &Device) -> Below {
    Below {
        number: (device.block.major, device.block.minor),
        size: device.block.sectors.saturating_mul(SECTOR),
    }
}

/// What is to be done next.
fn next(volume: &Volume, devices: &Devices) -> Step {
    if let Some(why) = &volume.broken {
        return Step::Fail(why.clone());
    }
    let find = |source: &Source| named(devices, volume, source);
    let (Some(data), Some(hash)) = (find(&volume.data), find(&volume.hash)) else {
        return Step::Wait;
    };
    let fec = volume.options.fec.as_ref().map(|fec| find(&fec.device));
    let Some(fec) = fec.map_or(Some(None), |found| found.map(Some)) else {
        return Step::Wait;
    };
    let below_it = [Some(data), Some(hash), fec];
    if let Some(device) = below_it.into_iter().flatten().find(|d| d.is_virtual()) {
        return Step::Start(device.block.name.clone());
    }
    let superblock = match superblock(volume, hash) {
        Ok(superblock) => superblock,
        Err(step) => return step,
    };
    let devices = table::Devices {
        data: below(data),
        hash: below(hash),
        fec: fec.map(below),
    };
    let block = superblock.as_ref().map(|s| s.data_block);
    let block = block.unwrap_or(volume.options.data_block);
    match table::mapping(volume, superblock.as_ref(), &devices) {
        Ok(mapping) => Step::Map(Box::new(mapping), block),
        Err(why) => Step::Fail(why),
    }
}

/// Where the options say that there is one.
fn superblock(volume: &Volume, device: &Device) -> Result<Option<Superblock>, Step> {
    if !volume.options.superblock {
        return Ok(None);
    }
    let name = &device.block.name;
    match device.view.bytes(volume.options.hash_offset, SUPERBLOCK) {
        Err(Need(range)) => Err(Step::Read(name.clone(), range)),
        Ok(None) => Err(Step::Fail(format!(
            "its superblock on {name} cannot be read"
        ))),
        Ok(Some(bytes)) => match Superblock::read(bytes) {
            Ok(superblock) => Ok(Some(superblock)),
            Err(why) => Err(Step::Fail(format!("{name} {why}"))),
        },
    }
}

impl Plan {
    /// Brings every volume forward.
    pub(super) fn set_up_verity(&mut self, now: Millis) {
        let count = self.wish.verity.len();
        self.verity.0.resize(count, State::Waiting);
        for index in 0..count {
            match self.verity.0.get(index) {
                Some(State::Waiting) => self.step_of_verity(now, index),
                Some(State::Made { block }) => self.judge_verity(now, index, *block),
                _ => {}
            }
        }
    }

    fn step_of_verity(&mut self, now: Millis, index: usize) {
        let Some(volume) = self.wish.verity.get(index) else {
            return;
        };
        match next(volume, &self.devices) {
            Step::Wait => {}
            Step::Start(device) => self.want_real(&device),
            Step::Read(device, range) => self.read(&device, &[range]),
            Step::Fail(why) => self.verity_failed(now, index, why),
            Step::Map(mapping, block) => {
                let settled = |alias: &&str| self.modules.driver_settled(alias);
                if !drivers(&self.wish).iter().all(settled) {
                    return;
                }
                self.put_verity(index, State::UnderWay { block });
                let ticket = self.tickets.issue(Job::Verity(index));
                self.out.push(Action::Map {
                    ticket,
                    mapping,
                    part: false,
                });
            }
        }
    }

    pub(super) fn verity_mapped(&mut self, now: Millis, index: usize, fault: Option<Fault>) {
        match (fault, self.verity.0.get(index)) {
            (Some(fault), _) => self.verity_failed(now, index, fault.into_text()),
            (None, Some(State::UnderWay { block })) => {
                let block = *block;
                self.put_verity(index, State::Made { block });
            }
            _ => {}
        }
    }

    fn put_verity(&mut self, index: usize, state: State) {
        if let Some(place) = self.verity.0.get_mut(index) {
            *place = state;
        }
    }

    /// It runs. What its first bytes say decides whether it can be root.
    fn judge_verity(&mut self, now: Millis, index: usize, block: u32) {
        let Some(volume) = self.wish.verity.get(index) else {
            return;
        };
        let Some(device) = self.devices.all().find(|d| is_made_of(volume, d)) else {
            return;
        };
        let why = match &device.look {
            Look::Failed(fault) => format!(
                "the root hash does not belong to what is on its devices, or something there was \
                 changed: {fault}"
            ),
            Look::Known(_) => match too_small(device, block) {
                Some(why) => why,
                None => return,
            },
            Look::Unseen | Look::Asked => return,
        };
        self.verity_failed(now, index, why);
    }

    fn verity_failed(&mut self, now: Millis, index: usize, why: String) {
        let Some(volume) = self.wish.verity.get(index) else {
            return;
        };
        let name = &volume.name;
        let text = format!("verity volume {name} cannot be used: {why}");
        // No other device can be what was asked for.
        let asked = volume.needed || self.is_root_by_name(volume);
        self.put_verity(index, State::Failed(text.clone()));
        if asked && self.is_looking() {
            self.give_up(now, Cause::Verity(text));
        } else {
            self.say(Level::Error, text);
        }
    }

    /// Is a volume that the command line demands not there yet, or not read?
    pub(super) fn lacks_verity(&self) -> bool {
        let read =
            |volume: &Volume, d: &Device| is_made_of(volume, d) && matches!(d.look, Look::Known(_));
        let mut all = self.wish.verity.iter().zip(&self.verity.0);
        all.any(|(volume, state)| match state {
            _ if !volume.needed => false,
            State::Waiting | State::UnderWay { .. } => true,
            State::Made { .. } => !self.devices.all().any(|d| read(volume, d)),
            State::Failed(_) => false,
        })
    }

    fn is_root_by_name(&self, volume: &Volume) -> bool {
        matches!(&self.wish.root, Some(Source::Name(name))
            if name.strip_prefix("mapper/") == Some(&volume.name))
    }

    /// A person was at it: what failed may be tried again.
    pub(super) fn forgive_verity(&mut self) {
        for state in &mut self.verity.0 {
            if matches!(state, State::Failed(_)) {
                *state = State::Waiting;
            }
        }
    }

    /// For the page: why each volume that was not made was not.
    pub(super) fn unmade_verity(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (volume, state) in self.wish.verity.iter().zip(&self.verity.0) {
            match state {
                // The page is about it.
                State::Failed(_) if self.is_root_by_name(volume) => {}
                State::Failed(why) => lines.push(why.clone()),
                State::Waiting => {
                    let missing = |s: &&Source| named(&self.devices, volume, s).is_none();
                    let missing: Vec<String> = volume
                        .devices()
                        .filter(missing)
                        .map(Source::as_typed)
                        .listed();
                    let name = &volume.name;
                    if !missing.is_empty() {
                        let missing = missing.joined(" and ");
                        lines.push(format!("verity volume {name} waits for {missing}"));
                    }
                }
                State::UnderWay { .. } | State::Made { .. } => {}
            }
        }
        lines
    }
}

/// dm-verity shows blocks as large as those it checks, and these file systems cannot be mounted
/// where a block of the device is larger than their own: the kernel would say EINVAL only.
fn too_small(device: &Device, block: u32) -> Option<String> {
    let signature = device.signature()?;
    let (kind, own) = (&signature.kind, signature.block_size);
    let minds = matches!(kind.as_str(), "ext2" | "ext3" | "ext4" | "xfs" | "vfat");
    (minds && own > 0 && own < block).then(|| {
        format!(
            "its {kind} has blocks of {own} bytes, and dm-verity shows none smaller than {block}: \
             the kernel cannot mount it (make it with larger blocks, or the hashes with \
             --data-block-size={own})"
        )
    })
}
