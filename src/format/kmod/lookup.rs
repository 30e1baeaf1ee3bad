//! One index, binary or text, behind the two questions that are asked of it.

use super::lines::Lines;
use super::names::canonical;
use super::trie::Trie;
use alloc::vec::Vec;

/// Values found for one key are at most this many; real aliases have less than ten.
const FOUND_MAX: usize = 256;

/// Values with their priorities, the lowest number (best) first.
#[derive(Default)]
pub struct Found<'a>(Vec<(u32, &'a [u8])>);

impl<'a> Found<'a> {
    /// Of equal priorities the last one added comes first, as in kmod.
    pub fn add(&mut self, priority: u32, value: &'a [u8]) {
        if self.0.len() < FOUND_MAX {
            let at = self.0.partition_point(|(p, _)| *p < priority);
            self.0.insert(at, (priority, value));
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().map(|(_, value)| *value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An index as it was found in the modules directory.
#[derive(Default)]
pub enum Index<'a> {
    #[default]
    Absent,
    Trie(Trie<'a>),
    Lines(Lines<'a>),
}

impl<'a> Index<'a> {
    /// The line or the value of a key without wildcards.
    pub fn exact(&self, key: &[u8]) -> Option<&'a [u8]> {
        match self {
            Self::Absent => None,
            Self::Trie(trie) => trie.exact(&canonical(key)),
            Self::Lines(lines) => lines.exact(key),
        }
    }

    /// Values of the patterns that match `key`.
    pub fn matching(&self, key: &[u8]) -> Found<'a> {
        let mut found = Found::default();
        match self {
            Self::Absent => {}
            Self::Trie(trie) => trie.matching(key, &mut found),
            Self::Lines(lines) => lines.matching(key, &mut found),
        }
        found
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}
