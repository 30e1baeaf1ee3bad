//! Tests of the indexes as a whole: the binary and the text form against each other and against
//! a slow matcher, and all parsers against bent bytes. Random, from fixed seeds.
#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used
)]

use super::lines::Lines;
use super::lookup::Found;
use super::trie::Trie;
use super::*;
use crate::base::text::Text;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;

/// xorshift64*: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    }

    fn text(&mut self, alphabet: &[u8], longest: usize) -> Vec<u8> {
        let len = self.below(longest + 1);
        (0..len)
            .map(|_| alphabet[self.below(alphabet.len())])
            .collect()
    }
}

/// A node of the index while it is written: as plain as the format allows.
#[derive(Default)]
struct Branch {
    children: BTreeMap<u8, Branch>,
    values: Vec<(u32, Vec<u8>)>,
}

impl Branch {
    fn insert(&mut self, key: &[u8], value: (u32, Vec<u8>)) {
        match key.split_first() {
            None => self.values.push(value),
            Some((&byte, rest)) => {
                let child = self.children.entry(byte).or_default();
                child.insert(rest, value);
            }
        }
    }

    /// Writes children first; the answer is the offset with its flags. A branch without a fork
    /// becomes a prefix.
    fn write(&self, out: &mut Vec<u8>) -> u32 {
        let (mut prefix, mut node) = (Vec::new(), self);
        while node.values.is_empty() && node.children.len() == 1 {
            let (&byte, child) = node.children.first_key_value().unwrap();
            prefix.push(byte);
            node = child;
        }
        let children: Vec<_> = node
            .children
            .iter()
            .map(|(&b, c)| (b, c.write(out)))
            .collect();
        let mut offset = out.len() as u32;
        if !prefix.is_empty() {
            offset |= 0x8000_0000;
            out.extend(&prefix);
            out.push(0);
        }
        if let (Some(&(first, _)), Some(&(last, _))) = (children.first(), children.last()) {
            offset |= 0x2000_0000;
            out.extend([first, last]);
            for byte in first..=last {
                let found = children.iter().find(|c| c.0 == byte).map_or(0, |c| c.1);
                out.extend(found.to_be_bytes());
            }
        }
        if !node.values.is_empty() {
            offset |= 0x4000_0000;
            out.extend((node.values.len() as u32).to_be_bytes());
            for (priority, value) in &node.values {
                out.extend(priority.to_be_bytes());
                out.extend(value);
                out.push(0);
            }
        }
        offset
    }
}

fn index(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut root = Branch::default();
    for (priority, (key, value)) in entries.iter().enumerate() {
        root.insert(key, (priority as u32, value.clone()));
    }
    let mut out = [0xB007_F457_u32, 0x0002_0001, 0]
        .map(u32::to_be_bytes)
        .concat();
    let offset = root.write(&mut out);
    out.splice(8..12, offset.to_be_bytes());
    out
}

/// fnmatch by trying everything, for patterns without brackets.
fn slow(pattern: &[u8], key: &[u8]) -> bool {
    match (pattern.split_first(), key.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=key.len()).any(|skip| slow(rest, &key[skip..])),
        (Some((b'?', rest)), Some((_, key))) => slow(rest, key),
        (Some((a, rest)), Some((b, key))) => a == b && slow(rest, key),
        _ => false,
    }
}

fn names(found: Found<'_>) -> Vec<Vec<u8>> {
    found.names().map(<[u8]>::to_vec).collect()
}

