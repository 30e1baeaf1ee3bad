//! `landfall boot` itself: the exit status that a CI job goes by, and the timeline.

use crate::lab::disks::{self, EXT4};
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::{build, images, shelf};
use landfall::host::boot::Ending;
use std::process::{Command, Output};

/// Runs `landfall boot` on the cloud kernel.
fn boot(with_image: bool, words: &[&str]) -> Output {
    let cloud = kernel(Flavour::Cloud);
    let disk = disks::file(&EXT4);
    let image = images::image(&cloud);
    let mut command = Command::new(build::landfall());
    command.arg("boot").arg("--kernel").arg(&cloud.vmlinuz);
    command
        .arg("--disk")
        .arg(format!("{},scratch", disk.display()));
    if with_image {
        command.arg("--initrd").arg(image);
    }
    let _seat = shelf::seat();
    command.args(words).output().expect("the host tool runs")
}

fn check(with_image: bool, words: &[&str], ending: Ending, part: &str) {
    let output = boot(with_image, words);
    let said = String::from_utf8_lossy(&output.stdout);
    let status = output.status.code();
    assert_eq!(
        status,
        Some(i32::from(ending.status())),
        "{words:?}\n{said}"
    );
    assert!(
        said.contains(part),
        "{words:?} does not say {part:?}:\n{said}"
    );
}

#[test]
fn boot_tool_shows_the_way_to_the_real_init() {
    let root = ["--append", "root=LABEL=harbour ro"];
    check(
        true,
        &root,
        Ending::ReachedInit,
        "landfall: handing over to /sbin/init",
    );
}

#[test]
fn boot_tool_tells_failures_apart() {
    let wrong = ["--append", "root=LABEL=nowhere rd.timeout=2"];
    check(true, &wrong, Ending::GaveUp, "landfall gave up");
    check(false, &[], Ending::Panicked, "Unable to mount root fs");
    check(
        true,
        &["--timeout", "1"],
        Ending::TimedOut,
        "the time was up",
    );
}

#[test]
fn boot_tool_waits_for_a_text_of_the_real_init() {
    let root = ["--append", "root=LABEL=harbour ro", "--until"];
    let shown = [&root[..], &["Power down"]].concat();
    check(
        true,
        &shown,
        Ending::ReachedInit,
        "the real init was reached",
    );
    let never = [&root[..], &["no such words"]].concat();
    check(true, &never, Ending::GaveUp, "before the awaited text");
}

#[test]
fn boot_tool_says_when_qemu_refuses() {
    let output = boot(true, &["--", "-device", "no-such-device"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("no-such-device") && said.contains("QEMU refused"),
        "{said}"
    );
}
