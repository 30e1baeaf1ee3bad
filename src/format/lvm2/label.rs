//! The label of a physical volume: whose it is, how large, where its metadata areas lie.
//!
//! Source: lvm2 `lib/format_text/layout.h` (struct pv_header, disk_locn, pv_header_extension),
//! `lib/label/label.h`.

use super::name::Id;
use crate::base::bytes::{le32, le64, slice};
use crate::format::identity::lvm_sum;
use alloc::vec::Vec;

pub const SECTOR: usize = 512;
/// The label lies in one of the first four sectors.
pub const SCAN: usize = 4 * SECTOR;
/// More areas than lvm ever writes (two).
const MAX_AREAS: usize = 8;

/// A stretch of the device, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub offset: u64,
    pub size: u64,
}

/// What the label sector says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub id: Id,
    /// Length in bytes of the device when the volume was made; 0: not noted.
    pub device_size: u64,
    /// Empty when the volume holds no metadata: other members of its group do.
    pub metadata_areas: Vec<Extent>,
    /// In use by a volume group, whether or not metadata is found (extension flag 1).
    pub used: bool,
}

/// The label in the first [`SCAN`] bytes of a device, if there is one whose checksum holds.
pub fn read(head: &[u8]) -> Option<Label> {
    [1, 0, 2, 3].iter().find_map(|&sector: &usize| {
        let bytes = slice(head, sector.checked_mul(SECTOR)?, SECTOR)?;
        let magic = slice(bytes, 0, 8)? == b"LABELONE" && slice(bytes, 24, 8)? == b"LVM2 001";
        let here = le64(bytes, 8)? == sector as u64;
        let whole = le32(bytes, 16)? == lvm_sum(slice(bytes, 20, SECTOR - 20)?);
        (magic && here && whole).then_some(())?;
        header(bytes, le32(bytes, 20)? as usize)
    })
}

/// struct pv_header at `at`: id, size, data areas up to a zero, metadata areas up to a zero.
fn header(label: &[u8], at: usize) -> Option<Label> {
    let id = Id::read(slice(label, at, 32)?)?;
    let device_size = le64(label, at.checked_add(32)?)?;
    let (_, next) = areas(label, at.checked_add(40)?)?;
    let (metadata_areas, next) = areas(label, next)?;
    let extended = le32(label, next).is_some_and(|version| version > 0);
    let flags = next.checked_add(4).and_then(|at| le32(label, at));
    let used = extended && flags.is_some_and(|flags| flags & 1 != 0);
    Some(Label {
        id,
        device_size,
        metadata_areas,
        used,
    })
}

/// Pairs of offset and size up to a pair of zeros, and the offset behind it.
fn areas(label: &[u8], mut at: usize) -> Option<(Vec<Extent>, usize)> {
    let mut found = Vec::new();
    loop {
        let offset = le64(label, at)?;
        let size = le64(label, at.checked_add(8)?)?;
        at = at.checked_add(16)?;
        if offset == 0 {
            return Some((found, at));
        }
        if found.len() >= MAX_AREAS {
            return None;
        }
        found.push(Extent { offset, size });
    }
}