#[test]
fn trie_text_and_slow_matcher_agree() {
    let mut dice = Dice(0x1a2b_3c4d);
    for round in 0..300 {
        let count = 1 + dice.below(40);
        let entries: Vec<_> = (0..count)
            .map(|n| (dice.text(b"ab:*?", 7), format!("m{n}").into_bytes()))
            .filter(|(pattern, _)| !pattern.is_empty())
            .collect();
        let line = |(p, m): &(Vec<u8>, Vec<u8>)| [b"alias ", &p[..], b" ", m, b"\n"].concat();
        let text: Vec<u8> = entries.iter().flat_map(line).collect();
        let binary = index(&entries);
        let (trie, lines) = (Trie::new(&binary).unwrap(), Lines::aliases(&text));
        for _ in 0..40 {
            let key = dice.text(b"ab:", 9);
            let hits = entries.iter().filter(|(p, _)| slow(p, &key));
            let expected: Vec<Vec<u8>> = hits.map(|(_, m)| m.clone()).collect();
            let (mut by_trie, mut by_text) = (Found::default(), Found::default());
            trie.matching(&key, &mut by_trie);
            lines.matching(&key, &mut by_text);
            let key = Text(key);
            assert_eq!(names(by_trie), expected, "trie, round {round}, {key}");
            assert_eq!(names(by_text), expected, "text, round {round}, {key}");
        }
    }
}

/// One tree in both forms, with a cycle of soft dependencies.
fn tree() -> [Vec<u8>; 4] {
    let modules = ["a", "b-x", "c", "sum_fast", "sum_generic", "d"];
    let needs = ["kernel/b-x.ko", "", "", "kernel/d.ko kernel/c.ko", "", ""];
    let lines = modules
        .iter()
        .zip(needs)
        .map(|(m, n)| format!("kernel/{m}.ko: {n}"));
    let lines: Vec<String> = lines.collect();
    let entries = modules.iter().zip(&lines);
    let entries = entries.map(|(m, line)| (m.replace('-', "_").into(), line.clone().into()));
    let aliases = [
        ("pci:v1d*", "a"),
        ("pci:v1d[0-3]*", "b_x"),
        ("crypto_sum", "sum_generic"),
        ("crypto_sum", "sum_fast"),
        ("fs_c", "c"),
    ];
    let alias_text: Vec<String> = aliases
        .iter()
        .map(|(p, m)| format!("alias {p} {m}"))
        .collect();
    let alias_entries = aliases.map(|(p, m)| (p.as_bytes().to_vec(), m.as_bytes().to_vec()));
    [
        index(&entries.collect::<Vec<_>>()),
        lines.join("\n").into_bytes(),
        index(&alias_entries),
        alias_text.join("\n").into_bytes(),
    ]
}

const CONFIG: &str = "softdep a pre: crypto-sum post: c\nsoftdep c pre: a none built\n\
    blacklist sum_generic\noptions b_x x=\"1 2\" \\\n y\nalias front a\ninstall d /bin/true\n\
    weakdep a crypto-sum\n";

fn catalog(files: &Files<'static>) -> Catalog<'static> {
    let files = Files {
        builtin: Some(b"kernel/built.ko\n"),
        builtin_modinfo: Some(b"built.alias=fs-built\0built.license=GPL\0"),
        ..*files
    };
    let mut catalog = Catalog::new("/m", &files);
    catalog.config.file("x.conf", CONFIG.as_bytes());
    catalog
}

fn leak(bytes: Vec<u8>) -> Option<&'static [u8]> {
    Some(Box::leak(bytes.into_boxed_slice()))
}

