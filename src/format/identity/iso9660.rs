//! ISO 9660, High Sierra and Joliet: label, and the date that libblkid makes a UUID of.
//!
//! The magic alone is not believed: an image in the data area of another file system shows it,
//! too. So the root directory has to be where the descriptor says. Only the first session is seen.
//! Sources: ECMA-119, 8.4 and 9.1; Joliet Specification, version 3; libblkid for the label.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure, label, named, unicode};
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

const DESCRIPTORS: u64 = 32 * 1024;
const SECTOR: u64 = 2048;
const MAX_DESCRIPTORS: u64 = 16;
const PRIMARY: u8 = 1;
const SUPPLEMENTARY: u8 = 2;
const END: u8 = 255;
/// The Unicode of a supplementary descriptor: UCS-2, levels 1 to 3.
const JOLIET: [&[u8]; 3] = [b"%/@", b"%/C", b"%/E"];

/// Where the two standards differ: bytes before a descriptor, the root directory's record, the
/// dates of creation and modification.
struct Layout {
    skip: u64,
    root: usize,
    created: usize,
    modified: usize,
    version: Option<&'static str>,
}

const ISO_9660: Layout = Layout {
    skip: 0,
    root: 156,
    created: 813,
    modified: 830,
    version: None,
};

const HIGH_SIERRA: Layout = Layout {
    skip: 8,
    root: 172,
    created: 782,
    modified: 798,
    version: Some("High Sierra"),
};

fn read(look: &Look) -> Option<Signature> {
    let head = look.fields(DESCRIPTORS, 16)?;
    let layout = if head.is(1, b"CD001") {
        ISO_9660
    } else {
        ensure(head.is(9, b"CDROM"))?;
        HIGH_SIERRA
    };
    let (mut primary, mut joliet) = (None, None);
    for n in 0..MAX_DESCRIPTORS {
        let at = DESCRIPTORS.saturating_add(n.saturating_mul(SECTOR));
        let Some(found) = look.fields(at.saturating_add(layout.skip), 1024) else {
            break;
        };
        match found.u8(0)? {
            PRIMARY if primary.is_none() => primary = Some(found),
            SUPPLEMENTARY if joliet.is_none() && layout.skip == 0 => {
                joliet = Some(found).filter(|d| JOLIET.iter().any(|escape| d.is(88, escape)));
            }
            END => break,
            _ => {}
        }
    }
    let primary = primary?;
    root_directory(look, primary, layout.root)?;
    let version = joliet.map(|_| "Joliet Extension").or(layout.version);
    let uuid = match date(primary, layout.modified, layout.skip == 0)? {
        text if text.is_empty() => date(primary, layout.created, layout.skip == 0)?,
        text => text,
    };
    named(
        version.map(String::from),
        Some(uuid).filter(|text| !text.is_empty()),
        volume_name(primary, joliet),
        primary.le16(128)?.into(),
    )
}

/// The first entry of the root directory is the directory itself.
fn root_directory(look: &Look, primary: Fields<'_>, record: usize) -> Option<()> {
    let record = Fields(primary.bytes(record, 34)?);
    let (block, sector) = (u64::from(primary.le16(128)?), record.le32(2)?);
    ensure(block != 0 && record.le32(10)? >= 34)?;
    let entry = look.fields(block.saturating_mul(sector.into()), 34)?;
    ensure(entry.u8(0)? >= 34 && entry.is(32, &[1, 0]) && entry.le32(2)? == sector)
}

/// `YYYY-MM-DD-hh-mm-ss-cc`. Empty: not set, which is sixteen digits 0, and offset 0.
fn date(descriptor: Fields<'_>, at: usize, with_offset: bool) -> Option<String> {
    let digits = descriptor.bytes(at, 16)?;
    let offset = descriptor
        .bytes(at.saturating_add(16), 1)
        .filter(|_| with_offset);
    let mut text = String::with_capacity(22);
    if digits.iter().all(|&d| d == b'0') && matches!(offset, None | Some(&[0])) {
        return Some(text);
    }
    for (i, &digit) in digits.iter().enumerate() {
        if i >= 4 && i.is_multiple_of(2) {
            text.push('-');
        }
        text.push(char::from(digit));
    }
    Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_graphic()))
}

/// The primary descriptor has 32 letters of few kinds, that of Joliet 16 of any. Where both say
/// the same as far as they can, the label is put together from both.
fn volume_name(primary: Fields<'_>, joliet: Option<Fields<'_>>) -> Option<Text> {
    let ascii = primary.bytes(40, 32)?;
    let Some(joliet) = joliet else {
        return label(ascii);
    };
    let wide = joliet.bytes(40, 32)?;
    match merge(ascii, wide) {
        Some(merged) => unicode(&merged, Units::Utf16Be),
        None => unicode(wide, Units::Utf16Be),
    }
}

fn merge(ascii: &[u8], wide: &[u8]) -> Option<Vec<u8>> {
    let mut merged = Vec::with_capacity(96);
    let mut rest = ascii.iter().copied();
    let mut units = wide.chunks_exact(2).peekable();
    while let Some(unit) = units.next() {
        let &[high, low] = unit else { return None };
        let pair = (0xd8..=0xdb).contains(&high)
            && units
                .peek()
                .and_then(|next| next.first())
                .is_some_and(|b| (0xdc..=0xdf).contains(b));
        if pair {
            // Both halves stand for one letter: it is compared with the second one.
            merged.extend([high, low]);
            continue;
        }
        let letter = rest.next()?;
        // `_` stands for what the other one cannot spell.
        merged.extend(match (high, low) {
            _ if letter == b'_' => [high, low],
            (0, b'_') => [0, letter],
            (0, _) if letter.eq_ignore_ascii_case(&low) => [
                0,
                if letter.is_ascii_uppercase() {
                    low
                } else {
                    letter
                },
            ],
            _ => return None,
        });
    }
    merged.extend(rest.flat_map(|letter| [0, letter]));
    Some(merged)
}

pub(super) const ISO9660: Format = Format {
    name: "iso9660",
    tolerant: true,
    read,
    ..FILESYSTEM
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_joliet_and_of_the_primary_descriptor_become_one() {
        let check = |ascii: &str, wide: &str, expected: Option<&str>| {
            let ascii: Vec<u8> = ascii.bytes().chain([b' '; 32]).take(32).collect();
            let pad = [u16::from(b' '); 16];
            let wide = wide.encode_utf16().chain(pad).take(16);
            let wide: Vec<u8> = wide.flat_map(u16::to_be_bytes).collect();
            let merged = merge(&ascii, &wide).and_then(|m| unicode(&m, Units::Utf16Be));
            assert_eq!(merged, expected.map(Text::from), "{ascii:?}");
        };
        check(
            "GROSSE_NAMEN_SIND_SCHOEN",
            "Grosse Namen sin",
            Some("Grosse Namen sin_SCHOEN"),
        );
        check("GR__E", "Größe", Some("Größe"));
        check("_LABEL", "😀label", Some("😀label"));
        check("A", "B", None);
    }
}
