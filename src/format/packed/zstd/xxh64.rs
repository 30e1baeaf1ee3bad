//! The checksum of Zstandard frames: XXH64 with seed 0. Source: the xxHash specification, 0.1.1.

use crate::base::bytes;

const PRIMES: [u64; 5] = [
    0x9e37_79b1_85eb_ca87,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
    0x85eb_ca77_c2b2_ae63,
    0x27d4_eb2f_1656_67c5,
];

pub fn sum(data: &[u8]) -> u64 {
    let [p1, p2, p3, p4, p5] = PRIMES;
    let stripes = data.chunks_exact(32);
    let mut rest = stripes.remainder();
    let mut sum = p5;
    if data.len() >= 32 {
        let mut lanes = [p1.wrapping_add(p2), p2, 0, p1.wrapping_neg()];
        for stripe in stripes {
            for (lane, eight) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, eight_of(eight));
            }
        }
        sum = 0;
        for (turn, lane) in [1, 7, 12, 18].into_iter().zip(lanes) {
            sum = sum.wrapping_add(lane.rotate_left(turn));
        }
        for lane in lanes {
            sum = (sum ^ round(0, lane)).wrapping_mul(p1).wrapping_add(p4);
        }
    }
    sum = sum.wrapping_add(data.len() as u64);
    while let Some((eight, behind)) = rest.split_at_checked(8) {
        sum = next(sum ^ round(0, eight_of(eight)), 27, p1, p4);
        rest = behind;
    }
    if let Some((four, behind)) = rest.split_at_checked(4) {
        let four = u64::from(bytes::le32(four, 0).unwrap_or(0));
        sum = next(sum ^ four.wrapping_mul(p1), 23, p2, p3);
        rest = behind;
    }
    for &byte in rest {
        sum = next(sum ^ u64::from(byte).wrapping_mul(p5), 11, p1, 0);
    }
    sum = (sum ^ sum >> 33).wrapping_mul(p2);
    sum = (sum ^ sum >> 29).wrapping_mul(p3);
    sum ^ sum >> 32
}

fn next(sum: u64, turn: u32, factor: u64, more: u64) -> u64 {
    let sum = sum.rotate_left(turn).wrapping_mul(factor);
    sum.wrapping_add(more)
}

fn eight_of(bytes: &[u8]) -> u64 {
    bytes::le64(bytes, 0).unwrap_or(0)
}

fn round(lane: u64, input: u64) -> u64 {
    let [p1, p2, ..] = PRIMES;
    let lane = lane.wrapping_add(input.wrapping_mul(p2));
    lane.rotate_left(31).wrapping_mul(p1)
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn sums_are_those_of_the_reference() {
        assert_eq!(sum(b""), 0xef46_db37_51d8_e999);
        assert_eq!(sum(b"a"), 0xd24e_c4f1_a98c_6e5b);
        assert_eq!(sum(b"abc"), 0x44bc_2cf5_ad77_0999);
    }
}
