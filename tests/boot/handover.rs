//! What the real init finds: its arguments, its mounts, and nothing of the initramfs.

use crate::lab::disks::{BUSYBOX, EXT4, SYMLINK};
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::{Flavour, kernel};
use landfall::host::qemu::Bus;

#[test]
fn boot_leaves_nothing_of_the_initramfs() {
    let outcome = Machine::generic()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let left = outcome.list("old_rootfs");
    let files: Vec<_> = left.iter().filter(|entry| !entry.ends_with(" 0")).collect();
    assert!(
        files.is_empty(),
        "files on the old rootfs hold memory: {files:?}"
    );
    assert!(left.len() <= 1, "left on the old rootfs: {left:?}");
    let processes = outcome.list("processes");
    assert_eq!(processes, ["1 0 init"], "nothing of landfall may run on");
    let descriptors = outcome.list("fds");
    assert_eq!(descriptors.len(), 3, "{descriptors:?}");
    for (number, descriptor) in descriptors.iter().enumerate() {
        assert_eq!(*descriptor, format!("{number} /dev/console"));
    }
}

#[test]
fn boot_hands_over_a_clean_process() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro FAIR=wind single -- one \"two three\"")
        .boot();
    outcome.assert_reached();
    // The kernel passes on what it does not know itself: words as arguments, A=B as environment.
    assert_eq!(
        outcome.list("argv"),
        ["/sbin/init", "single", "one", "two three"]
    );
    let environment = outcome.list("env");
    assert!(environment.contains(&"FAIR=wind"), "{environment:?}");
    assert!(environment.contains(&"HOME=/"), "{environment:?}");
    assert_eq!(outcome.fact("pid"), "1");
    assert_eq!(outcome.fact("cwd"), "/");
    let umask = outcome
        .fact("status")
        .lines()
        .find(|line| line.starts_with("Umask:"));
    assert_eq!(umask, Some("Umask:\t0022"));
    let limits = outcome.fact("limits");
    let files = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files: Vec<&str> = files.unwrap_or_default().split_whitespace().collect();
    assert_eq!(files[3..5], ["1024", "4096"], "the kernel's own limits");
}

#[test]
fn boot_moves_the_mounts_that_an_init_expects() {
    let outcome = Machine::cloud()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro")
        .boot();
    outcome.assert_reached();
    let fstype = |at| outcome.mount(at).split(' ').nth(1).map(String::from);
    assert_eq!(fstype("/dev").as_deref(), Some("devtmpfs"));
    assert_eq!(fstype("/proc").as_deref(), Some("proc"));
    assert_eq!(fstype("/sys").as_deref(), Some("sysfs"));
    assert_eq!(fstype("/run").as_deref(), Some("tmpfs"));
    assert_eq!(outcome.fact("mode_run"), "40755");
    assert!(
        outcome.fact("trace").contains("boot "),
        "{}",
        outcome.fact("trace")
    );
}

#[test]
fn boot_follows_an_absolute_symlink_inside_the_new_root() {
    let outcome = Machine::cloud()
        .disk(&SYMLINK, Bus::Virtio)
        .cmdline("root=LABEL=symlink ro")
        .boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    assert_eq!(outcome.list("argv"), ["/sbin/init"]);
}

#[test]
fn boot_busybox_init() {
    let outcome = Machine::cloud()
        .disk(&BUSYBOX, Bus::Virtio)
        .cmdline("root=LABEL=busybox ro")
        .boot();
    outcome.assert_reached();
    // busybox gives itself this name, padded to the length of the one it was called by.
    assert_eq!(outcome.list("argv"), ["init       "]);
}

#[test]
fn boot_another_init_with_its_arguments() {
    let outcome = Machine::cloud()
        .disk(&BUSYBOX, Bus::Virtio)
        .cmdline("root=LABEL=busybox ro init=/bin/sh --")
        .cmdline(
            "-c \"exec >/dev/ttyS1; echo got $0 $1; cat /proc/1/status; poweroff -f\" a \"b c\"",
        )
        .boot();
    assert!(outcome.ended);
    outcome.check(outcome.report.starts_with("got a b c\n"), &outcome.report);
    // What the shell was given; SIGQUIT (the 4) it ignores by itself.
    for line in [
        "SigBlk:\t0000000000000000",
        "SigIgn:\t0000000000000004",
        "Umask:\t0022",
    ] {
        outcome.check(
            outcome.report.contains(line),
            &format!("{line}: {}", outcome.report),
        );
    }
}

/// Every compression that `landfall image` offers is unpacked by the kernel.
#[test]
fn boot_images_of_every_compression() {
    let cloud = kernel(Flavour::Cloud);
    for compression in ["zstd", "gzip", "bzip2", "lzma", "xz", "lzo", "lz4", "none"] {
        let name = format!("cloud-{compression}");
        let image = images::image_with(&cloud, &name, &["--compress", compression]);
        let outcome = Machine::cloud()
            .image(image)
            .disk(&EXT4, Bus::Virtio)
            .cmdline("root=LABEL=harbour ro")
            .boot();
        outcome.check(outcome.facts.contains_key("complete"), compression);
        outcome.assert_root("/dev/vda", "ext4", "ro");
    }
}
