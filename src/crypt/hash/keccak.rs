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

/// All rounds. One round is written out: in loops it takes three times as long, as it does where
/// words are stored one by one and copied in pairs.
#[inline(never)]
pub fn permute(state: &mut [u64; 25]) {
    for constant in &ROUND {
        let [
            [a0, a1, a2, a3, a4],
            [a5, a6, a7, a8, a9],
            [a10, a11, a12, a13, a14],
            [a15, a16, a17, a18, a19],
            [a20, a21, a22, a23, a24],
        ] = *state.as_chunks::<5>().0
        else {
            return;
        };
        let [d0, d1, d2, d3, d4] = columns([
            a0 ^ a5 ^ a10 ^ a15 ^ a20,
            a1 ^ a6 ^ a11 ^ a16 ^ a21,
            a2 ^ a7 ^ a12 ^ a17 ^ a22,
            a3 ^ a8 ^ a13 ^ a18 ^ a23,
            a4 ^ a9 ^ a14 ^ a19 ^ a24,
        ]);
        let [b0, b1, b2, b3, b4] = row([
            (a0 ^ d0),
            (a6 ^ d1).rotate_left(44),
            (a12 ^ d2).rotate_left(43),
            (a18 ^ d3).rotate_left(21),
            (a24 ^ d4).rotate_left(14),
        ]);
        let [b5, b6, b7, b8, b9] = row([
            (a3 ^ d3).rotate_left(28),
            (a9 ^ d4).rotate_left(20),
            (a10 ^ d0).rotate_left(3),
            (a16 ^ d1).rotate_left(45),
            (a22 ^ d2).rotate_left(61),
        ]);
        let [b10, b11, b12, b13, b14] = row([
            (a1 ^ d1).rotate_left(1),
            (a7 ^ d2).rotate_left(6),
            (a13 ^ d3).rotate_left(25),
            (a19 ^ d4).rotate_left(8),
            (a20 ^ d0).rotate_left(18),
        ]);
        let [b15, b16, b17, b18, b19] = row([
            (a4 ^ d4).rotate_left(27),
            (a5 ^ d0).rotate_left(36),
            (a11 ^ d1).rotate_left(10),
            (a17 ^ d2).rotate_left(15),
            (a23 ^ d3).rotate_left(56),
        ]);
        let [b20, b21, b22, b23, b24] = row([
            (a2 ^ d2).rotate_left(62),
            (a8 ^ d3).rotate_left(55),
            (a14 ^ d4).rotate_left(39),
            (a15 ^ d0).rotate_left(41),
            (a21 ^ d1).rotate_left(2),
        ]);
        let b0 = b0 ^ constant;
        *state = [
            b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18,
            b19, b20, b21, b22, b23, b24,
        ];
    }
}

/// What each column gets from its neighbours, of whose words these are the sums.
#[inline(always)]
fn columns([c0, c1, c2, c3, c4]: [u64; 5]) -> [u64; 5] {
    [
        c4 ^ c1.rotate_left(1),
        c0 ^ c2.rotate_left(1),
        c1 ^ c3.rotate_left(1),
        c2 ^ c4.rotate_left(1),
        c3 ^ c0.rotate_left(1),
    ]
}

#[inline(always)]
fn row([a, b, c, d, e]: [u64; 5]) -> [u64; 5] {
    [
        a ^ (!b & c),
        b ^ (!c & d),
        c ^ (!d & e),
        d ^ (!e & a),
        e ^ (!a & b),
    ]
}