#[test]
fn both_forms_of_a_tree_resolve_alike() {
    let [dep_bin, dep, alias_bin, alias] = tree().map(leak);
    let binary = Files {
        dep_bin,
        alias_bin,
        ..Files::default()
    };
    let text = Files {
        dep,
        alias,
        ..Files::default()
    };
    for catalog in [catalog(&binary), catalog(&text)] {
        let resolve = |alias: &str| catalog.resolve(alias.as_bytes());
        assert_eq!(resolve("pci:v1d2").answers, ["a", "b_x"]);
        assert_eq!(resolve("front").answers, ["a"]);
        assert_eq!(resolve("b-x").answers, ["b_x"]);
        assert_eq!(resolve("sum_generic").answers, ["sum_generic"]);
        assert!(resolve("fs-built").builtin && resolve("built").builtin);
        assert!(!resolve("none").builtin && resolve("none").answers.is_empty());
        assert_eq!(resolve("d").blacklisted, ["d"]);
        let sum = resolve("crypto-sum");
        assert_eq!(
            (&sum.answers[..], &sum.blacklisted[..]),
            (&["sum_fast".into()][..], &["sum_generic".into()][..])
        );
        assert_eq!(
            sum.modules
                .iter()
                .find(|m| m.name == "sum_fast")
                .unwrap()
                .needs,
            ["c", "d"]
        );
        let a = resolve("a");
        let named = |name: &str| a.modules.iter().find(|m| m.name == name).unwrap();
        assert_eq!(named("a").before, [["sum_fast", "sum_generic"]]);
        assert_eq!(
            (&named("a").needs[..], &named("a").after[..]),
            (&["b_x".into()][..], &[alloc::vec!["c".into()]][..])
        );
        assert_eq!(named("c").before, [["a"]]);
        assert_eq!(a.modules.len(), 6);
        assert_eq!(catalog.options_for("b_x"), b"x=\"1 2\"  y");
        assert_eq!(catalog.path_of("b_x").unwrap(), "/m/kernel/b-x.ko");
        assert_eq!(catalog.weak_of("a"), ["sum_fast", "sum_generic"]);
    }
}

#[test]
fn bent_bytes_neither_crash_nor_hang() {
    let mut dice = Dice(0xdead_beef);
    let keys: [&[u8]; 5] = [b"pci:v1d2", b"crypto-sum", b"a", b"fs-c", b"**[a-"];
    let originals = tree();
    for round in 0..3000 {
        let mut bent = originals.clone();
        for part in &mut bent {
            for _ in 0..1 + dice.below(4) {
                let at = dice.below(part.len());
                match dice.below(4) {
                    0 => part[at] = dice.below(256) as u8,
                    1 => part.truncate(at.max(1)),
                    2 => part.insert(at, b"\0*[]\xff\n: "[dice.below(8)]),
                    _ => part[at] ^= 1 << dice.below(8),
                }
            }
        }
        let parts: [&[u8]; 4] = core::array::from_fn(|n| &bent[n][..]);
        let text = round % 2 == 0;
        let files = Files {
            dep_bin: (!text).then_some(parts[0]),
            dep: Some(parts[1]),
            alias_bin: (!text).then_some(parts[2]),
            alias: Some(parts[3]),
            builtin: Some(parts[1]),
            builtin_modinfo: Some(parts[3]),
            ..Files::default()
        };
        let mut catalog = Catalog::new("/m", &files);
        catalog.config.file("bent.conf", parts[3]);
        catalog.config.file("x.conf", CONFIG.as_bytes());
        for key in keys {
            let found = catalog.resolve(key);
            assert!(found.answers.len() <= 256 && found.modules.len() <= 4096);
            for module in &found.modules {
                let _ = (
                    catalog.path_of(&module.name),
                    catalog.options_for(&module.name),
                );
            }
        }
    }
}

#[test]
fn bent_configuration_is_survived() {
    let mut dice = Dice(0x5eed);
    for _ in 0..3000 {
        let mut bytes = CONFIG.as_bytes().to_vec();
        for _ in 0..1 + dice.below(8) {
            let at = dice.below(bytes.len());
            bytes[at] = b"\n\\ \t#\"*[]\0\xffa"[dice.below(12)];
        }
        let mut config = Config::default();
        config.file("bent.conf", &bytes);
        config.word(&bytes, Some(&bytes));
        for name in [&b"a"[..], b"b_x", b"c", b""] {
            let _ = (
                config.options(name),
                config.softdeps(name),
                config.refusal(name),
            );
            let _ = config.aliases(name).count() + config.weakdeps(name).count();
        }
        assert!(config.complaints.len() <= 16);
    }
}
