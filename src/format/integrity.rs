//! Standalone dm-integrity: lines of integritytab(5), the superblock, and the table that
//! `integritysetup open` would make. A key is read by whoever makes the device.
//!
//! Below LUKS2, dm-integrity is the affair of `luks`. Sources: integritytab(5); kernel
//! `Documentation/admin-guide/device-mapper/dm-integrity.rst`, `drivers/md/dm-integrity.c` (6.12).

use super::dm_init::{KEY, Mapping, Target};
use super::fstab::unescape;
use super::luks;
use super::source::Source;
use super::through::{Leg, Row};
use super::verity::is_name;
use crate::base::bytes::{le16, le32, le64, slice, u8};
use crate::base::list::Listed;
use crate::base::text::Joined;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const SECTOR: u64 = 512;

/// Bytes of the superblock that are read, at the start of the device.
pub const SUPERBLOCK: usize = 64;

/// `SB_FLAG_HAVE_JOURNAL_MAC`: each sector of the journal is sealed.
const SEALED: u32 = 1;
/// `SB_FLAG_RECALCULATING`: tags are still being made.
const RECALCULATING: u32 = 1 << 1;
/// `SB_FLAG_FIXED_PADDING`: tags are padded to 4 KiB, and not to 128 KiB.
const FIXED_PADDING: u32 = 1 << 3;
/// `SB_FLAG_INLINE`: tags are where the disk itself has room for such.
const INLINE: u32 = 1 << 5;

/// Algorithms that take a key, with the kernel's names; the first is usual.
const HMACS: [(&str, &str); 2] = [
    ("hmac-sha256", "hmac(sha256)"),
    ("hmac-sha512", "hmac(sha512)"),
];

/// One volume that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name below `/dev/mapper/`.
    pub name: String,
    pub device: Source,
    /// A file of the image.
    key: Option<String>,
    /// As the kernel calls it.
    algorithm: &'static str,
    discards: bool,
    /// Per cent.
    watermark: u32,
    /// Milliseconds.
    commit_time: u32,
}

impl Volume {
    /// A line of integritytab(5): `NAME DEVICE [KEYFILE|-] [OPTIONS|-]`. The error is the end of a
    /// sentence.
    pub fn from_tab(line: &[u8]) -> Result<Self, String> {
        let fields = line.split(|b| matches!(b, b' ' | b'\t'));
        let fields: Vec<Vec<u8>> = fields.filter(|f| !f.is_empty()).map(unescape).listed();
        let ([name, device], rest) = fields.split_first_chunk().ok_or("has less than 2 fields")?;
        let plain = core::str::from_utf8(name).ok().filter(|n| is_name(n));
        let device = match Source::parse(device) {
            Source::Unknown(typed) => return Err(format!("names no device with '{typed}'")),
            source => source,
        };
        let given = |at: usize| rest.get(at).filter(|field| field.as_slice() != b"-");
        let path = |typed: &Vec<u8>| match core::str::from_utf8(typed) {
            Ok(path) if path.starts_with('/') => Ok(String::from(path)),
            _ => Err("names a key that is no file of the image"),
        };
        let key = given(0).map(path).transpose()?;
        let mut volume = Self {
            name: plain.ok_or("names no volume")?.into(),
            device,
            algorithm: if key.is_some() {
                "hmac(sha256)"
            } else {
                "crc32c"
            },
            key,
            discards: false,
            watermark: 0,
            commit_time: 0,
        };
        for option in given(1)
            .into_iter()
            .flat_map(|list| list.split(|&b| b == b','))
        {
            let text = core::str::from_utf8(option).unwrap_or("?");
            if !text.is_empty() && volume.option(text).is_none() {
                return Err(format!(
                    "holds '{text}', which is no option that is known here"
                ));
            }
        }
        let hmac = HMACS.iter().any(|(_, kernel)| *kernel == volume.algorithm);
        match (hmac, &volume.key) {
            (true, None) => Err("names a keyed algorithm and no key".into()),
            (false, Some(_)) => Err("names a key and an algorithm without one".into()),
            _ => Ok(volume),
        }
    }

