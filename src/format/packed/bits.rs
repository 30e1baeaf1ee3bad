//! Bits of a byte string, the lowest of each byte first: read upwards, or downwards from the end.

use crate::base::bytes;

/// `count` bits from bit `at` on, at most 32. Before the start and beyond the end are zeros.
fn bits(bytes: &[u8], at: isize, count: usize) -> usize {
    let mut word = 0;
    for near in (0..5).rev() {
        let byte = bytes.get((at >> 3).wrapping_add(near) as usize);
        word = word << 8 | u64::from(*byte.unwrap_or(&0));
    }
    let mask = 1_u64.wrapping_shl(count as u32).wrapping_sub(1);
    (word.wrapping_shr(at as u32 & 7) & mask) as usize
}

/// Reads upwards.
pub struct Upwards<'a> {
    bytes: &'a [u8],
    /// The next bit.
    at: usize,
}

impl<'a> Upwards<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn peek(&self, count: usize) -> usize {
        bits(self.bytes, self.at as isize, count)
    }

    pub fn skip(&mut self, count: usize) {
        self.at = self.at.wrapping_add(count);
    }

    /// The next bits, and zeros beyond the end: whoever reads in a loop asks [`Self::inside`].
    pub fn take(&mut self, count: usize) -> usize {
        let value = self.peek(count);
        self.skip(count);
        value
    }

    /// `None`: more was read than there is.
    pub fn inside(&self) -> Option<()> {
        (self.byte() <= self.bytes.len()).then_some(())
    }

    /// The byte that begins at the next bit, or behind it.
    pub fn byte(&self) -> usize {
        self.at.div_ceil(8)
    }

    /// Whole bytes: those from [`Self::byte`] on.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let at = self.byte();
        self.at = at.wrapping_add(count).wrapping_mul(8);
        bytes::slice(self.bytes, at, count)
    }
}

/// Reads downwards, from below the highest bit that is set. RFC 8878 §4.1.
pub struct Downwards<'a> {
    bytes: &'a [u8],
    /// Bits that are left. Below zero: more was read than there is.
    left: isize,
}

impl<'a> Downwards<'a> {
    /// `None`: the last byte is zero, or there is none.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let top = bytes.last()?.checked_ilog2()?;
        let all = (bytes.len() as isize).wrapping_mul(8);
        let left = all.wrapping_sub(8).wrapping_add(top as isize);
        Some(Self { bytes, left })
    }

    pub fn peek(&self, count: usize) -> usize {
        bits(self.bytes, self.left.wrapping_sub(count as isize), count)
    }

    pub fn skip(&mut self, count: usize) {
        self.left = self.left.wrapping_sub(count as isize);
    }

    /// The next bits, and zeros beyond the end.
    pub fn take(&mut self, count: usize) -> usize {
        let value = self.peek(count);
        self.skip(count);
        value
    }

    /// More was read than there is.
    pub fn over(&self) -> bool {
        self.left < 0
    }

    /// `None`: bits are left, or more was read than there is.
    pub fn end(&self) -> Option<()> {
        (self.left == 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_upwards_until_the_end() {
        let mut bits = Upwards::new(&[0b1010_0110, 0xff, 7]);
        assert_eq!(bits.take(3), 0b110);
        assert_eq!(bits.take(6), 0b11_0100);
        assert_eq!(bits.peek(20), 0x3ff);
        assert_eq!(bits.bytes(1), Some(&[7][..]));
        assert_eq!((bits.inside(), bits.bytes(1)), (Some(()), None));
        assert_eq!((bits.inside(), bits.take(1)), (None, 0));
    }

    #[test]
    fn bits_are_read_downwards_from_the_mark() {
        assert!(Downwards::new(&[]).is_none());
        assert!(Downwards::new(&[1, 0]).is_none());
        let mut bits = Downwards::new(&[0b1010_0110, 0b101]).unwrap();
        assert_eq!(bits.take(3), 0b011);
        assert_eq!(bits.peek(9), 0b0_1001_1000);
        assert_eq!(bits.end(), None);
        assert_eq!(bits.take(7), 0b10_0110);
        assert_eq!((bits.end(), bits.over()), (Some(()), false));
        assert_eq!(bits.take(2), 0);
        assert_eq!((bits.end(), bits.over()), (None, true));
    }

    #[test]
    fn thirty_two_bits_are_had_from_any_place() {
        for at in 0..8 {
            assert_eq!(bits(&[0xff; 6], at, 32), 0xffff_ffff);
        }
        assert_eq!(bits(&[0xff; 6], -3, 8), 0b1111_1000);
    }
}
