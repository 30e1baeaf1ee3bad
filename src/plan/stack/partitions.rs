//! Partitions on devices that do not run yet, and on mapped devices, which the kernel does not
//! look for.
//!
//! Mapped devices get theirs as further mapped devices, named as kpartx(8) names them.

use super::super::device::Device;
use super::super::event::Block;
use super::{Plan, Planned, What};
use crate::format::identity::Partition;
use crate::format::through::{Leg, Row, Through};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

impl Plan {
    pub(super) fn plan_partitions(&mut self) {
        let has_own = |d: &&Device| d.is_virtual() || d.block.mapped.is_some();
        let mut found: Vec<(Block, Partition)> = Vec::new();
        for disk in self
            .devices
            .all()
            .filter(has_own)
            .filter(|d| d.block.part_of.is_none())
        {
            // A member of something has no partitions of its own.
            let table = disk.table().filter(|_| !disk.is_container());
            for entry in table.iter().flat_map(|t| &t.partitions) {
                found.push((disk.block.clone(), entry.clone()));
            }
        }
        for (disk, entry) in found {
            self.plan_partition(&disk, &entry);
        }
    }

    fn plan_partition(&mut self, disk: &Block, entry: &Partition) {
        let number = entry.number;
        let room = disk.sectors.saturating_sub(entry.start);
        let sectors = entry.sectors.min(room);
        if sectors == 0 {
            return;
        }
        let mapped = disk.mapped.as_ref().map(|name| format!("mapper/{name}"));
        let of = mapped.as_ref().unwrap_or(&disk.name);
        let name = partition_name(of, number);
        let block = Block {
            name: name.clone(),
            major: 0,
            minor: 0,
            sectors,
            part_of: Some((disk.name.clone(), number)),
            sequence: 0,
            mapped: None,
        };
        let bytes = |sectors: u64| sectors.checked_mul(super::SECTOR);
        let place = bytes(entry.start).zip(bytes(sectors));
        let seen = place.and_then(|(start, length)| {
            let mut through = Through::default();
            let on = Leg::Device(disk.name.clone());
            through.add(alloc::vec![Row::linear(0, length, on, start)])?;
            Some(through)
        });
        let disk = disk.name.clone();
        let what = match of.starts_with("mapper/") {
            false => What::Partition { disk },
            true => What::Slice {
                disk,
                number,
                start: entry.start,
                sectors,
            },
        };
        self.plan_device(block, Vec::new(), seen);
        self.stack.planned.push(Planned { name, what });
    }
}

/// As the kernel and kpartx name partitions: a `p` after a digit.
fn partition_name(disk: &str, number: u32) -> String {
    let digit = disk.ends_with(|c: char| c.is_ascii_digit());
    format!("{disk}{}{number}", if digit { "p" } else { "" })
}
