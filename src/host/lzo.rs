//! LZO1X: one block, compressed and back.
//!
//! The compressor is greedy with a small hash table: it is here so that an image can be made for a
//! kernel that unpacks nothing else, not to win a contest. The decompressor trusts nothing.
//! Streams of the later run-length variant (lzo-rle) are neither written nor read: lzop never
//! writes them.
//!
//! Source: Documentation/staging/lzo.rst (Linux 6.12), which describes what the kernel unpacks.

use crate::base::bytes::le32;

const HASH_BITS: u32 = 14;
/// Farthest back that any instruction reaches.
const MAX_DISTANCE: usize = 0xbfff;
/// Longest distances of the instructions with two and three bytes.
const M2_DISTANCE: usize = 2048;
const M3_DISTANCE: usize = 16384;
/// Shorter repetitions are not looked for.
const MIN_MATCH: usize = 4;
const END: [u8; 3] = [17, 0, 0];

/// Compresses `input`, which must not be empty. The result may be longer than `input`.
pub fn compress(input: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(input.len() / 2 + 64);
    let mut seen = vec![usize::MAX; 1 << HASH_BITS];
    // What is not packed yet, and how many literals it begins with.
    let mut rest = input;
    let mut literals = 0;
    while let Some(word) = le32(rest, literals) {
        let at = input.len() - rest.len() + literals;
        let hash = (word.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize;
        let candidate = seen.get_mut(hash).map(|slot| std::mem::replace(slot, at));
        match candidate.and_then(|candidate| repeat(input, candidate, at)) {
            Some((distance, length)) => {
                let (head, tail) = rest.split_at(literals);
                put_literals(&mut out, head);
                put_match(&mut out, distance, length);
                rest = tail.get(length..).unwrap_or_default();
                literals = 0;
            }
            // Longer strides where nothing repeats: incompressible data must not take forever.
            None => literals += 1 + (literals >> 6),
        }
    }
    put_literals(&mut out, rest);
    out.extend(END);
    out
}

/// Distance and length of the repetition at `at` of what stands at `candidate`, if it is one.
fn repeat(input: &[u8], candidate: usize, at: usize) -> Option<(usize, usize)> {
    let distance = at
        .checked_sub(candidate)
        .filter(|d| (1..=MAX_DISTANCE).contains(d))?;
    let length = common(input.get(candidate..)?, input.get(at..)?);
    (length >= MIN_MATCH).then_some((distance, length))
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

fn put_literals(out: &mut Vec<u8>, literals: &[u8]) {
    let n = literals.len();
    if n == 0 {
        return;
    }
    if out.is_empty() && n <= 238 {
        out.push(17 + n as u8);
    } else if n <= 3 && !out.is_empty() {
        // Every match instruction keeps two bits for this in its last byte but one.
        if let Some(place) = out.iter_mut().rev().nth(1) {
            *place |= n as u8;
        }
    } else if n <= 18 {
        out.push((n - 3) as u8);
    } else {
        out.push(0);
        put_count(out, n - 18);
    }
    out.extend_from_slice(literals);
}

fn put_match(out: &mut Vec<u8>, distance: usize, length: usize) {
    if length <= 8 && distance <= M2_DISTANCE {
        let d = distance - 1;
        out.push(((length - 1) << 5 | (d & 7) << 2) as u8);
        out.push((d >> 3) as u8);
    } else if distance <= M3_DISTANCE {
        put_length(out, 0x20, length, 33);
        out.extend((((distance - 1) << 2) as u16).to_le_bytes());
    } else {
        let d = distance - M3_DISTANCE;
        put_length(out, 0x10 | ((d & 0x4000) >> 11) as u8, length, 9);
        out.extend((((d & 0x3fff) << 2) as u16).to_le_bytes());
    }
}

/// Lengths up to `short` fit into the instruction itself.
fn put_length(out: &mut Vec<u8>, instruction: u8, length: usize, short: usize) {
    if length <= short {
        out.push(instruction | (length - 2) as u8);
    } else {
        out.push(instruction);
        put_count(out, length - short);
    }
}

fn put_count(out: &mut Vec<u8>, mut n: usize) {
    while n > 255 {
        out.push(0);
        n -= 255;
    }
    out.push(n as u8);
}

/// Unpacks one block to exactly `length` bytes; `None` if it is malformed in any way.
pub fn decompress(input: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut block = Block {
        input,
        out: Vec::with_capacity(length),
        length,
    };
    let mut state = block.first()?;
    loop {
        let byte = block.byte()?;
        let (distance, count, next) = match byte {
            0..=15 if state == 0 => {
                let n = block.count(byte, 15)? + 3;
                block.literals(n)?;
                state = 4;
                continue;
            }
            0..=15 => {
                let (base, count) = if state == 4 { (2049, 3) } else { (1, 2) };
                let far = usize::from(block.byte()?) << 2;
                (far + usize::from(byte >> 2) + base, count, byte & 3)
            }
            16..=31 => {
                let count = block.count(byte & 7, 7)? + 2;
                let word = block.word()?;
                let high = usize::from(byte & 8) << 11;
                let distance = M3_DISTANCE + high + usize::from(word >> 2);
                if distance == M3_DISTANCE {
                    return (block.out.len() == length && block.input.is_empty())
                        .then_some(block.out);
                }
                (distance, count, word as u8 & 3)
            }
            32..=63 => {
                let count = block.count(byte & 31, 31)? + 2;
                let word = block.word()?;
                (usize::from(word >> 2) + 1, count, word as u8 & 3)
            }
            64..=255 => {
                let far = usize::from(block.byte()?) << 3;
                let distance = far + usize::from(byte >> 2 & 7) + 1;
                (distance, usize::from(byte >> 5) + 1, byte & 3)
            }
        };
        block.copy(distance, count)?;
        block.literals(usize::from(next))?;
        state = next;
    }
}

struct Block<'a> {
    input: &'a [u8],
    out: Vec<u8>,
    length: usize,
}

impl Block<'_> {
    /// The first byte of a block means literals only. Returns the state after it.
    fn first(&mut self) -> Option<u8> {
        let byte = *self.input.first()?;
        let n = match byte {
            0..=17 => return Some(0),
            _ => byte - 17,
        };
        self.byte()?;
        self.literals(usize::from(n))?;
        Some(n.min(4))
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.input.split_first()?;
        self.input = rest;
        Some(byte)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    /// `short`, or, where it is 0, `base` and what the following bytes add.
    fn count(&mut self, short: u8, base: usize) -> Option<usize> {
        if short != 0 {
            return Some(usize::from(short));
        }
        let mut n = base;
        loop {
            match self.byte()? {
                0 => n += 255,
                last => return Some(n + usize::from(last)),
            }
        }
    }

    fn literals(&mut self, n: usize) -> Option<()> {
        let (literals, rest) = self.input.split_at_checked(n)?;
        self.room(n)?;
        self.out.extend_from_slice(literals);
        self.input = rest;
        Some(())
    }

    fn copy(&mut self, distance: usize, n: usize) -> Option<()> {
        self.room(n)?;
        let from = self.out.len().checked_sub(distance)?;
        for i in from..from + n {
            self.out.push(*self.out.get(i)?);
        }
        Some(())
    }

    fn room(&self, n: usize) -> Option<()> {
        (self.length - self.out.len() >= n).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8]) {
        let packed = compress(input);
        assert_eq!(decompress(&packed, input.len()).as_deref(), Some(input));
        assert_eq!(decompress(&packed, input.len() - 1), None);
        assert_eq!(decompress(&packed[..packed.len() - 1], input.len()), None);
    }

    #[test]
    fn every_instruction_survives_the_round_trip() {
        let mut noise = 1_u32;
        let mut random = |n: usize| -> Vec<u8> {
            let step = |_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            };
            (0..n).map(step).collect()
        };
        check(b"a");
        check(b"abcabcabcabcabc");
        check(&vec![0; 100_000]);
        for literals in [1, 2, 3, 4, 18, 19, 238, 239, 600] {
            for gap in [0, 3, 2040, 2048, 16_384, 16_400, 40_000, 49_151, 60_000] {
                let head = random(literals);
                let mut input = head.clone();
                input.extend(random(gap));
                input.extend(&head);
                input.extend(random(2));
                input.extend(&head);
                check(&input);
            }
        }
    }

    #[test]
    fn hostile_blocks_are_refused() {
        for input in [
            &[][..],
            &[17, 0, 0],
            &[0],
            &[0, 0, 0],
            &[64, 255],
            &[32, 0, 0, 0, 0],
        ] {
            assert_eq!(decompress(input, 10), None, "{input:?}");
        }
        for seed in 0..20_000_u32 {
            let bytes = seed.wrapping_mul(0x9e37_79b1).to_be_bytes();
            let _ = decompress(&[bytes[0], bytes[1], bytes[2], bytes[3], 17, 0, 0], 64);
        }
    }
}
