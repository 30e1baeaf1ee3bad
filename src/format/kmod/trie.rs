//! kmod's binary index: `modules.dep.bin`, `modules.alias.bin` and their like.
//!
//! A radix tree of nodes; numbers are big-endian. Header: magic, version (major in the upper
//! half), offset of the root. The upper four bits of a node's offset say which parts it has:
//! a prefix (ended by NUL), children (first byte, last byte, one offset for each byte between),
//! values (count, then for each a priority and a text ended by NUL), in this order.
//!
//! Nothing is copied and nothing is trusted: an offset may point anywhere, so each search has a
//! budget of steps and a depth.
//!
//! Source: `libkmod/docs` and depmod(8) of kmod 30, index format 2.1.

use super::glob::Matcher;
use super::lookup::Found;
use crate::base::bytes;

const MAGIC: u32 = 0xB007_F457;
const MAJOR: u32 = 2;
const OFFSET: u32 = 0x0FFF_FFFF;
const HAS_PREFIX: u32 = 0x8000_0000;
const HAS_VALUES: u32 = 0x4000_0000;
const HAS_CHILDREN: u32 = 0x2000_0000;

/// Longest value; Debian's longest, a line of `modules.dep`, has 1 KiB.
const VALUE_MAX: usize = 64 * 1024;
/// Longest prefix of a node, which is part of a pattern.
const PREFIX_MAX: usize = 2048;
/// Places in the key looked at in one search. Searches in Debian's index take some thousands.
const BUDGET: u32 = 1 << 20;
/// Nodes on the way from the root. No pattern is longer than this, in bytes.
const DEPTH: u32 = 512;

#[derive(Clone, Copy)]
pub struct Trie<'a> {
    bytes: &'a [u8],
    root: u32,
}

struct Node<'a> {
    prefix: &'a [u8],
    first: u8,
    last: u8,
    children: usize,
    values: usize,
    count: u32,
}

/// Is this an index of a version that we know, with anything in it?
pub fn is_index(bytes: &[u8]) -> bool {
    let parts = HAS_PREFIX | HAS_VALUES | HAS_CHILDREN;
    Trie::new(bytes).is_some_and(|trie| trie.root & parts != 0)
}

impl<'a> Trie<'a> {
    /// `None` if this is not an index of a version that we know.
    pub fn new(index: &'a [u8]) -> Option<Self> {
        let magic = bytes::be32(index, 0)?;
        let version = bytes::be32(index, 4)?;
        let root = bytes::be32(index, 8)?;
        (magic == MAGIC && version >> 16 == MAJOR).then_some(Self { bytes: index, root })
    }

    /// The first value of `key`, which is taken literally.
    pub fn exact(&self, key: &[u8]) -> Option<&'a [u8]> {
        let mut node = self.node(self.root)?;
        let mut rest = key;
        loop {
            rest = rest.strip_prefix(node.prefix)?;
            let Some((&byte, tail)) = rest.split_first() else {
                let skip_priority = node.values.checked_add(4)?;
                return (node.count > 0)
                    .then(|| self.text(skip_priority, VALUE_MAX))
                    .flatten();
            };
            node = self.child(&node, byte)?;
            rest = tail;
        }
    }

    /// The values of all keys that, read as patterns, match `key`.
    pub fn matching(&self, key: &[u8], found: &mut Found<'a>) {
        let (Some(root), Some(matcher)) = (self.node(self.root), Matcher::new(key)) else {
            return;
        };
        let mut budget = BUDGET;
        self.walk(&root, matcher, DEPTH, &mut budget, found);
    }

    fn walk(
        &self,
        node: &Node<'a>,
        mut matcher: Matcher<'_>,
        depth: u32,
        budget: &mut u32,
        found: &mut Found<'a>,
    ) {
        for &byte in node.prefix {
            if !spend(budget, matcher.places()) || !matcher.step(byte) {
                return;
            }
        }
        if node.count > 0 && matcher.accepts() {
            self.values(node, budget, found);
        }
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let next = matcher.next();
        for byte in node.first..=node.last {
            if !next.has(byte) {
                continue;
            }
            if !spend(budget, matcher.places()) {
                return;
            }
            let Some(child) = self.child(node, byte) else {
                // Most holes are free, but a damaged node was searched for the end of its prefix.
                spend(budget, 16);
                continue;
            };
            let mut matcher = matcher.clone();
            if spend(budget, child.prefix.len() as u32 / 16) && matcher.step(byte) {
                self.walk(&child, matcher, depth, budget, found);
            }
        }
    }

    fn values(&self, node: &Node<'a>, budget: &mut u32, found: &mut Found<'a>) {
        let mut at = node.values;
        for _ in 0..node.count {
            let Some(priority) = bytes::be32(self.bytes, at) else {
                return;
            };
            let Some(text) = self.text(at.saturating_add(4), VALUE_MAX) else {
                return;
            };
            if !spend(budget, text.len() as u32 / 16) {
                return;
            }
            found.add(priority, text);
            at = at.saturating_add(text.len()).saturating_add(5);
        }
    }

    fn child(&self, node: &Node<'a>, byte: u8) -> Option<Node<'a>> {
        if byte > node.last {
            return None;
        }
        let index = usize::from(byte.checked_sub(node.first)?);
        let at = node.children.checked_add(index.checked_mul(4)?)?;
        self.node(bytes::be32(self.bytes, at)?)
    }

    fn node(&self, offset: u32) -> Option<Node<'a>> {
        let mut at = usize::try_from(offset & OFFSET).ok()?;
        if at == 0 {
            return None;
        }
        let mut node = Node {
            prefix: b"",
            first: 1,
            last: 0,
            children: 0,
            values: 0,
            count: 0,
        };
        if offset & HAS_PREFIX != 0 {
            node.prefix = self.text(at, PREFIX_MAX)?;
            at = at.checked_add(node.prefix.len())?.checked_add(1)?;
        }
        if offset & HAS_CHILDREN != 0 {
            node.first = bytes::u8(self.bytes, at)?;
            node.last = bytes::u8(self.bytes, at.checked_add(1)?)?;
            node.children = at.checked_add(2)?;
            let count = usize::from(node.last.checked_sub(node.first)?).checked_add(1)?;
            at = node.children.checked_add(count.checked_mul(4)?)?;
        }
        if offset & HAS_VALUES != 0 {
            node.count = bytes::be32(self.bytes, at)?;
            node.values = at.checked_add(4)?;
        }
        Some(node)
    }

    /// The text at `at`, without its NUL. `None` where no NUL follows within `longest` bytes.
    fn text(&self, at: usize, longest: usize) -> Option<&'a [u8]> {
        let rest = self.bytes.get(at..)?;
        let reach = rest.get(..longest).unwrap_or(rest);
        let end = reach.iter().position(|&b| b == 0)?;
        reach.get(..end)
    }
}