    fn option(&mut self, text: &str) -> Option<()> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match name {
            "allow-discards" => self.discards = true,
            "journal-watermark" => {
                let percent = value.strip_suffix('%').unwrap_or(value).parse().ok();
                self.watermark = percent.filter(|percent| *percent <= 100)?;
            }
            // As systemd-integritysetup passes it on: in seconds, rounded up, as milliseconds.
            "journal-commit-time" => self.commit_time = value.parse().ok()?,
            "integrity-algorithm" => {
                let known = ["crc32c", "crc32", "xxhash64", "sha1", "sha256"];
                let hmac = HMACS.iter().find(|(name, _)| *name == value);
                let plain = known.into_iter().find(|known| *known == value);
                self.algorithm = hmac.map(|(_, kernel)| *kernel).or(plain)?;
            }
            "mode" if value == "journal" => {}
            // For whoever starts services.
            "_netdev" | "nofail" | "noauto" | "x-initrd.attach" => {}
            _ => return None,
        }
        Some(())
    }

    /// The device to be made over `number`, as `MAJOR:MINOR`. The error is the end of a sentence
    /// about the device.
    pub fn mapping(&self, superblock: &[u8], number: &str) -> Result<Mapping, String> {
        if slice(superblock, 0, 8) != Some(b"integrt\0") {
            return Err("holds no superblock of dm-integrity".into());
        }
        let version = u8(superblock, 8).unwrap_or(0);
        if !(1..=5).contains(&version) {
            return Err(format!(
                "holds a superblock of the unknown version {version}"
            ));
        }
        let read = self.fields(superblock, number);
        read.ok_or_else(|| "holds a damaged superblock of dm-integrity".into())
    }

    fn fields(&self, superblock: &[u8], number: &str) -> Option<Mapping> {
        let tag = le16(superblock, 10)?;
        let sectors = le64(superblock, 16).filter(|sectors| *sectors > 0)?;
        let flags = le32(superblock, 24)?;
        let block = 512u32.checked_shl(u8(superblock, 28)?.into());
        let block = block.filter(|block| (512..=4096).contains(block))?;
        let mut words = Vec::new();
        if self.watermark > 0 {
            words.push(format!("journal_watermark:{}", self.watermark));
        }
        if self.commit_time > 0 {
            words.push(format!("commit_time:{}", self.commit_time));
        }
        words.push(format!("block_size:{block}"));
        words.push(match &self.key {
            Some(_) => format!("internal_hash:{}:{KEY}", self.algorithm),
            None => format!("internal_hash:{}", self.algorithm),
        });
        if flags & RECALCULATING != 0 {
            words.push("recalculate".into());
        }
        if self.discards {
            words.push("allow_discards".into());
        }
        let (count, words) = (words.len(), words.joined(" "));
        Some(Mapping {
            name: self.name.clone(),
            uuid: luks::table::uuid("INTEGRITY", "", &self.name),
            minor: None,
            read_only: false,
            signature: None,
            key_file: self.key.clone(),
            targets: alloc::vec![Target {
                start: 0,
                sectors,
                kind: "integrity".into(),
                arguments: format!("{number} 0 {tag} J {count} {words}"),
            }],
        })
    }
}

/// How the data of a volume lie on its device: runs of tags and of data by turns, behind the
/// superblock and the journal. What the journal of a volume that was not closed holds back is not
/// seen. `None`: the superblock is damaged, or is not of this kind.
pub fn data(superblock: &[u8]) -> Option<Row<()>> {
    let flags = le32(superblock, 24)?;
    let magic = slice(superblock, 0, 8) == Some(b"integrt\0");
    (magic && flags & INLINE == 0).then_some(())?;
    let tag = u64::from(le16(superblock, 10)?);
    let sectors_per_block = 1u64.checked_shl(u8(superblock, 28)?.into())?;
    let run = 1u64.checked_shl(u8(superblock, 9)?.into())?;
    let blocks = run.checked_div(sectors_per_block).filter(|n| *n > 0)?;
    let padding = if flags & FIXED_PADDING == 0 {
        128 << 10
    } else {
        4 << 10
    };
    let tags = blocks.checked_mul(tag)?.checked_next_multiple_of(padding)?;
    let chunk = run.checked_mul(SECTOR)?;
    let length = le64(superblock, 16)?.checked_mul(SECTOR)?;
    let journal = journal(superblock, flags & SEALED != 0)?.checked_mul(SECTOR)?;
    Some(Row {
        start: 0,
        length,
        chunk,
        stride: tags.checked_add(chunk)?,
        slots: alloc::vec![(Leg::Device(()), journal.checked_add(tags)?)],
    })
}

