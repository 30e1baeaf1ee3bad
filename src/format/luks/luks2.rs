//! The binary headers of LUKS2, and which of the two copies counts.
//!
//! A copy counts if its checksum is right and its JSON area makes sense. Of two that count the one
//! that was written later does; of equals the first. Where the first copy is damaged the second
//! is looked for at each place where it may lie. Nothing is repaired.
//! Source: LUKS2 On-Disk Format Specification 1.1.3, sections 2.1 to 2.3.

use super::luks1::word;
use super::{Header, metadata};
use crate::base::bytes::{be16, be64, slice, until_nul};
use crate::base::fault::Fault;
use crate::format::identity::{Need, View};
use crate::format::json;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Hashes all pieces, one after the other, with the hash of this name; `None`: it is not known.
/// (Hashes live on the floor above.)
pub type Checksum<'a> = &'a dyn Fn(&str, &[&[u8]]) -> Option<Vec<u8>>;

const FIRST_MAGIC: &[u8] = b"LUKS\xba\xbe";
const SECOND_MAGIC: &[u8] = b"SKUL\xba\xbe";
/// Bytes of `struct luks2_hdr_disk`; the JSON area follows.
const BINARY_LEN: usize = 4096;
const SUM_AT: usize = 448;
const SUM_LEN: usize = 64;
/// Sizes of a copy, and the places of the second one, go from 16 KiB to 4 MiB.
const SIZE_MIN: u64 = 0x4000;
const SIZE_MAX: u64 = 0x40_0000;

pub fn read(view: &View, sum: Checksum) -> Result<Result<Header, Fault>, Need> {
    let first = copy(view, 0, sum)?;
    let second = match &first {
        Ok(first) => copy(view, first.size, sum)?,
        Err(_) => search(view, sum)?,
    };
    Ok(match (first, second) {
        (Ok(first), Ok(second)) if second.header.sequence > first.header.sequence => {
            let damage = Some("it is older than the second copy".into());
            let header = second.header;
            Ok(Header { damage, ..header })
        }
        (Ok(first), _) => Ok(first.header),
        (Err(damage), Ok(second)) => Ok(Header {
            damage: Some(damage),
            ..second.header
        }),
        (Err(damage), Err(_)) => Err(nothing(view, &damage)?),
    })
}

/// The first good second copy.
fn search(view: &View, sum: Checksum) -> Result<Result<Copy, String>, Need> {
    let mut size = SIZE_MIN;
    while size <= SIZE_MAX {
        let found = copy(view, size, sum)?;
        if found.is_ok() {
            return Ok(found);
        }
        size = size.saturating_mul(2);
    }
    Ok(Err("there is none".into()))
}

/// Why there is no header at all.
fn nothing(view: &View, damage: &str) -> Result<Fault, Need> {
    let start = view.bytes(0, 8)?.unwrap_or_default();
    let version = be16(start, 6).filter(|_| start.starts_with(FIRST_MAGIC));
    Ok(Fault::plain(match version {
        None => "there is no LUKS header".to_string(),
        Some(2) => format!(
            "both copies of the LUKS2 header are damaged (the first: {damage}): \
             `cryptsetup repair` may help, a backup of the header will"
        ),
        Some(other) => format!("LUKS version {other} is not known, only 1 and 2 are"),
    }))
}

/// One good copy, with its size in bytes.
struct Copy {
    header: Header,
    size: u64,
}

/// The copy at `at`: the first one at 0, the second one anywhere else. Or what is wrong with it.
fn copy(view: &View, at: u64, sum: Checksum) -> Result<Result<Copy, String>, Need> {
    let Some(binary) = view.bytes(at, BINARY_LEN)? else {
        return Ok(Err("it cannot be read".into()));
    };
    let size = match plausible(binary, at) {
        Ok(size) => size,
        Err(what) => return Ok(Err(what.into())),
    };
    let len = usize::try_from(size).unwrap_or(usize::MAX);
    let Some(whole) = view.bytes(at, len)? else {
        return Ok(Err("it cannot be read to its end".into()));
    };
    Ok(checked(whole, size, sum).map(|header| Copy { header, size }))
}

/// The size of the copy whose binary header this is, if the fields that say it can be right.
fn plausible(binary: &[u8], at: u64) -> Result<u64, &'static str> {
    let magic = if at == 0 { FIRST_MAGIC } else { SECOND_MAGIC };
    if !binary.starts_with(magic) {
        return Err("its magic is not there");
    }
    if be16(binary, 6) != Some(2) {
        return Err("its version is not 2");
    }
    if be64(binary, 256) != Some(at) {
        return Err("it was written for another place");
    }
    let fits = |size: &u64| (SIZE_MIN..=SIZE_MAX).contains(size) && (at == 0 || at == *size);
    be64(binary, 8).filter(fits).ok_or("its size is impossible")
}

/// Reads a whole copy.
fn checked(whole: &[u8], size: u64, sum: Checksum) -> Result<Header, String> {
    let short = || String::from("it is too short");
    let algorithm = word(whole, 72, 32).ok_or_else(short)?;
    let (head, rest) = whole.split_at_checked(SUM_AT).ok_or_else(short)?;
    let (stored, rest) = rest.split_at_checked(SUM_LEN).ok_or_else(short)?;
    let computed = sum(&algorithm, &[head, &[0; SUM_LEN], rest]);
    let computed = computed.ok_or_else(|| format!("its checksum is {algorithm}, not known"))?;
    if computed.is_empty() || !stored.starts_with(&computed) {
        return Err("its checksum is wrong".into());
    }
    let area = whole.get(BINARY_LEN..).ok_or_else(short)?;
    let text = until_nul(area);
    if area.iter().skip(text.len()).any(|b| *b != 0) {
        return Err("something stands behind its JSON text".into());
    }
    let header = metadata::read(&json::read(text)?, size)?;
    labelled(header, whole).ok_or_else(short)
}

/// Adds what the binary header says.
fn labelled(header: Header, binary: &[u8]) -> Option<Header> {
    slice(binary, 0, BINARY_LEN)?;
    Some(Header {
        version: 2,
        sequence: be64(binary, 16)?,
        label: word(binary, 24, 48)?,
        uuid: word(binary, 168, 40)?,
        subsystem: word(binary, 208, 48)?,
        ..header
    })
}
