//! Roots in files: what the real init finds, and what is said where there is none.
//! The stacks that files are part of are in `stacks.rs`.

use crate::lab::copies::Copies;
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::shelf::Scratch;
use crate::lab::stacks::{self, loops};
use crate::lab::tools::{done, tool};
use landfall::host::qemu::Bus;
use std::path::{Path, PathBuf};

const HOST: &str = "/run/landfall/host";

fn disk(row: &str) -> PathBuf {
    let stacks = stacks::made(&loops::GROUP);
    let stack = stacks.iter().find(|stack| stack.row.name == row);
    stack.expect("a row").disk(1).into()
}

/// With a copy of a disk, to which the guest may write.
fn boot(copy: &Path, words: &str) -> Outcome {
    let machine = Machine::cloud().file(copy, Bus::Virtio);
    machine.cmdline(&format!("{words} rd.timeout=30")).boot()
}

/// With the disk of a row, which stays as it was.
fn boot_unchanged(row: &str, words: &str) -> Outcome {
    let mut copies = Copies::new();
    let outcome = boot(&copies.file(&disk(row)), words);
    copies.assert_unchanged();
    outcome
}

#[test]
fn boot_from_a_file_on_a_file_system() {
    let mut copies = Copies::new();
    let disk = copies.file(&disk("loop-file"));
    let outcome = boot(&disk, "root=LABEL=shelf loop=/disks/root.img ro");
    outcome.assert_root("/dev/loop0", "ext4", "ro");
    assert_eq!(outcome.mount(HOST), "/dev/vda ext4 ro");
    let said = |text: &str| outcome.lines.iter().any(|line| line.contains(text));
    outcome.check(said("its end is cut off"), "the cut tail is not spoken of");
    assert_eq!(
        outcome.fact("below_root"),
        format!("loop:{HOST}/disks/root.img")
    );
    copies.assert_unchanged();
}

#[test]
fn boot_from_a_partition_in_a_file() {
    let partuuid = loops::PARTUUID;
    let words = format!("root=PARTUUID={partuuid} loop=/dev/vda:/disk.img");
    let outcome = boot_unchanged("loop-partition", &words);
    outcome.assert_root("/dev/loop0p1", "ext4", "ro");
}

/// The real init writes to root and is gone at once: that is found in the file afterwards, since
/// both file systems heard of `sync`.
#[test]
fn boot_writes_to_a_file_where_rw_was_asked() {
    let mut copies = Copies::new();
    for words in ["rw loopflags=sync", "ro loopflags=rw,sync"] {
        let disk = copies.file(&disk("loop-file"));
        let outcome = boot(
            &disk,
            &format!("root=LABEL=shelf loop=/disks/root.img rootflags=sync,nosuid {words}"),
        );
        outcome.assert_root("/dev/loop0", "ext4", "rw");
        assert_eq!(outcome.mount(HOST), "/dev/vda ext4 rw");
        let nosuid = format!("{HOST} rw,nosuid");
        assert!(outcome.fact("mountinfo").contains(&nosuid));
        assert_eq!(outcome.list("writable_root"), ["yes"]);
        assert!(holds(&disk, "/disks/root.img", "/landfall-was-here"));
    }
}

/// Is `path` in the file system that is in `file` on the ext4 of `disk`?
fn holds(disk: &Path, file: &str, path: &str) -> bool {
    let scratch = Scratch::new();
    let inner = scratch.0.join("inner");
    // What the guest had not written yet lies in the journals, which a check replays.
    let replayed = |image: &Path| {
        let _ = tool("e2fsck").args(["-p"]).arg(image).output();
    };
    replayed(disk);
    let dump = format!("dump {file} {}", inner.display());
    done(tool("debugfs").arg("-R").arg(dump).arg(disk));
    replayed(&inner);
    let stat = tool("debugfs")
        .arg("-R")
        .arg(format!("stat {path}"))
        .arg(&inner)
        .output();
    String::from_utf8_lossy(&stat.expect("debugfs").stdout).contains("Inode:")
}

/// Even where root would be writable, nothing is written before the file is found.
#[test]
fn boot_refuses_a_file_that_is_not_there() {
    let mut copies = Copies::new();
    let disk = copies.file(&disk("loop-file"));
    for (file, said) in [
        ("/disks/boot.img", "/disks/boot.img is not there"),
        ("/disk/root.img", "/disk is not there"),
        ("/disks", "/disks is not a regular file"),
        ("/disks/root.img/x", "/disks/root.img is not a directory"),
    ] {
        let outcome = boot(&disk, &format!("root=LABEL=shelf loop={file} rw"));
        outcome.assert_gave_up(&[&format!("the file is looked for on vda: {said}")]);
        copies.assert_unchanged();
    }
}

#[test]
fn boot_refuses_a_file_that_is_no_file_system() {
    let outcome = boot_unchanged("loop-partition", "root=LABEL=shelf loop=/disk.img");
    outcome.assert_gave_up(&[
        "asked:   root=LABEL=shelf loop=/disk.img",
        "it holds a partition table, not a file system",
        "what is in the file is named by root=… loop=SOURCE:FILE",
    ]);
}

#[test]
fn boot_says_that_loop_devices_have_no_driver() {
    let words = "root=LABEL=shelf loop=/disks/root.img module_blacklist=loop";
    let outcome = boot_unchanged("loop-file", words);
    outcome.assert_gave_up(&["the kernel has no loop devices: their module, loop, is not"]);
}

/// The device that holds the file is waited for as root is.
#[test]
fn boot_waits_for_the_device_that_holds_the_file() {
    let words = "root=UUID=5eedf00d-0000-4000-8000-0000000000d1 loop=LABEL=shell:/disk.img";
    let outcome = boot_unchanged("loop-partition", &format!("{words} rd.timeout=3"));
    outcome.assert_gave_up(&[
        "loop=LABEL=shell:/disk.img",
        "vda has LABEL=shelf (one character differs)",
    ]);
}
