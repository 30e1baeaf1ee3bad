//! What a block device is, by its bytes: file system, container member, partition table.
//!
//! Nothing is read here. [`identify`] looks into a [`View`]; where bytes are missing it says which
//! ([`Step::Read`]), the caller reads them into the view and asks again.
//!
//! One more format is one more file with a record (`Format`) at its bottom, and the record's name
//! in the list of `engine`. A reader goes magic, plausibility, checksum, report; it
//! asks for bytes by looking at them, and keeps what it may ask for bounded.
//! Names, identities and precedence are those of libblkid (util-linux), against which the tests
//! compare.

mod bcache;
mod bitlocker;
mod btrfs;
mod checksum;
mod dm;
mod dos;
mod engine;
mod exfat;
mod ext;
mod f2fs;
mod fields;
mod firmware_raid;
mod gpt;
mod iso9660;
mod jfs;
mod luks;
mod lvm;
mod md;
mod minix;
mod nilfs2;
mod ntfs;
mod readonly;
mod reiserfs;
mod swap;
mod table;
mod ubi;
mod udf;
mod vfat;
mod view;
mod xfs;
mod zfs;

pub use engine::{identify, identify_with};
pub use lvm::sum as lvm_sum;
pub use view::{Need, Range, View};

use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// How a signature may be used. Containers take precedence over what shines through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    Filesystem,
    /// Member of an array or of a volume group: `linux_raid_member`, `LVM2_member`.
    Raid,
    /// An encrypted container: `crypto_LUKS`.
    Crypto,
    /// Swap, and whatever else is neither of the above.
    #[default]
    Other,
}

/// What blkid calls a superblock: TYPE, UUID, LABEL, as libblkid spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// libblkid's name: `ext4`, `crypto_LUKS`, `linux_raid_member`, …
    pub kind: String,
    pub usage: Usage,
    pub version: Option<String>,
    pub uuid: Option<String>,
    /// A second identity, where the format has one (btrfs and md device UUIDs).
    pub uuid_sub: Option<String>,
    pub label: Option<Text>,
    /// Bytes in a block of the file system; 0 where the format does not tell.
    pub block_size: u32,
    /// Devices that the file system lies on; 0 where the format does not tell.
    pub devices: u16,
}

/// One entry of a partition table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// As the kernel numbers them, from 1; logical partitions from 5.
    pub number: u32,
    /// GPT: the entry's GUID, lower case. MBR: `SSSSSSSS-PP`, lower case hexadecimal.
    pub uuid: String,
    /// GPT only.
    pub label: Option<Text>,
    /// GPT: type GUID, lower case. MBR: `0x83`.
    pub kind: String,
    /// First sector and length, in units of 512 bytes.
    pub start: u64,
    pub sectors: u64,
    /// GPT: attribute bits. MBR: the boot indicator.
    pub flags: u64,
}

/// A partition table: `gpt` or `dos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub kind: String,
    /// GPT: disk GUID. MBR: disk signature as eight hexadecimal digits.
    pub uuid: Option<String>,
    pub partitions: Vec<Partition>,
}

/// Everything that identification found out about one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    pub signature: Option<Signature>,
    pub table: Option<Table>,
    /// Several signatures that exclude each other: their names. `signature` is then `None`.
    pub ambivalent: Vec<String>,
}

/// The answer of [`identify`].
pub enum Step {
    /// Read these ranges into the view and ask again.
    Read(Vec<Range>),
    Done(Finding),
}
