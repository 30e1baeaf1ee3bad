//! Patterns as module aliases use them: `*`, `?`, `[a-z]`, `[!0-9]`; a `/` is an ordinary byte.
//!
//! The pattern is fed byte by byte, so a trie of patterns is matched while it is walked. What is
//! kept is the set of places in the key that the pattern so far can have reached: no backtracking,
//! at most `KEY_MAX` steps for each byte of the pattern, whatever the bytes are.
//!
//! Source: fnmatch(3) without flags, minus `\` (depmod writes none), and `-` equals `_` outside
//! of brackets, as kmod has it for module names and aliases.

/// Longest key that is looked up. A uevent is at most 2 KiB, and its modalias is part of it.
pub const KEY_MAX: usize = 64 * WORDS - 1;
const WORDS: usize = 32;

/// One key being matched by one pattern.
#[derive(Clone)]
pub struct Matcher<'k> {
    key: &'k [u8],
    /// Bit `p`: the pattern so far can match `key[..p]`.
    reached: [u64; WORDS],
    class: Option<Class>,
}

impl<'k> Matcher<'k> {
    /// `None` if the key is longer than `KEY_MAX`.
    pub fn new(key: &'k [u8]) -> Option<Self> {
        if key.len() > KEY_MAX {
            return None;
        }
        let mut reached = [0; WORDS];
        if let Some(first) = reached.first_mut() {
            *first = 1;
        }
        Some(Self {
            key,
            reached,
            class: None,
        })
    }

    /// Takes the next byte of the pattern. False: nothing that follows can match any more.
    pub fn step(&mut self, byte: u8) -> bool {
        if let Some(class) = &mut self.class {
            if class.step(byte)
                && let Some(class) = self.class.take()
            {
                return self.advance(&|b| class.holds(b));
            }
            return true;
        }
        match byte {
            b'*' => self.spread(),
            b'?' => self.advance(&|_| true),
            b'[' => {
                self.class = Some(Class::default());
                true
            }
            _ => self.advance(&|b| b == underscore(byte)),
        }
    }

    /// The bytes with which a pattern can go on. Spares a trie a look at each child.
    pub fn next(&self) -> Bytes {
        if self.class.is_some() {
            return Bytes([u64::MAX; 4]);
        }
        let mut next = Bytes::default();
        for special in b"*?[" {
            next.add(*special);
        }
        self.each(&mut |place| {
            if let Some(&byte) = self.key.get(place) {
                next.add(byte);
            }
        });
        // In the key `-` is `_` already; the pattern may have either.
        if next.has(b'_') {
            next.add(b'-');
        }
        next
    }

    /// How many places are reached: what the next step costs.
    pub fn places(&self) -> u32 {
        let words = self.reached.iter().take(self.words());
        words.fold(0, |sum, word| sum.saturating_add(word.count_ones()))
    }

    /// Does the pattern so far match the whole key?
    pub fn accepts(&self) -> bool {
        self.class.is_none() && self.has(self.key.len())
    }

    fn has(&self, place: usize) -> bool {
        let word = self.reached.get(place / 64).copied().unwrap_or(0);
        (word >> (place % 64)) & 1 == 1
    }

    /// Words of the set that this key needs.
    fn words(&self) -> usize {
        (self.key.len() / 64).saturating_add(1)
    }

    /// Calls `visit` with every place reached.
    fn each(&self, visit: &mut dyn FnMut(usize)) {
        let words = self.words();
        for (index, word) in self.reached.iter().enumerate().take(words) {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                visit(index.saturating_mul(64).saturating_add(bit));
            }
        }
    }

    /// Moves every place whose byte is taken one on, and forgets the others.
    fn advance(&mut self, takes: &dyn Fn(u8) -> bool) -> bool {
        let words = self.words();
        let mut carry = 0;
        let mut alive = 0;
        for (word, part) in self.reached.iter_mut().take(words).zip(Parts(self.key)) {
            let mut kept = 0;
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left.wrapping_sub(1);
                if part.get(bit as usize).is_some_and(|&b| takes(b)) {
                    kept |= 1_u64 << (bit % 64);
                }
            }
            *word = kept << 1 | carry;
            carry = kept >> 63;
            alive |= *word;
        }
        alive != 0
    }

    /// `*`: every place from the first one reached to the end of the key.
    fn spread(&mut self) -> bool {
        let mut open = 0_u64;
        let words = self.words();
        for word in self.reached.iter_mut().take(words) {
            // From the lowest bit upwards; after the first word with a bit, all of them.
            let lowest = *word & word.wrapping_neg();
            *word = open | lowest.wrapping_neg();
            if *word != 0 {
                open = u64::MAX;
            }
        }
        let end = self.key.len();
        if let Some(last) = self.reached.get_mut(end / 64) {
            // Places beyond the end of the key do not exist.
            *last &= u64::MAX >> (!end % 64);
        }
        open != 0
    }
}

/// The key in parts of 64 bytes, one for each word of the set; empty ones at the end.
struct Parts<'k>(&'k [u8]);

