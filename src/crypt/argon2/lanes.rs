//! Pairs of 64-bit words and what Argon2 does with them: one CPU register where there is one.

#[cfg(not(target_arch = "x86_64"))]
pub use plain::*;
#[cfg(target_arch = "x86_64")]
pub use sse2::*;

/// Every x86_64 has SSE2. (AVX2 would be faster still, but cannot be chosen at run time without
/// `unsafe`; what cryptsetup uses on most distributions has SSE2, too.)
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use safe_arch::*;

    pub type Pair = m128i;

    #[inline(always)]
    pub fn pair(low: u64, high: u64) -> Pair {
        set_i64_m128i(high as i64, low as i64)
    }

    #[inline(always)]
    pub fn low(a: Pair) -> u64 {
        get_i64_from_m128i_s(a) as u64
    }

    #[inline(always)]
    pub fn xor(a: Pair, b: Pair) -> Pair {
        a ^ b
    }

    /// `a + b + 2 * (lower half of a) * (lower half of b)`
    #[inline(always)]
    pub fn mix(a: Pair, b: Pair) -> Pair {
        let product = mul_widen_u32_odd_m128i(a, b);
        let sum = add_i64_m128i(a, b);
        add_i64_m128i(sum, add_i64_m128i(product, product))
    }

    #[inline(always)]
    pub fn right_32(a: Pair) -> Pair {
        shuffle_ai_f32_all_m128i::<0b10_11_00_01>(a)
    }

    #[inline(always)]
    pub fn right_24(a: Pair) -> Pair {
        shr_imm_u64_m128i::<24>(a) | shl_imm_u64_m128i::<40>(a)
    }

    #[inline(always)]
    pub fn right_16(a: Pair) -> Pair {
        let half = shuffle_ai_i16_l64all_m128i::<0b00_11_10_01>(a);
        shuffle_ai_i16_h64all_m128i::<0b00_11_10_01>(half)
    }

    #[inline(always)]
    pub fn right_63(a: Pair) -> Pair {
        shr_imm_u64_m128i::<63>(a) | add_i64_m128i(a, a)
    }

    /// The higher word of `a`, then the lower word of `b`.
    #[inline(always)]
    pub fn between(a: Pair, b: Pair) -> Pair {
        let (a, b) = (cast_to_m128d_from_m128i(a), cast_to_m128d_from_m128i(b));
        cast_to_m128i_from_m128d(shuffle_abi_f64_all_m128d::<0b01>(a, b))
    }
}

/// Any other CPU. Compiled everywhere for the tests, which hold the registers to it.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod plain {
    pub type Pair = [u64; 2];

    #[inline(always)]
    fn both(a: Pair, b: Pair, f: impl Fn(u64, u64) -> u64) -> Pair {
        let ([a, b], [c, d]) = (a, b);
        [f(a, c), f(b, d)]
    }

    #[inline(always)]
    pub fn pair(low: u64, high: u64) -> Pair {
        [low, high]
    }

    #[inline(always)]
    pub fn low([low, _]: Pair) -> u64 {
        low
    }

    #[inline(always)]
    pub fn xor(a: Pair, b: Pair) -> Pair {
        both(a, b, |a, b| a ^ b)
    }

    /// `a + b + 2 * (lower half of a) * (lower half of b)`
    #[inline(always)]
    pub fn mix(a: Pair, b: Pair) -> Pair {
        both(a, b, |a, b| {
            let product = u64::from(a as u32).wrapping_mul(u64::from(b as u32));
            a.wrapping_add(b).wrapping_add(product.wrapping_mul(2))
        })
    }

    #[inline(always)]
    pub fn right_32(a: Pair) -> Pair {
        a.map(|a| a.rotate_right(32))
    }

    #[inline(always)]
    pub fn right_24(a: Pair) -> Pair {
        a.map(|a| a.rotate_right(24))
    }

    #[inline(always)]
    pub fn right_16(a: Pair) -> Pair {
        a.map(|a| a.rotate_right(16))
    }

    #[inline(always)]
    pub fn right_63(a: Pair) -> Pair {
        a.map(|a| a.rotate_right(63))
    }

    /// The higher word of `a`, then the lower word of `b`.
    #[inline(always)]
    pub fn between([_, high]: Pair, [low, _]: Pair) -> Pair {
        [high, low]
    }
}

/// The higher word.
pub fn high(a: Pair) -> u64 {
    low(between(a, a))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_compute_what_plain_words_do() {
        let words = [0x0123_4567_89ab_cdef, u64::MAX, 0xfedc_ba98_7654_3210, 1];
        let [a, b, c, d] = words;
        let check = |name: &str, ours: Pair, expected: plain::Pair| {
            assert_eq!([low(ours), high(ours)], expected, "{name}");
        };
        let (x, y) = (pair(a, b), pair(c, d));
        let (p, q) = ([a, b], [c, d]);
        check("xor", xor(x, y), plain::xor(p, q));
        check("mix", mix(x, y), plain::mix(p, q));
        check("32", right_32(x), plain::right_32(p));
        check("24", right_24(x), plain::right_24(p));
        check("16", right_16(x), plain::right_16(p));
        check("63", right_63(x), plain::right_63(p));
        check("between", between(x, y), plain::between(p, q));
        assert_eq!(plain::low(plain::pair(a, b)), a);
    }
}
