//! New inputs out of known ones.

/// Deterministic noise: xorshift64*.
pub struct Mutator(u64);

const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    7,
    8,
    127,
    128,
    255,
    256,
    512,
    4096,
    65_535,
    0x7fff_ffff,
    u64::MAX,
];

impl Mutator {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let noise = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        noise as usize % bound.max(1)
    }

    /// One of the corpus, changed in up to 16 places. `words`: what the format is made of.
    pub fn next(&mut self, corpus: &[Vec<u8>], words: &[&[u8]], most: usize) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..1 << self.below(5) {
            self.change(&mut input, corpus, words);
        }
        input.truncate(most);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&[u8]]) {
        let len = input.len();
        let at = self.below(len + 1);
        match self.below(11) {
            0 if at < len => input[at] ^= 1 << self.below(8),
            1 if at < len => input[at] = self.below(256) as u8,
            2 => input.insert(at, self.below(256) as u8),
            3 => {
                let end = (at + 1 + self.below(16)).min(len);
                input.drain(at.min(end)..end);
            }
            4 => input.truncate(at),
            5 => {
                let end = (at + 1 + self.below(64)).min(len);
                let piece = input[at.min(end)..end].to_vec();
                let to = self.below(len + 1);
                input.splice(to..to, piece);
            }
            6 | 7 => {
                let word = match words.len() {
                    0 => &b"\0"[..],
                    count => words[self.below(count)],
                };
                let over = self.below(2) == 0;
                let end = if over { (at + word.len()).min(len) } else { at };
                input.splice(at..end, word.iter().copied());
            }
            8 => {
                let number = NUMBERS[self.below(NUMBERS.len())].wrapping_sub(self.below(2) as u64);
                let width = 1 << self.below(4);
                let mut bytes = number.to_le_bytes()[..width].to_vec();
                if self.below(2) == 0 {
                    bytes.reverse();
                }
                let end = (at + width).min(len);
                input.splice(at..end, bytes);
            }
            9 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                let end = (from + self.below(256)).min(other.len());
                input.splice(
                    at..(at + end - from).min(len),
                    other[from..end].iter().copied(),
                );
            }
            _ if at < len => input[at] = input[at].wrapping_add(1).wrapping_sub(2 * (at % 2) as u8),
            _ => {}
        }
    }
}
