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

/// One round without its key: substitution, shift of columns, diffusion of rows.
fn round(state: &[u64; 8]) -> [u64; 8] {
    // ON PURPOSE: eight bits index 256 words.
    let look = |word: u64, column: u32| ROWS[usize::from((word >> (56 - 8 * column)) as u8)];
    let part = |word: u64, column: u32| look(word, column).rotate_right(8 * column);
    let mut next = [0; 8];
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for out in &mut next {
        // Row by row: each column comes from one row further up.
        let first = part(a, 0) ^ part(h, 1) ^ part(g, 2) ^ part(f, 3);
        *out = first ^ part(e, 4) ^ part(d, 5) ^ part(c, 6) ^ part(b, 7);
        (a, b, c, d, e, f, g, h) = (b, c, d, e, f, g, h, a);
    }
    next
}

fn xor(a: &mut [u64; 8], b: &[u64; 8]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
}

pub fn compress(state: &mut [u64; 8], block: &[u64; 8]) {
    let (mut key, mut text) = (*state, *block);
    xor(&mut text, &key);
    for constant in CONSTANTS {
        key = round(&key);
        let [first, ..] = &mut key;
        *first ^= constant;
        text = round(&text);
        xor(&mut text, &key);
    }
    xor(state, &text);
    xor(state, block);
}
