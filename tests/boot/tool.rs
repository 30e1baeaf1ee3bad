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

/// The console says nothing; the trace says that the boot landed, and the chart shows it.
#[test]
fn boot_tool_draws_a_boot_that_is_silent() {
    let scratch = shelf::Scratch::new();
    let chart = scratch.0.join("boot.svg");
    let path = chart.to_str().expect("a plain path");
    let quiet = "root=LABEL=harbour ro quiet loglevel=0 printk.time=0";
    let words = ["--append", quiet, "--chart", path];
    let output = boot(true, &words);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("landfall: "), "{said}");
    assert!(said.contains("time in the initramfs: "), "{said}");
    let drawn = std::fs::read_to_string(&chart).expect("the chart is there");
    for part in ["<svg", "mount vda as ext4", "hand over to /sbin/init"] {
        assert!(drawn.contains(part), "{part} is not in the chart");
    }
}

#[test]
fn boot_tool_keeps_the_trace_of_a_failure() {
    let scratch = shelf::Scratch::new();
    let trace = scratch.0.join("trace");
    let path = trace.to_str().expect("a plain path");
    let wrong = "root=LABEL=nowhere rd.timeout=2 quiet loglevel=0";
    check(
        true,
        &["--append", wrong, "--trace", path],
        Ending::GaveUp,
        "landfall gave up",
    );
    let kept = std::fs::read_to_string(&trace).expect("the trace is there");
    assert!(kept.starts_with(|c: char| c.is_ascii_digit()), "{kept}");
    assert!(
        kept.contains(" > page ") && kept.contains(" > end "),
        "{kept}"
    );
}

/// Another /init, or a word that takes the trace elsewhere: the boot is judged all the same.
#[test]
fn boot_tool_says_when_no_trace_came() {
    let root = "root=LABEL=harbour ro landfall.trace=/dev/no-such-terminal";
    let output = boot(true, &["--append", root, "--trace", "/dev/null"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no trace came out of the guest"), "{said}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("the trace is not told any further"), "{said}");
    assert!(said.contains("the real init was reached"), "{said}");
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
