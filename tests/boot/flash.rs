//! Root in flash memory: UBIFS on UBI on an MTD device, and JFFS2 on such a device itself. A disk
//! plays the flash, with the kernel's block2mtd.

use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::roots::{self, Root};
use crate::lab::shelf::{self, Scratch};
use crate::lab::tools::{done, tool};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Bytes in an erase block, and what UBI leaves of it behind its two headers.
const ERASE_BLOCK: u32 = 64 * 1024;
const LOGICAL: u32 = ERASE_BLOCK - 128;
const BYTES: u64 = 16 * 1024 * 1024;

/// UBI with one volume, `rootfs`, that holds the reporting root.
fn flash() -> PathBuf {
    let recipe = format!("1 {}", roots::recipe(Root::Reporter, Arch::X86_64));
    shelf::made("disks", "ubi", recipe.as_bytes(), |at| {
        let scratch = Scratch::new();
        let inner = scratch.0.join("ubifs");
        let tree = roots::directory(Root::Reporter, Arch::X86_64);
        let mut mkfs = tool("mkfs.ubifs");
        mkfs.args([
            "-q",
            "-F",
            "-m",
            "1",
            "-c",
            "200",
            "-e",
            &LOGICAL.to_string(),
        ]);
        done(mkfs.arg("-r").arg(tree).arg("-o").arg(&inner));
        let volume = format!(
            "[rootfs]\nmode=ubi\nimage={}\nvol_id=0\nvol_type=dynamic\nvol_name=rootfs\n\
             vol_flags=autoresize\n",
            inner.display()
        );
        let list = scratch.0.join("volumes");
        fs::write(&list, volume).expect("a scratch file");
        let mut ubinize = tool("ubinize");
        ubinize.args(["-m", "1", "-p", &ERASE_BLOCK.to_string(), "-o"]);
        done(ubinize.arg(at).arg(&list));
        let file = File::options().write(true).open(at).expect("an image");
        file.set_len(BYTES).expect("space");
    })
}

/// JFFS2 with the reporting root, on flash memory without partitions.
fn journalling_flash() -> PathBuf {
    let recipe = format!("1 {}", roots::recipe(Root::Reporter, Arch::X86_64));
    shelf::made("disks", "jffs2", recipe.as_bytes(), |at| {
        let mut mkfs = tool("mkfs.jffs2");
        let blocks = format!("--eraseblock={ERASE_BLOCK}");
        mkfs.args([&blocks, "--little-endian", "--no-cleanmarkers", "--squash"]);
        let tree = roots::directory(Root::Reporter, Arch::X86_64);
        let size = format!("--pad={BYTES}");
        done(mkfs.arg(size).arg("-r").arg(tree).arg("-o").arg(at));
    })
}

/// Boots with `disk` as flash memory that is called `quay`, and with the driver of `fstype`.
fn check(disk: &Path, fstype: &str, words: &str, source: &str) {
    let machine = Machine::generic();
    let more = ["--generic", "--add", fstype, "--add", "block2mtd"];
    let image = images::image_with(&machine.kernel, fstype, &more);
    let device = format!("block2mtd.block2mtd=/dev/vda,{ERASE_BLOCK},quay");
    let outcome = machine
        .image(image)
        .scratch(disk, Bus::Virtio)
        .cmdline(&format!("rd.driver.post=block2mtd {device} {words} ro"))
        .boot();
    outcome.assert_root(source, fstype, "ro");
}

#[test]
fn boot_from_a_volume_of_ubi_by_its_name() {
    let words = "ubi.mtd=quay root=ubi0:rootfs rootfstype=ubifs";
    check(&flash(), "ubifs", words, "/dev/ubi0_0");
}

#[test]
fn boot_from_flash_memory_by_its_name() {
    let words = "root=mtd:quay rootfstype=jffs2";
    check(&journalling_flash(), "jffs2", words, "mtd0");
}
