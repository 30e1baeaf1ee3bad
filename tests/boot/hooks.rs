//! Hooks: scripts that somebody put into the image, run by a real shell at their places.

use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::{images, roots};
use landfall::host::qemu::Bus;
use std::fs;
use std::path::PathBuf;

/// What each hook of the image says, or does not.
const HOOKS: [(&str, &str); 6] = [
    (
        "early=10-tells",
        "[ -e /sys/module/virtio_blk ] || echo at $LANDFALL_STAGE before any driver",
    ),
    (
        "early=20-hangs:1",
        "echo hanging; busybox sleep 4321 & busybox sleep 4321",
    ),
    ("early=30-fails", "echo failing; exit 3"),
    (
        "mounted=a",
        "busybox grep -q \" $LANDFALL_ROOT ext4 ro\" /proc/mounts && echo root is there",
    ),
    (
        "mounted=b",
        "busybox grep -sq 'sleep.432[1]' /proc/[0-9]*/cmdline || echo nothing hangs on",
    ),
    ("failed=last", "echo the page has been shown"),
];

const NEEDED: [(&str, &str); 2] = [
    ("early=stops.needed", "exit 7"),
    ("failed=last", "echo the page has been shown"),
];

/// The cloud kernel's image with busybox, and these scripts.
fn image(machine: &Machine, name: &str, hooks: &[(&str, &str)]) -> PathBuf {
    let busybox = roots::busybox_program(machine.kernel.arch());
    let mut options = vec![
        "--add-file".to_owned(),
        format!("{}:/bin/busybox", busybox.display()),
    ];
    let dir = std::env::temp_dir().join(format!("landfall-{name}-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a directory");
    for (hook, text) in hooks {
        let (place, file) = hook.split_once('=').expect("a place");
        let (file, seconds) = file.split_once(':').unwrap_or((file, "30"));
        let path = dir.join(file);
        let script = format!("#!/bin/busybox sh\nPATH=/bin\n{text}\n");
        fs::write(&path, script).expect("a script");
        options.push("--hook".into());
        options.push(format!("{place}={}:{seconds}", path.display()));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let image = images::image_with(&machine.kernel, name, &options);
    fs::remove_dir_all(&dir).expect("a directory");
    image
}

fn boot(name: &str, hooks: &[(&str, &str)], words: &str) -> Outcome {
    let machine = Machine::cloud().disk(&EXT4, Bus::Virtio);
    let image = image(&machine, name, hooks);
    machine.image(image).cmdline(words).boot()
}

#[track_caller]
fn assert_said(outcome: &Outcome, parts: &[&str]) {
    for part in parts {
        let said = outcome.lines.iter().any(|line| line.contains(part));
        outcome.check(said, &format!("nobody said {part:?}"));
    }
}

#[test]
fn boot_runs_hooks_at_their_places() {
    let outcome = boot("cloud-hooks", &HOOKS, "root=LABEL=harbour ro");
    outcome.assert_root("/dev/vda", "ext4", "ro");
    assert_said(
        &outcome,
        &[
            "early/10-tells.30: at early before any driver",
            "early/20-hangs.1: hanging",
            "early/20-hangs.1 failed, and the boot goes on: it has not ended in 1 s",
            "early/30-fails.30 failed, and the boot goes on: status 3",
            "mounted/a.30: root is there",
            "mounted/b.30: nothing hangs on",
        ],
    );
    let trace = outcome.fact("trace");
    let told = trace.contains(" said=at\\x20early\\x20before\\x20any\\x20driver");
    outcome.check(told, "the trace does not hold what a hook said");
    let late = |line: &str| line.contains("> hook ") && line.contains(" failed/");
    outcome.check(!trace.lines().any(late), "the boot has not failed");
}

#[test]
fn boot_fails_with_the_hook_that_it_needs() {
    let words = "root=LABEL=harbour ro panic=-1";
    let outcome = boot("cloud-hook-needed", &NEEDED, words);
    outcome.assert_gave_up(&[
        "early/stops.needed.30 is needed, and failed: status 7",
        "failed/last.30: the page has been shown",
    ]);
}

#[test]
fn boot_runs_no_hook_where_told_so() {
    let words = "root=LABEL=harbour ro landfall.hooks=0";
    let outcome = boot("cloud-hook-needed", &NEEDED, words);
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let ran = outcome.fact("trace").contains("> hook ");
    outcome.check(!ran, "a hook has run");
}
