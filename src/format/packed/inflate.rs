//! Deflated data, as gzip and zlib hold them. Source: RFC 1951.

use super::Output;
use super::bits::Upwards;
use super::huffman::{Huffman, Order};
use alloc::vec::Vec;

/// The symbol that ends a block (§3.2.5).
const END: usize = 256;
/// The longest match has a code of its own, without further bits.
const LONGEST: (usize, usize) = (28, 258);
/// In which order the lengths of the codes of lengths come (§3.2.7).
const ORDER: [u8; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Unpacks everything until the last block. Each turn of each loop takes bits or ends.
#[inline(never)]
pub fn inflate(packed: &[u8], out: &mut Output) -> Option<()> {
    let mut bits = Upwards::new(packed);
    loop {
        let last = bits.take(1);
        match bits.take(2) {
            0 => stored(&mut bits, out)?,
            1 => block(&mut bits, &fixed(), 288, out)?,
            2 => {
                let (lengths, literals) = dynamic(&mut bits)?;
                block(&mut bits, &lengths, literals, out)?;
            }
            _ => return None,
        }
        if last == 1 {
            return Some(());
        }
    }
}

/// §3.2.4.
#[inline(never)]
fn stored(bits: &mut Upwards, out: &mut Output) -> Option<()> {
    let &[a, b, c, d] = bits.bytes(4)? else {
        return None;
    };
    let length = u16::from_le_bytes([a, b]);
    if length != !u16::from_le_bytes([c, d]) {
        return None;
    }
    out.extend(bits.bytes(length.into())?)
}

/// The lengths of the codes that need no description: §3.2.6.
fn fixed() -> Vec<u8> {
    let mut lengths = Vec::new();
    for (end, length) in [(144, 8), (256, 9), (280, 7), (288, 8), (320, 5)] {
        lengths.resize(end, length);
    }
    lengths
}

/// The lengths of the codes of a block, and how many of them are those of literals: §3.2.7.
#[inline(never)]
fn dynamic(bits: &mut Upwards) -> Option<(Vec<u8>, usize)> {
    let literals = bits.take(5).wrapping_add(257);
    let all = bits.take(5).wrapping_add(1).wrapping_add(literals);
    let described = bits.take(4).wrapping_add(4);
    let mut lengths = [0; 19];
    for &symbol in ORDER.iter().take(described) {
        *lengths.get_mut(usize::from(symbol))? = bits.take(3) as u8;
    }
    let codes = Huffman::new(&lengths, Order::ShortFirst)?;
    let mut lengths = Vec::new();
    while lengths.len() < all {
        let (value, least, more) = match symbol(&codes, bits)? {
            16 => (*lengths.last()?, 3, 2),
            17 => (0, 3, 3),
            18 => (0, 11, 7),
            length => (length as u8, 1, 0),
        };
        let count = bits.take(more).wrapping_add(least);
        lengths.resize(lengths.len().wrapping_add(count), value);
    }
    (lengths.len() == all).then_some((lengths, literals))
}

/// §3.2.3.
fn block(bits: &mut Upwards, lengths: &[u8], literals: usize, out: &mut Output) -> Option<()> {
    let (literals, distances) = lengths.split_at_checked(literals)?;
    let literals = Huffman::new(literals, Order::ShortFirst)?;
    let distances = Huffman::new(distances, Order::ShortFirst)?;
    loop {
        let literal = symbol(&literals, bits)?;
        if literal < END {
            out.push(literal as u8)?;
            continue;
        }
        let Some(code) = literal.checked_sub(END.wrapping_add(1)) else {
            return Some(());
        };
        let length = if code < LONGEST.0 {
            number(code, 2, bits).wrapping_add(3)
        } else if code == LONGEST.0 {
            LONGEST.1
        } else {
            return None;
        };
        let code = symbol(&distances, bits)?;
        if code >= 30 {
            return None;
        }
        out.repeat(number(code, 1, bits).wrapping_add(1), length)?;
    }
}

fn symbol(codes: &Huffman, bits: &mut Upwards) -> Option<usize> {
    // The first bit of a code is the lowest that is read, and the highest of a word.
    let word = bits.peek(codes.longest).reverse_bits();
    let bottom = usize::BITS.wrapping_sub(codes.longest as u32);
    let code = codes.code(word.checked_shr(bottom)?)?;
    bits.skip(code.length);
    bits.inside()?;
    Some(code.symbol)
}

/// The tables of §3.2.5: a code says the length in bits of a number, and the `leading` bits below
/// its highest one. The rest follows.
fn number(code: usize, leading: u32, bits: &mut Upwards) -> usize {
    let head = 1_usize.wrapping_shl(leading);
    let Some(rest) = code.wrapping_shr(leading).checked_sub(1) else {
        return code;
    };
    let top = head | code & head.wrapping_sub(1);
    top.wrapping_shl(rest as u32).wrapping_add(bits.take(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(packed: &[u8]) -> Option<Vec<u8>> {
        let mut out = Output::new(100);
        inflate(packed, &mut out)?;
        Some(out.into_bytes())
    }

    #[test]
    fn blocks_of_each_kind_are_unpacked() {
        let fixed = b"KLJND\xa0\x14\0";
        assert_eq!(whole(fixed).unwrap(), b"abcabcabcabcabd");
        let stored = b"\0\x02\0\xfd\xffab\x01\0\0\xff\xff";
        assert_eq!(whole(stored).unwrap(), b"ab");
    }

    #[test]
    fn damaged_blocks_are_refused() {
        for (packed, why) in [
            (&b""[..], "nothing"),
            (b"\x07", "a kind that does not exist"),
            (b"\x01\x02\0\xfd\xfea", "lengths that differ"),
            (b"\x01\x02\0\xfd\xffa", "too short"),
            (b"KLJND\xa0", "no end"),
            (b"\x03\x02\0", "a distance before the start"),
            (b"\x05\0\0\0\0\0\0\0\0\0\0", "no codes"),
            (b"\x1b\x03\0\0\0", "a length without a code"),
        ] {
            assert_eq!(whole(packed), None, "{why}");
        }
    }

    #[test]
    fn codes_of_numbers_are_those_of_the_tables() {
        let number = |code, leading| number(code, leading, &mut Upwards::new(&[0; 4]));
        let lengths = [0, 1, 7, 8, 9, 12, 20, 27].map(|code| number(code, 2) + 3);
        assert_eq!(lengths, [3, 4, 10, 11, 13, 19, 67, 227]);
        let distances = [0, 3, 4, 5, 6, 29].map(|code| number(code, 1) + 1);
        assert_eq!(distances, [1, 4, 5, 7, 9, 24577]);
    }
}
