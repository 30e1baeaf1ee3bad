//! What the text says: heads of files, names of files, words and addresses that do not belong.

use super::{Broken, finds, keep, texts};
use crate::rust_text::{RustText, words_at};

/// Shortest head that can say anything, in bytes.
const HEAD_MIN: usize = 20;

fn head_says_what_it_is(file: &RustText) -> Vec<Broken> {
    let first = file.text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("//!").unwrap_or_default();
    if said.len() >= HEAD_MIN && !said.contains("to be written") {
        return Vec::new();
    }
    let what = "no head: start with `//!`, what it is, what it is not, the source document";
    vec![(0, what.into())]
}

/// Drawers: names that say nothing about what is inside.
const DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

fn name_is_no_drawer(path: &str) -> Option<String> {
    let parts = path
        .split('/')
        .map(|part| part.split('.').next().unwrap_or(part));
    let drawer = parts.into_iter().find(|part| DRAWERS.contains(part))?;
    Some(format!("{path}: `{drawer}` says nothing: name the concept"))
}

/// Each in two halves, so that this file keeps the rule itself.
const STRANGERS: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("cla", "ude"),
    ("anth", "ropic"),
    ("open", "ai"),
    ("chat", "gpt"),
    ("copi", "lot"),
    ("l", "lm"),
    ("language ", "model"),
    ("sub", "agent"),
];

/// Hosts that may be named: documentation, where the sources of the tests come from, and the one
/// that is reserved for examples.
const HOSTS: &[&str] = &[
    "docs.kernel.org",
    "www.kernel.org",
    "git.kernel.org",
    "uapi-group.org",
    "doc.rust-lang.org",
    "rustup.rs",
    "sh.rustup.rs",
    "keepachangelog.com",
    "semver.org",
    "www.apache.org",
    "opensource.org",
    "deb.debian.org",
    "snapshot.debian.org",
    "manpages.debian.org",
    "www.freedesktop.org",
    "www.w3.org",
    "systemd.io",
    "reproducible-builds.org",
    "example.org",
];

/// The words of `line` that do not belong into the project.
fn strangers(line: &str) -> Vec<String> {
    let low = line.to_ascii_lowercase();
    let mut found = Vec::new();
    for word in STRANGERS
        .iter()
        .map(|(a, b)| format!("{a}{b}").to_ascii_lowercase())
    {
        let path = word.starts_with('/');
        if (path && low.contains(&word)) || (!path && words_at(&low, &word).next().is_some()) {
            found.push(format!("`{word}`: the project speaks of itself alone"));
        }
    }
    // A process may lead one: that is the kernel's word, and comes without these.
    let work = [
        "this", "that", "last", "next", "previous", "earlier", "our", "work",
    ];
    let piece =
        |which: &&str| words_at(&low, &format!("{which} {}", concat!("sess", "ion"))).count();
    if work.iter().map(piece).sum::<usize>() > 0 && !low.contains("terminal") {
        found.push("a piece of work is no part of the project: say what is true now".into());
    }
    let numbered = |at: usize| low[at..].starts_with(|c: char| c.is_ascii_digit());
    let issue = concat!("iss", "ue ");
    if low
        .match_indices(issue)
        .any(|(at, _)| numbered(at + issue.len()))
    {
        found.push("a number of a task means nothing here: give the reason itself".into());
    }
    for (at, scheme) in low.match_indices("://") {
        let rest = &low[at + scheme.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !".-".contains(c));
        let host = &rest[..end.unwrap_or(rest.len())];
        let web = low[..at].ends_with("http") || low[..at].ends_with("https");
        if web && host.contains('.') && !HOSTS.contains(&host) {
            found.push(format!("`{host}` is not among the hosts that may be named"));
        }
    }
    found
}

fn rust_speaks_of_itself(file: &RustText) -> Vec<Broken> {
    let words = |(n, line): (usize, &str)| {
        let found = strangers(line);
        found
            .into_iter()
            .map(move |what| (n, what))
            .collect::<Vec<_>>()
    };
    file.text.lines().enumerate().flat_map(words).collect()
}

#[test]
fn every_file_starts_with_its_head() {
    keep(head_says_what_it_is, "");
    finds(
        head_says_what_it_is,
        "src/x.rs",
        "//! What the kernel says about a disk.\n",
    );
    finds(
        head_says_what_it_is,
        "src/x.rs",
        "use a::b; // bad\n//! What the kernel says.\n",
    );
    finds(
        head_says_what_it_is,
        "src/x.rs",
        "//! (head to be written) // bad\n",
    );
    finds(head_says_what_it_is, "src/x.rs", "//! Disk. // bad\n");
}

#[test]
fn no_file_is_a_drawer() {
    let broken: Vec<String> = texts()
        .iter()
        .filter_map(|(p, _)| name_is_no_drawer(p))
        .collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    assert!(name_is_no_drawer("src/base/util.rs").is_some());
    assert!(name_is_no_drawer("tests/common/mod.rs").is_some());
    assert!(name_is_no_drawer("src/base/utility_room.rs").is_none());
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let mut broken = Vec::new();
    // The lock file names the registry that cargo uses; `repository` looks at it.
    for (path, text) in texts().iter().filter(|(path, _)| path != "Cargo.lock") {
        for (n, line) in text.lines().enumerate() {
            let what = strangers(line).into_iter();
            broken.extend(what.map(|w| format!("{path}:{}: {w}", n + 1)));
        }
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    let own = |a: &str, b: &str| format!("// x {a}{b} y // bad\n// {a}x{b}\n");
    for (a, b) in STRANGERS {
        finds(rust_speaks_of_itself, "src/x.rs", &own(a, b));
    }
    finds(
        rust_speaks_of_itself,
        "src/x.rs",
        &own("in this sess", "ion"),
    );
    finds(
        rust_speaks_of_itself,
        "src/x.rs",
        "// setsid(2): a session of its own\n",
    );
    finds(
        rust_speaks_of_itself,
        "src/x.rs",
        &format!("// as {} 12 says // bad\n", "issue"),
    );
    let address = |host: &str| format!("// see https{}{host}/x", "://");
    finds(
        rust_speaks_of_itself,
        "src/x.rs",
        &format!("{} // bad\n", address("mirror.example")),
    );
    finds(
        rust_speaks_of_itself,
        "src/x.rs",
        &format!("{}\n", address("docs.kernel.org")),
    );
}
