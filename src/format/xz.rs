//! The .xz container, as far as compressed kernel modules use it: one stream of LZMA2 blocks.
//!
//! Only the frame is read here; the data is unpacked by whoever calls. Branch filters (`--x86`) are
//! not for single objects and are refused. Source: "The .xz File Format", version 1.2.1.

use crate::base::bytes;

/// Where the first block of a stream begins: magic (6), flags (2), their CRC32 (4).
pub const FIRST_BLOCK: usize = 12;

/// The last bytes of every stream.
pub const FOOTER_MAGIC: &[u8] = b"YZ";

const LZMA2: u8 = 0x21;

/// Bytes of the check behind each block, by its type (§2.1.1.2).
const CHECK_BYTES: [usize; 16] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// LZMA2 data begins at this offset and needs a dictionary of this many bytes.
    Block { data: usize, dictionary: u32 },
    /// The index: no more blocks.
    End,
}

/// Reads the block header at `at`. The error is the reason, as half a sentence.
pub fn block(packed: &[u8], at: usize) -> Result<Next, &'static str> {
    header(packed, at).unwrap_or(Err("its xz header is damaged"))
}

/// `None`: not all there, or out of range.
fn header(packed: &[u8], at: usize) -> Option<Result<Next, &'static str>> {
    let size = bytes::u8(packed, at)?;
    if size == 0 {
        return Some(Ok(Next::End));
    }
    let size = usize::from(size).checked_add(1)?.checked_mul(4)?;
    let flags = bytes::u8(packed, at.checked_add(1)?)?;
    let mut field = at.checked_add(2)?;
    for present in [0x40, 0x80] {
        if flags & present != 0 {
            field = skip_number(packed, field)?;
        }
    }
    let filter = bytes::array::<3>(packed, field)?;
    let [id, properties, bits] = filter;
    if flags & 3 != 0 || id != LZMA2 {
        return Some(Err(
            "it was packed with an xz filter that kernel modules do not use",
        ));
    }
    let dictionary = dictionary(bits)?;
    let data = at.checked_add(size)?;
    (properties == 1).then_some(Ok(Next::Block { data, dictionary }))
}

/// The offset behind a number of up to nine bytes, seven bits each (§1.2).
fn skip_number(packed: &[u8], at: usize) -> Option<usize> {
    let number = packed.get(at..)?.iter().take(9);
    let length = number.take_while(|&&b| b & 0x80 != 0).count();
    at.checked_add(length)?.checked_add(1)
}

/// The dictionary's size from its property byte (§5.3.1). 4 GiB and more is refused.
fn dictionary(bits: u8) -> Option<u32> {
    let mantissa = 2 | u32::from(bits & 1);
    let shift = u32::from(bits / 2).checked_add(11)?;
    (bits < 40).then(|| mantissa.checked_shl(shift)).flatten()
}

/// What stands between the end of a block's data and the next header: padding to four bytes, the
/// check. Answers the offset of the next header and of the check, whose CRC32 can be compared.
pub fn after_block(packed: &[u8], first: usize, end: usize) -> Option<(usize, Option<u32>)> {
    let kind = usize::from(bytes::u8(packed, 7)? & 15);
    let length = end.checked_sub(first)?;
    let check = first.checked_add(length.checked_next_multiple_of(4)?)?;
    let crc32 = if kind == 1 {
        Some(bytes::le32(packed, check)?)
    } else {
        None
    };
    Some((check.checked_add(*CHECK_BYTES.get(kind)?)?, crc32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_have_the_sizes_of_the_document() {
        for (bits, expected) in [
            (0, Some(4096)),
            (1, Some(6144)),
            (22, Some(8 << 20)),
            (40, None),
        ] {
            assert_eq!(dictionary(bits), expected, "{bits}");
        }
    }

    #[test]
    fn damaged_headers_are_refused() {
        assert!(block(&[], 0).is_err());
        assert!(block(&[2, 0, 0x21], 0).is_err());
        assert!(block(&[2, 0xff, 0x80, 0x80], 0).is_err());
        assert_eq!(
            block(&[2, 0, 4, 0, 0, 0], 0),
            Err("it was packed with an xz filter that kernel modules do not use")
        );
        assert_eq!(block(&[0], 0), Ok(Next::End));
        assert_eq!(
            block(&[2, 0, 0x21, 1, 22], 0),
            Ok(Next::Block {
                data: 12,
                dictionary: 8 << 20
            })
        );
    }
}
