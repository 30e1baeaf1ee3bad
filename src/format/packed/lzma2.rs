//! LZMA2 data, as blocks of .xz files hold them: chunks, stored or packed with LZMA.
//!
//! Sources: the LZMA specification (Igor Pavlov, 2015) and the chunks as xz writes them,
//! `lzma2_decoder.c` of liblzma. All probabilities lie in one table, each kind at its own place.

use super::Output;
use crate::base::bytes;
use alloc::vec::Vec;

// The table: for each state, state and position, length or symbol.
const IS_MATCH: usize = 0;
const IS_REPEATED: usize = IS_MATCH + (12 << 4);
const IS_OLDER: usize = IS_REPEATED + 12;
const IS_OLDER_STILL: usize = IS_OLDER + 12;
const IS_OLDEST: usize = IS_OLDER_STILL + 12;
const IS_LONG: usize = IS_OLDEST + 12;
const DISTANCE: usize = IS_LONG + (12 << 4);
/// Trees of up to five bits, one for each distance code from 4 to 13: as many nodes as numbers.
const MIDDLE: usize = DISTANCE + (4 << 6);
const ALIGNED: usize = MIDDLE + 128;
const LENGTH: usize = ALIGNED + 16;
const REPEATED_LENGTH: usize = LENGTH + LENGTHS;
const LITERALS: usize = REPEATED_LENGTH + LENGTHS;
/// For one coder of lengths: two choices, short and middle ones for each position, long ones.
const LENGTHS: usize = 2 + (16 << 3) + (16 << 3) + 256;
const EVEN: u16 = 1 << 10;

/// What is kept from chunk to chunk.
struct Coder<'a> {
    packed: &'a [u8],
    at: usize,
    range: u32,
    code: u32,
    /// Empty: the properties are not known yet.
    table: Vec<u16>,
    /// Bits of the byte before, bits of the position; for literals.
    before: u32,
    position_mask: usize,
    literal_mask: usize,
    state: usize,
    /// The last distances, less one, the newest first.
    distances: [u32; 4],
}

/// Unpacks the chunks that begin at `at`, and answers where they end.
#[inline(never)]
pub fn unpack(packed: &[u8], at: usize, out: &mut Output) -> Option<usize> {
    let mut coder = Coder {
        packed,
        at,
        range: 0,
        code: 0,
        table: Vec::new(),
        before: 0,
        position_mask: 0,
        literal_mask: 0,
        state: 0,
        distances: [0; 4],
    };
    let mut fresh = false;
    loop {
        let control = coder.byte()?;
        if control == 0 {
            return Some(coder.at);
        }
        if control == 1 || control >= 0xe0 {
            // The window begins anew, and so have the properties to.
            out.begin();
            coder.table.clear();
            fresh = true;
        }
        if !fresh {
            return None;
        }
        let size = coder.size()?;
        if control >= 0x80 {
            let size = size.wrapping_add((usize::from(control) & 31) << 16);
            coder.packed_chunk(control, size, out)?;
        } else if control <= 2 {
            out.extend(bytes::slice(packed, coder.at, size)?)?;
            coder.at = coder.at.wrapping_add(size);
        } else {
            return None;
        }
    }
}

