//! BLAKE2b and BLAKE2s without keys. RFC 7693.

/// Which word of the block goes where, by round. BLAKE2b starts over after ten.
const ORDER: [[u8; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
/// The initial vector, with the parameters in it: length of the result, no key, no tree.
pub fn start(mut vector: [u64; 8], len: u8) -> [u64; 8] {
    let [first, ..] = &mut vector;
    *first ^= 0x0101_0000 ^ u64::from(len);
    vector
}

macro_rules! compress {
    ($name:ident, $word:ty, $rounds:literal, $turns:expr, $start:expr) => {
        /// `total`: bytes up to the end of this block. One round is written out, with its words in
        /// registers: in loops it takes seven times as long.
        pub fn $name(state: &mut [$word; 8], block: &[$word; 16], total: u64, last: bool) {
            type Words = [$word; 16];

            #[inline(always)]
            fn half(v: &mut Words, [a, b, c, d]: [usize; 4], word: $word, turns: [u32; 2]) {
                // ON PURPOSE: all four are constants below 16.
                v[a] = v[a].wrapping_add(word).wrapping_add(v[b]);
                v[d] = (v[d] ^ v[a]).rotate_right(turns[0]);
                v[c] = v[c].wrapping_add(v[d]);
                v[b] = (v[b] ^ v[c]).rotate_right(turns[1]);
            }

            #[inline(always)]
            fn quarter(v: &mut Words, places: [usize; 4], [x, y]: [$word; 2]) {
                let [r1, r2, r3, r4] = $turns;
                half(v, places, x, [r1, r2]);
                half(v, places, y, [r3, r4]);
            }

            #[inline(always)]
            fn word(block: &Words, at: u8) -> $word {
                // ON PURPOSE: four bits index sixteen words.
                block[usize::from(at & 15)]
            }

            let [s0, s1, s2, s3, s4, s5, s6, s7] = *state;
            let [i0, i1, i2, i3, i4, i5, i6, i7] = $start;
            let low = i4 ^ total as $word;
            let high = i5 ^ (u128::from(total) >> <$word>::BITS) as $word;
            let end = i6 ^ if last { <$word>::MAX } else { 0 };
            let mut v = [
                s0, s1, s2, s3, s4, s5, s6, s7, i0, i1, i2, i3, low, high, end, i7,
            ];
            for order in ORDER.iter().cycle().take($rounds) {
                // ON PURPOSE: `n` is 14 at most.
                macro_rules! pair {
                    ($n:literal) => {
                        [word(block, order[$n]), word(block, order[$n + 1])]
                    };
                }
                quarter(&mut v, [0, 4, 8, 12], pair!(0));
                quarter(&mut v, [1, 5, 9, 13], pair!(2));
                quarter(&mut v, [2, 6, 10, 14], pair!(4));
                quarter(&mut v, [3, 7, 11, 15], pair!(6));
                quarter(&mut v, [0, 5, 10, 15], pair!(8));
                quarter(&mut v, [1, 6, 11, 12], pair!(10));
                quarter(&mut v, [2, 7, 8, 13], pair!(12));
                quarter(&mut v, [3, 4, 9, 14], pair!(14));
            }
            let [v0, v1, v2, v3, v4, v5, v6, v7, rest @ ..] = v;
            let [v8, v9, v10, v11, v12, v13, v14, v15] = rest;
            *state = [
                s0 ^ v0 ^ v8,
                s1 ^ v1 ^ v9,
                s2 ^ v2 ^ v10,
                s3 ^ v3 ^ v11,
                s4 ^ v4 ^ v12,
                s5 ^ v5 ^ v13,
                s6 ^ v6 ^ v14,
                s7 ^ v7 ^ v15,
            ];
        }
    };
}

compress!(compress_b, u64, 12, [32, 24, 16, 63], super::SHA512_START);
compress!(
    compress_s,
    u32,
    10,
    [16, 12, 8, 7],
    super::SHA512_START.map(|word| (word >> 32) as u32)
);
