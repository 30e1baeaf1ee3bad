//! Blocks of 1 KiB, and the function that makes a new one of two. RFC 9106, sections 3.5 and 3.6.

use super::lanes::{
    Pair, between, high, low, mix, pair, right_16, right_24, right_32, right_63, xor,
};
use zeroize::Zeroizing;

/// Bytes in a block.
pub const LEN: usize = 1024;

/// Eight rows of sixteen words.
#[derive(Clone)]
pub struct Block([[Pair; 8]; 8]);

impl Block {
    pub fn zero() -> Self {
        Self([[pair(0, 0); 8]; 8])
    }

    pub fn from_bytes(bytes: &[u8; LEN]) -> Self {
        let mut block = Self::zero();
        let (words, _) = bytes.as_chunks::<16>();
        for (place, bytes) in block.0.as_flattened_mut().iter_mut().zip(words) {
            let both = u128::from_le_bytes(*bytes);
            *place = pair(both as u64, (both >> 64) as u64);
        }
        block
    }

    pub fn to_bytes(&self) -> Zeroizing<[u8; LEN]> {
        let mut bytes = Zeroizing::new([0; LEN]);
        let (words, _) = bytes.as_chunks_mut::<16>();
        for (place, bytes) in self.0.as_flattened().iter().zip(words) {
            let both = u128::from(low(*place)) | u128::from(high(*place)) << 64;
            *bytes = both.to_le_bytes();
        }
        bytes
    }

    /// The word that stands first.
    pub fn first(&self) -> u64 {
        let [[first, ..], ..] = self.0;
        low(first)
    }

    /// The word in this place, of 128.
    pub fn word(&self, at: usize) -> u64 {
        let place = self.0.as_flattened().get(at / 2);
        let place = place.copied().unwrap_or(pair(0, 0));
        if at.is_multiple_of(2) {
            low(place)
        } else {
            high(place)
        }
    }

    /// These words, then zeros.
    pub fn starting_with(words: [u64; 8]) -> Self {
        let mut block = Self::zero();
        let (words, _) = words.as_chunks::<2>();
        let places = block.0.as_flattened_mut().iter_mut().zip(words);
        places.for_each(|(place, [low, high])| *place = pair(*low, *high));
        block
    }

    pub fn xor(&mut self, other: &Self) {
        let places = self.0.as_flattened_mut().iter_mut();
        places
            .zip(other.0.as_flattened())
            .for_each(|(a, b)| *a = xor(*a, *b));
    }

    /// The new block of two others; added to what was here if `keep`.
    ///
    /// This is where time is spent, half of it waiting for `b`: all of it is asked for before
    /// anything is computed, and nothing is copied as a whole.
    pub fn make_of(&mut self, a: &Self, b: &Self, keep: bool) {
        let mut mixed = Self::zero();
        let sources = a.0.iter().zip(&b.0);
        for ((row, here), (a, b)) in mixed.0.iter_mut().zip(&mut self.0).zip(sources) {
            let sum = xor_row(*a, *b);
            *here = if keep { xor_row(*here, sum) } else { sum };
            *row = sum;
        }
        for row in &mut mixed.0 {
            *row = round(*row);
        }
        let [r0, r1, r2, r3, r4, r5, r6, r7] = &mixed.0;
        let [h0, h1, h2, h3, h4, h5, h6, h7] = &mut self.0;
        for n in 0..8 {
            // ON PURPOSE: `n` is below 8, and each row has eight places.
            let column = [r0[n], r1[n], r2[n], r3[n], r4[n], r5[n], r6[n], r7[n]];
            // ON PURPOSE: the same.
            let here = [h0[n], h1[n], h2[n], h3[n], h4[n], h5[n], h6[n], h7[n]];
            // ON PURPOSE: the same.
            [h0[n], h1[n], h2[n], h3[n], h4[n], h5[n], h6[n], h7[n]] = xor_row(here, round(column));
        }
    }

    /// Overwrites the block.
    pub fn wipe(&mut self) {
        *self = Self::zero();
        core::hint::black_box(self);
    }
}

#[inline(always)]
fn xor_row(a: [Pair; 8], b: [Pair; 8]) -> [Pair; 8] {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = a;
    let [b0, b1, b2, b3, b4, b5, b6, b7] = b;
    let low = [xor(a0, b0), xor(a1, b1), xor(a2, b2), xor(a3, b3)];
    let [c0, c1, c2, c3] = low;
    [
        c0,
        c1,
        c2,
        c3,
        xor(a4, b4),
        xor(a5, b5),
        xor(a6, b6),
        xor(a7, b7),
    ]
}

/// The permutation P: four columns of a 4 × 4 matrix of words, then its diagonals.
#[inline(always)]
fn round([a0, a1, b0, b1, c0, c1, d0, d1]: [Pair; 8]) -> [Pair; 8] {
    let [a0, b0, c0, d0] = quarter([a0, b0, c0, d0]);
    let [a1, b1, c1, d1] = quarter([a1, b1, c1, d1]);
    let (b0, b1) = (between(b0, b1), between(b1, b0));
    let (d0, d1) = (between(d1, d0), between(d0, d1));
    let [a0, b0, c1, d0] = quarter([a0, b0, c1, d0]);
    let [a1, b1, c0, d1] = quarter([a1, b1, c0, d1]);
    let (b0, b1) = (between(b1, b0), between(b0, b1));
    let (d0, d1) = (between(d0, d1), between(d1, d0));
    [a0, a1, b0, b1, c0, c1, d0, d1]
}

#[inline(always)]
fn quarter([mut a, mut b, mut c, mut d]: [Pair; 4]) -> [Pair; 4] {
    a = mix(a, b);
    d = right_32(xor(d, a));
    c = mix(c, d);
    b = right_24(xor(b, c));
    a = mix(a, b);
    d = right_16(xor(d, a));
    c = mix(c, d);
    b = right_63(xor(b, c));
    [a, b, c, d]
}
