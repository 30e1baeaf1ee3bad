//! Root in flash memory: UBIFS on UBI on an MTD device. A disk plays the flash, with the kernel's
//! block2mtd.

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
const MIB: u64 = 16;

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
        file.set_len(MIB * 1024 * 1024).expect("space");
    })
}

fn check(root: &str, source: &str) {
    let machine = Machine::generic();
    // The driver asks the kernel for all its compressors when it starts.
    let modules = ["ubifs", "block2mtd", "zstd", "lzo", "deflate"];
    let more: Vec<&str> = modules.iter().flat_map(|name| ["--add", name]).collect();
    let more = [&["--generic"], more.as_slice()].concat();
    let image = images::image_with(&machine.kernel, "flash", &more);
    let disk: &Path = &flash();
    let outcome = machine
        .image(image)
        .scratch(disk, Bus::Virtio)
        .cmdline("rd.driver.post=block2mtd ubi.mtd=0 ro")
        .cmdline(&format!(
            "block2mtd.block2mtd=/dev/vda,{ERASE_BLOCK} {root}"
        ))
        .boot();
    outcome.assert_root(source, "ubifs", "ro");
}

#[test]
#[ignore = "UBIFS over block2mtd has not reached the real init in this laboratory yet"]
fn boot_from_a_volume_of_ubi_by_its_name() {
    check("root=ubi0:rootfs rootfstype=ubifs", "/dev/ubi0_0");
}