impl<'k> Iterator for Parts<'k> {
    type Item = &'k [u8];

    fn next(&mut self) -> Option<&'k [u8]> {
        let (part, rest) = self.0.split_at_checked(64).unwrap_or((self.0, b""));
        self.0 = rest;
        Some(part)
    }
}

/// A set of bytes.
#[derive(Clone, Copy, Default)]
pub struct Bytes([u64; 4]);

impl Bytes {
    pub fn has(&self, byte: u8) -> bool {
        let word = self.0.get(usize::from(byte / 64)).copied();
        (word.unwrap_or(0) >> (byte % 64)) & 1 == 1
    }

    fn add(&mut self, byte: u8) {
        if let Some(word) = self.0.get_mut(usize::from(byte / 64)) {
            *word |= 1 << (byte % 64);
        }
    }
}

/// A bracket expression as far as it has been read.
#[derive(Clone, Default)]
struct Class {
    bytes: Bytes,
    negated: bool,
    /// Something was read: `]` now closes, `!` is a member.
    begun: bool,
    last: Option<u8>,
    range: bool,
}

impl Class {
    /// True when the bracket is closed.
    fn step(&mut self, byte: u8) -> bool {
        let first = !self.begun;
        match byte {
            b'!' | b'^' if first && !self.negated => {
                self.negated = true;
                return false;
            }
            b']' if !first => {
                if self.range {
                    self.bytes.add(b'-');
                }
                return true;
            }
            b'-' if self.last.is_some() && !self.range => self.range = true,
            _ => {
                let from = if self.range { self.last } else { None };
                for member in from.unwrap_or(byte)..=byte {
                    self.bytes.add(member);
                }
                self.last = if self.range { None } else { Some(byte) };
                self.range = false;
            }
        }
        self.begun = true;
        false
    }

    fn holds(&self, byte: u8) -> bool {
        self.bytes.has(byte) != self.negated
    }
}

/// Does `pattern` match all of `key`?
pub fn matches(pattern: &[u8], key: &[u8]) -> bool {
    // Most comparisons end before the first wildcard.
    let start = literal(pattern).len();
    let (Some((plain, pattern)), Some((start, key))) =
        (pattern.split_at_checked(start), key.split_at_checked(start))
    else {
        return false;
    };
    if !same(plain, start) || pattern.is_empty() {
        return same(plain, start) && key.is_empty();
    }
    let Some(mut matcher) = Matcher::new(key) else {
        return false;
    };
    pattern.iter().all(|&b| matcher.step(b)) && matcher.accepts()
}

/// What comes before the first wildcard.
pub fn literal(pattern: &[u8]) -> &[u8] {
    let wild = |b: &u8| matches!(b, b'*' | b'?' | b'[');
    let end = pattern.iter().position(wild).unwrap_or(pattern.len());
    pattern.get(..end).unwrap_or(pattern)
}

/// Are these the same name?
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let equal = |(&x, &y)| underscore(x) == underscore(y);
    a.len() == b.len() && a.iter().zip(b).all(equal)
}

/// `-` and `_` are one and the same in names of modules and of their parameters.
pub fn underscore(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, key: &str, expected: bool) {
        let got = matches(pattern.as_bytes(), key.as_bytes());
        assert_eq!(got, expected, "{pattern} on {key}");
    }

    #[test]
    fn patterns_match_whole_keys() {
        check("", "", true);
        check("", "a", false);
        check("a", "", false);
        check("*", "", true);
        check("*", "a/b", true);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("a*c", "a/x/c", true);
        check("a*c", "a/x/cd", false);
        check("pci:v*d*sv*", "pci:v1d2sv3", true);
        check("*a*b*", "xxaxxbxx", true);
        check("*a*b*", "xxbxxaxx", false);
        check("crypto-x", "crypto_x", true);
        check("crypto-x*", "crypto_", false);
        assert!(same(b"virtio-blk", b"virtio_blk") && !same(b"a", b"ab"));
    }

    #[test]
    fn brackets_hold_ranges_and_negations() {
        check("d0[0-2]*", "d0145", true);
        check("d0[0-2]*", "d0345", false);
        check("[]a]", "]", true);
        check("[!a-c]x", "dx", true);
        check("[!a-c]x", "bx", false);
        check("[a-]", "-", true);
        check("[-a]", "-", true);
        check("[a-c0-9]", "5", true);
        check("[a-c0-9]", "-", false);
        check("[abc", "a", false);
        check("[z-a]", "b", false);
    }

    #[test]
    fn long_keys_cross_the_words_of_the_set() {
        for len in [62, 63, 64, 65, 127, 128, 129, 700, KEY_MAX] {
            let key = "a".repeat(len - 1) + "b";
            check("*b", &key, true);
            check("*a", &key, false);
            check(&key.clone(), &key, true);
            check(&("?".repeat(len - 1) + "b"), &key, true);
            check(&"*a".repeat(len - 1), &key, false);
            check(&("*a".repeat(len - 1) + "*"), &key, true);
        }
        check("*", &"a".repeat(KEY_MAX + 1), false);
    }
}
