//! Module trees as other people's images hold them: compressed, with few indexes, in other
//! places, with configuration. Every image here is made by hand, with the real tools.

use crate::lab::by_hand::{self, Image, VIRTIO_EXT4};
use crate::lab::disks::{BTRFS, Disk, EXT4};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;

/// The generic kernel: it has no CONFIG_MODULE_DECOMPRESS, so whatever is packed is unpacked
/// by `/init`.
fn boot(image: &Image, disk: &Disk, words: &str) -> Outcome {
    let machine = Machine::generic();
    let image = by_hand::image(&machine.kernel, image);
    let root = format!("root=UUID={} ro {words}", disk.uuid);
    let machine = machine.image(image).disk(disk, Bus::Virtio);
    machine.cmdline(&root).boot()
}

/// Reaches root, with each module loaded once and none refused.
fn check(image: &Image, disk: &Disk, fstype: &str, words: &str) -> Outcome {
    let outcome = boot(image, disk, words);
    outcome.assert_root("/dev/vda", fstype, "ro");
    for name in ["virtio_blk", fstype] {
        outcome.assert_module(name);
    }
    let loads = outcome.loads();
    assert!(loads.failed.is_empty(), "{loads:?}");
    let mut names = loads.begun.clone();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), loads.begun.len(), "{loads:?}");
    // The kernel's default again, for the real system.
    assert_eq!(outcome.fact("modprobe").trim_end(), "/sbin/modprobe");
    outcome
}

#[track_caller]
fn assert_parameter(outcome: &Outcome, wanted: &str) {
    let parameters = outcome.list("parameters");
    assert!(parameters.contains(&wanted), "{wanted}: {parameters:?}");
}

#[test]
fn boot_modules_packed_with_xz() {
    let image = Image {
        name: "xz",
        packer: &["xz", "--check=crc32", "--lzma2=dict=1MiB"],
        ..VIRTIO_EXT4
    };
    check(&image, &EXT4, "ext4", "");
}

#[test]
fn boot_modules_packed_with_gzip() {
    let image = Image {
        name: "gz",
        packer: &["gzip", "-9"],
        unreadable: Some(".gz"),
        ..VIRTIO_EXT4
    };
    check(&image, &EXT4, "ext4", "");
}

#[test]
fn boot_modules_packed_with_zstd() {
    let image = Image {
        name: "zst",
        packer: &["zstd", "-q", "--rm", "-19"],
        ..VIRTIO_EXT4
    };
    check(&image, &EXT4, "ext4", "");
}

#[test]
fn boot_with_text_indexes_only() {
    let image = Image {
        name: "text",
        without: &["*.bin"],
        ..VIRTIO_EXT4
    };
    check(&image, &EXT4, "ext4", "");
}

/// As on a system where `/usr` is merged, without its `/lib`.
#[test]
fn boot_modules_below_usr() {
    let image = Image {
        name: "usr",
        trees: "usr/lib/modules",
        ..VIRTIO_EXT4
    };
    check(&image, &EXT4, "ext4", "");
}

/// From modprobe.d and from the command line; where both speak, the command line comes last.
#[test]
fn boot_gives_options_to_modules() {
    let image = Image {
        name: "options",
        files: &[(
            "etc/modprobe.d/harbour.conf",
            "options virtio-blk queue_depth=16\noptions virtio_blk num_request_queues=3\n",
        )],
        ..VIRTIO_EXT4
    };
    let outcome = check(&image, &EXT4, "ext4", "virtio_blk.num_request_queues=7");
    assert_parameter(&outcome, "virtio_blk.queue_depth=16");
    assert_parameter(&outcome, "virtio_blk.num_request_queues=7");
}

#[test]
fn boot_without_a_blacklisted_driver_names_it() {
    let image = Image {
        name: "blacklist",
        files: &[("usr/lib/modprobe.d/no.conf", "blacklist virtio-blk\n")],
        ..VIRTIO_EXT4
    };
    let outcome = boot(&image, &EXT4, "rd.timeout=15");
    outcome.assert_gave_up(&[
        "no block device at all",
        "module virtio_blk is blacklisted and was not loaded",
    ]);
}

/// Nothing but the kernel's own request leads to crc32c: no soft dependency names it, and the
/// module that a CPU would ask for is not there.
fn answers_the_kernel(name: &'static str, fstype: &'static [&'static str], disk: &Disk) {
    let image = Image {
        name,
        modules: fstype,
        without: &["modules.softdep", "crc32c_intel"],
        ..VIRTIO_EXT4
    };
    let outcome = check(&image, disk, fstype[2], "");
    outcome.assert_module("crc32c_generic");
    let trace = outcome.fact("trace");
    let wanted = trace.find(" crypto-crc32c\n");
    let load = trace.find(" crc32c_generic\n");
    assert!(wanted.is_some() && wanted < load, "{trace}");
    let asked = trace.lines().any(|l| l.contains(" < module-wanted "));
    assert!(asked, "{trace}");
}

#[test]
fn boot_answers_what_the_kernel_asks_for_ext4() {
    let modules = &["virtio_pci", "virtio_blk", "ext4", "crc32c_generic"];
    answers_the_kernel("asks-ext4", modules, &EXT4);
}

#[test]
fn boot_answers_what_the_kernel_asks_for_btrfs() {
    let modules = &["virtio_pci", "virtio_blk", "btrfs", "crc32c_generic"];
    answers_the_kernel("asks-btrfs", modules, &BTRFS);
}
