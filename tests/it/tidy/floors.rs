//! Imports run downwards only. The fences prove it; this says it in words.

use super::{Broken, ON_PURPOSE, argues, finds, keep, top};
use crate::rust_text::{RustText, is_word, words_at};

/// Each floor and what it may use. `main.rs` and `bin/` stand on top.
const FLOORS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("format", &["base"]),
    ("crypt", &["base", "format"]),
    ("plan", &["base", "format"]),
    ("sys", &["base"]),
    ("act", &["base", "format", "crypt", "sys"]),
    ("init", &["base", "format", "crypt", "plan", "sys", "act"]),
    ("host", &["base", "format", "crypt", "plan"]),
    (
        "main.rs",
        &["base", "format", "crypt", "plan", "sys", "act", "init"],
    ),
    ("bin", &["base", "format", "plan", "host"]),
];

/// Floors that compile without std.
const PURE: &[&str] = &["base", "format", "crypt", "plan"];

fn floor_of(path: &str) -> Option<(&'static str, &'static [&'static str])> {
    let room = path.strip_prefix("src/")?.split('/').next()?;
    FLOORS.iter().find(|(name, _)| *name == room).copied()
}

/// Floors that `code` names behind `prefix`, also in `prefix{a, b::c}`, with their places.
fn named_after(code: &str, prefix: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let from = at + prefix.len();
        let rest = &code[from..];
        let word = |s: &str| s.chars().take_while(is_word).collect::<String>();
        if !rest.starts_with('{') {
            names.push((at, word(rest)));
            continue;
        }
        let mut depth = 0;
        for (n, c) in rest.char_indices() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if depth == 0 {
                break;
            }
            if depth == 1 && (c == '{' || c == ',') {
                let item = &rest[n + 1..];
                let gap = item.len() - item.trim_start().len();
                names.push((from + n + 1 + gap, word(item.trim_start())));
            }
        }
    }
    names
}

fn imports_run_downwards(file: &RustText) -> Vec<Broken> {
    let Some((floor, allowed)) = floor_of(&file.path) else {
        return Vec::new();
    };
    let prefixes = ["crate::", "super::", "landfall::"];
    let named = prefixes.iter().flat_map(|p| named_after(&file.code, p));
    let is_floor = |name: &str| FLOORS.iter().any(|(f, _)| *f == name);
    named
        .filter(|(_, name)| is_floor(name) && name != floor && !allowed.contains(&name.as_str()))
        .map(|(at, name)| {
            let line = file.code[..at].matches('\n').count();
            let uses = if allowed.is_empty() {
                "nothing".into()
            } else {
                allowed.join(", ")
            };
            let remedy = "move the code, or pass what it needs as an argument";
            (
                line,
                format!("`{floor}` may use {uses}, not `{name}`: {remedy}"),
            )
        })
        .collect()
}

fn pure_floors_do_without_std(file: &RustText) -> Vec<Broken> {
    let pure = floor_of(&file.path).is_some_and(|(floor, _)| PURE.contains(&floor));
    let uses = |code: &str| words_at(code, "std").next().is_some();
    file.shipped()
        .filter(|(_, _, code)| pure && uses(code))
        .map(|(n, ..)| {
            (
                n,
                "this floor does without std: use core:: or alloc::".into(),
            )
        })
        .collect()
}

/// What PID 1 does without, and why. The host tool and tests may use all of it.
const HEAVY: &[(&str, &str)] = &[
    (
        "process::Command",
        "40 KB, and its pipes and threads: fork and exec through `sys`",
    ),
    (
        "std::thread",
        "PID 1 has one thread: slow jobs run in worker processes",
    ),
    ("mpsc", "PID 1 has one thread"),
    ("HashMap", "random order and 6 KB: use BTreeMap"),
    ("HashSet", "random order and 6 KB: use BTreeSet"),
    (
        "sleep(",
        "nothing sleeps to let things settle: arm the deadline",
    ),
    ("backtrace", "brings 300 KB of symboliser back"),
    (
        "to_uppercase",
        "17 KB of Unicode tables: use the ASCII functions",
    ),
    (
        "to_lowercase",
        "17 KB of Unicode tables: use the ASCII functions",
    ),
];

