//! `landfall` looks at the disks of the matrix of storage stacks: it sees in each what blkid saw in
//! the workshop, and `explain` predicts how each boot ends.

use crate::lab::build;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::stacks::{End, GROUPS, Given, PASSPHRASE, Stack};
use crate::lab::tools::tool;
use crate::stacks::{deadline, image, text, wanted};
use std::path::PathBuf;

/// Superblocks that were damaged on purpose: blkid believes them, the kernel and landfall do not.
const DAMAGED: [&str; 2] = ["verity-flipped-block", "verity-corrected"];

/// What a cache holds back, a pool scatters or a snapshot has, what would have to be computed from
/// parity, and what is being moved: it is taken to be root where it is asked for. In all others it
/// is seen.
const DARK: [&str; 7] = [
    "md-reshape-under-way",
    "md-degraded-raid5",
    "lvm-thin",
    "lvm-snapshot",
    "lvm-cache",
    "lvm-cache-on-one-volume",
    "lvm-writecache",
];

#[test]
fn disks_of_stacks_are_what_blkid_calls_them() {
    let mut wrong = Vec::new();
    for stack in GROUPS.iter().flat_map(|group| wanted(group)) {
        let damaged = DAMAGED.contains(&stack.row.name);
        for (disk, theirs) in stack.identified().skip(usize::from(damaged)) {
            let output = tool(build::landfall().to_str().expect("a plain path"))
                .arg("identify")
                .arg(disk)
                .output();
            let said = output.expect("the host tool runs").stdout;
            let said = String::from_utf8_lossy(&said).into_owned();
            // What follows an empty line is on a partition.
            let own: Vec<&str> = said.lines().take_while(|line| !line.is_empty()).collect();
            if let Some(part) = theirs
                .split_whitespace()
                .find(|part| is_text(part) && !own.contains(part))
            {
                wrong.push(format!("{}: no {part} in {own:?}", disk.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Not the raw bytes that DDF has for a UUID.
fn is_text(part: &str) -> bool {
    !part.contains(['^', '\\'])
}

#[test]
fn stacks_end_as_explained() {
    let kernel = kernel(Flavour::Cloud);
    let mut wrong = Vec::new();
    for stack in GROUPS.iter().flat_map(|group| wanted(group)) {
        if only_a_boot_knows(&stack) {
            continue;
        }
        let named = |mut text: String| {
            for (letter, (number, _)) in ('a'..).zip(stack.plugged()) {
                text = text.replace(&format!("{{disk{number}}}"), &format!("/dev/vd{letter}"));
            }
            text
        };
        let mut command = tool(build::landfall().to_str().expect("a plain path"));
        command.arg("explain").arg("--image");
        command.arg(image(&kernel, &stack, &named));
        for (number, disk) in stack.plugged() {
            command.arg("--disk").arg(disk);
            if stack.on_two_paths(number) {
                command.arg("--disk").arg(disk);
            }
        }
        let words = format!("{} {}", stack.filled(stack.row.words), deadline(stack.row));
        let words = named(words);
        if let Some(key) = brought(&stack) {
            command.arg("--key-file").arg(key);
        }
        let output = command.arg(words).output().expect("the host tool runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if let Some(missing) = missing(&stack, &said) {
            let end: Vec<&str> = said
                .lines()
                .skip_while(|l| !l.starts_with("It would"))
                .collect();
            wrong.push(format!(
                "{}: no {missing:?}\n{}",
                stack.row.name,
                end.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Nothing is corrected here, and nobody says that something starts: only a boot shows the end.
fn only_a_boot_knows(stack: &Stack) -> bool {
    let asked = |given: &Given| matches!(given, Given::Typed("Start without?", _));
    stack.row.name == "verity-corrected" || stack.row.given.iter().any(asked)
}

/// A file with the key that a boot gets from a person or a stick, and not from its image.
fn brought(stack: &Stack) -> Option<PathBuf> {
    let typed = |given: &Given| matches!(given, Given::Typed(..));
    let given = stack.row.given.iter().any(typed) || stack.row.words.contains(":LABEL=");
    given.then(|| text(PASSPHRASE))
}

/// `explain` says so of what it cannot look through.
const TRUSTED: &str = "it is taken to hold what was asked for";

/// What `explain` should have said, and did not.
fn missing(stack: &Stack, said: &str) -> Option<String> {
    let mut parts = match stack.row.end {
        // What is in the file, only a boot knows.
        End::Boots(_) if stack.row.words.contains("loop=") => {
            vec!["It would boot: root is loop file".to_owned()]
        }
        End::Boots(below) => vec![format!(
            "It would boot: root is {}",
            first(&stack.filled(below))
        )],
        End::Refuses(page) => {
            let page = page.iter().map(|part| stack.filled(part));
            ["It would give up".to_owned()]
                .into_iter()
                .chain(page)
                .collect()
        }
    };
    parts.retain(|part| !said.contains(part));
    let seen = !said.contains(TRUSTED) || DARK.contains(&stack.row.name);
    parts.extend((!seen).then(|| "look at what is inside".to_owned()));
    parts.pop()
}

/// The name among devices, or how it begins, of what is told as `vg-root(vda)`.
fn first(below: &str) -> String {
    let end = below.find('(').unwrap_or(below.len());
    let own = &below[..end];
    match own {
        "btrfs" => String::new(),
        level if level.starts_with("raid") || level.starts_with("linear") => "md".into(),
        file if file.starts_with("loop:") => "loop".into(),
        disk if end == below.len() => disk.into(),
        mapped => format!("mapper/{mapped}"),
    }
}
