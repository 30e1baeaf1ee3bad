//! Whirlpool, in its final form. ISO/IEC 10118-3:2004.

/// The substitution box, made of three small ones as the standard describes it.
const fn substitute(byte: u8) -> u8 {
    const E: [u8; 16] = [1, 11, 9, 12, 13, 6, 15, 3, 14, 8, 7, 4, 10, 2, 5, 0];
    const INVERSE: [u8; 16] = [15, 0, 13, 7, 11, 14, 5, 10, 9, 2, 12, 1, 3, 4, 8, 6];
    const R: [u8; 16] = [7, 12, 11, 13, 14, 4, 9, 15, 6, 3, 8, 10, 2, 5, 1, 0];
    // ON PURPOSE: four bits index sixteen entries, and all of it happens at compile time.
    let (high, low) = (E[(byte >> 4) as usize], INVERSE[(byte & 15) as usize]);
    // ON PURPOSE: the same.
    let mixed = R[(high ^ low) as usize];
    // ON PURPOSE: the same.
    E[(high ^ mixed) as usize] << 4 | INVERSE[(low ^ mixed) as usize]
}

/// Product in the field with x^8 + x^4 + x^3 + x^2 + 1.
const fn times(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        let carry = a & 0x80 != 0;
        a <<= 1;
        if carry {
            a ^= 0x1d;
        }
        b >>= 1;
    }
    product
}

/// For each byte, what it adds to a row if it stands in the row's first column: substituted, and
/// multiplied by the first row of the diffusion matrix.
const ROWS: [u64; 256] = rows();

const fn rows() -> [u64; 256] {
    const MATRIX: [u8; 8] = [1, 1, 4, 1, 8, 5, 2, 9];
    let mut rows = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut column = 0;
        while column < 8 {
            // ON PURPOSE: both loops stay within the tables, at compile time.
            let product = times(substitute(byte as u8), MATRIX[column]);
            // ON PURPOSE: the same.
            rows[byte] = rows[byte] << 8 | product as u64;
            column += 1;
        }
        byte += 1;
    }
    rows
}

/// What each round adds to its key: eight entries of the substitution box.
const CONSTANTS: [u64; 10] = constants();

const fn constants() -> [u64; 10] {
    let mut constants = [0; 10];
    let mut byte = 0;
    while byte < 80 {
        // ON PURPOSE: 80 bytes are ten words, at compile time.
        constants[byte / 8] = constants[byte / 8] << 8 | substitute(byte as u8) as u64;
        byte += 1;
    }
    constants
}

/// One round: substitution, shift of columns, diffusion of rows; then `key` is added.
#[inline(never)]
fn round([a, b, c, d, e, f, g, h]: &[u64; 8], key: &[u64; 8], next: &mut [u64; 8]) {
    // Row by row: each column comes from one row further up.
    let [k0, k1, k2, k3, k4, k5, k6, k7] = key;
    *next = [
        row([a, h, g, f, e, d, c, b]) ^ k0,
        row([b, a, h, g, f, e, d, c]) ^ k1,
        row([c, b, a, h, g, f, e, d]) ^ k2,
        row([d, c, b, a, h, g, f, e]) ^ k3,
        row([e, d, c, b, a, h, g, f]) ^ k4,
        row([f, e, d, c, b, a, h, g]) ^ k5,
        row([g, f, e, d, c, b, a, h]) ^ k6,
        row([h, g, f, e, d, c, b, a]) ^ k7,
    ];
}

#[inline(always)]
fn row([a, b, c, d, e, f, g, h]: [&u64; 8]) -> u64 {
    // ON PURPOSE: eight bits index 256 words.
    let look = |word: &u64, column: u32| ROWS[usize::from((word >> (56 - 8 * column)) as u8)];
    let part = |word, column| look(word, column).rotate_right(8 * column);
    let first = part(a, 0) ^ part(b, 1) ^ part(c, 2) ^ part(d, 3);
    first ^ part(e, 4) ^ part(f, 5) ^ part(g, 6) ^ part(h, 7)
}

fn xor(a: &mut [u64; 8], b: &[u64; 8]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
}

/// The keys of all rounds.
pub type Keys = [[u64; 8]; 10];

/// The keys that this state makes: half of the work for a block.
pub fn schedule(state: &[u64; 8]) -> Keys {
    let mut keys = [[0; 8]; 10];
    let mut last = state;
    for (next, constant) in keys.iter_mut().zip(CONSTANTS) {
        round(last, &[constant, 0, 0, 0, 0, 0, 0, 0], next);
        last = next;
    }
    keys
}

/// Takes a block into the state that made the keys.
pub fn compress_with(keys: &Keys, state: &mut [u64; 8], block: &[u64; 8]) {
    let (mut text, mut other) = (*block, [0; 8]);
    xor(&mut text, state);
    let (pairs, _) = keys.as_chunks::<2>();
    for [first, second] in pairs {
        round(&text, first, &mut other);
        round(&other, second, &mut text);
    }
    xor(state, &text);
    xor(state, block);
}

pub fn compress(state: &mut [u64; 8], block: &[u64; 8]) {
    compress_with(&schedule(state), state, block);
}
