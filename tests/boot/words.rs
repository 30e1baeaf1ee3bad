//! Words about modules, in the places where people write them; and words that the image carries.

use crate::lab::by_hand::{self, Image, VIRTIO_EXT4};
use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::images;
use landfall::host::qemu::Bus;
use std::path::Path;

#[test]
fn boot_loads_modules_that_words_and_files_name() {
    let image = Image {
        name: "named",
        modules: &[
            "virtio_pci",
            "virtio_blk",
            "ext4",
            "nls_utf8",
            "nls_ascii",
            "nls_cp437",
            "nls_cp850",
            "nls_iso8859-1",
        ],
        files: &[("etc/modules-load.d/harbour.conf", "# sets\nnls_cp850\n")],
        ..VIRTIO_EXT4
    };
    let machine = Machine::generic();
    let image = by_hand::image(&machine.kernel, &image);
    let outcome = machine
        .image(image)
        .disk(&EXT4, Bus::Virtio)
        .cmdline(
            "root=LABEL=harbour ro rd.driver.post=nls_iso8859-1 rd.driver.pre=nls_ascii \
             rd.modules_load=nls-utf8 modules_load=nls_cp437",
        )
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let begun = outcome.loads().begun;
    let place = |name: &str| {
        outcome.assert_module(name);
        let found = begun.iter().position(|module| module == name);
        found.unwrap_or_else(|| panic!("{name} was not loaded: {begun:?}"))
    };
    for early in ["nls_cp850", "nls_ascii", "nls_utf8", "nls_cp437"] {
        assert!(place(early) < place("nls_iso8859_1"), "{early}: {begun:?}");
    }
    assert!(place("virtio_blk") < place("nls_iso8859_1"), "{begun:?}");
}

/// The kernel itself refuses what `module_blacklist=` names; of the others only devices may not
/// ask.
#[test]
fn boot_without_modules_that_words_forbid() {
    let boot = |words: &str| {
        let machine = Machine::cloud().disk(&EXT4, Bus::Virtio);
        machine
            .cmdline(&format!("root=LABEL=harbour rd.timeout=5 {words}"))
            .boot()
    };
    boot("modprobe.blacklist=x,virtio-blk").assert_gave_up(&[
        "no block device at all",
        "module virtio_blk is blacklisted and was not loaded",
    ]);
    boot("module_blacklist=virtio_blk").assert_gave_up(&["no block device at all", "virtio_blk"]);
    let asked = boot("modprobe.blacklist=virtio_blk rd.modules_load=virtio_blk");
    asked.assert_root("/dev/vda", "ext4", "ro");
}

/// These kernels know no bootconfig: what stands behind the image is no obstacle.
#[test]
fn boot_of_an_image_with_a_bootconfig_on_a_kernel_without() {
    let words = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bootconfig");
    std::fs::write(&words, "kernel.root = LABEL=nonesuch\n").expect("a file");
    let machine = Machine::cloud();
    let options = ["--bootconfig", words.to_str().expect("a plain path")];
    let image = images::image_with(&machine.kernel, "bootconfig", &options);
    let outcome = machine
        .image(image)
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
}
