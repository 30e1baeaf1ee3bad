//! Roots in RAM: the image itself, an archive in it, and the RAM disk of a classic initrd.

use crate::lab::build;
use crate::lab::by_hand;
use crate::lab::disks::{self, Disk, EXT4};
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::Kernel;
use crate::lab::roots::{self, Root};
use crate::lab::shelf::{self, Scratch, fingerprint};
use crate::lab::tools::{done, tool};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

fn own_file(name: &str, text: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, text).expect("a writable target directory");
    file
}

/// As firecracker's users do it: kernel, image, no disk. The init in the image runs with all that
/// was mounted, and nothing of the image is deleted.
#[test]
fn boot_a_microvm_whose_image_is_the_system() {
    let machine = Machine::cloud().microvm();
    let init = build::reporter_for(Arch::X86_64);
    let add = [
        format!("{}:/sbin/init", init.display()),
        format!("{}:/etc/hostname", own_file("hostname", "quay\n").display()),
    ];
    let options = ["--add-file", &add[0], "--add-file", &add[1]];
    let image = images::image_with(&machine.kernel, "cloud-system", &options);
    let outcome = machine
        .image(image)
        .cmdline("rd.modules_load=loop harbour")
        .qemu("-machine microvm")
        .boot();
    outcome.assert_reached();
    assert_eq!(outcome.list("argv"), ["/sbin/init", "harbour"]);
    assert_eq!(outcome.fact("exe"), "/sbin/init");
    let root = outcome.mount("/");
    outcome.check(root.contains(" rootfs "), &root);
    for place in ["/dev", "/proc", "/sys", "/run"] {
        outcome.mount(place);
    }
    outcome.assert_module("loop");
    let trace = outcome.fact("trace");
    outcome.check(!trace.contains(" > walk "), "it looked for devices");
    assert_eq!(outcome.list("processes"), ["1 0 init"]);
    assert_eq!(outcome.list("fds").len(), 3);
}

/// The image holds the system as an archive, with another owner, modes, links and device nodes.
#[test]
fn boot_an_archive_of_the_image_into_ram() {
    let tree = roots::directory(Root::Busybox, Arch::X86_64);
    let scratch = Scratch::new();
    let archive = scratch.0.join("root.tar.zst");
    let pack = "tar -c --owner=0 --group=0 -C \"$0\" . | zstd -q -o \"$1\"";
    done(tool("sh").args(["-c", pack]).arg(&tree).arg(&archive));
    let add = [
        format!("{}:/root.tar.zst", archive.display()),
        format!("{}:/etc/hostname", own_file("hostname", "quay\n").display()),
    ];
    let machine = Machine::cloud();
    let options = ["--add-file", &add[0], "--add-file", &add[1]];
    let recipe = format!("cloud-archive-{}", fingerprint(&archive));
    let image = images::image_with(&machine.kernel, &recipe, &options);
    let script = "exec >/dev/ttyS1; cat /proc/mounts /proc/sys/kernel/hostname; \
                  echo left $(cat /root.tar.zst); poweroff -f";
    let outcome = machine
        .image(image)
        .cmdline("landfall.archive=/root.tar.zst rootflags=size=90% init=/bin/sh --")
        .cmdline(&format!("-c \"{script}\""))
        .boot();
    outcome.check(outcome.ended, "the guest did not switch off");
    let root = "/root.tar.zst / tmpfs rw,relatime,";
    for line in [root, "\nquay\n", "\nleft\n"] {
        outcome.check(outcome.report.contains(line), &outcome.report);
    }
}

/// What a kernel with the RAM disk driver built in does by itself, with a module: an ext2 on
/// /dev/ram0 that holds landfall as its init becomes `/`, and the kernel is told of the real root.
const LOADER: &str = "#!/bin/busybox sh
export PATH=/bin
busybox mount -t devtmpfs dev /dev
busybox mount -t proc proc /proc
busybox insmod /brd.ko rd_nr=1 rd_size=16384
busybox cat /initrd.img > /dev/ram0
busybox mount -t ext4 /dev/ram0 /mnt
echo 66304 > /proc/sys/kernel/real-root-dev
busybox mount --move /dev /mnt/dev
busybox umount /proc
exec busybox switch_root /mnt /sbin/init
";

fn classic_image(kernel: &Kernel) -> PathBuf {
    let init = build::init_for(Arch::X86_64);
    let recipe = format!("2 {} {} {LOADER}", kernel.version, fingerprint(&init));
    shelf::made("images", "classic-initrd", recipe.as_bytes(), |at| {
        let scratch = Scratch::new();
        let (outer, inner) = (scratch.0.join("outer"), scratch.0.join("inner"));
        for name in ["dev", "proc", "sys", "run", "sysroot", "sbin"] {
            fs::create_dir_all(inner.join(name)).expect("a directory");
        }
        roots::program(&init, &inner.join("init"));
        symlink("/init", inner.join("sbin/init")).expect("an own directory");
        for name in ["dev", "proc", "mnt"] {
            fs::create_dir_all(outer.join(name)).expect("a directory");
        }
        let mut mkfs = tool("mke2fs");
        mkfs.args(["-q", "-t", "ext2", "-d"]).arg(&inner);
        done(mkfs.arg(outer.join("initrd.img")).arg("12M"));
        let busybox = roots::busybox_program(Arch::X86_64);
        roots::program(&busybox, &outer.join("bin/busybox"));
        let brd = kernel.modules().join("kernel/drivers/block/brd.ko");
        roots::program(&brd, &outer.join("brd.ko"));
        let script = outer.join("init");
        fs::write(&script, LOADER).expect("an own file");
        let runnable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&script, runnable).expect("an own file");
        by_hand::pack(&outer, at);
    })
}

/// The root file system of `disk` with a directory for the old root.
fn with_place_for_the_old_root(disk: &Disk) -> PathBuf {
    let from = disks::file(disk);
    let recipe = fingerprint(&from);
    shelf::made("disks", "with-initrd", recipe.as_bytes(), |at| {
        fs::copy(&from, at).expect("a writable target directory");
        done(tool("debugfs").args(["-w", "-R", "mkdir /initrd"]).arg(at));
    })
}

/// `root=` is the kernel's word for the RAM disk.
#[test]
fn boot_a_classic_initrd_by_pivot_root() {
    for keeps in [true, false] {
        let machine = Machine::cloud();
        let image = classic_image(&machine.kernel);
        let machine = match keeps {
            true => machine.scratch(&with_place_for_the_old_root(&EXT4), Bus::Nvme),
            false => machine.disk(&EXT4, Bus::Nvme),
        };
        let outcome = machine.image(image).cmdline("root=/dev/ram0 ro").boot();
        outcome.assert_root("/dev/nvme0n1", "ext4", "ro");
        let mounts = outcome.fact("mountinfo");
        let old = mounts.lines().find(|line| line.contains(" /dev/ram0 "));
        let place = old.and_then(|line| line.split(' ').nth(4));
        assert_eq!(place, keeps.then_some("/initrd"), "{mounts}");
    }
}
