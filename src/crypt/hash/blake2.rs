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
/// Four columns, then four diagonals.
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// The initial vector, with the parameters in it: length of the result, no key, no tree.
pub fn start(mut vector: [u64; 8], len: u8) -> [u64; 8] {
    let [first, ..] = &mut vector;
    *first ^= 0x0101_0000 ^ u64::from(len);
    vector
}

macro_rules! compress {
    ($name:ident, $word:ty, $rounds:literal, $turns:expr, $start:expr) => {
        /// `total`: bytes up to the end of this block.
        pub fn $name(state: &mut [$word; 8], block: &[$word; 16], total: u64, last: bool) {
            let mut v = [0; 16];
            let vector = $start;
            let initial = state.iter().chain(&vector);
            v.iter_mut().zip(initial).for_each(|(v, word)| *v = *word);
            let [.., low, high, end, _] = &mut v;
            *low ^= total as $word;
            *high ^= (u128::from(total) >> <$word>::BITS) as $word;
            *end ^= if last { <$word>::MAX } else { 0 };
            for order in ORDER.iter().cycle().take($rounds) {
                let (pairs, _) = order.as_chunks::<2>();
                for (places, pair) in QUARTERS.iter().zip(pairs) {
                    let word = |at: u8| block.get(usize::from(at)).copied().unwrap_or(0);
                    if let Ok([a, b, c, d]) = v.get_disjoint_mut(*places) {
                        let turns: [u32; 4] = $turns;
                        let mut half = |word: $word, first, second| {
                            *a = a.wrapping_add(*b).wrapping_add(word);
                            *d = (*d ^ *a).rotate_right(first);
                            *c = c.wrapping_add(*d);
                            *b = (*b ^ *c).rotate_right(second);
                        };
                        let [x, y] = pair.map(word);
                        let [r1, r2, r3, r4] = turns;
                        half(x, r1, r2);
                        half(y, r3, r4);
                    }
                }
            }
            let (head, tail) = v.split_at(8);
            let mixed = head.iter().zip(tail);
            state
                .iter_mut()
                .zip(mixed)
                .for_each(|(s, (a, b))| *s ^= a ^ b);
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
