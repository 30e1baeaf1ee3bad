//! Partitions on devices that do not run yet, and those that the kernel does not look for: on
//! mapped devices, and within partitions.
//!
//! These become further mapped devices, named as kpartx(8) names them.

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
        let mut found: Vec<(Block, Partition)> = Vec::new();
        for disk in self.devices.all().filter(|d| self.needs_own(d)) {
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

    /// Does the kernel not look for partitions on this device, or not yet? What only holds other
    /// partitions of the same table has none of its own.
    fn needs_own(&self, disk: &Device) -> bool {
        let kind = self.devices.entry_of(disk).map(|entry| entry.kind.as_str());
        let extended = matches!(kind, Some("0x5" | "0xf" | "0x85"));
        let alone = disk.block.part_of.is_some() && !extended;
        disk.is_virtual() || disk.block.mapped.is_some() || alone
    }

    fn plan_partition(&mut self, disk: &Block, entry: &Partition) {
        let number = entry.number;
        let room = disk.sectors.saturating_sub(entry.start);
        let sectors = entry.sectors.min(room);
        if sectors == 0 {
            return;
        }
        // The kernel looks for partitions of whole disks, and not of mapped ones.
        let by_kernel = disk.part_of.is_none() && !disk.name.starts_with("mapper/");
        let by_kernel = by_kernel && disk.mapped.is_none();
        let of = match &disk.mapped {
            Some(name) => format!("mapper/{name}"),
            None if by_kernel || disk.name.starts_with("mapper/") => disk.name.clone(),
            None => format!("mapper/{}", disk.name.replace('/', "!")),
        };
        let name = partition_name(&of, number);
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
        let what = match by_kernel {
            true => What::Partition { disk },
            false => What::Slice {
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
