//! Disks that look like the root that was asked for, and are parts of something else.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4, EXT4_GPT};
use crate::lab::guest::Machine;
use crate::lab::md::md_1;
use crate::lab::shelf::Scratch;
use crate::lab::tools::run;
use landfall::host::qemu::Bus;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// A member of a mirror with its superblock at the end (version 1.0) begins with the mirror's
/// file system, and the right UUID.
#[test]
fn boot_never_mounts_what_shines_through_a_member() {
    let scratch = Scratch::new();
    let member = scratch.0.join("member");
    run("cp", &[&disks::file(&EXT4), &member]);
    let size = (EXT4.mib + 1) * 1024 * 1024;
    let file = File::options().write(true).open(&member).expect("a copy");
    file.set_len(size).expect("space");
    let at = size - 8 * 1024;
    file.write_all_at(&md_1(at, "harbour:0"), at)
        .expect("space");
    let shown = run("blkid", &["-p".as_ref(), member.as_os_str()]);
    assert!(shown.contains("linux_raid_member"), "{shown}");

    let mut copies = Copies::new();
    let outcome = Machine::generic()
        .file(&copies.file(&member), Bus::Virtio)
        .cmdline(&format!("root=UUID={} rw rd.timeout=5", EXT4.uuid))
        .boot();
    copies.assert_unchanged();
    outcome.assert_gave_up(&[EXT4.uuid, "no usable device with this identity"]);
    let said = |line: &String| line.contains("vda") && line.contains("linux_raid_member");
    outcome.check(outcome.lines.iter().any(said), "what it is, on the page");
}

/// A member of a mirror that firmware made keeps its metadata at the end: the kernel shows its
/// partitions, and the right UUID on one.
#[test]
fn boot_never_mounts_a_partition_of_a_mirror_of_firmware() {
    let scratch = Scratch::new();
    let member = scratch.0.join("member");
    run("cp", &[&disks::file(&EXT4_GPT), &member]);
    let file = File::options().write(true).open(&member).expect("a copy");
    let size = file.metadata().expect("its size").len() + 1024 * 1024;
    file.set_len(size).expect("space");
    file.write_all_at(b"Intel Raid ISM Cfg Sig. 1.2.02\0\0", size - 1024)
        .expect("space");
    let shown = run("blkid", &["-p".as_ref(), member.as_os_str()]);
    assert!(shown.contains("isw_raid_member"), "{shown}");

    let mut copies = Copies::new();
    let outcome = Machine::generic()
        .file(&copies.file(&member), Bus::Virtio)
        .cmdline(&format!("root=UUID={} rw rd.timeout=5", EXT4_GPT.uuid))
        .boot();
    copies.assert_unchanged();
    outcome.assert_gave_up(&[EXT4_GPT.uuid, "its disk vda is a member of something else"]);
}
