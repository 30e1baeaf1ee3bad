//! Keccak-f[1600], the permutation of SHA-3. FIPS 202, section 3.

/// One word for each round.
const ROUND: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];
/// Where each word goes, in the order in which they push each other on, and how far it turns.
const PLACE: [usize; 24] = [
    10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1,
];
const TURN: [u32; 24] = [
    1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44,
];

pub fn permute(a: &mut [u64; 25]) {
    for constant in ROUND {
        let mut column = [0; 5];
        for row in a.chunks_exact(5) {
            column.iter_mut().zip(row).for_each(|(c, word)| *c ^= word);
        }
        let [c0, c1, c2, c3, c4] = column;
        let turned = [(c4, c1), (c0, c2), (c1, c3), (c2, c4), (c3, c0)];
        for row in a.chunks_exact_mut(5) {
            let pairs = row.iter_mut().zip(turned);
            pairs.for_each(|(word, (left, right))| *word ^= left ^ right.rotate_left(1));
        }
        let [_, mut moving, ..] = *a;
        for (place, turn) in PLACE.into_iter().zip(TURN) {
            if let Some(word) = a.get_mut(place) {
                moving = core::mem::replace(word, moving.rotate_left(turn));
            }
        }
        for row in a.as_chunks_mut::<5>().0 {
            let [a, b, c, d, e] = *row;
            *row = [
                a ^ (!b & c),
                b ^ (!c & d),
                c ^ (!d & e),
                d ^ (!e & a),
                e ^ (!a & b),
            ];
        }
        let [first, ..] = a;
        *first ^= constant;
    }
}