/// Pays for one step. False: the budget is spent.
fn spend(budget: &mut u32, places: u32) -> bool {
    *budget = budget.saturating_sub(places.saturating_add(1));
    *budget > 0
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Three keys by hand: `ab` → `one`; `a*` → `two`, `three`.
    fn sample() -> Vec<u8> {
        let mut b = Vec::new();
        let be = |b: &mut Vec<u8>, n: u32| b.extend_from_slice(&n.to_be_bytes());
        for n in [MAGIC, 0x0002_0001, 0] {
            be(&mut b, n);
        }
        let star = b.len() as u32;
        be(&mut b, 2);
        be(&mut b, 9);
        b.extend_from_slice(b"three\0");
        be(&mut b, 5);
        b.extend_from_slice(b"two\0");
        let plain = b.len() as u32;
        be(&mut b, 1);
        be(&mut b, 7);
        b.extend_from_slice(b"one\0");
        let root = b.len() as u32;
        b.extend_from_slice(b"a\0*b");
        for byte in b'*'..=b'b' {
            let offset = match byte {
                b'*' => star | HAS_VALUES,
                b'b' => plain | HAS_VALUES,
                _ => 0,
            };
            be(&mut b, offset);
        }
        b.splice(8..12, (root | HAS_PREFIX | HAS_CHILDREN).to_be_bytes());
        b
    }

    fn search(index: &[u8], key: &str) -> Vec<Vec<u8>> {
        let mut found = Found::default();
        if let Some(trie) = Trie::new(index) {
            trie.matching(key.as_bytes(), &mut found);
        }
        found.names().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn values_come_by_priority() {
        let index = sample();
        let trie = Trie::new(&index).unwrap();
        assert_eq!(trie.exact(b"ab"), Some(&b"one"[..]));
        assert_eq!(trie.exact(b"a*"), Some(&b"three"[..]));
        assert_eq!(trie.exact(b"a"), None);
        assert_eq!(trie.exact(b"abc"), None);
        assert_eq!(search(&index, "ab"), [&b"two"[..], b"one", b"three"]);
        assert_eq!(search(&index, "ax"), [&b"two"[..], b"three"]);
        assert!(search(&index, "b").is_empty());
    }

    #[test]
    fn a_loop_of_nodes_ends() {
        let mut b = Vec::new();
        let root = 12 | HAS_CHILDREN | HAS_PREFIX;
        for n in [MAGIC, 0x0002_0000, root] {
            b.extend_from_slice(&n.to_be_bytes());
        }
        // Prefix `*`, then all children are the node itself.
        b.extend_from_slice(b"*\0\x00\xff");
        for _ in 0..256 {
            b.extend_from_slice(&root.to_be_bytes());
        }
        let key = "a".repeat(crate::format::kmod::glob::KEY_MAX);
        assert!(search(&b, &key).is_empty());
        assert_eq!(Trie::new(&b).unwrap().exact(key.as_bytes()), None);
    }
}
