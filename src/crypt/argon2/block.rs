//! Blocks of 1 KiB, and the function that makes a new one of two. RFC 9106, sections 3.5 and 3.6.

use zeroize::Zeroizing;

/// Bytes in a block.
pub const LEN: usize = 1024;
const WORDS: usize = LEN / 8;

/// Eight rows of sixteen words. Aligned like the CPU's cache.
#[derive(Clone)]
#[repr(align(64))]
pub struct Block([u64; WORDS]);

impl Block {
    pub fn zero() -> Self {
        Self([0; WORDS])
    }

    pub fn from_bytes(bytes: &[u8; LEN]) -> Self {
        let mut block = Self::zero();
        let (words, _) = bytes.as_chunks::<8>();
        let places = block.0.iter_mut().zip(words);
        places.for_each(|(place, word)| *place = u64::from_le_bytes(*word));
        block
    }

    pub fn to_bytes(&self) -> Zeroizing<[u8; LEN]> {
        let mut bytes = Zeroizing::new([0; LEN]);
        let (words, _) = bytes.as_chunks_mut::<8>();
        let places = words.iter_mut().zip(&self.0);
        places.for_each(|(word, place)| *word = place.to_le_bytes());
        bytes
    }

    /// The word that stands first.
    pub fn first(&self) -> u64 {
        let [first, ..] = self.0;
        first
    }

    /// The word in this place, of 128.
    pub fn word(&self, at: usize) -> u64 {
        self.0.get(at).copied().unwrap_or(0)
    }

    /// These words, then zeros.
    pub fn starting_with(words: [u64; 8]) -> Self {
        let mut block = Self::zero();
        let places = block.0.iter_mut();
        places.zip(words).for_each(|(place, word)| *place = word);
        block
    }

    pub fn xor(&mut self, other: &Self) {
        let words = self.0.iter_mut().zip(&other.0);
        words.for_each(|(a, b)| *a ^= b);
    }

    /// Adds to the block what two others make. `mixed` is overwritten.
    ///
    /// This is where time is spent, half of it waiting for `b`: all of it is asked for before
    /// anything is computed, and nothing is copied as a whole.
    pub fn add_made_of(&mut self, a: &Self, b: &Self, mixed: &mut Self) {
        let sources = a.0.iter().zip(&b.0);
        let targets = mixed.0.iter_mut().zip(&mut self.0);
        for ((to, here), (a, b)) in targets.zip(sources) {
            *to = a ^ b;
            *here ^= *to;
        }
        rows(&mut mixed.0);
        columns(&mut mixed.0);
        self.xor(mixed);
    }

    /// Overwrites the block.
    pub fn wipe(&mut self) {
        *self = Self::zero();
        core::hint::black_box(self);
    }
}

/// P on each row: RFC 9106, section 3.6. With registers of two words all of it would take a tenth
/// less, for memory is what it waits for, and three times as long where the CPU is emulated.
#[inline(never)]
fn rows(words: &mut [u64; WORDS]) {
    let (rows, _) = words.as_chunks_mut::<16>();
    rows.iter_mut().for_each(round::<2, 16>);
}

/// P on each column, which is two words wide.
#[inline(never)]
fn columns(words: &mut [u64; WORDS]) {
    for n in 0..8 {
        let column = words.get_mut(2 * n..);
        if let Some(column) = column.and_then(<[u64]>::first_chunk_mut) {
            round::<16, { 7 * 16 + 2 }>(column);
        }
    }
}

/// The permutation P: four columns of a 4 × 4 matrix of words, then its diagonals. The words stand
/// in pairs, so many from one pair to the next.
#[inline(always)]
fn round<const STEP: usize, const LEN: usize>(words: &mut [u64; LEN]) {
    const { assert!(LEN == 7 * STEP + 2) };
    // ON PURPOSE: all indexes are constants, and the last one is LEN - 1.
    let pair = |n: usize| [words[n * STEP], words[n * STEP + 1]];
    let ([v0, v1], [v2, v3], [v4, v5], [v6, v7]) = (pair(0), pair(1), pair(2), pair(3));
    let ([v8, v9], [v10, v11], [v12, v13], [v14, v15]) = (pair(4), pair(5), pair(6), pair(7));
    let [v0, v4, v8, v12] = quarter([v0, v4, v8, v12]);
    let [v1, v5, v9, v13] = quarter([v1, v5, v9, v13]);
    let [v2, v6, v10, v14] = quarter([v2, v6, v10, v14]);
    let [v3, v7, v11, v15] = quarter([v3, v7, v11, v15]);
    let [v0, v5, v10, v15] = quarter([v0, turn(v5), v10, v15]);
    let [v1, v6, v11, v12] = quarter([v1, turn(v6), v11, v12]);
    let [v2, v7, v8, v13] = quarter([v2, turn(v7), v8, v13]);
    let [v3, v4, v9, v14] = quarter([v3, turn(v4), v9, v14]);
    // ON PURPOSE: the same.
    let mut put = |n: usize, pair: [u64; 2]| [words[n * STEP], words[n * STEP + 1]] = pair;
    put(0, [v0, v1]);
    put(1, [v2, v3]);
    put(2, [turn(v4), turn(v5)]);
    put(3, [turn(v6), turn(v7)]);
    put(4, [v8, v9]);
    put(5, [v10, v11]);
    put(6, [v12, v13]);
    put(7, [v14, v15]);
}

/// All but the last turn, that of `b`: emulators are slow where a turn is followed by a store, as
/// it would be wherever there are too few registers.
#[inline(always)]
fn quarter([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = mix(a, b);
    d = (d ^ a).rotate_right(32);
    c = mix(c, d);
    b = (b ^ c).rotate_right(24);
    a = mix(a, b);
    d = (d ^ a).rotate_right(16);
    c = mix(c, d);
    [a, b ^ c, c, d]
}

/// The last turn.
#[inline(always)]
fn turn(b: u64) -> u64 {
    b.rotate_right(63)
}

/// `a + b + 2 * (lower half of a) * (lower half of b)`
#[inline(always)]
fn mix(a: u64, b: u64) -> u64 {
    let product = u64::from(a as u32).wrapping_mul(u64::from(b as u32));
    a.wrapping_add(b).wrapping_add(product.wrapping_mul(2))
}
