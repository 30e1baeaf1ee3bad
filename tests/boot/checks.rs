//! File systems that are checked before they are mounted, by the real e2fsck.

use crate::lab::copies::Copies;
use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::outcome::Outcome;
use crate::lab::tools::{run, tool};
use landfall::host::qemu::Bus;
use std::fs;
use std::path::{Path, PathBuf};

const CHECKER: &str = "/usr/sbin/e2fsck";

/// An image with the machine's own e2fsck and its libraries.
fn image(machine: &Machine) -> PathBuf {
    let libraries = run("ldd", &[CHECKER]);
    let paths = libraries.split_whitespace().filter(|w| w.starts_with('/'));
    let mut options = Vec::new();
    for path in paths.chain([CHECKER]) {
        let file = fs::canonicalize(path).expect("a library");
        options.push("--add-file".to_owned());
        options.push(format!("{}:{path}", file.display()));
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    images::image_with(&machine.kernel, "cloud-e2fsck", &options)
}

/// Not unmounted, and with a count of links that is wrong.
fn damage(disk: &Path) {
    for request in ["sif <2> links_count 9", "ssv state 0"] {
        run(
            "debugfs",
            &["-w", "-R", request, disk.to_str().expect("a plain path")],
        );
    }
}

fn is_clean(disk: &Path) -> bool {
    let status = tool("e2fsck").args(["-f", "-n"]).arg(disk).output();
    status.expect("e2fsck").status.success()
}

fn boot(disk: &Path, words: &str) -> Outcome {
    let machine = Machine::cloud().file(disk, Bus::Virtio);
    let image = image(&machine);
    let words = format!("root=/dev/vda rd.timeout=30 {words}");
    machine.image(image).cmdline(&words).boot()
}

/// With which status did the check of this boot end?
#[track_caller]
fn assert_checked(outcome: &Outcome, words: &str, status: &str) {
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let trace = outcome.fact("trace");
    let asked = trace.contains(&format!("words={words} stamp=fsck-root\n"));
    outcome.check(asked, "e2fsck was not given these words");
    let told = |line: &str| line.contains("< checked ") && line.ends_with(status);
    outcome.check(trace.lines().any(told), "the check ended otherwise");
    let stamp = outcome.fact("checked");
    outcome.check(stamp.is_empty(), "the real system is not told of it");
}

#[test]
fn boot_checks_what_was_not_unmounted() {
    let mut copies = Copies::new();
    let disk = copies.disk(&EXT4);
    damage(&disk);
    assert!(!is_clean(&disk));
    let skipped = boot(&disk, "fsck.mode=skip");
    skipped.assert_root("/dev/vda", "ext4", "ro");
    skipped.check(!skipped.fact("checked").is_empty(), "there is a stamp");
    assert!(!is_clean(&disk));
    let outcome = boot(&disk, "");
    assert_checked(&outcome, "-C1\\x20-a", " 1");
    assert!(is_clean(&disk));
    let outcome = boot(&disk, "fsck.mode=force");
    assert_checked(&outcome, "-C1\\x20-f\\x20-a", " 0");
}

#[test]
fn boot_stops_before_errors_that_are_left() {
    let mut copies = Copies::new();
    let disk = copies.disk(&EXT4);
    damage(&disk);
    let before = fs::read(&disk).expect("a disk");
    let outcome = boot(&disk, "fsck.repair=no panic=-1");
    outcome.assert_gave_up(&["errors (status 4)", "Inode 2 ref count is 9"]);
    assert!(
        fs::read(&disk).expect("a disk") == before,
        "the disk changed"
    );
}
