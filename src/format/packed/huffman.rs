//! Codes without a common prefix, as a table of all words of the longest code's length.

use alloc::vec::Vec;

pub struct Code {
    pub symbol: usize,
    /// In bits.
    pub length: usize,
}

/// An empty one knows no code.
#[derive(Default)]
pub struct Huffman {
    /// Symbols, and the lengths of their codes above [`LENGTH`].
    codes: Vec<u16>,
    /// Of the longest code, in bits.
    pub longest: usize,
}

/// Which codes have the smallest numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    ShortFirst,
    LongFirst,
}

/// No symbol needs more bits.
const LENGTH: u32 = 12;
/// No code is longer, in bits.
const LONGEST_MAX: u8 = 15;

impl Huffman {
    /// From the length of each symbol's code; 0: it has none. `None`: there are more codes than
    /// words. That there are fewer shows when a word without a code is met.
    pub fn new(lengths: &[u8], order: Order) -> Option<Self> {
        let longest = lengths.iter().fold(0, |max, &length| length.max(max));
        if longest > LONGEST_MAX {
            return None;
        }
        let words = 1_usize.wrapping_shl(longest.into());
        let mut codes = Vec::new();
        for step in 1..=longest {
            let length = match order {
                Order::ShortFirst => step,
                Order::LongFirst => longest.wrapping_sub(step).wrapping_add(1),
            };
            for (symbol, _) in lengths.iter().enumerate().filter(|(_, l)| **l == length) {
                let share = words.wrapping_shr(length.into());
                let end = codes.len().wrapping_add(share);
                if end > words {
                    return None;
                }
                codes.resize(end, symbol as u16 | u16::from(length) << LENGTH);
            }
        }
        let longest = longest.into();
        Some(Self { codes, longest })
    }

    /// The code that `word` begins with; its first bit is the highest of [`Self::longest`].
    pub fn code(&self, word: usize) -> Option<Code> {
        let code = usize::from(*self.codes.get(word)?);
        Some(Code {
            symbol: code & ((1 << LENGTH) - 1),
            length: code >> LENGTH,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_either_order() {
        let found = |order, word| {
            let table = Huffman::new(&[2, 0, 1, 2], order).unwrap();
            table.code(word).map(|code| (code.symbol, code.length))
        };
        let short = [(2, 1), (2, 1), (0, 2), (3, 2)];
        let long = [(0, 2), (3, 2), (2, 1), (2, 1)];
        for word in 0..4 {
            assert_eq!(found(Order::ShortFirst, word), Some(short[word]));
            assert_eq!(found(Order::LongFirst, word), Some(long[word]));
        }
    }

    #[test]
    fn too_many_codes_are_refused_and_missing_ones_are_not_found() {
        assert!(Huffman::new(&[1, 1, 1], Order::ShortFirst).is_none());
        assert!(Huffman::new(&[16], Order::ShortFirst).is_none());
        let one = Huffman::new(&[0, 2], Order::ShortFirst).unwrap();
        assert!(one.code(0).is_some() && one.code(1).is_none());
        assert!(Huffman::default().code(0).is_none());
    }
}
