//! The partition table of DOS in the master boot record, logical partitions included.
//!
//! The same magic ends the boot sector of FAT and of others, so these are ruled out first.
//! Partitions are numbered as the kernel does it (`block/partitions/msdos.c`, Linux 6.6), since
//! the numbers are in the names of the devices. Tables of BSD and others inside of partitions are
//! not read.

use super::fields::{Fields, Look, ensure};
use super::table::{MAX_PARTITIONS, Placed};
use super::{Partition, Table, exfat, lvm, ntfs, vfat};
use alloc::format;
use alloc::vec::Vec;

const MAGIC: &[u8] = b"\x55\xaa";
const PROTECTIVE: u8 = 0xee;
/// EBCDIC "IBMA": the boot record of AIX ends in the same magic.
const AIX: &[u8] = b"\xc9\xc2\xd4\xc1";
/// Extended boot records that are followed, whatever is in them. A chain is read one by one.
const MAX_RECORDS: usize = 256;

/// One of the four entries of a boot record; sectors in units of 512 bytes.
#[derive(Clone, Copy)]
struct Entry {
    boot: u8,
    kind: u8,
    start: u64,
    sectors: u64,
}

impl Entry {
    fn is_extended(self) -> bool {
        self.sectors != 0 && matches!(self.kind, 0x05 | 0x0f | 0x85)
    }

    fn is_data(self) -> bool {
        self.sectors != 0 && !self.is_extended()
    }
}

/// The boot record at `sector` (of 512 bytes): its bytes and entries.
fn record<'a>(look: &Look<'a>, sector: u64) -> Option<(Fields<'a>, [Entry; 4])> {
    let bytes = look.fields(sector.saturating_mul(512), 512)?;
    ensure(bytes.is(510, MAGIC))?;
    let in_512 = |n: u32| u64::from(n).saturating_mul(u64::from(look.sector() >> 9));
    let entry = |at: usize| {
        let raw = Fields(bytes.bytes(at, 16)?);
        Some(Entry {
            boot: raw.u8(0)?,
            kind: raw.u8(4)?,
            start: in_512(raw.le32(8)?),
            sectors: in_512(raw.le32(12)?),
        })
    };
    Some((bytes, [entry(446)?, entry(462)?, entry(478)?, entry(494)?]))
}

/// Is there an MBR that protects a GPT?
pub(super) fn protective(look: &Look) -> Option<()> {
    let (_, entries) = record(look, 0)?;
    ensure(entries.iter().any(|e| e.kind == PROTECTIVE))
}

pub(super) fn read(look: &Look) -> Option<Placed> {
    let (mbr, primary) = record(look, 0)?;
    ensure(!mbr.is(0, AIX))?;
    ensure(
        primary
            .iter()
            .all(|e| matches!(e.boot, 0 | 0x80) && e.kind != PROTECTIVE),
    )?;
    ensure(!vfat::is_fat(mbr) && !exfat::is_exfat(look) && !ntfs::is_ntfs(look))?;
    if primary.iter().all(|e| e.sectors == 0) {
        // Nothing but a boot loader in front of a physical volume.
        ensure(lvm::label(look).is_none())?;
    }
    let mut list = List {
        id: mbr.le32(440)?,
        next: 1,
        partitions: Vec::new(),
    };
    for entry in primary {
        if entry.sectors != 0 {
            list.add(entry, entry.start);
        } else {
            list.next = list.next.saturating_add(1);
        }
    }
    list.next = 5;
    for entry in primary.into_iter().filter(|e| e.is_extended()) {
        logical(look, entry, &mut list);
    }
    let table = Table {
        kind: "dos".into(),
        uuid: (list.id != 0).then(|| format!("{:08x}", list.id)),
        partitions: list.partitions,
    };
    Some(Placed { table, at: 446 })
}

/// Follows the chain of extended boot records. What is wrong with it ends it.
fn logical(look: &Look, extended: Entry, list: &mut List) {
    // Sector 0 is the MBR itself. A chain that comes back to where it was is a circle.
    let mut seen = Vec::from([0]);
    let (mut at, mut length) = (extended.start, extended.sectors);
    let end = extended.start.saturating_add(extended.sectors);
    while !seen.contains(&at) && seen.len() <= MAX_RECORDS {
        seen.push(at);
        let Some((_, entries)) = record(look, at) else {
            break;
        };
        for (i, entry) in entries.into_iter().enumerate().filter(|(_, e)| e.is_data()) {
            let start = at.saturating_add(entry.start);
            // OS/2 used the third and fourth entry; elsewhere they may be rubbish.
            let inside = entry.start.saturating_add(entry.sectors) <= length
                && start >= extended.start
                && start.saturating_add(entry.sectors) <= end;
            if i < 2 || inside {
                list.add(entry, start);
            }
        }
        let Some(link) = entries.into_iter().find(|e| e.is_extended()) else {
            break;
        };
        at = extended.start.saturating_add(link.start);
        length = link.sectors;
    }
}

struct List {
    /// The disk signature.
    id: u32,
    /// The number of the next partition.
    next: u32,
    partitions: Vec<Partition>,
}

impl List {
    fn add(&mut self, entry: Entry, start: u64) {
        if self.next > MAX_PARTITIONS {
            return;
        }
        self.partitions.push(Partition {
            number: self.next,
            uuid: format!("{:08x}-{:02x}", self.id, self.next),
            label: None,
            kind: format!("{:#x}", entry.kind),
            start,
            sectors: entry.sectors,
            flags: u64::from(entry.boot),
        });
        self.next = self.next.saturating_add(1);
    }
}
