//! A metadata area: a header, then a ring of texts of which the newest counts.
//!
//! The text may begin near the end of the ring and go on at its start: real volumes are so.
//! Source: lvm2 `lib/format_text/layout.h` (struct mda_header, raw_locn), `format-text.c`.

use super::label::Extent;
use crate::base::bytes::{le32, le64, slice};
use crate::format::identity::lvm_sum;
use alloc::vec::Vec;

/// Length of the header; the ring begins behind it.
pub const HEADER: usize = 512;
/// lvm's own default for an area is 1 MiB; a text of this length tells of ten thousand volumes.
const MAX_TEXT: u64 = 4 << 20;
const MAGIC: &[u8] = b" LVM2 x[5A%r0N*>";
/// raw_locn flag: this area is not to be used (`pvchange --metadataignore`).
const IGNORED: u32 = 1;

/// Where the text lies on the device: one piece, or two where it wraps. With the sum over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub pieces: Vec<Extent>,
    sum: u32,
}

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    Text(Location),
    /// The area is whole, but no text was written, or it is to be ignored.
    Empty,
    /// One sentence: what is wrong with the header.
    Damaged(&'static str),
}

/// The header of `area`, from the first [`HEADER`] bytes of it.
pub fn header(bytes: &[u8], area: Extent) -> Header {
    match fields(bytes) {
        Some(fields) => fields.location(area),
        None => Header::Damaged("the header of the metadata area is cut short"),
    }
}

struct Fields {
    magic: bool,
    version: u32,
    start: u64,
    offset: u64,
    size: u64,
    text_sum: u32,
    flags: u32,
}

fn fields(bytes: &[u8]) -> Option<Fields> {
    let whole = le32(bytes, 0)? == lvm_sum(slice(bytes, 4, HEADER - 4)?);
    Some(Fields {
        magic: whole && slice(bytes, 4, 16)? == MAGIC,
        version: le32(bytes, 20)?,
        start: le64(bytes, 24)?,
        offset: le64(bytes, 40)?,
        size: le64(bytes, 48)?,
        text_sum: le32(bytes, 56)?,
        flags: le32(bytes, 60)?,
    })
}

impl Fields {
    fn location(&self, area: Extent) -> Header {
        if !self.magic {
            return Header::Damaged("the checksum of the metadata area's header does not hold");
        }
        if self.version != 1 || self.start != area.offset {
            return Header::Damaged("the metadata area's header is of another area or version");
        }
        if self.offset == 0 || self.flags & IGNORED != 0 {
            return Header::Empty;
        }
        let location = self.pieces(area).filter(|_| self.size <= MAX_TEXT);
        location.map_or(
            Header::Damaged("the metadata text lies outside its area"),
            |pieces| {
                Header::Text(Location {
                    pieces,
                    sum: self.text_sum,
                })
            },
        )
    }

    fn pieces(&self, area: Extent) -> Option<Vec<Extent>> {
        let ring = area.size.checked_sub(HEADER as u64)?;
        let inside = self.offset >= HEADER as u64 && self.offset < area.size;
        (inside && self.size > 0 && self.size <= ring).then_some(())?;
        let offset = area.offset.checked_add(self.offset)?;
        let first = self.size.min(area.size.checked_sub(self.offset)?);
        let mut pieces = alloc::vec![Extent {
            offset,
            size: first
        }];
        let rest = self.size.checked_sub(first)?;
        if rest > 0 {
            let offset = area.offset.checked_add(HEADER as u64)?;
            pieces.push(Extent { offset, size: rest });
        }
        Some(pieces)
    }
}

impl Location {
    /// Is this the text that the header meant? `text`: the pieces, one behind the other.
    pub fn holds(&self, text: &[u8]) -> bool {
        lvm_sum(text) == self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Extent = Extent {
        offset: 4096,
        size: 10_240,
    };

    fn sample(offset: u64, size: u64, flags: u32) -> Vec<u8> {
        let mut bytes = alloc::vec![0u8; HEADER];
        bytes[4..20].copy_from_slice(MAGIC);
        bytes[20] = 1;
        bytes[24..32].copy_from_slice(&AREA.offset.to_le_bytes());
        bytes[32..40].copy_from_slice(&AREA.size.to_le_bytes());
        bytes[40..48].copy_from_slice(&offset.to_le_bytes());
        bytes[48..56].copy_from_slice(&size.to_le_bytes());
        bytes[60..64].copy_from_slice(&flags.to_le_bytes());
        let sum = lvm_sum(&bytes[4..]);
        bytes[..4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn a_text_lies_in_one_piece_or_wraps_round() {
        let check = |offset, size, expected: &[(u64, u64)]| {
            let Header::Text(location) = header(&sample(offset, size, 0), AREA) else {
                panic!("no text at {offset}");
            };
            let pieces = location.pieces.iter().map(|e| (e.offset, e.size));
            assert_eq!(pieces.collect::<Vec<_>>(), expected);
        };
        check(512, 700, &[(4608, 700)]);
        check(10_000, 240, &[(14_096, 240)]);
        check(10_000, 700, &[(14_096, 240), (4608, 460)]);
    }

    #[test]
    fn what_lies_outside_is_damage_and_nothing_is_empty() {
        assert_eq!(header(&sample(0, 0, 0), AREA), Header::Empty);
        assert_eq!(header(&sample(512, 700, 1), AREA), Header::Empty);
        let damaged = |bytes: &[u8]| matches!(header(bytes, AREA), Header::Damaged(_));
        assert!(damaged(&sample(100, 700, 0)));
        assert!(damaged(&sample(512, 10_000, 0)));
        assert!(damaged(&sample(u64::MAX, u64::MAX, 0)));
        assert!(damaged(&sample(512, 700, 0)[..100]));
        let mut flipped = sample(512, 700, 0);
        flipped[200] ^= 1;
        assert!(damaged(&flipped));
    }
}
