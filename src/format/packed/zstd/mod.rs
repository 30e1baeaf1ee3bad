//! Zstandard frames: their headers and blocks. Source: RFC 8878.
//!
//! Frames that need a dictionary are refused. What a header promises is not needed.

mod fse;
mod literals;
mod sequences;
mod xxh64;

use super::Output;
use super::huffman::Huffman;
use sequences::Tables;

const MAGIC: u32 = 0xfd2f_b528;
/// The lowest four bits are free (§3.1.2).
const SKIPPED_MAGIC: u32 = 0x184d_2a50;

/// Input, read from its start.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// At most four bytes, the lowest first.
    fn number(&mut self, count: usize) -> Option<usize> {
        let bytes = self.bytes(count)?.iter().rev();
        Some(bytes.fold(0, |number, &byte| number << 8 | usize::from(byte)))
    }
}

/// Unpacks all frames of a file.
pub fn unpack(packed: &[u8], out: &mut Output) -> Option<()> {
    let mut input = Input(packed);
    while !input.0.is_empty() {
        let magic = input.number(4)? as u32;
        if magic == MAGIC {
            frame(&mut input, out)?;
        } else if magic & !15 == SKIPPED_MAGIC {
            let length = input.number(4)?;
            input.bytes(length)?;
        } else {
            return None;
        }
    }
    Some(())
}

/// What blocks of a frame leave to the next.
struct Kept {
    huffman: Huffman,
    tables: Tables,
}

/// §3.1.1.
fn frame(input: &mut Input, out: &mut Output) -> Option<()> {
    let flags = input.number(1)?;
    let single = flags >> 5 & 1;
    // The window's size, unless it is that of the content.
    input.number(1_usize.wrapping_sub(single))?;
    let dictionary = input.number(*[0, 1, 2, 4].get(flags & 3)?)?;
    input.bytes(*[single, 2, 4, 8].get(flags >> 6)?)?;
    if flags & 8 != 0 || dictionary != 0 {
        return None;
    }
    out.begin();
    let mut kept = Kept {
        huffman: Huffman::default(),
        tables: Tables::new(),
    };
    while !block(input, &mut kept, out)? {}
    if flags & 4 != 0 {
        let expected = input.number(4)? as u32;
        return (xxh64::sum(out.window()) as u32 == expected).then_some(());
    }
    Some(())
}

/// Answers whether it is the last one of its frame: §3.1.1.2.
fn block(input: &mut Input, kept: &mut Kept, out: &mut Output) -> Option<bool> {
    let header = input.number(3)?;
    let size = header >> 3;
    match header >> 1 & 3 {
        0 => out.extend(input.bytes(size)?)?,
        1 => out.fill(input.number(1)? as u8, size)?,
        2 => {
            let mut block = Input(input.bytes(size)?);
            let literals = literals::read(&mut block, &mut kept.huffman)?;
            sequences::run(block, &mut kept.tables, &literals, out)?;
        }
        _ => return None,
    }
    Some(header & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn whole(packed: &[u8]) -> Option<Vec<u8>> {
        let mut out = Output::new(1000);
        unpack(packed, &mut out)?;
        Some(out.into_bytes())
    }

    #[test]
    fn headers_of_each_shape_are_read() {
        for (packed, expected) in [
            (&b"(\xb5/\xfd\0\0\x19\0\0abc"[..], &b"abc"[..]),
            (b"(\xb5/\xfd\x20\x01\x0b\0\0a", b"a"),
            (b"(\xb5/\xfd\x61\0\0\0\x19\0\0abc", b"abc"),
            (b"(\xb5/\xfd\x80\0\0\0\0\0\x0a\0\0x\x0b\0\0y", b"xy"),
            (b"\x50\x2a\x4d\x18\x01\0\0\0?", b""),
            // One literal again and again; and each table of one code: a literal, repeated.
            (b"(\xb5/\xfd\0\0\x1d\0\0\x19a\0", b"aaa"),
            (b"(\xb5/\xfd\0\0\x45\0\0\x08a\x01\x54\x01\0\0\x01", b"aaaa"),
        ] {
            assert_eq!(whole(packed).as_deref(), Some(expected));
        }
    }

    #[test]
    fn damaged_frames_are_refused() {
        for (packed, why) in [
            (&b"(\xb5/\xfe\0\0\x01\0\0"[..], "no magic"),
            (b"(\xb5/\xfd\x08\0\x01\0\0", "a reserved bit"),
            (b"(\xb5/\xfd\x01\0\x07\x01\0\0", "a dictionary"),
            (b"(\xb5/\xfd\0\0\x07\0\0", "a kind that does not exist"),
            (b"(\xb5/\xfd\0\0\x18\0\0abc", "no last block"),
            (b"(\xb5/\xfd\0\0\x19\0\0ab", "too short"),
            (
                b"(\xb5/\xfd\x04\0\x01\0\0\x99\xe9\xd8\x52",
                "a wrong checksum",
            ),
            (
                b"(\xb5/\xfd\0\0\x2d\0\0\x13\x40\0\x01\0",
                "codes kept from nowhere",
            ),
            (
                b"(\xb5/\xfd\0\0\x2d\0\0\x08a\x01\xfc\x01",
                "tables kept from nowhere",
            ),
            (b"\x50\x2a\x4d\x18\x02\0\0\0?", "too short to skip"),
        ] {
            assert_eq!(whole(packed), None, "{why}");
        }
        let right = b"(\xb5/\xfd\x04\0\x01\0\0\x99\xe9\xd8\x51";
        assert_eq!(whole(right), Some(Vec::new()));
    }

    #[test]
    fn a_run_stays_below_the_limit() {
        let mut out = Output::new(9);
        let packed = b"(\xb5/\xfd\0\0\x53\0\0a";
        assert_eq!((unpack(packed, &mut out), out.full()), (None, true));
    }
}
