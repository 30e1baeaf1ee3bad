//! Writes kmod's binary indexes (`modules.dep.bin` and its sisters).
//!
//! An index is a trie: each node holds a prefix, children by their first byte, and values with a
//! priority (lowest is best). Only writing is here; `format::kmod` reads.
//!
//! Source: the description of the format in kmod's libkmod-index.h (kmod 34), version 2.1.

use std::collections::BTreeMap;

const MAGIC: u32 = 0xb007_f457;
const VERSION: u32 = 0x0002_0001;
/// What a node has, told in the upper bits of every reference to it.
const HAS_PREFIX: u32 = 0x8000_0000;
const HAS_VALUES: u32 = 0x4000_0000;
const HAS_CHILDREN: u32 = 0x2000_0000;
/// The rest is the node's place in the file.
const PLACE: u32 = 0x0fff_ffff;
/// Readers index children by seven bits.
const KEY_BYTES: u8 = 128;

#[derive(Default)]
pub struct Index {
    root: Node,
}

#[derive(Default)]
struct Node {
    prefix: Vec<u8>,
    children: BTreeMap<u8, Node>,
    values: Vec<(u32, Vec<u8>)>,
}

impl Index {
    /// Adds a value. Keys that are not plain ASCII have no place in the format and are left out.
    pub fn insert(&mut self, key: &[u8], value: &[u8], priority: u32) {
        let plain = |b: &u8| (1..KEY_BYTES).contains(b);
        if key.iter().all(plain) && !value.contains(&0) {
            self.root.insert(key, value, priority);
        }
    }

    /// The file's bytes; `None` if it would be larger than the format can address (256 MiB).
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        out.extend(MAGIC.to_be_bytes());
        out.extend(VERSION.to_be_bytes());
        out.extend([0; 4]);
        let root = self.root.write(&mut out)?;
        out.get_mut(8..12)?.copy_from_slice(&root.to_be_bytes());
        Some(out)
    }
}

impl Node {
    fn insert(&mut self, key: &[u8], value: &[u8], priority: u32) {
        let same = self
            .prefix
            .iter()
            .zip(key)
            .take_while(|(a, b)| a == b)
            .count();
        if same < self.prefix.len() {
            self.split(same);
        }
        match key.get(same..).and_then(|rest| rest.split_first()) {
            None => {
                // Of equal priorities the last one comes first, as depmod has it.
                let at = self.values.partition_point(|(p, _)| *p < priority);
                self.values.insert(at, (priority, value.to_vec()));
            }
            Some((first, rest)) => {
                let child = self.children.entry(*first).or_insert_with(|| Node {
                    prefix: rest.to_vec(),
                    ..Node::default()
                });
                child.insert(rest, value, priority);
            }
        }
    }

    /// Keeps the first `at` bytes of the prefix; the rest becomes the only child.
    fn split(&mut self, at: usize) {
        let tail = self.prefix.split_off(at);
        if let Some((first, rest)) = tail.split_first() {
            let child = Node {
                prefix: rest.to_vec(),
                children: std::mem::take(&mut self.children),
                values: std::mem::take(&mut self.values),
            };
            self.children.insert(*first, child);
        }
    }

    /// Writes the children, then the node; returns the reference to it.
    fn write(&self, out: &mut Vec<u8>) -> Option<u32> {
        let mut references = BTreeMap::new();
        for (first, child) in &self.children {
            references.insert(*first, child.write(out)?);
        }
        let mut reference = u32::try_from(out.len()).ok().filter(|at| *at <= PLACE)?;
        if !self.prefix.is_empty() {
            out.extend(&self.prefix);
            out.push(0);
            reference |= HAS_PREFIX;
        }
        let ends = references
            .first_key_value()
            .zip(references.last_key_value());
        if let Some(((&first, _), (&last, _))) = ends {
            out.extend([first, last]);
            for byte in first..=last {
                let child = references.get(&byte).copied().unwrap_or(0);
                out.extend(child.to_be_bytes());
            }
            reference |= HAS_CHILDREN;
        }
        if !self.values.is_empty() {
            out.extend(u32::try_from(self.values.len()).ok()?.to_be_bytes());
            for (priority, value) in &self.values {
                out.extend(priority.to_be_bytes());
                out.extend(value);
                out.push(0);
            }
            reference |= HAS_VALUES;
        }
        Some(reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::kmod::{Catalog, Files};

    #[test]
    fn what_was_written_is_found() {
        let mut index = Index::default();
        for (at, key) in ["ext4", "ext2", "ex", "xfs", "ext4_more", ""]
            .iter()
            .enumerate()
        {
            index.insert(
                key.as_bytes(),
                format!("kernel/{key}.ko:").as_bytes(),
                at as u32,
            );
        }
        let bytes = index.to_bytes().unwrap();
        let catalog = Catalog::new(
            "",
            &Files {
                dep_bin: Some(&bytes),
                ..Files::default()
            },
        );
        for key in ["ext4", "ext2", "ex", "xfs", "ext4_more"] {
            let path = catalog.path_of(key);
            assert_eq!(path.as_deref(), Some(format!("/kernel/{key}.ko").as_str()));
        }
        assert!(!catalog.has(b"ext") && !catalog.has(b"ext4_"));
    }

    #[test]
    fn keys_outside_ascii_are_left_out() {
        let mut index = Index::default();
        index.insert(b"\xff", b"x", 0);
        let empty = Index::default().to_bytes().unwrap();
        assert_eq!(index.to_bytes().unwrap(), empty);
    }
}
