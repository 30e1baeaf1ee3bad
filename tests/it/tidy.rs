//! The house rules, as a scan of the text. The fences and clippy prove some of them too; here the
//! message says the rule and the remedy. Each rule has a test of its own that it can fail.

mod floors;
mod repository;
mod safety;
mod sizes;
mod words;

use crate::rust_text::RustText;
use std::fs;
use std::path::{Path, PathBuf};

/// A broken rule: the line, counted from 0, and what to do.
type Broken = (usize, String);

/// A rule that looks at one Rust file.
type Rule = fn(&RustText) -> Vec<Broken>;

/// A comment with this and a reason lets a line pass that a rule would stop.
const ON_PURPOSE: &str = "ON PURPOSE:";

/// How far above a line its argument may start, in lines.
const ARGUMENT_REACH: usize = 12;

pub fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the project that is text: path from the top, and the text.
pub fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![top().into()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project is readable") {
            let path = entry.expect("so are its entries").path();
            let name = path.strip_prefix(top()).expect("below the top");
            let name = name.to_string_lossy().into_owned();
            // Made by builds, or by git; a nested package has its own target.
            if name == ".git" || path.ends_with("target") || path.is_symlink() {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((name, text));
            }
        }
    }
    found.sort();
    found
}

/// Every Rust file, those that are tests as a whole marked so.
pub fn rust_files() -> Vec<RustText> {
    let is_rust = |(path, _): &(String, String)| path.ends_with(".rs");
    let texts = texts().into_iter().filter(is_rust);
    let mut files: Vec<RustText> = texts
        .map(|(path, text)| RustText::new(&path, &text))
        .collect();
    let folder_of = |path: &str| match path.rsplit_once('/') {
        Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder.to_string(),
        _ => path.trim_end_matches(".rs").to_string(),
    };
    let below = |f: &RustText| {
        let folder = folder_of(&f.path);
        let full = move |name: &String| format!("{folder}/{name}");
        f.test_mods.iter().map(full).collect::<Vec<_>>()
    };
    let tests: Vec<String> = files.iter().flat_map(below).collect();
    for file in &mut files {
        let is =
            |m: &String| *file.path == format!("{m}.rs") || file.path.starts_with(&format!("{m}/"));
        if tests.iter().any(is) {
            file.test.fill(true);
        }
    }
    files
}

/// Is there a test of this name anywhere?
pub fn has_test(files: &[RustText], name: &str) -> bool {
    let wanted = format!("fn {name}()");
    let is_test = |code: &str| {
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        // One that runs on request says why, between the attribute and the name.
        let above = |at: usize| {
            lines[..at]
                .iter()
                .rev()
                .find(|l| !l.starts_with("#[ignore = "))
        };
        let attribute = |at: usize| above(at) == Some(&"#[test]");
        let mut numbered = lines.iter().enumerate();
        numbered.any(|(at, line)| line.starts_with(&wanted) && attribute(at))
    };
    files.iter().any(|file| is_test(&file.code))
}

/// Does a comment say `word` on this line or above it, before the nearest blank line?
fn argues(file: &RustText, line: usize, word: &str) -> bool {
    let until: Vec<&str> = file.text.lines().take(line + 1).collect();
    let near = until.iter().rev().take(ARGUMENT_REACH);
    let mut near = near.take_while(|l| !l.trim().is_empty());
    near.any(|l| {
        l.split_once("//")
            .is_some_and(|(_, comment)| comment.contains(word))
    })
}

/// Fails with every place where `rule` is broken in files below `folder`.
fn keep(rule: Rule, folder: &str) {
    let files = rust_files();
    let mut broken = Vec::new();
    for file in files.iter().filter(|f| f.path.starts_with(folder)) {
        for (line, what) in rule(file) {
            broken.push(format!("{}:{}: {what}", file.path, line + 1));
        }
    }
    assert!(
        !files.is_empty() && broken.is_empty(),
        "\n{}\n",
        broken.join("\n")
    );
}

/// The rule finds exactly the lines that end in `// bad`, in a file at `path`.
fn finds(rule: Rule, path: &str, text: &str) {
    let file = RustText::new(path, text);
    let bad = |(n, line): (usize, &str)| line.ends_with("// bad").then_some(n);
    let expected: Vec<usize> = text.lines().enumerate().filter_map(bad).collect();
    let mut found: Vec<usize> = rule(&file).into_iter().map(|b| b.0).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, expected, "{text}");
}
