//! Standalone dm-integrity: lines of integritytab(5), the superblock, and the table that
//! `integritysetup open` would make. Volumes whose tags are keyed are not set up yet.
//!
//! Below LUKS2, dm-integrity is the affair of `luks`. Sources: integritytab(5); kernel
//! `Documentation/admin-guide/device-mapper/dm-integrity.rst`, `drivers/md/dm-integrity.c` (6.12).

use super::dm_init::{Mapping, Target};
use super::fstab::unescape;
use super::luks;
use super::source::Source;
use super::verity::is_name;
use crate::base::bytes::{le16, le32, le64, slice, u8};
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes of the superblock that are read, at the start of the device.
pub const SUPERBLOCK: usize = 64;

/// `SB_FLAG_RECALCULATING`: tags are still being made.
const RECALCULATING: u32 = 1 << 1;

/// One volume that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name below `/dev/mapper/`.
    pub name: String,
    pub device: Source,
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
        if given(0).is_some() {
            return Err("has a key, and no volume with a key is set up yet".into());
        }
        let mut volume = Self {
            name: plain.ok_or("names no volume")?.into(),
            device,
            algorithm: "crc32c",
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
        Ok(volume)
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
                self.algorithm = known.into_iter().find(|known| *known == value)?;
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
        words.push(format!("internal_hash:{}", self.algorithm));
        if flags & RECALCULATING != 0 {
            words.push("recalculate".into());
        }
        if self.discards {
            words.push("allow_discards".into());
        }
        let (count, words) = (words.len(), words.join(" "));
        Some(Mapping {
            name: self.name.clone(),
            uuid: luks::table::uuid("INTEGRITY", "", &self.name),
            minor: None,
            read_only: false,
            signature: None,
            targets: alloc::vec![Target {
                start: 0,
                sectors,
                kind: "integrity".into(),
                arguments: format!("{number} 0 {tag} J {count} {words}"),
            }],
        })
    }
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
            "has a key, and no volume with a key is set up yet",
        );
        check(
            "a /dev/b - mode=bitmap",
            "holds 'mode=bitmap', which is no option that is known here",
        );
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
