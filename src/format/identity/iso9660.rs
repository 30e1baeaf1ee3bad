//! ISO 9660 with or without Joliet: label, and the date that libblkid makes a UUID of.
//!
//! The magic alone is not believed: an image in the data area of another file system shows it,
//! too. So the root directory has to be where the descriptor says. Only the first session is
//! seen, and High Sierra, the draft of 1986, is not.
//! Sources: ECMA-119, 8.4 and 9.1; Joliet Specification, version 3; libblkid for the label.

use super::Signature;
use super::fields::{FILESYSTEM, Fields, Format, Look, Units, ensure};
use alloc::string::String;
use alloc::vec::Vec;

const DESCRIPTORS: u64 = 32 * 1024;
const SECTOR: usize = 2048;
const MAX_DESCRIPTORS: usize = 16;
const PRIMARY: u8 = 1;
const SUPPLEMENTARY: u8 = 2;
const END: u8 = 255;
/// The Unicode of a supplementary descriptor: UCS-2, levels 1 to 3.
const JOLIET: [&[u8]; 3] = [b"%/@", b"%/C", b"%/E"];
/// Where dates lie.
const CREATED: usize = 813;
const MODIFIED: usize = 830;

fn read(look: &Look, out: &mut Signature) -> Option<()> {
    look.magic(DESCRIPTORS.saturating_add(1), b"CD001")?;
    let (mut primary, mut joliet) = (None, None);
    for n in 0..MAX_DESCRIPTORS {
        let at = DESCRIPTORS.saturating_add(n.saturating_mul(SECTOR) as u64);
        let Some(found) = look.fields(at, SECTOR) else {
            break;
        };
        match found.u8(0)? {
            PRIMARY if primary.is_none() => primary = Some(found),
            SUPPLEMENTARY if JOLIET.iter().any(|escape| found.is(88, escape)) => {
                joliet.get_or_insert(found);
            }
            END => break,
            _ => {}
        }
    }
    let primary = primary?;
    root_directory(look, primary)?;
    out.block_size = primary.le16(128)?.into();
    out.set_id(date(primary, MODIFIED).or_else(|| date(primary, CREATED)));
    let Some(joliet) = joliet else {
        out.set_label(primary, 40, 32);
        return Some(());
    };
    out.set_version("Joliet Extension");
    let wide = joliet.bytes(40, 32)?;
    let merged = merge(primary.bytes(40, 32)?, wide);
    out.set_unicode(merged.as_deref().unwrap_or(wide), Units::Utf16Be);
    Some(())
}

/// The first entry of the root directory is the directory itself.
fn root_directory(look: &Look, primary: Fields<'_>) -> Option<()> {
    let (block, sector) = (primary.le16(128)?, primary.le32(158)?);
    ensure(block != 0 && primary.le32(166)? >= 34)?;
    let entry = look.fields(u64::from(block).saturating_mul(sector.into()), 34)?;
    ensure(entry.u8(0)? >= 34 && entry.is(32, &[1, 0]) && entry.le32(2)? == sector)
}

/// `YYYY-MM-DD-hh-mm-ss-cc`. Sixteen digits 0 and offset 0 mean that there is none.
fn date(descriptor: Fields<'_>, at: usize) -> Option<String> {
    let digits = descriptor.bytes(at, 16)?;
    ensure(!descriptor.is(at, b"0000000000000000\0"))?;
    let mut text = String::with_capacity(22);
    for (i, &digit) in digits.iter().enumerate() {
        if i >= 4 && i.is_multiple_of(2) {
            text.push('-');
        }
        ensure(digit.is_ascii_graphic())?;
        text.push(char::from(digit));
    }
    Some(text)
}

/// The primary descriptor has 32 letters of few kinds, that of Joliet 16 of any. Where both say
/// the same as far as they can, the label is put together from both.
fn merge(ascii: &[u8], wide: &[u8]) -> Option<Vec<u8>> {
    let mut merged = Vec::with_capacity(96);
    let mut rest = ascii.iter().copied();
    let mut first_half = false;
    for unit in wide.chunks_exact(2) {
        let &[high, low] = unit else { return None };
        // The two halves of a pair stand for one letter, which is compared with the second one.
        first_half = !first_half && (0xd8..=0xdb).contains(&high);
        if first_half {
            merged.extend_from_slice(unit);
            continue;
        }
        let letter = rest.next()?;
        // `_` stands for what the other one cannot spell.
        let low = match (high, low) {
            _ if letter == b'_' => low,
            (0, b'_') => letter,
            (0, _) if !letter.eq_ignore_ascii_case(&low) => return None,
            (0, _) if letter.is_ascii_uppercase() => low,
            (0, _) => letter,
            _ => return None,
        };
        merged.extend_from_slice(&[high, low]);
    }
    for letter in rest {
        merged.extend_from_slice(&[0, letter]);
    }
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
    use crate::base::text::Text;

    #[test]
    fn labels_of_joliet_and_of_the_primary_descriptor_become_one() {
        let check = |ascii: &str, wide: &str, expected: Option<&str>| {
            let ascii: Vec<u8> = ascii.bytes().chain([b' '; 32]).take(32).collect();
            let pad = [u16::from(b' '); 16];
            let wide = wide.encode_utf16().chain(pad).take(16);
            let wide: Vec<u8> = wide.flat_map(u16::to_be_bytes).collect();
            let mut found = Signature::default();
            if let Some(merged) = merge(&ascii, &wide) {
                found.set_unicode(&merged, Units::Utf16Be);
            }
            assert_eq!(found.label, expected.map(Text::from), "{ascii:?}");
        };
        let both = Some("Grosse Namen sinD_SCHOEN");
        check("GROSSE_NAMEN_SIND_SCHOEN", "Grosse Namen sin", both);
        check("GR__E", "Größe", Some("Größe"));
        check("_LABEL", "😀label", Some("😀label"));
        check("lower", "LOWER", Some("lower"));
        check("A", "B", None);
    }
}
