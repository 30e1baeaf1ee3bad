//! What lies at the top, and what `init` is made of.

use super::{has_test, rust_files, top};
use std::fs;
use std::process::Command;

/// Everything that may lie at the top of the repository. A new entry is a decision.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".git",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "rootfs-skel",
    "rust-toolchain.toml",
    "src",
    "target",
    "tests",
];

/// In two halves: an address that no other file may name.
const REGISTRY: &str = concat!(
    "source = \"registry+https:",
    "//github.com/rust-lang/crates.io-index\""
);

fn read(name: &str) -> String {
    fs::read_to_string(top().join(name)).expect("a file at the top is readable")
}

/// Names under `[dependencies]` that are not only for the host tool.
fn init_dependencies(cargo: &str) -> Vec<String> {
    let host = cargo
        .lines()
        .find(|l| l.starts_with("host = "))
        .unwrap_or_default();
    let section = cargo.split("\n[").find(|s| s.starts_with("dependencies]"));
    let name = |l: &str| Some(l.split_once(" = ")?.0.trim().to_string());
    let names = section.unwrap_or_default().lines().skip(1).filter_map(name);
    names
        .filter(|n| !host.contains(&format!("\"dep:{n}\"")))
        .collect()
}

/// The table row that gives the reason for `name`.
fn reason_for<'a>(readme: &'a str, name: &str) -> Option<&'a str> {
    let row = readme
        .lines()
        .find(|l| l.starts_with(&format!("| `{name}` |")))?;
    let reason = row.trim_end_matches('|').rsplit('|').next()?.trim();
    (reason.len() > 20).then_some(reason)
}

/// Lines of a lock file that name another source than the public registry.
fn strange_sources(lock: &str) -> Vec<&str> {
    let source = |l: &&str| l.starts_with("source = ") && *l != REGISTRY;
    lock.lines().filter(source).collect()
}

/// First parts of all paths that git knows; outside of a repository, of what lies there.
fn top_entries() -> Vec<String> {
    let git = Command::new("git")
        .args(["ls-files"])
        .current_dir(top())
        .output();
    let first = |path: &str| path.split('/').next().unwrap_or_default().to_string();
    match git {
        Ok(out) if out.status.success() => {
            let paths = String::from_utf8_lossy(&out.stdout);
            paths.lines().map(first).collect()
        }
        _ => {
            let entries = fs::read_dir(top()).expect("the top is readable");
            let name = |e: fs::DirEntry| e.file_name().to_string_lossy().into_owned();
            entries.filter_map(|e| e.ok().map(name)).collect()
        }
    }
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    let entries = top_entries();
    assert!(entries.iter().any(|name| name == "Cargo.toml"));
    for name in entries {
        let belongs = TOP.contains(&&*name);
        assert!(belongs, "{name}: the top level stays small: find it a room");
    }
}

#[test]
fn every_dependency_of_init_has_its_reason_in_the_readme() {
    let readme = read("README.md");
    let names = init_dependencies(&read("Cargo.toml"));
    assert!(names.iter().any(|n| n == "rustix"), "{names:?}");
    for name in names {
        let has = reason_for(&readme, &name).is_some();
        assert!(
            has,
            "README.md: no row | `{name}` | … | reason |: is the dependency needed?"
        );
    }
    let cargo = r#"[features]
host = ["dep:b"]

[dependencies]
a = "1"
b = { optional = true }

[x]
"#;
    assert_eq!(init_dependencies(cargo), ["a"]);
    assert_eq!(reason_for("| `a` | MIT | |\n", "a"), None);
    let good = "| `a` | MIT | makes the system calls it knows |";
    assert_eq!(
        reason_for(good, "a"),
        Some("makes the system calls it knows")
    );
}

/// What the last column of the support matrix names.
fn proofs(readme: &str) -> Vec<String> {
    let matrix = readme
        .split("\n## ")
        .find(|s| s.starts_with("What is supported"));
    let rows = matrix
        .unwrap_or_default()
        .lines()
        .filter(|l| l.starts_with("| "));
    let cell = |l: &str| {
        let row = l.trim_end().strip_suffix('|')?;
        row.rsplit_once('|').map(|(_, cell)| cell.to_string())
    };
    let cells: Vec<String> = rows.skip(1).filter_map(cell).collect();
    let names = cells.iter().flat_map(|c| c.split(','));
    names
        .map(|name| name.trim_matches([' ', '`']).to_string())
        .collect()
}

#[test]
fn every_row_of_the_support_matrix_names_tests_that_exist() {
    let files = rust_files();
    let proofs = proofs(&read("README.md"));
    assert!(
        proofs.len() > 2,
        "README.md: the support matrix was not found"
    );
    for name in proofs {
        assert!(
            has_test(&files, &name),
            "README.md: no test `{name}`: who proves this row?"
        );
    }
}

#[test]
fn a_row_without_a_test_is_noticed() {
    let readme =
        "\n## What is supported, and\n| What | Test |\n|---|---|\n| a | `b`, `c` |\n| d | |\n";
    assert_eq!(proofs(readme), ["b", "c", ""]);
    assert!(!has_test(&rust_files(), ""));
}

#[test]
fn the_lock_file_names_the_public_registry_only() {
    assert_eq!(strange_sources(&read("Cargo.lock")), [""; 0]);
    let strange = "source = \"git+ssh://x\"";
    assert_eq!(
        strange_sources(&format!("{REGISTRY}\n{strange}\n")),
        [strange]
    );
}

/// `floor/room` for each room that the map's table of subjects names.
fn mapped_rooms(map: &str) -> Vec<String> {
    let rows: Vec<Vec<&str>> = map
        .lines()
        .filter_map(|l| l.strip_prefix("//! | ")?.strip_suffix(" |"))
        .map(|l| l.split(" | ").collect())
        .collect();
    let start = rows.iter().position(|row| row[0] == "Subject");
    let table = &rows[start.expect("the map has a table of subjects")..];
    let mut rooms = Vec::new();
    for row in &table[1..] {
        for (floor, cell) in table[0].iter().zip(row).skip(1) {
            let names = cell.split('`').skip(1).step_by(2);
            rooms.extend(names.map(|name| format!("{floor}/{name}")));
        }
    }
    rooms
}

#[test]
fn the_map_leads_to_rooms_that_exist() {
    let rooms = mapped_rooms(&read("src/lib.rs"));
    assert!(rooms.len() > 10, "{rooms:?}");
    for room in rooms {
        let path = top().join("src").join(&room);
        let there = path.is_dir() || path.with_extension("rs").is_file();
        assert!(
            there,
            "src/lib.rs: the map names {room}, which is not there"
        );
    }
    let map = "//! | Subject | act | sys |\n//! |---|---|---|\n//! | a | `b`, `c` | – |\n";
    assert_eq!(mapped_rooms(map), ["act/b", "act/c"]);
}
