//! A Debian on LVM on mirrors, one of them in LUKS: its tools find everything after landfall as
//! they do after Debian's own initramfs.

use crate::lab::copies::Copies;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::outcome::Outcome;
use crate::lab::stacked_debian::{self, KEY, MDADM_CONF};
use landfall::host::qemu::Bus;
use std::path::PathBuf;

/// What a command of the facts service printed.
fn section<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    let head = format!("\n== {name}\n");
    let Some((_, rest)) = outcome.report.split_once(&head) else {
        outcome.fail(&format!("no {name:?} in the report: {}", outcome.report));
    };
    rest.split("\n== ").next().unwrap_or_default().trim()
}

fn boot(image: PathBuf, words: &str) -> Outcome {
    let made = stacked_debian::disks();
    let mut copies = Copies::new();
    let mut machine = Machine::cloud().image(image).memory(1024).patience(900);
    for disk in &made.disks {
        machine = machine.file(&copies.file(disk), Bus::Virtio);
    }
    let outcome = machine.cmdline(words).boot();
    outcome.check(outcome.ended, "Debian did not switch off");
    outcome
}

/// What systemd does not take down itself, since it lies below root, is taken down afterwards.
fn assert_taken_down(outcome: &Outcome) {
    let said = "landfall: everything below the old root is taken down";
    let says = outcome.lines.iter().any(|line| line.contains(said));
    outcome.check(
        says,
        "something stays when Debian ends, or nobody took it down",
    );
}

/// A section without what differs from boot to boot, and without where landfall does otherwise:
/// in Debian's initramfs mdadm does not know the machine's name and takes its own array for a
/// foreign one, and more modules are loaded; after landfall the group of the volumes is noticed by
/// the real system's udev, as a group without root is.
fn comparable(outcome: &Outcome, name: &str) -> String {
    const LEFT_OUT: &[(&str, &str)] = &[
        ("mdadm", "State :"),
        ("mdstat", "Personalities"),
        ("udev", "LVM_VG_NAME_"),
    ];
    let left_out = |line: &&str| {
        let mut parts = LEFT_OUT.iter().filter(|(of, _)| *of == name);
        !parts.any(|(_, part)| line.contains(part))
    };
    // Links of a device, and members of an array, are told in any order.
    let sorted = |line: &str| {
        if name != "mdstat" && !line.contains(" DEVLINKS=") {
            return line.to_owned();
        }
        let line = line.replace("DEVLINKS=", "DEVLINKS= ");
        let mut words: Vec<&str> = line.split_whitespace().collect();
        words.sort_unstable();
        words.join(" ")
    };
    let text = section(outcome, name);
    let text = text.replace("md/harbour:safe", "md/safe");
    let text = text.replace("MD_DEVNAME=harbour:safe", "MD_DEVNAME=safe");
    let mut lines: Vec<String> = text.lines().filter(left_out).map(sorted).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn boot_debian_whose_tools_find_everything() {
    let ours = {
        let kernel = kernel(Flavour::Cloud);
        let key = format!("--add-file={}:{KEY}", stacked_debian::key().display());
        let conf = stacked_debian::mdadm_conf();
        let conf = format!("--add-file={}:{MDADM_CONF}", conf.display());
        let image = images::image_with(&kernel, "stacked-debian", &[&key, &conf]);
        let uuid = stacked_debian::LUKS;
        let words =
            format!("root=/dev/mapper/harbour-root ro rd.luks.name={uuid}=safe rd.luks.key={KEY}");
        boot(image, &words)
    };
    let theirs = boot(stacked_debian::initrd(), "root=/dev/mapper/harbour-root ro");
    println!(
        "after landfall\n{}\n\nafter Debian's own\n{}",
        ours.report, theirs.report
    );
    assert_eq!(section(&ours, "state"), "running");
    assert_taken_down(&ours);
    let mut wrong = Vec::new();
    for name in stacked_debian::COMPARED {
        let (ours, theirs) = (comparable(&ours, name), comparable(&theirs, name));
        if ours != theirs {
            wrong.push(format!(
                "{name} after landfall:\n{ours}\nafter Debian's own:\n{theirs}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
