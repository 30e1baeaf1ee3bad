//! File systems that are checked before they are mounted, by the real e2fsck.

use crate::lab::copies::Copies;
use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::outcome::Outcome;
use crate::lab::shelf::{self, Scratch};
use crate::lab::tools::{done, run, tool};
use crate::lab::{build, roots};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs;
use std::path::{Path, PathBuf};

/// An image with the machine's own e2fsck.
fn image(machine: &Machine) -> PathBuf {
    images::image_with(&machine.kernel, "cloud-e2fsck", &["--fsck", "ext4"])
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

/// A root with nothing in its `/usr`.
fn without_usr() -> PathBuf {
    let reporter = build::reporter_for(Arch::X86_64);
    let recipe = shelf::fingerprint(&reporter);
    shelf::made("disks", "without-usr", recipe.as_bytes(), |at| {
        let tree = Scratch::new();
        for name in ["dev", "proc", "sys", "run", "usr"] {
            fs::create_dir(tree.0.join(name)).expect("an empty directory");
        }
        roots::program(&reporter, &tree.0.join("sbin/init"));
        let mut mkfs = tool("mke2fs");
        mkfs.args(["-q", "-t", "ext4", "-L", "bare", "-d"]);
        done(mkfs.arg(&tree.0).arg(at).arg("32M"));
    })
}

/// An empty file system of this type.
fn empty(kind: &str) -> PathBuf {
    shelf::made("disks", &format!("empty-{kind}"), b"64 MiB", |at| {
        let file = fs::File::create(at).expect("a writable target directory");
        file.set_len(64 << 20).expect("space");
        let mut mkfs = tool(&format!("mkfs.{kind}"));
        if matches!(kind, "f2fs" | "jfs") {
            mkfs.arg("-q");
        }
        done(mkfs.arg(at));
    })
}

/// By the checker that belongs to it, whose status is 0: words that it does not know would show.
#[test]
fn boot_checks_usr_of_every_type() {
    let kinds = ["f2fs", "vfat", "exfat", "jfs"];
    for kind in kinds {
        let mut copies = Copies::new();
        let machine = Machine::generic().file(&copies.file(&without_usr()), Bus::Virtio);
        // A checker may write to what it checks.
        let mut checked = Copies::new();
        let machine = machine.file(&checked.file(&empty(kind)), Bus::Virtio);
        let options = ["--fsck", &kinds.join(",")];
        let image = images::image_with(&machine.kernel, "generic-fsck", &options);
        let words = "root=LABEL=bare mount.usr=/dev/vdb rd.timeout=200";
        let outcome = machine.image(image).cmdline(words).boot();
        outcome.assert_root("/dev/vda", "ext4", "ro");
        assert_eq!(outcome.mount("/usr"), format!("/dev/vdb {kind} ro"));
        let trace = outcome.fact("trace");
        let asked = trace.lines().find(|line| line.contains(" > check "));
        outcome.check(
            asked.is_some_and(|line| line.ends_with("stamp=fsck-usr")),
            "/usr is not checked",
        );
        let clean = |line: &str| line.contains("< checked ") && line.ends_with(" 0");
        outcome.check(trace.lines().any(clean), "the check ended otherwise");
        copies.assert_unchanged();
    }
}
