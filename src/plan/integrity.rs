//! Standalone volumes of dm-integrity: each is made as soon as its device is there and its
//! superblock read.
//!
//! The kernel replays the journal of such a volume when it is made, as `integritysetup open` has
//! it; that is the exception that journals of file systems are, too.

use super::action::{Action, Level};
use super::device::{Device, Devices};
use super::give_up::Cause;
use super::ticket::Job;
use super::{Plan, root};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::format::identity::Need;
use crate::format::integrity::{SUPERBLOCK, Volume};
use crate::format::wish::{Source, Wish};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The drivers of all volumes.
pub fn drivers(wish: &Wish) -> &'static [&'static str] {
    match wish.integrity.is_empty() {
        true => &[],
        false => &["dm-mod", "dm-integrity"],
    }
}

/// Must the names that udev gives to disks be known?
pub fn needs_links(wish: &Wish) -> bool {
    let mut devices = wish.integrity.iter().map(|volume| &volume.device);
    devices.any(|device| matches!(device, Source::Link(_)))
}

/// The device that a volume names.
fn below<'d>(devices: &'d Devices, volume: &Volume) -> Option<&'d Device> {
    let other = |d: &Device| d.block.mapped.as_ref() != Some(&volume.name);
    root::first_named(devices, &volume.device, &other)
}

impl Plan {
    pub(super) fn set_up_integrity(&mut self, now: Millis) {
        for index in 0..self.wish.integrity.len() {
            if !self.integrity_done.contains(&index) {
                self.step_of_integrity(now, index);
            }
        }
    }

    fn step_of_integrity(&mut self, now: Millis, index: usize) {
        let found = self.wish.integrity.get(index);
        let Some((volume, device)) = found.and_then(|v| Some((v, below(&self.devices, v)?))) else {
            return;
        };
        let name = device.block.name.clone();
        if device.is_virtual() {
            return self.want_real(&name);
        }
        let number = format!("{}:{}", device.block.major, device.block.minor);
        let made = match device.view.bytes(0, SUPERBLOCK) {
            Err(Need(range)) => return self.read(&name, &[range]),
            Ok(None) => Err("cannot be read".into()),
            Ok(Some(bytes)) => volume.mapping(bytes, &number),
        };
        let settled = |alias: &&str| self.modules.driver_settled(alias);
        if made.is_ok() && !drivers(&self.wish).iter().all(settled) {
            return;
        }
        if matches!(&made, Ok(mapping) if self.is_start_held(now, &mapping.targets)) {
            return;
        }
        self.integrity_done.push(index);
        match made {
            Ok(mapping) => {
                let ticket = self.tickets.issue(Job::Integrity(index));
                self.out.push(Action::Map {
                    ticket,
                    mapping: mapping.into(),
                    part: false,
                });
            }
            Err(why) => self.integrity_failed(now, index, &format!("{name} {why}")),
        }
    }

    pub(super) fn integrity_mapped(&mut self, now: Millis, index: usize, fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.integrity_failed(now, index, &fault.text);
        }
    }

    fn integrity_failed(&mut self, now: Millis, index: usize, why: &str) {
        let Some(volume) = self.wish.integrity.get(index) else {
            return;
        };
        let text = format!("integrity volume {} cannot be used: {why}", volume.name);
        let asked = Some(Source::Name(["mapper/", &volume.name].concat()));
        if self.wish.root == asked && self.is_looking() {
            self.give_up(now, Cause::Verity(text));
        } else {
            self.say(Level::Error, text);
        }
    }

    /// For the page: what each volume that was not made waits for.
    pub(super) fn unmade_integrity(&self) -> Vec<String> {
        let waits = |v: &&Volume| below(&self.devices, v).is_none();
        let line = |v: &Volume| {
            let (name, device) = (&v.name, v.device.as_typed());
            format!("integrity volume {name} waits for {device}")
        };
        self.wish.integrity.iter().filter(waits).map(line).listed()
    }
}
