//! A second choice for root.

use crate::lab::copies::Copies;
use crate::lab::disks::{EXT4, XFS};
use crate::lab::guest::Machine;
use landfall::host::qemu::Bus;
use std::fs;

#[test]
fn boot_falls_back_to_another_root() {
    let words = "root=LABEL=nowhere ro rd.timeout=4 landfall.fallback=LABEL=harbour";
    let machine = Machine::cloud().disk(&EXT4, Bus::Virtio);
    let outcome = machine.cmdline(words).boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let left = outcome.fact("fallback");
    for part in ["root=LABEL=nowhere", "appeared within 4 s", "vda"] {
        outcome.check(left.contains(part), &format!("{part:?} is not left"));
    }
    let told = |line: &String| line.contains("landfall.fallback=LABEL=harbour is looked for");
    outcome.check(outcome.lines.iter().any(told), "nobody is told");
}

#[test]
fn boot_leaves_the_second_choice_alone() {
    let mut copies = Copies::new();
    let (first, second) = (copies.disk(&EXT4), copies.disk(&XFS));
    let before = fs::read(&second).expect("a disk");
    let machine = Machine::cloud()
        .file(&first, Bus::Virtio)
        .file(&second, Bus::Virtio);
    let words = "root=/dev/vda ro landfall.fallback=/dev/vdb";
    let outcome = machine.cmdline(words).boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let trace = outcome.fact("trace");
    let touches = |line: &&str| line.contains(" > ") && line.contains(" vdb");
    let touched = trace.lines().find(touches).unwrap_or_default();
    outcome.check(touched.is_empty(), touched);
    let reason = outcome.fact("fallback").contains("root=");
    outcome.check(!reason, "a reason is left");
    let same = fs::read(&second).expect("a disk") == before;
    outcome.check(same, "the second disk changed");
}

/// Both are missing: the page has both reasons.
#[test]
fn boot_gives_up_after_its_second_choice() {
    let words = "root=LABEL=nowhere rd.timeout=3 landfall.fallback=LABEL=neither panic=-1";
    let machine = Machine::cloud().disk(&EXT4, Bus::Virtio);
    let outcome = machine.cmdline(words).boot();
    outcome.assert_gave_up(&[
        "root=LABEL=neither",
        "before:  root=LABEL=nowhere: no usable",
    ]);
}
