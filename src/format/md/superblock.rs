//! What the superblock of one member says: everything that assembly needs.
//!
//! The checksum must hold here. (`format::identity` does not ask for it: a member whose superblock
//! is damaged must not be taken for the file system on it, but it is not assembled either.) Source:
//! kernel `include/uapi/linux/raid/md_p.h`, `drivers/md/md.c` (super_1_load), md(4).

use super::level::Level;
use super::{version0, version1};
use crate::base::bytes::{le32, slice};
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Bytes to read at each place. Bounds the table of roles: 1920 devices.
pub const SIZE: usize = 4096;
pub(super) const MAGIC: u32 = 0xa92b_4efc;

/// Where the superblock lies, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The old form, 64 to 128 KiB from the end.
    V0,
    /// 8 to 12 KiB from the end.
    V1_0,
    /// At the start.
    V1_1,
    /// 4 KiB from the start.
    V1_2,
}

impl Version {
    pub const ALL: [Self; 4] = [Self::V0, Self::V1_0, Self::V1_1, Self::V1_2];

    /// Where a device of `size` bytes has its superblock, in bytes; it is of [`SIZE`].
    pub fn place(self, size: u64) -> Option<u64> {
        let at = match self {
            Self::V0 => (size & !0xffff).checked_sub(0x1_0000),
            Self::V1_0 => (size & !0xfff).checked_sub(0x2000),
            Self::V1_1 => Some(0),
            Self::V1_2 => Some(4096),
        }?;
        (at.checked_add(SIZE as u64)? <= size).then_some(at)
    }

    /// What the kernel is told: major and minor version.
    pub const fn numbers(self) -> (u32, u32) {
        match self {
            Self::V0 => (0, 90),
            Self::V1_0 => (1, 0),
            Self::V1_1 => (1, 1),
            Self::V1_2 => (1, 2),
        }
    }
}

/// As the tools print it: `0.90`, `1.2`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V0 => "0.90",
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        })
    }
}

/// An array's or a member's identity. Printed as the md tools do: four groups of eight digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// 32 hexadecimal digits, with whatever the tools put between them.
    pub fn read(text: &[u8]) -> Option<Self> {
        let mut id = [0; 16];
        let is_digit = |b: &&u8| !matches!(b, b':' | b'-' | b'.' | b' ');
        let mut digits = text.iter().filter(is_digit);
        for byte in &mut id {
            let mut digit = || char::from(*digits.next()?).to_digit(16);
            *byte = u8::try_from(digit()? << 4 | digit()?).ok()?;
        }
        digits.next().is_none().then_some(Self(id))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at > 0 && at % 4 == 0 { ":" } else { "" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a member is to the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Holds the data of this slot.
    Active(u32),
    /// Is to replace the member of this slot, which still works.
    Replacement(u32),
    Spare,
    Faulty,
    Journal,
}

/// A change of shape that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshape {
    /// Sectors of the array that have, or have not yet, their new place.
    pub position: u64,
    pub level: Level,
    pub layout: u32,
    /// Sectors.
    pub chunk: u64,
    /// Members that are added, or taken away.
    pub delta: i32,
    /// Runs from the end to the start.
    pub backwards: bool,
    /// Data moves on each member by so many sectors; `None`: it is rewritten in place, and what is
    /// being rewritten is kept in a file that only mdadm knows.
    pub offset: Option<i32>,
}

/// How the array knows what to synchronise after a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Sectors from the superblock to the write-intent bitmap.
    pub bitmap: Option<i32>,
    pub journal: bool,
    /// Sectors from the superblock to the partial parity log, and its length.
    pub partial_parity: Option<(i16, u16)>,
    /// There are blocks that could not be read.
    pub bad_blocks: bool,
    /// Several machines share the array under a lock manager.
    pub clustered: bool,
    /// `layout` counts for level 0, too.
    pub raid0_layout: bool,
}

/// Sizes and offsets are in sectors, where nothing else is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    pub version: Version,
    /// Identity of the array.
    pub array: Id,
    /// Identity of the member; version 0.90 has none.
    pub device: Option<Id>,
    /// `HOST:NAME`, or the preferred number of a version 0.90 array.
    pub name: Text,
    /// When the array was made; seconds since 1970.
    pub created: u64,
    pub updated: u64,
    pub level: Level,
    pub layout: u32,
    pub chunk: u64,
    /// Slots. While the array shrinks, those that it had.
    pub slots: u32,
    /// What is used of each member.
    pub size: u64,
    pub data_offset: u64,
    /// What could be used of this member.
    pub data_size: u64,
    pub role: Role,
    /// The member is filled up to here; `None`: it is whole.
    pub recovered: Option<u64>,
    pub write_mostly: bool,
    pub events: u64,
    /// No write was under way.
    pub clean: bool,
    pub features: Features,
    pub reshape: Option<Reshape>,
    /// By slot: does this member believe that the slot has a working device?
    pub working: Vec<bool>,
}

impl Superblock {
    /// Slots that have a working device, as this member knows it.
    pub fn working(&self) -> usize {
        self.working.iter().filter(|&&works| works).count()
    }

    /// May data of this member be used as it is?
    pub fn in_sync(&self) -> bool {
        matches!(self.role, Role::Active(_)) && self.recovered.is_none()
    }
}

/// The superblock of this version in the bytes at its place on a device of `size` bytes.
/// `None`: there is none.
///
/// # Errors
/// There is one, and it cannot be used; one sentence says why.
pub fn read(version: Version, bytes: &[u8], size: u64) -> Option<Result<Superblock, String>> {
    let place = version.place(size)?;
    match version {
        Version::V0 => version0::read(bytes, place),
        _ => version1::read(version, bytes, place, size),
    }
}

/// The sum over little-endian words, folded once. `own`: the word that holds the sum counts as 0.
/// A last half word counts as one.
pub(super) fn sum(bytes: &[u8], own: usize) -> u64 {
    let words = bytes.chunks(4).enumerate();
    words.fold(0u64, |sum, (at, word)| {
        let mut whole = [0; 4];
        for (to, from) in whole.iter_mut().zip(word) {
            *to = *from;
        }
        let counts = at != own;
        sum.wrapping_add(u64::from(counts).wrapping_mul(u32::from_le_bytes(whole).into()))
    })
}

/// Is there a superblock of version 1 at all? Magic, version and its own place tell.
pub(super) fn is_version_1(bytes: &[u8], place: u64) -> Option<bool> {
    let magic = le32(bytes, 0)? == MAGIC && le32(bytes, 4)? == 1;
    let sector = slice(bytes, 144, 8)? == (place >> 9).to_le_bytes();
    Some(magic && sector)
}