impl Coder<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = bytes::u8(self.packed, self.at)?;
        self.at = self.at.wrapping_add(1);
        Some(byte)
    }

    fn size(&mut self) -> Option<usize> {
        let size = u16::from_be_bytes([self.byte()?, self.byte()?]);
        Some(usize::from(size).wrapping_add(1))
    }

    /// A chunk of `size` bytes when unpacked.
    #[inline(never)]
    fn packed_chunk(&mut self, control: u8, size: usize, out: &mut Output) -> Option<()> {
        let packed_size = self.size()?;
        if control >= 0xc0 {
            self.properties()?;
        }
        if control >= 0xa0 {
            self.table.fill(EVEN);
            self.state = 0;
            self.distances = [0; 4];
        }
        if self.table.is_empty() {
            return None;
        }
        let end = self.at.checked_add(packed_size)?;
        // The first byte is always zero, and is shifted out.
        for _ in 0..5 {
            self.shift();
        }
        self.range = u32::MAX;
        let until = out.window().len().wrapping_add(size);
        while out.window().len() < until {
            self.packet(until, out)?;
        }
        self.normalize();
        (self.code == 0 && self.at == end).then_some(())
    }

    fn properties(&mut self) -> Option<()> {
        let all = self.byte()?;
        let (before, all) = (all % 9, all / 9);
        let (literal, position) = (all % 5, all / 5);
        let contexts = u32::from(before.wrapping_add(literal));
        if position > 4 || contexts > 4 {
            return None;
        }
        let mask = |bits: u8| 1_usize.wrapping_shl(bits.into()).wrapping_sub(1);
        self.before = before.into();
        self.literal_mask = mask(literal);
        self.position_mask = mask(position);
        let literals = 0x300_usize.wrapping_shl(contexts);
        self.table.resize(LITERALS.wrapping_add(literals), EVEN);
        Some(())
    }

    /// A literal or a match that ends at `until` or before.
    #[inline(never)]
    fn packet(&mut self, until: usize, out: &mut Output) -> Option<()> {
        let at = out.window().len();
        let position = at & self.position_mask;
        let place = (self.state << 4).wrapping_add(position);
        if self.bit(IS_MATCH.wrapping_add(place)) == 0 {
            return self.literal(at, out);
        }
        let early = self.state < 7;
        let [a, b, c, d] = self.distances;
        let lengths = if self.bit(IS_REPEATED.wrapping_add(self.state)) == 0 {
            self.distances = [a, a, b, c];
            LENGTH
        } else {
            if self.bit(IS_OLDER.wrapping_add(self.state)) == 0 {
                if self.bit(IS_LONG.wrapping_add(place)) == 0 {
                    self.state = if early { 9 } else { 11 };
                    return out.repeat(far(a)?, 1);
                }
            } else if self.bit(IS_OLDER_STILL.wrapping_add(self.state)) == 0 {
                self.distances = [b, a, c, d];
            } else if self.bit(IS_OLDEST.wrapping_add(self.state)) == 0 {
                self.distances = [c, a, b, d];
            } else {
                self.distances = [d, a, b, c];
            }
            REPEATED_LENGTH
        };
        let length = self.length(lengths, position);
        self.state = match (lengths, early) {
            (LENGTH, true) => 7,
            (LENGTH, false) => 10,
            (_, true) => 8,
            (_, false) => 11,
        };
        if lengths == LENGTH {
            let distance = self.distance(length);
            let [newest, ..] = &mut self.distances;
            *newest = distance;
        }
        let length = length.wrapping_add(2);
        if length > until.wrapping_sub(at) {
            return None;
        }
        let [newest, ..] = self.distances;
        out.repeat(far(newest)?, length)
    }

    #[inline(never)]
    fn literal(&mut self, at: usize, out: &mut Output) -> Option<()> {
        let window = out.window();
        let back = |distance| bytes::u8(window, at.wrapping_sub(distance));
        let high = u32::from(back(1).unwrap_or(0)).wrapping_shr(8_u32.wrapping_sub(self.before));
        let context = (at & self.literal_mask).wrapping_shl(self.before);
        let context = context.wrapping_add(high as usize);
        let base = LITERALS.wrapping_add(context.wrapping_mul(0x300));
        // Behind a match the byte that would have continued it is a context, too, as long as the
        // bits are the same.
        let (mut matched, mut same) = (0, 0);
        if self.state >= 7 {
            let [newest, ..] = self.distances;
            (matched, same) = (usize::from(back(far(newest)?)?), 0x100);
        }
        let mut symbol = 1;
        while symbol < 0x100 {
            matched <<= 1;
            let expected = matched & same;
            let index = same.wrapping_add(expected).wrapping_add(symbol);
            let bit = self.bit(base.wrapping_add(index));
            symbol = symbol << 1 | bit;
            same &= if bit == 0 { !expected } else { expected };
        }
        self.state = match self.state {
            0..4 => 0,
            4..10 => self.state.wrapping_sub(3),
            _ => self.state.wrapping_sub(6),
        };
        out.push(symbol as u8)
    }

    /// Less two.
    #[inline(never)]
    fn length(&mut self, base: usize, position: usize) -> usize {
        let short = base.wrapping_add(2).wrapping_add(position << 3);
        if self.bit(base) == 0 {
            return self.tree(short, 3);
        }
        let (place, bits, least) = if self.bit(base.wrapping_add(1)) == 0 {
            (short.wrapping_add(16 << 3), 3, 8)
        } else {
            (base.wrapping_add(2 + (32 << 3)), 8, 16)
        };
        self.tree(place, bits).wrapping_add(least)
    }

    /// Less one.
    #[inline(never)]
    fn distance(&mut self, length: usize) -> u32 {
        let code = self.tree(DISTANCE.wrapping_add(length.min(3) << 6), 6);
        let Some(bits) = (code as u32 >> 1).checked_sub(1).filter(|&bits| bits > 0) else {
            return code as u32;
        };
        let mut distance = (2 | code as u32 & 1).wrapping_shl(bits);
        if code < 14 {
            let place = MIDDLE.wrapping_add(distance as usize).wrapping_sub(code);
            return distance.wrapping_add(self.reverse(place, bits));
        }
        for bit in (4..bits).rev() {
            distance = distance.wrapping_add(self.direct().wrapping_shl(bit));
        }
        distance.wrapping_add(self.reverse(ALIGNED, 4))
    }

    /// A number of so many bits, the highest first.
    fn tree(&mut self, base: usize, bits: u32) -> usize {
        let end = 1_usize.wrapping_shl(bits);
        let mut node = 1;
        while node < end {
            node = node << 1 | self.bit(base.wrapping_add(node));
        }
        node.wrapping_sub(end)
    }

    /// The same, the lowest first.
    fn reverse(&mut self, base: usize, bits: u32) -> u32 {
        let (mut node, mut number) = (1, 0);
        for place in 0..bits {
            let bit = self.bit(base.wrapping_add(node));
            node = node << 1 | bit;
            number |= (bit as u32).wrapping_shl(place);
        }
        number
    }

    /// A bit whose probability is even and stays so.
    fn direct(&mut self) -> u32 {
        self.normalize();
        self.range >>= 1;
        let bit = self.code >= self.range;
        if bit {
            self.code = self.code.wrapping_sub(self.range);
        }
        bit.into()
    }

    fn bit(&mut self, index: usize) -> usize {
        self.normalize();
        let Some(probability) = self.table.get_mut(index) else {
            return 0; // Never: every index is within the table.
        };
        let bound = (self.range >> 11).wrapping_mul((*probability).into());
        if self.code < bound {
            self.range = bound;
            let more = (EVEN << 1).wrapping_sub(*probability) >> 5;
            *probability = probability.wrapping_add(more);
            0
        } else {
            self.range = self.range.wrapping_sub(bound);
            self.code = self.code.wrapping_sub(bound);
            *probability = probability.wrapping_sub(*probability >> 5);
            1
        }
    }

    fn normalize(&mut self) {
        if self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
    }

    /// Zeros follow the end: that more was read than there is shows at the end of the chunk.
    fn shift(&mut self) {
        let byte = bytes::u8(self.packed, self.at).unwrap_or(0);
        self.code = self.code << 8 | u32::from(byte);
        self.at = self.at.wrapping_add(1);
    }
}

