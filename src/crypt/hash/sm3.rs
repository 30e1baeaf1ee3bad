//! SM3, the hash of the Chinese standards. GB/T 32905-2016; ISO/IEC 10118-3:2018.

pub const START: [u64; 8] = [
    0x7380_166f,
    0x4914_b2b9,
    0x1724_42d7,
    0xda8a_0600,
    0xa96f_30bc,
    0x1631_38aa,
    0xe38d_ee4d,
    0xb0fb_0e4e,
];

#[inline(never)]
pub fn compress(state: &mut [u32; 8], block: &[u32; 16]) {
    // The message, expanded as it is used: this step's word gives way to the one 16 steps later.
    let mut w = *block;
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for step in 0..64u32 {
        let early = step < 16;
        let constant: u32 = if early { 0x79cc_4519 } else { 0x7a87_9d8a };
        let a12 = a.rotate_left(12);
        let sum = a12
            .wrapping_add(e)
            .wrapping_add(constant.rotate_left(step % 32));
        let ss1 = sum.rotate_left(7);
        let ss2 = ss1 ^ a12;
        let (ff, gg) = match early {
            true => (a ^ b ^ c, e ^ f ^ g),
            false => ((a & b) | (a & c) | (b & c), (e & f) | (!e & g)),
        };
        // ON PURPOSE: four bits index sixteen words.
        let word = |ahead: u32| w[(step + ahead) as usize & 15];
        let (w0, w3, w4, w7) = (word(0), word(3), word(4), word(7));
        let next = p1(w0 ^ w7 ^ word(13).rotate_left(15)) ^ w3.rotate_left(7) ^ word(10);
        let tt1 = ff.wrapping_add(d).wrapping_add(ss2).wrapping_add(w0 ^ w4);
        let tt2 = gg.wrapping_add(h).wrapping_add(ss1).wrapping_add(w0);
        (a, b, c, d) = (tt1, a, b.rotate_left(9), c);
        (e, f, g, h) = (p0(tt2), e, f.rotate_left(19), g);
        // ON PURPOSE: the same.
        w[step as usize & 15] = next;
    }
    let mixed = [a, b, c, d, e, f, g, h];
    state.iter_mut().zip(mixed).for_each(|(s, word)| *s ^= word);
}

#[inline(always)]
fn p0(x: u32) -> u32 {
    x ^ x.rotate_left(9) ^ x.rotate_left(17)
}

#[inline(always)]
fn p1(x: u32) -> u32 {
    x ^ x.rotate_left(15) ^ x.rotate_left(23)
}
