//! LVM2 physical volume: the label and the volume's UUID. The metadata is not read here.
//!
//! Source: lvm2 `lib/format_text/layout.h`, `lib/label/label.h` (struct label_header, pv_header).

use super::checksum::{NOWHERE, crc32_from};
use super::fields::{Fields, Format, Look, ensure};
use super::{Signature, Usage};
use alloc::string::String;

const SECTOR: usize = 512;
/// The label lies in one of the first four sectors; pvcreate takes the second.
const SECTORS: [u64; 4] = [1, 0, 2, 3];
/// Source: lvm2 `lib/misc/crc.h`.
const INITIAL_CRC: u32 = 0xf597_a6cf;
/// pvcreate wipes this much at the head. A partition table in there was written afterwards.
pub(super) const WIPED: u64 = 8 * 1024;

/// The sector with the label, if there is a volume.
pub(super) fn label<'a>(look: &Look<'a>) -> Option<Fields<'a>> {
    SECTORS.iter().find_map(|&sector| {
        let label = look.fields(sector.saturating_mul(SECTOR as u64), SECTOR)?;
        ensure(label.is(0, b"LABELONE") && label.is(24, b"LVM2 001"))?;
        ensure(label.le64(8)? == sector)?;
        ensure(sum(label.bytes(20, SECTOR - 20)?) == label.le32(16)?)?;
        Some(label)
    })
}

/// The checksum that lvm writes over labels, metadata headers and metadata texts.
pub fn sum(bytes: &[u8]) -> u32 {
    crc32_from(INITIAL_CRC, bytes, NOWHERE)
}

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    out.set_id(uuid(label(look)?.bytes(32, 32)?));
    out.set_version("LVM2 001");
    Some(())
}

/// Thirty-two letters in groups of 6-4-4-4-4-4-6, as the lvm tools print them.
fn uuid(raw: &[u8]) -> Option<String> {
    const DASH_BEFORE: [usize; 6] = [6, 10, 14, 18, 22, 26];
    let mut text = String::with_capacity(38);
    for (i, &byte) in raw.iter().enumerate() {
        if DASH_BEFORE.contains(&i) {
            text.push('-');
        }
        if !byte.is_ascii_graphic() {
            return None;
        }
        text.push(char::from(byte));
    }
    Some(text)
}

pub(super) const LVM2: Format = Format {
    name: "LVM2_member",
    usage: Usage::Raid,
    tolerant: false,
    min_size: 0,
    read,
};
