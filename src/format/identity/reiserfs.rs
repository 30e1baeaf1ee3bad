//! ReiserFS 3: identity only. UUID and label came with version 3.6.
//!
//! Source: Linux 6.12 `fs/reiserfs/reiserfs.h`.

use super::Signature;
use super::fields::{FILESYSTEM, Format, Look, ensure};

/// KiB from the start, bytes from there to the magic, and the magic. The first that is there
/// counts.
const MAGICS: [(u32, usize, &[u8], &str); 5] = [
    (8, 0x34, b"ReIsErFs", "3.5"),
    (64, 0x34, b"ReIsEr2Fs", "3.6"),
    (64, 0x34, b"ReIsEr3Fs", "JR"),
    (64, 0x34, b"ReIsErFs", "3.5"),
    (8, 0x14, b"ReIsErFs", "3.5"),
];

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    for &(kib, skip, magic, version) in &MAGICS {
        let sb = look.fields(u64::from(kib) << 10, 116)?;
        if !sb.is(skip, magic) {
            continue;
        }
        let block = u32::from(sb.le16(44)?);
        // One that lies in the journal is an old copy.
        ensure(kib.checked_div(block >> 9)? <= sb.le32(12)? >> 1)?;
        if version != "3.5" {
            out.set_uuid(sb, 84);
            out.set_label(sb, 100, 16);
        }
        out.set_version(version);
        out.block_size = block;
        return Some(());
    }
    None
}

pub(super) const REISERFS: Format = Format {
    name: "reiserfs",
    min_size: 128 * 1024,
    read,
    ..FILESYSTEM
};