/// A distance from its number. `None`: the mark at the end, which LZMA2 does without.
fn far(distance: u32) -> Option<usize> {
    (distance as usize).checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKED: &[u8] = b"\xe0\0\x0e\0\x0a\x5d\x000\x98\x88\xa8\xce\xab\xe3\xb0\0\0\0";

    fn whole(packed: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut out = Output::new(100);
        let end = unpack(packed, 0, &mut out)?;
        Some((out.into_bytes(), end))
    }

    #[test]
    fn chunks_of_each_kind_are_unpacked() {
        assert_eq!(whole(PACKED), Some((b"abcabcabcabcabd".to_vec(), 18)));
        let stored = b"\x01\0\x01ab\x02\0\0c\0 behind";
        assert_eq!(whole(stored), Some((b"abc".to_vec(), 10)));
    }

    #[test]
    fn damaged_chunks_are_refused() {
        for (packed, why) in [
            (&b""[..], "nothing"),
            (b"\x02\0\0a\0", "a window that did not begin"),
            (b"\x03\0\0a\0", "a kind that does not exist"),
            (b"\x01\0\0a\xa0\0\0\0\x05\0\0\0\0\0\0", "no properties"),
            (b"\x01\0\x09a\0", "too short"),
            (b"\x01\0\0a", "no end"),
        ] {
            assert_eq!(whole(packed), None, "{why}");
        }
        for (at, byte) in [(2, 13), (2, 15), (4, 9), (4, 11), (5, 225), (5, 8), (16, 1)] {
            let mut bent = PACKED.to_vec();
            bent[at] = byte;
            assert_eq!(whole(&bent), None, "{at}");
        }
    }
}
