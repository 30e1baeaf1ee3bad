//! RIPEMD-160. Dobbertin, Bosselaers, Preneel: "RIPEMD-160, a strengthened version of RIPEMD".

/// Which word of the block each step takes, on the left and on the right.
const LEFT: [[u8; 16]; 5] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8],
    [3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12],
    [1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2],
    [4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13],
];
const RIGHT: [[u8; 16]; 5] = [
    [5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12],
    [6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2],
    [15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13],
    [8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14],
    [12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11],
];
/// How far each step turns.
const LEFT_TURN: [[u8; 16]; 5] = [
    [11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8],
    [7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12],
    [11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5],
    [11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12],
    [9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6],
];
const RIGHT_TURN: [[u8; 16]; 5] = [
    [8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6],
    [9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11],
    [9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5],
    [15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8],
    [8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11],
];
/// One word for each round of sixteen steps.
const LEFT_ADD: [u32; 5] = [0, 0x5a82_7999, 0x6ed9_eba1, 0x8f1b_bcdc, 0xa953_fd4e];
const RIGHT_ADD: [u32; 5] = [0x50a2_8be6, 0x5c4d_d124, 0x6d70_3ef3, 0x7a6d_76e9, 0];

type Line = [u32; 5];

/// Of a step: its word of the block, how far it turns, and what it adds.
type Step = (u8, u8, u32);

#[inline(always)]
fn left(round: usize, step: usize) -> Step {
    // ON PURPOSE: five rounds of sixteen steps, as the tables have.
    (LEFT[round][step], LEFT_TURN[round][step], LEFT_ADD[round])
}

#[inline(always)]
fn right(round: usize, step: usize) -> Step {
    // ON PURPOSE: the same.
    let (word, turn) = (RIGHT[round][step], RIGHT_TURN[round][step]);
    // ON PURPOSE: the same.
    (word, turn, RIGHT_ADD[round])
}

#[inline(never)]
pub fn compress(state: &mut Line, block: &[u32; 16]) {
    let lines = &mut (*state, *state);
    round::<0>(lines, block, (parity, or_not));
    round::<1>(lines, block, (choice, majority));
    round::<2>(lines, block, (middle, middle));
    round::<3>(lines, block, (majority, choice));
    round::<4>(lines, block, (or_not, parity));
    let [s0, s1, s2, s3, s4] = *state;
    let ([a, b, c, d, e], [v, w, x, y, z]) = *lines;
    let three = |x: u32, y: u32, z: u32| x.wrapping_add(y).wrapping_add(z);
    *state = [
        three(s1, c, y),
        three(s2, d, z),
        three(s3, e, v),
        three(s4, a, w),
        three(s0, b, x),
    ];
}

#[inline(always)]
fn parity(b: u32, c: u32, d: u32) -> u32 {
    b ^ c ^ d
}

#[inline(always)]
fn choice(b: u32, c: u32, d: u32) -> u32 {
    (b & c) | (!b & d)
}

#[inline(always)]
fn middle(b: u32, c: u32, d: u32) -> u32 {
    (b | !c) ^ d
}

#[inline(always)]
fn majority(b: u32, c: u32, d: u32) -> u32 {
    (b & d) | (c & !d)
}

#[inline(always)]
fn or_not(b: u32, c: u32, d: u32) -> u32 {
    b ^ (c | !d)
}

/// Sixteen steps on both sides: neither waits for the other. Written out, they would take a tenth
/// less time, and five times the room: few headers name this hash.
#[inline(always)]
fn round<const ROUND: usize>(
    lines: &mut (Line, Line),
    block: &[u32; 16],
    (f, g): (impl Fn(u32, u32, u32) -> u32, impl Fn(u32, u32, u32) -> u32),
) {
    let (mut this, mut that) = *lines;
    for n in 0..16 {
        this = step(this, &f, block, left(ROUND, n));
        that = step(that, &g, block, right(ROUND, n));
    }
    *lines = (this, that);
}

#[inline(always)]
fn step(
    [a, b, c, d, e]: Line,
    function: &impl Fn(u32, u32, u32) -> u32,
    block: &[u32; 16],
    (word, turn, addition): Step,
) -> Line {
    // ON PURPOSE: four bits index sixteen words.
    let word = block[usize::from(word & 15)];
    let sum = a.wrapping_add(function(b, c, d));
    let sum = sum.wrapping_add(word).wrapping_add(addition);
    let new = sum.rotate_left(u32::from(turn)).wrapping_add(e);
    [e, new, b, c.rotate_left(10), d]
}
