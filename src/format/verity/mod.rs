//! dm-verity: volumes whose every block is checked against a tree of hashes when it is read.
//!
//! Here: what the command line and the image's veritytab(5) say of such volumes ([`Volume`],
//! [`Options`]), what the superblock in front of the tree says ([`Superblock`]), and the table
//! that `veritysetup open` would make of both ([`table`]). Not here: the hashes themselves, which
//! the kernel checks; what the UUID of a hash device is (`identity`).
//!
//! Sources: cryptsetup wiki, "DMVerity", "Verity superblock format"; veritysetup(8), veritytab(5),
//! systemd-veritysetup-generator(8); the Discoverable Partitions Specification (UAPI group).

mod options;
pub mod table;
#[cfg(test)]
mod tests;

use super::fstab::unescape;
use super::source::Source;
use crate::base::bytes::{array, le16, le32, le64, slice, until_nul};
use crate::base::hex;
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use options::{Corruption, Fec, Options};

/// Bytes of the superblock.
pub const SUPERBLOCK: usize = 512;

/// Longest salt that a superblock holds, in bytes.
const SALT_MAX: usize = 256;
/// Block sizes that cryptsetup takes, in bytes.
const BLOCKS: core::ops::RangeInclusive<u32> = 512..=512 * 1024;
/// A root hash has at least so many digits: a partition's UUID is made of them.
const DIGITS_MIN: usize = 32;
/// More are no hash; the kernel's longest digest has 64 bytes.
const DIGITS_MAX: usize = 256;

/// One volume that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name below `/dev/mapper/`.
    pub name: String,
    /// In digits of lower case.
    pub root_hash: String,
    pub data: Source,
    pub hash: Source,
    pub options: Options,
    /// Root is not mounted before it is there: the command line tells its root hash.
    pub needed: bool,
    /// Why it can never be set up, as the end of a sentence.
    pub broken: Option<String>,
}

impl Volume {
    /// A volume whose devices are those partitions whose UUIDs are the first and the last half of
    /// the root hash, unless they are named. A root hash that is none breaks the volume.
    pub fn new(name: &str, hash: &[u8], data: Option<Source>, tree: Option<Source>) -> Self {
        let root_hash = Text::from(hash).as_str().map(str::to_ascii_lowercase);
        let root_hash = root_hash.unwrap_or_default();
        let digits = root_hash.len();
        let whole = (DIGITS_MIN..=DIGITS_MAX).contains(&digits);
        let good = whole && hex::decode(root_hash.as_bytes()).is_some();
        let half = |from: usize| {
            let part = root_hash.get(from..from.saturating_add(DIGITS_MIN));
            Source::PartUuid(part.and_then(hex::as_uuid).unwrap_or_default())
        };
        Self {
            name: name.into(),
            data: data.unwrap_or_else(|| half(0)),
            hash: tree.unwrap_or_else(|| half(digits.saturating_sub(DIGITS_MIN))),
            options: Options::default(),
            needed: false,
            broken: (!good).then(|| format!("its root hash '{}' is none", Text::from(hash))),
            root_hash,
        }
    }

    /// A line of veritytab(5): `NAME DATA HASH ROOTHASH [OPTIONS]`. The error is the end of a
    /// sentence.
    pub fn from_tab(line: &[u8]) -> Result<Self, String> {
        let fields = line.split(|b| matches!(b, b' ' | b'\t'));
        let fields: Vec<Vec<u8>> = fields.filter(|f| !f.is_empty()).map(unescape).listed();
        let (four, options) = fields.split_at_checked(4).unwrap_or((&[], &[]));
        let ([name, data, hash, root_hash], true) = (four, options.len() < 2) else {
            return Err("has other than 4 or 5 fields".into());
        };
        let plain = core::str::from_utf8(name).ok().filter(|n| is_name(n));
        let name = plain.ok_or("names no volume")?;
        let source = |typed: &[u8]| match Source::parse(typed) {
            Source::Unknown(typed) => Err(format!("names no device with '{typed}'")),
            source => Ok(source),
        };
        let (data, hash) = (source(data)?, source(hash)?);
        let mut volume = Self::new(name, root_hash, Some(data), Some(hash));
        for option in options {
            if let Some(odd) = volume.options.add(option) {
                return Err(odd);
            }
        }
        Ok(volume)
    }

    /// Every device that it is made of.
    pub fn devices(&self) -> impl Iterator<Item = &Source> {
        let fec = self.options.fec.as_ref().map(|fec| &fec.device);
        [&self.data, &self.hash].into_iter().chain(fec)
    }
}

/// May a mapped device be called so? linux/dm-ioctl.h, `DM_NAME_LEN`.
pub(super) fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && name.len() < 128 && !name.contains(['/', '\0'])
}

/// What the superblock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// 0: as Chrome OS had it, 1: the usual one.
    pub format: u32,
    /// With hyphens.
    pub uuid: String,
    pub algorithm: String,
    /// Bytes.
    pub data_block: u32,
    pub hash_block: u32,
    pub data_blocks: u64,
    pub salt: Vec<u8>,
}

impl Superblock {
    /// Reads the [`SUPERBLOCK`] bytes at the offset of the tree. The error is the end of a sentence
    /// about the device.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if slice(bytes, 0, 8) != Some(b"verity\0\0") {
            return Err("holds no superblock of dm-verity".into());
        }
        let version = le32(bytes, 8).unwrap_or(0);
        if version != 1 {
            return Err(format!(
                "holds a superblock of the unknown version {version}"
            ));
        }
        let read = Self::fields(bytes);
        read.ok_or_else(|| "holds a damaged superblock of dm-verity".into())
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        let uuid: [u8; 16] = array(bytes, 16)?;
        let algorithm = until_nul(slice(bytes, 32, 32)?);
        let algorithm = core::str::from_utf8(algorithm).ok()?;
        let salt = slice(bytes, 88, usize::from(le16(bytes, 80)?))?;
        let read = Self {
            format: le32(bytes, 12)?,
            uuid: hex::as_uuid(&hex::encode(&uuid))?,
            algorithm: algorithm.into(),
            data_block: le32(bytes, 64)?,
            hash_block: le32(bytes, 68)?,
            data_blocks: le64(bytes, 72)?,
            salt: salt.into(),
        };
        let blocks = is_block(read.data_block) && is_block(read.hash_block);
        let good = read.format <= 1 && blocks && salt.len() <= SALT_MAX;
        (good && is_algorithm(algorithm) && read.data_blocks > 0).then_some(read)
    }
}

fn is_block(size: u32) -> bool {
    size.is_power_of_two() && BLOCKS.contains(&size)
}

/// It becomes one word of a table.
fn is_algorithm(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !name.is_empty() && name.bytes().all(plain)
}
