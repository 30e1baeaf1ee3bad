//! An index over a text file, for module trees without depmod's `.bin` files.
//!
//! Nothing is copied: a line is one number, the hash of its key above the place where it begins.
//! The key of a pattern is its part before the first wildcard, so a lookup hashes the prefixes of
//! a modalias, one after the other, and compares it with those patterns only that begin as it does.
//!
//! Source: modules.dep(5) and depmod(8).

use super::glob::{Matcher, literal, matches, same, underscore};
use super::lookup::Found;
use super::names::stem;
use crate::base::order;
use alloc::vec::Vec;

/// What one line says: its key, the whole pattern, and the value.
struct Entry<'a> {
    key: &'a [u8],
    pattern: &'a [u8],
    value: &'a [u8],
}

type Read = for<'a> fn(&'a [u8]) -> Option<Entry<'a>>;

pub struct Lines<'a> {
    text: &'a [u8],
    end: u8,
    read: Read,
    /// Sorted; equal keys stay in the order of the file.
    index: Vec<u64>,
}

impl<'a> Lines<'a> {
    /// `modules.dep`: `PATH: PATH…`, by the name of the first.
    pub fn dependencies(text: &'a [u8]) -> Self {
        Self::build(text, b'\n', read_dependency)
    }

    /// `modules.alias`: `alias PATTERN NAME`.
    pub fn aliases(text: &'a [u8]) -> Self {
        Self::build(text, b'\n', read_alias)
    }

    /// `modules.builtin`: a path on each line.
    pub fn builtin(text: &'a [u8]) -> Self {
        Self::build(text, b'\n', read_builtin)
    }

    /// `modules.builtin.modinfo`: `NAME.alias=PATTERN` among other fields, each ended by NUL.
    pub fn builtin_aliases(text: &'a [u8]) -> Self {
        Self::build(text, 0, read_modinfo)
    }

    fn build(text: &'a [u8], end: u8, read: Read) -> Self {
        let mut index = Vec::new();
        let mut at = 0_usize;
        for line in text.split(|&b| b == end) {
            if let (Some(entry), Ok(start)) = (read(line), u32::try_from(at)) {
                let hash = entry.key.iter().fold(Hash::default(), |h, &b| h.with(b));
                index.push(hash.at(start));
            }
            at = at.saturating_add(line.len()).saturating_add(1);
        }
        order::sort(&mut index, &mut |a, b| a.cmp(b));
        Self {
            text,
            end,
            read,
            index,
        }
    }

    /// The first line with this key.
    pub fn exact(&self, key: &[u8]) -> Option<&'a [u8]> {
        let hash = key.iter().fold(Hash::default(), |h, &b| h.with(b));
        let mut lines = self.group(hash).map(|start| self.line(start));
        lines.find(|line| (self.read)(line).is_some_and(|entry| same(entry.key, key)))
    }

    /// The values of all patterns that match `key`, in the order of the file.
    pub fn matching(&self, key: &[u8], found: &mut Found<'a>) {
        if Matcher::new(key).is_none() {
            return;
        }
        let mut hash = Hash::default();
        let mut rest = key.iter();
        loop {
            for start in self.group(hash) {
                if let Some(entry) = (self.read)(self.line(start))
                    && matches(entry.pattern, key)
                {
                    found.add(start, entry.value);
                }
            }
            let Some(&byte) = rest.next() else {
                return;
            };
            hash = hash.with(byte);
        }
    }

    /// Where the lines begin whose keys have this hash.
    fn group(&self, hash: Hash) -> impl Iterator<Item = u32> {
        let from = self.index.partition_point(|&line| line < hash.at(0));
        let rest = self.index.get(from..).unwrap_or(&[]);
        rest.iter()
            .take_while(move |&&line| line <= hash.at(u32::MAX))
            .map(|&line| (line & u64::from(u32::MAX)) as u32)
    }

    fn line(&self, start: u32) -> &'a [u8] {
        let from = usize::try_from(start).unwrap_or(usize::MAX);
        let rest = self.text.get(from..).unwrap_or(&[]);
        let end = rest.iter().position(|&b| b == self.end);
        rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest)
    }
}

