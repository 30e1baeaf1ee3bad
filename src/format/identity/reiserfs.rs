//! ReiserFS 3 and Reiser4: identity only.
//!
//! Source: Linux 6.12 `fs/reiserfs/reiserfs.h`; reiser4progs `libreiser4/master.h`.

use super::Signature;
use super::fields::{FILESYSTEM, Format, Look, ensure, named};

/// KiB from the start, bytes from there to the magic, and the magic. The first that is there counts.
const MAGICS: [(u32, usize, &[u8], &str); 5] = [
    (8, 0x34, b"ReIsErFs", "3.5"),
    (64, 0x34, b"ReIsEr2Fs", "3.6"),
    (64, 0x34, b"ReIsEr3Fs", "JR"),
    (64, 0x34, b"ReIsErFs", "3.5"),
    (8, 0x14, b"ReIsErFs", "3.5"),
];

fn read(look: &Look) -> Option<Signature> {
    let at = |kib: u32| u64::from(kib) << 10;
    let mut known = MAGICS.iter();
    let &(kib, _, _, version) = known.find(|(kib, skip, magic, _)| {
        let sb = look.fields(at(*kib), 128);
        sb.is_some_and(|sb| sb.is(*skip, magic))
    })?;
    let sb = look.fields(at(kib), 116)?;
    let block = u32::from(sb.le16(44)?);
    // One that lies in the journal is an old copy.
    ensure(kib.checked_div(block >> 9)? <= sb.le32(12)? >> 1)?;
    let newer = version != "3.5";
    named(
        Some(version.into()),
        sb.uuid(84).filter(|_| newer),
        sb.label(100, 16).filter(|_| newer),
        block,
    )
}

fn read_4(look: &Look) -> Option<Signature> {
    let sb = look.fields(64 * 1024, 52)?;
    let block = u32::from(sb.u8(19)?) << 8;
    ensure(sb.is(0, b"ReIsEr4") && block >= 512)?;
    named(Some("4".into()), sb.uuid(20), sb.label(36, 16), block)
}

pub(super) const REISERFS: Format = Format {
    name: "reiserfs",
    min_size: 128 * 1024,
    read,
    ..FILESYSTEM
};

pub(super) const REISER4: Format = Format {
    name: "reiser4",
    read: read_4,
    ..REISERFS
};
