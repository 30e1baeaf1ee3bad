//! Rarer forms of `root=`, none at all, and words that stand in the image.

use crate::lab::disks::{self, Disk, EXT4, EXT4_GPT, EXT4_MBR, EXT4_TYPED};
use crate::lab::guest::Machine;
use crate::lab::images;
use landfall::host::qemu::Bus;
use std::fs;
use std::path::Path;

/// Boots the quick kernel; root is the second partition.
fn check(disk: &Disk, words: &str, device: &str) {
    let outcome = Machine::cloud()
        .disk(disk, Bus::Virtio)
        .cmdline(words)
        .boot();
    outcome.assert_root(device, "ext4", "ro");
}

#[test]
fn boot_by_the_device_number_in_the_kernels_forms() {
    let outcome = Machine::generic()
        .disk(&EXT4_MBR, Bus::Scsi)
        .cmdline("root=8:2 ro")
        .boot();
    outcome.assert_root("/dev/sda2", "ext4", "ro");
    check(&EXT4_GPT, "root=0xfe02 ro", "/dev/vda2");
}

#[test]
fn boot_by_the_partition_beside_another() {
    let first = "9a27f00d-0000-4000-8000-000000000001";
    check(
        &EXT4_GPT,
        &format!("root=PARTUUID={first}/PARTNROFF=1 ro"),
        "/dev/vda2",
    );
    check(
        &EXT4_MBR,
        "root=PARTUUID=5EEDF00D-01/PARTNROFF=1",
        "/dev/vda2",
    );
}

/// Other disks hold file systems, too, but no partition with root's type.
#[test]
fn boot_without_root_finds_the_partition_of_roots_type() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .disk(&EXT4_GPT, Bus::Virtio)
        .disk(&EXT4_TYPED, Bus::Nvme)
        .boot();
    outcome.assert_root("/dev/nvme0n1p2", "ext4", "ro");
}

#[test]
fn boot_gpt_auto_waits_for_a_late_disk() {
    let mut guest = Machine::generic()
        .later(&EXT4_TYPED, Bus::Usb)
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=gpt-auto ro rd.timeout=200")
        .start();
    guest.wait_for("no partition with the type of root is there yet");
    guest.plug(0);
    guest.finish().assert_root("/dev/sda2", "ext4", "ro");
}

#[test]
fn boot_without_root_names_two_roots_and_takes_none() {
    let outcome = Machine::cloud()
        .disk(&EXT4_TYPED, Bus::Virtio)
        .disk(&EXT4_TYPED, Bus::Virtio)
        .boot();
    outcome.assert_gave_up(&["vda2 and vdb2 all have the type of a root partition"]);
}

#[test]
fn boot_with_words_of_the_image_and_the_boot_loader_wins() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("words");
    fs::create_dir_all(dir.join("cmdline.d")).expect("a writable target directory");
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("a file");
    write(
        "cmdline.d/10-root.conf",
        "# of the image\nroot=LABEL=harbour rw\n",
    );
    write("cmdline", "rd.timeout=60");
    let machine = Machine::cloud();
    let option = |name: &str| format!("{}:/etc/{name}", dir.join(name).display());
    let (words, more) = (option("cmdline.d"), option("cmdline"));
    let options = ["--add-file", &words, "--add-file", &more];
    let image = images::image_with(&machine.kernel, "words", &options);
    let outcome = machine
        .image(image)
        .disk(&disks::EXT4_GPT, Bus::Virtio)
        .disk(&EXT4, Bus::Nvme)
        .cmdline("ro")
        .boot();
    outcome.assert_root("/dev/nvme0n1", "ext4", "ro");
}

/// The image says where root is and how it is mounted; the rest of its fstab is not our business.
#[test]
fn boot_by_the_fstab_of_the_image() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fstab");
    let lines = "# of the image\nLABEL=gpt /srv xfs\nLABEL=harbour /sysroot ext4 noatime 0 1\n";
    fs::write(&file, lines).expect("a writable target directory");
    let machine = Machine::cloud();
    let add = format!("{}:/etc/fstab", file.display());
    let image = images::image_with(&machine.kernel, "fstab", &["--add-file", &add]);
    let outcome = machine
        .image(image)
        .disk(&EXT4_GPT, Bus::Virtio)
        .disk(&EXT4, Bus::Nvme)
        .cmdline("root=fstab ro")
        .boot();
    outcome.assert_root("/dev/nvme0n1", "ext4", "ro");
    let mounts = outcome.fact("mountinfo");
    outcome.check(mounts.contains(" / / ro,noatime "), mounts);
}

/// The kernel numbers disks as they come, and never gives a number twice.
#[test]
fn boot_by_the_sequence_number_of_a_disk() {
    check(
        &EXT4_GPT,
        "root=/dev/disk/by-diskseq/1-part2 ro",
        "/dev/vda2",
    );
}

/// The kernel fills a RAM disk only where there is no initramfs: it ends at once, and says why.
#[test]
fn boot_from_a_ram_disk_is_refused_and_explained() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=/dev/ram0 rw rd.modules_load=brd")
        .boot();
    outcome.assert_gave_up(&[
        "root=/dev/ram0 is empty beside an initramfs",
        "LABEL=harbour",
    ]);
    let late = outcome.lines.iter().any(|line| line.contains("within"));
    outcome.check(!late, "it waited for what cannot come");
}
