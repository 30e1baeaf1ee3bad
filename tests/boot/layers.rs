//! What lies over root: overlays in memory and on a device, systems that forget.

use crate::lab::copies::Copies;
use crate::lab::disks::{BUSYBOX, EXT4};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::shelf::{self, Scratch};
use crate::lab::tools::{done, tool};
use landfall::host::qemu::Bus;
use std::path::{Path, PathBuf};

/// Root's place below what lies over it.
const LOWER: &str = "/run/rootfsbase";

/// An empty file system for changes.
fn changes() -> PathBuf {
    shelf::made("disks", "changes", b"ext4 of 16 MiB", |at| {
        let mut mkfs = tool("mke2fs");
        mkfs.args(["-q", "-t", "ext4", "-L", "changes"]);
        done(mkfs.arg(at).arg("16M"));
    })
}

fn words(more: &str) -> String {
    format!("root=UUID={} rd.timeout=30 {more}", EXT4.uuid)
}

/// With a copy of root's disk, which is compared afterwards.
fn boot_unchanged(more: &str) -> Outcome {
    let mut copies = Copies::new();
    let machine = Machine::cloud().file(&copies.disk(&EXT4), Bus::Virtio);
    let outcome = machine.cmdline(&words(more)).boot();
    copies.assert_unchanged();
    outcome
}

#[test]
fn boot_with_an_overlay_in_memory() {
    let outcome = boot_unchanged("rw rd.overlay=tmpfs:size=3m");
    outcome.assert_root("overlay", "overlay", "rw");
    assert_eq!(outcome.mount(LOWER), "/dev/vda ext4 ro");
    assert_eq!(outcome.mount("/run/overlayfs"), "tmpfs tmpfs rw");
    assert_eq!(outcome.list("writable_root"), ["yes"]);
    let mounts = outcome.fact("mountinfo");
    outcome.check(mounts.contains("size=3072k"), "memory has not its options");
}

#[test]
fn boot_with_an_overlay_on_a_device() {
    let mut copies = Copies::new();
    let root = copies.disk(&EXT4);
    // What is written is to be looked at.
    let mut written = Copies::new();
    let kept = written.file(&changes());
    let boot = |more: &str| {
        let machine = Machine::cloud().file(&root, Bus::Virtio);
        let machine = machine.file(&kept, Bus::Virtio);
        machine.cmdline(&words(more)).boot()
    };
    let outcome = boot("rd.overlay=LABEL=changes:/kept/here");
    outcome.assert_root("overlay", "overlay", "rw");
    assert_eq!(outcome.mount("/run/overlayfs"), "/dev/vdb ext4 rw");
    assert_eq!(outcome.list("writable_root"), ["yes"]);

    let outcome = boot("rd.overlay=LABEL=lost rd.timeout=3");
    outcome.assert_gave_up(&["LABEL=lost on /run/overlayfs", "no usable device"]);
    copies.assert_unchanged();
}

/// A system writes a file, and ends.
#[test]
fn boot_keeps_what_was_changed_on_a_device() {
    let mut copies = Copies::new();
    let root = copies.disk(&BUSYBOX);
    let mut written = Copies::new();
    let kept = written.file(&changes());
    let machine = Machine::cloud().file(&root, Bus::Virtio);
    let changing = format!(
        "root=UUID={} rd.timeout=30 rd.overlay=LABEL=changes:/kept/here init=/bin/sh -- -c \
         \"echo 1 >/written; . /etc/start\"",
        BUSYBOX.uuid
    );
    let machine = machine.file(&kept, Bus::Virtio).cmdline(&changing);
    machine.boot().assert_reached();
    assert!(holds(&kept, "/kept/here/written"), "nothing is kept");
    assert!(holds(&kept, "/kept/ovlwork"), "the kernel works elsewhere");

    // Shown only: the real init sees it, and what it writes is forgotten.
    let words = words("rd.overlay=LABEL=changes:/kept/here rd.overlay.readonly");
    let machine = Machine::cloud().file(&copies.disk(&EXT4), Bus::Virtio);
    let outcome = machine.file(&kept, Bus::Virtio).cmdline(&words).boot();
    outcome.assert_root("overlay", "overlay", "rw");
    assert_eq!(outcome.mount("/run/overlayfs-r"), "/dev/vdb ext4 ro");
    let mounts = outcome.fact("mountinfo");
    let below = "lowerdir=/run/overlayfs-r/kept/here:/run/rootfsbase";
    outcome.check(mounts.contains(below), "what was kept is not shown");
    copies.assert_unchanged();
}

fn holds(disk: &Path, path: &str) -> bool {
    // What the guest had not written yet lies in the journal, which a check replays.
    let scratch = Scratch::new();
    let copy = scratch.0.join("copy");
    std::fs::copy(disk, &copy).expect("space");
    let _ = tool("e2fsck").args(["-p"]).arg(&copy).output();
    let stat = format!("stat {path}");
    let stat = tool("debugfs").args(["-R", &stat]).arg(&copy).output();
    String::from_utf8_lossy(&stat.expect("debugfs").stdout).contains("Inode:")
}

#[test]
fn boot_of_a_volatile_system() {
    let outcome = boot_unchanged("systemd.volatile=overlay");
    outcome.assert_root("overlay", "overlay", "rw");

    let outcome = boot_unchanged("rw systemd.volatile=state");
    // Root has no /var, and cannot be given one.
    outcome.assert_gave_up(&["what lies over it could not be made", "systemd.volatile="]);

    let mut copies = Copies::new();
    let disk = copies.file(&with_usr());
    let machine = |words: &str| {
        let words = format!("root=LABEL=whole rd.timeout=30 {words}");
        let machine = Machine::cloud().file(&disk, Bus::Virtio);
        machine.cmdline(&words).boot()
    };
    let outcome = machine("rw systemd.volatile=state");
    outcome.assert_root("/dev/vda", "ext4", "ro");
    assert_eq!(outcome.mount("/var"), "tmpfs tmpfs rw");
    let outcome = machine("systemd.volatile");
    outcome.assert_root("tmpfs", "tmpfs", "rw");
    assert_eq!(outcome.mount("/usr"), "/dev/vda ext4 ro");
    copies.assert_unchanged();
}

/// A root whose programs are all in `/usr`, with a link to them beside it.
fn with_usr() -> PathBuf {
    use crate::lab::{build, roots};
    use landfall::host::arch::Arch;
    let reporter = build::reporter_for(Arch::X86_64);
    let recipe = shelf::fingerprint(&reporter);
    shelf::made("disks", "whole", recipe.as_bytes(), |at| {
        let tree = Scratch::new();
        for name in ["dev", "proc", "sys", "run", "etc", "var", "usr/sbin"] {
            std::fs::create_dir_all(tree.0.join(name)).expect("an empty directory");
        }
        std::os::unix::fs::symlink("usr/sbin", tree.0.join("sbin")).expect("an empty directory");
        roots::program(&reporter, &tree.0.join("usr/sbin/init"));
        let mut mkfs = tool("mke2fs");
        mkfs.args(["-q", "-t", "ext4", "-L", "whole", "-d"]);
        done(mkfs.arg(&tree.0).arg(at).arg("32M"));
    })
}

#[test]
fn boot_fails_without_the_driver_of_overlays() {
    let outcome = boot_unchanged("rd.overlay module_blacklist=overlay");
    outcome.assert_gave_up(&[
        "what lies over it could not be made",
        "its module is not in the image",
    ]);
}