fn pid_1_is_light(file: &RustText) -> Vec<Broken> {
    let heavy_floor = |(floor, _)| matches!(floor, "host" | "bin");
    if floor_of(&file.path).is_none_or(heavy_floor) {
        return Vec::new();
    }
    let mut broken = Vec::new();
    for (n, _, code) in file
        .shipped()
        .filter(|(n, ..)| !argues(file, *n, ON_PURPOSE))
    {
        for (word, reason) in HEAVY.iter().filter(|(word, _)| code.contains(word)) {
            broken.push((n, format!("`{word}`: {reason}")));
        }
    }
    broken
}

#[test]
fn pid_1_does_without_what_is_heavy() {
    keep(pid_1_is_light, "src/");
    for (word, _) in HEAVY {
        finds(
            pid_1_is_light,
            "src/act/x.rs",
            &format!("fn a() {{ std::{word} }} // bad\n"),
        );
        finds(
            pid_1_is_light,
            "src/host/x.rs",
            &format!("fn a() {{ std::{word} }}\n"),
        );
    }
    finds(
        pid_1_is_light,
        "src/act/x.rs",
        "// mpsc\nrustix::thread::f(x);\nx.to_ascii_lowercase();\n\n\
         // ON PURPOSE: the machine stands still.\nsleep(x);\n",
    );
}

#[test]
fn imports_run_downwards_only() {
    keep(imports_run_downwards, "src/");
    finds(
        imports_run_downwards,
        "src/plan/x.rs",
        r"use crate::sys::mount; // bad
use crate::base::text::Text;
fn a() -> crate::act::X {} // bad
// use crate::sys;
use crate::{
    base::{sys, act},
    format::x,
    init, // bad
};
use super::super::host::x; // bad
use super::plan;
",
    );
    finds(
        imports_run_downwards,
        "src/act/x.rs",
        "use crate::sys::a;\nuse crate::plan::a; // bad\n",
    );
    finds(
        imports_run_downwards,
        "src/bin/x.rs",
        "use landfall::host;\nuse landfall::act; // bad\n",
    );
}

#[test]
fn pure_floors_use_no_std() {
    keep(pure_floors_do_without_std, "src/");
    finds(
        pure_floors_do_without_std,
        "src/format/x.rs",
        r"use std::fs; // bad
use core::str;
#[cfg(test)]
mod tests { use std::fs; }
",
    );
    finds(pure_floors_do_without_std, "src/sys/x.rs", "use std::fs;\n");
}

#[test]
fn every_floor_but_the_joining_one_has_a_fence() {
    for (floor, allowed) in FLOORS.iter().take_while(|(f, _)| *f != "main.rs") {
        if matches!(*floor, "base" | "init") {
            continue; // Below everything; above everything.
        }
        let path = top().join(format!("tests/fence/{floor}.rs"));
        let text = std::fs::read_to_string(&path).expect("the floor has its fence file");
        let inside = |l: &str| {
            Some(
                l.strip_prefix("pub mod ")?
                    .trim_end_matches(';')
                    .to_string(),
            )
        };
        for name in text.lines().filter_map(inside) {
            let fits = name == *floor || allowed.contains(&name.as_str());
            assert!(
                fits,
                "tests/fence/{floor}.rs: takes in `{name}`, which it is to keep out"
            );
        }
        let pure = PURE.contains(floor);
        assert_eq!(
            text.contains("#![no_std]"),
            pure,
            "tests/fence/{floor}.rs: no_std"
        );
        let cargo = std::fs::read_to_string(top().join("Cargo.toml")).expect("Cargo.toml");
        let built = cargo.contains(&format!("path = \"tests/fence/{floor}.rs\""));
        assert!(
            built,
            "Cargo.toml: no [[example]] builds tests/fence/{floor}.rs"
        );
    }
}
