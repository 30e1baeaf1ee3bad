//! Partition tables: which one it is, and how much of it is believed.

use super::fields::Look;
use super::{Table, dos, gpt};

/// The kernel knows at most this many partitions on a disk (DISK_MAX_PARTS in
/// `include/linux/genhd.h` as it was, `block/partitions/check.c` today).
pub(super) const MAX_PARTITIONS: u32 = 256;

/// A table, and the byte of the device where it begins.
pub(super) struct Placed {
    pub table: Table,
    pub at: u64,
}

pub(super) fn read(look: &Look) -> Option<Placed> {
    dos::read(look).or_else(|| gpt::read(look))
}