/// FNV-1a over canonical bytes. Collisions cost time only: every candidate is compared.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Default for Hash {
    fn default() -> Self {
        Self(0x811C_9DC5)
    }
}

impl Hash {
    fn with(self, byte: u8) -> Self {
        Self((self.0 ^ u32::from(underscore(byte))).wrapping_mul(0x0100_0193))
    }

    /// The number that stands for a line with this key.
    fn at(self, start: u32) -> u64 {
        u64::from(self.0) << 32 | u64::from(start)
    }
}

fn of_pattern<'a>(pattern: &'a [u8], value: &'a [u8]) -> Option<Entry<'a>> {
    Some(Entry {
        key: literal(pattern),
        pattern,
        value,
    })
}

fn read_dependency(line: &[u8]) -> Option<Entry<'_>> {
    let colon = line.iter().position(|&b| b == b':')?;
    let key = stem(line.get(..colon)?);
    (!key.is_empty()).then_some(Entry {
        key,
        pattern: key,
        value: line,
    })
}

fn read_builtin(line: &[u8]) -> Option<Entry<'_>> {
    let key = stem(line);
    (!key.is_empty()).then_some(Entry {
        key,
        pattern: key,
        value: line,
    })
}

fn read_alias(line: &[u8]) -> Option<Entry<'_>> {
    let rest = line.strip_prefix(b"alias ")?;
    let blank = rest.iter().position(|&b| b == b' ')?;
    let (pattern, name) = (rest.get(..blank)?, rest.get(blank..)?.get(1..)?);
    (!name.is_empty())
        .then(|| of_pattern(pattern, name))
        .flatten()
}

fn read_modinfo(field: &[u8]) -> Option<Entry<'_>> {
    let equals = field.iter().position(|&b| b == b'=')?;
    let (key, pattern) = (field.get(..equals)?, field.get(equals..)?.get(1..)?);
    let name = key.strip_suffix(b".alias")?;
    of_pattern(pattern, name)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn found(lines: &Lines<'_>, key: &str) -> String {
        let mut found = Found::default();
        lines.matching(key.as_bytes(), &mut found);
        let names: Vec<&[u8]> = found.names().collect();
        String::from_utf8(names.join(&b' ')).unwrap()
    }

    #[test]
    fn patterns_are_found_in_the_order_of_the_file() {
        let text = b"# comment\nalias pci:v1d*sv* b\nalias pci:v1d2sv3 a\n\
            alias * any\nalias crypto-x c\nalias broken\n";
        let lines = Lines::aliases(text);
        assert_eq!(found(&lines, "pci:v1d2sv3"), "b a any");
        assert_eq!(found(&lines, "pci:v1d2sv4"), "b any");
        assert_eq!(found(&lines, "crypto_x"), "any c");
        assert_eq!(found(&lines, ""), "any");
    }

    #[test]
    fn modules_are_found_by_either_spelling() {
        let text = b"kernel/a-b.ko.xz: kernel/c.ko.xz\nkernel/c.ko.xz:\n";
        let lines = Lines::dependencies(text);
        assert_eq!(lines.exact(b"c"), Some(&b"kernel/c.ko.xz:"[..]));
        assert!(lines.exact(b"a_b").is_some() && lines.exact(b"a-b").is_some());
        assert!(lines.exact(b"a").is_none());
        let lines = Lines::builtin(b"kernel/x-y.ko\n");
        assert!(lines.exact(b"x_y").is_some());
    }

    #[test]
    fn builtin_fields_other_than_alias_are_passed_over() {
        let text = b"a.license=GPL\0a.alias=fs-a\0b.alias=net-pf-*\0";
        let lines = Lines::builtin_aliases(text);
        assert_eq!(found(&lines, "fs_a"), "a");
        assert_eq!(found(&lines, "net_pf_7"), "b");
        assert_eq!(found(&lines, "GPL"), "");
    }
}
