//! A device that does not run yet, as it is looked at through the devices below it.
//!
//! As text: its bytes, then its layers, the lowest first. Layers are parted by `;`, rows by `,`:
//! `START+LENGTH/CHUNK/STRIDE` and for each slot `@DEVICE:OFFSET`, or `@#LAYER:OFFSET`.

use super::identity::Range;
use super::through::{Leg, Piece, Row, Through};
use crate::base::list::Listed;
use crate::base::text::{cut, cut_last};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// More rows would not fit into one message of any length that is sent.
const MAX_ROWS: usize = 512;

/// The bytes of a range of a device, or why they cannot be had.
pub type Brought<E> = Result<Vec<u8>, E>;

/// Devices are named as the kernel names them, without `/dev/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lens {
    /// Bytes in the device.
    pub bytes: u64,
    /// Logical sector size in bytes.
    pub sector: u32,
    pub through: Through<String>,
}

impl Lens {
    /// `None`: too scattered to be told about; it is identified once it runs.
    pub fn new(bytes: u64, sector: u32, through: Through<String>) -> Option<Self> {
        let rows = through.layers().iter().map(Vec::len);
        let few = rows.fold(0, usize::saturating_add) <= MAX_ROWS;
        few.then_some(Self {
            bytes,
            sector,
            through,
        })
    }

    /// Where a range lies. `None`: not all of it can be told.
    pub fn pieces(&self, range: Range) -> Option<Vec<Piece<String>>> {
        let inside = range.end() <= self.bytes;
        inside.then(|| self.through.pieces(range.at, range.len as u64))?
    }

    /// The bytes of a range, as `below` brings those of a device. `None`: not all of it can be
    /// told.
    pub fn read<E>(
        &self,
        range: Range,
        below: &mut dyn FnMut(&str, Range) -> Brought<E>,
    ) -> Option<Brought<E>> {
        let mut bytes = Vec::new();
        for piece in self.pieces(range)? {
            let len = usize::try_from(piece.length).ok()?;
            let at = piece.offset;
            match below(&piece.on, Range { at, len }) {
                Ok(more) => bytes.extend(more),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(bytes))
    }

    /// Nothing shines through: it is known to be there, and no more.
    pub fn is_dark(&self) -> bool {
        self.through.layers().is_empty()
    }

    pub fn to_text(&self) -> String {
        let mut text = format!("{}/{}", self.bytes, self.sector);
        for rows in self.through.layers() {
            let mut mark = ';';
            for row in rows {
                text.push(mark);
                mark = ',';
                let (start, length) = (row.start, row.length);
                text.push_str(&format!("{start}+{length}/{}/{}", row.chunk, row.stride));
                for (leg, offset) in &row.slots {
                    text.push_str(&match leg {
                        Leg::Device(name) => format!("@{name}:{offset}"),
                        Leg::Layer(layer) => format!("@#{layer}:{offset}"),
                    });
                }
            }
        }
        text
    }

    /// Reads what [`Lens::to_text`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut layers = text.split(';');
        let (bytes, sector) = cut(layers.next()?, "/")?;
        let mut through = Through::default();
        for layer in layers {
            let rows = layer.split(',').map(row);
            through.add(rows.all_some()?)?;
        }
        Self::new(bytes.parse().ok()?, sector.parse().ok()?, through)
    }
}

fn row(text: &str) -> Option<Row<String>> {
    let mut parts = text.split('@');
    let (start, rest) = cut(parts.next()?, "+")?;
    let mut sizes = rest.split('/').map(|size| size.parse().ok());
    Some(Row {
        start: start.parse().ok()?,
        length: sizes.next()??,
        chunk: sizes.next()??,
        stride: sizes.next()??,
        slots: parts.map(slot).all_some()?,
    })
}

fn slot(text: &str) -> Option<(Leg<String>, u64)> {
    let (leg, offset) = cut_last(text, ":")?;
    let leg = match leg.strip_prefix('#') {
        Some(layer) => Leg::Layer(layer.parse().ok()?),
        None => Leg::Device(leg.into()),
    };
    Some((leg, offset.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::through::Lower;
    use super::*;

    #[test]
    fn a_lens_is_written_and_read() {
        let text = "8192/512;0+4096/4096/4096@vda2:1048576,4096+4096/512/512@#0:0@cciss/c0d0:7";
        assert_eq!(Lens::parse(text), None, "a layer on itself");
        let text = "8192/512;0+4096/4096/4096@vda2:1048576;0+4096/512/512@#0:0@cciss/c0d0:7";
        let lens = Lens::parse(text).unwrap();
        assert_eq!(lens.to_text(), text);
        let told = |at, len| lens.pieces(Range { at, len });
        let found = told(1024, 512).unwrap();
        assert_eq!((found[0].on.as_str(), found[0].offset), ("vda2", 1_049_088));
        assert_eq!(told(8000, 512), None, "beyond the end");
        for odd in [
            "",
            "8192",
            "x/512;0+1/1/1@a:0",
            "1/512;0+1/1@a:0",
            "1/512;0+1/1/1@a",
        ] {
            assert_eq!(Lens::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn mappings_over_mappings_are_one() {
        let upper = Lens::parse("1000/512;0+1000/1000/1000@md:100").unwrap();
        let lower = Lens::parse("2000/512;0+2000/10/10@vda:0@vdb:50").unwrap();
        let below = |name: &String| match name.as_str() {
            "md" => Some(Lower::Mapping(lower.through.clone())),
            _ => None,
        };
        let whole = upper.through.over(&below).unwrap();
        let found = whole.pieces(5, 10).unwrap();
        let told: Vec<_> = found.iter().map(|p| (&*p.on, p.offset, p.length)).collect();
        // Bytes 105 to 114 of the lower one: five of the sixth chunk of vda, then of vdb.
        assert_eq!(told, [("vda", 55, 5), ("vdb", 100, 5)]);
    }
}
