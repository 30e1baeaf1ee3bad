//! RIPEMD-160. Dobbertin, Bosselaers, Preneel: "RIPEMD-160, a strengthened version of RIPEMD".

/// Which word of the block each step takes, on the left and on the right.
const LEFT: [u8; 80] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5,
    2, 14, 11, 8, 3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12, 1, 9, 11, 10, 0, 8, 12, 4,
    13, 3, 7, 15, 14, 5, 6, 2, 4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13,
];
const RIGHT: [u8; 80] = [
    5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12, 6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12,
    4, 9, 1, 2, 15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13, 8, 6, 4, 1, 3, 11, 15, 0, 5,
    12, 2, 13, 9, 7, 10, 14, 12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11,
];
/// How far each step turns.
const LEFT_TURN: [u8; 80] = [
    11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8, 7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15,
    9, 11, 7, 13, 12, 11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5, 11, 12, 14, 15, 14,
    15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12, 9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6,
];
const RIGHT_TURN: [u8; 80] = [
    8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6, 9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12,
    7, 6, 15, 13, 11, 9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5, 15, 5, 8, 11, 14, 14,
    6, 14, 6, 9, 12, 9, 12, 5, 15, 8, 8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11,
];
/// One word for each round of sixteen steps.
const LEFT_ADD: [u32; 5] = [0, 0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xa953_fd4e];
const RIGHT_ADD: [u32; 5] = [0x50a2_8be6, 0x5c4d_d124, 0x6d70_3ef3, 0x7a6d_76e9, 0];

type Line = [u32; 5];

pub fn compress(state: &mut Line, block: &[u32; 16]) {
    let (mut left, mut right) = (*state, *state);
    let (left_words, _) = LEFT.as_chunks::<16>();
    let (left_turns, _) = LEFT_TURN.as_chunks::<16>();
    let (right_words, _) = RIGHT.as_chunks::<16>();
    let (right_turns, _) = RIGHT_TURN.as_chunks::<16>();
    let tables = left_words.iter().zip(left_turns).zip(LEFT_ADD);
    let others = right_words.iter().zip(right_turns).zip(RIGHT_ADD);
    let functions = FUNCTIONS.iter().zip(FUNCTIONS.iter().rev());
    for ((l, r), (f, g)) in tables.zip(others).zip(functions) {
        f(&mut left, block, l);
        g(&mut right, block, r);
    }
    let [s0, s1, s2, s3, s4] = *state;
    let ([a, b, c, d, e], [v, w, x, y, z]) = (left, right);
    let three = |x: u32, y: u32, z: u32| x.wrapping_add(y).wrapping_add(z);
    *state = [
        three(s1, c, y),
        three(s2, d, z),
        three(s3, e, v),
        three(s4, a, w),
        three(s0, b, x),
    ];
}

/// Which words a round takes, its turns, and what it adds.
type Table<'a> = ((&'a [u8; 16], &'a [u8; 16]), u32);

/// The round of each function: in this order on the left, in the other on the right.
const FUNCTIONS: [fn(&mut Line, &[u32; 16], Table); 5] = [
    |line, block, table| round(line, block, table, |b, c, d| b ^ c ^ d),
    |line, block, table| round(line, block, table, |b, c, d| (b & c) | (!b & d)),
    |line, block, table| round(line, block, table, |b, c, d| (b | !c) ^ d),
    |line, block, table| round(line, block, table, |b, c, d| (b & d) | (c & !d)),
    |line, block, table| round(line, block, table, |b, c, d| b ^ (c | !d)),
];

/// Sixteen steps.
#[inline(always)]
fn round(
    line: &mut Line,
    block: &[u32; 16],
    ((words, turns), addition): Table,
    function: impl Fn(u32, u32, u32) -> u32,
) {
    let [mut a, mut b, mut c, mut d, mut e] = *line;
    for (word, turn) in words.iter().zip(turns) {
        // ON PURPOSE: four bits index sixteen words.
        let word = block[usize::from(*word & 15)];
        let sum = a.wrapping_add(function(b, c, d));
        let sum = sum.wrapping_add(word).wrapping_add(addition);
        let new = sum.rotate_left(u32::from(*turn)).wrapping_add(e);
        (a, b, c, d, e) = (e, new, b, c.rotate_left(10), d);
    }
    *line = [a, b, c, d, e];
}