/// Sectors up to the end of the journal. A section has eight sectors of entries, and room for the
/// block of each. An entry: 8 bytes, 8 for each sector of the block, and the tag.
fn journal(superblock: &[u8], sealed: bool) -> Option<u64> {
    const SECTORS: u64 = 8;
    let tag = u64::from(le16(superblock, 10)?);
    let sections = u64::from(le32(superblock, 12)?);
    let sectors_per_block = 1u64.checked_shl(u8(superblock, 28)?.into())?;
    let entry = sectors_per_block.checked_add(1)?.checked_mul(8)?;
    let entry = entry.checked_add(tag)?.checked_next_multiple_of(8)?;
    let room: u64 = if sealed { SECTOR - 16 } else { SECTOR - 8 };
    let entries = room.checked_div(entry)?.checked_mul(SECTORS)?;
    let section = entries.checked_mul(sectors_per_block)?;
    let section = section.checked_add(SECTORS)?;
    section.checked_mul(sections)?.checked_add(SECTORS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn superblock() -> Vec<u8> {
        let mut bytes = b"integrt\0\x04\x0f\x04\0\x10\0\0\0".to_vec();
        bytes.extend_from_slice(&1024u64.to_le_bytes());
        bytes.extend_from_slice(&[8, 0, 0, 0, 3, 15, 0, 0]);
        bytes.resize(SUPERBLOCK, 0);
        bytes
    }

    #[test]
    fn a_line_and_a_superblock_make_a_table() {
        let check = |line: &str, expected: &str| {
            let volume = Volume::from_tab(line.as_bytes());
            let made = volume.and_then(|v| v.mapping(&superblock(), "8:1"));
            let shown = made.map(|m| {
                let targets: Vec<String> = m.targets.iter().map(|t| t.arguments.clone()).collect();
                format!("{} {}", m.uuid, targets.join(","))
            });
            assert_eq!(shown.unwrap_or_else(|why| why), expected, "{line}");
        };
        check(
            "home /dev/sda1",
            "CRYPT-INTEGRITY-home 8:1 0 4 J 2 block_size:4096 internal_hash:crc32c",
        );
        check(
            "a LABEL=b - allow-discards,journal-watermark=55%,integrity-algorithm=sha256,nofail",
            "CRYPT-INTEGRITY-a 8:1 0 4 J 4 journal_watermark:55 block_size:4096 \
             internal_hash:sha256 allow_discards",
        );
        check("a", "has less than 2 fields");
        check("a what", "names no device with 'what'");
        check(
            "a /dev/b /key",
            "CRYPT-INTEGRITY-a 8:1 0 4 J 2 block_size:4096 internal_hash:hmac(sha256):{key}",
        );
        check("a /dev/b key", "names a key that is no file of the image");
        check(
            "a /dev/b - integrity-algorithm=hmac-sha512",
            "names a keyed algorithm and no key",
        );
        check(
            "a /dev/b /key integrity-algorithm=sha1",
            "names a key and an algorithm without one",
        );
        check(
            "a /dev/b - mode=bitmap",
            "holds 'mode=bitmap', which is no option that is known here",
        );
    }

    #[test]
    fn data_lie_between_runs_of_tags() {
        let check = |flags: u8, expected| {
            let mut bytes = superblock();
            bytes[24] = flags;
            let found = data(&bytes).map(|row| {
                let start = row.slots.first().map_or(0, |slot| slot.1);
                (start, row.length, row.chunk, row.stride)
            });
            assert_eq!(found, expected, "{flags}");
        };
        // 16 sections of six entries a sector: of 8 + 8 * 6 * 8 sectors.
        let journal = (8 + 16 * 392) * 512;
        let run = 32768 * 512;
        let (length, padded) = (1024 * 512, 128 << 10);
        let told = |tags: u64| Some((journal + tags, length, run, run + tags));
        check(0, told(padded));
        // A tag of 4 bytes for each of 4096 blocks.
        check(8, told(16 << 10));
        check(32, None);
        let mut bent = superblock();
        bent[9] = 80;
        assert_eq!(data(&bent), None);
        assert_eq!(data(&bent[..20]), None);
    }

    #[test]
    fn a_bent_superblock_is_refused() {
        let Ok(volume) = Volume::from_tab(b"a /dev/b") else {
            unreachable!("it is right");
        };
        for (at, byte, why) in [
            (0, 0, "holds no superblock of dm-integrity"),
            (8, 9, "holds a superblock of the unknown version 9"),
            (17, 0, "holds a damaged superblock of dm-integrity"),
            (28, 40, "holds a damaged superblock of dm-integrity"),
            (28, 4, "holds a damaged superblock of dm-integrity"),
        ] {
            let mut bent = superblock();
            bent[at] = byte;
            assert_eq!(volume.mapping(&bent, "8:1").unwrap_err(), why, "{at}");
        }
    }
}
