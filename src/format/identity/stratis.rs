//! Member of a Stratis pool: the device's UUID.
//!
//! Source: Stratis Software Design, version 1.2.0, "Static header".

use super::checksum::crc32c;
use super::fields::{FILESYSTEM, Format, Look, ensure, named};
use super::{Signature, Usage};
use alloc::string::String;

const MAGIC: &[u8] = b"!Stra0tis\x86\xff\x02^\x41rh";
/// Two copies of the static header.
const COPIES: [u64; 2] = [512, 512 * 9];

fn read(look: &Look) -> Option<Signature> {
    let copies = COPIES.map(|at| look.fields(at, 512));
    let mut copies = copies.into_iter().flatten();
    let whole = copies.find(|sb| {
        let sum = sb.bytes(4, 508).map(|covered| !crc32c(&[covered]));
        sum == sb.le32(0) && sb.is(4, MAGIC)
    })?;
    // Thirty-two digits, without dashes.
    let mut uuid = String::with_capacity(36);
    for (i, &digit) in whole.bytes(64, 32)?.iter().enumerate() {
        ensure(digit.is_ascii_graphic())?;
        if matches!(i, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(char::from(digit));
    }
    named(None, Some(uuid), None, 0)
}

pub(super) const STRATIS: Format = Format {
    name: "stratis",
    usage: Usage::Raid,
    min_size: 512 * 16,
    read,
    ..FILESYSTEM
};
