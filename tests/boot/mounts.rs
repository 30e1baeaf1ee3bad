//! What is mounted besides root: `/usr` and more, as words and root's own fstab say.

use crate::lab::build;
use crate::lab::copies::Copies;
use crate::lab::guest::Machine;
use crate::lab::roots;
use crate::lab::shelf::{self, Scratch};
use crate::lab::tools::{done, tool};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A secret of the real system that is none of ours.
const SECRET: &str = "moonlight";

const FSTAB: &str = "# /etc/fstab of the real root
LABEL=base     / ext4 data=journal,errors=remount-ro 0 1
LABEL=programs /usr ext4 noatime 0 2
tmpfs          /opt tmpfs size=1m,x-initrd.mount 0 0
LABEL=later    /home ext4 defaults 0 2
//quay/store   /srv cifs password=moonlight,x-initrd.mount 0 0
";

fn disk(label: &str, recipe: &str, fill: impl FnOnce(&Path)) -> PathBuf {
    shelf::made("disks", label, recipe.as_bytes(), |at| {
        let tree = Scratch::new();
        fill(&tree.0);
        let mut mkfs = tool("mke2fs");
        mkfs.args(["-q", "-t", "ext4", "-L", label, "-d"]);
        done(mkfs.arg(&tree.0).arg(at).arg("32M"));
    })
}

/// A root without programs.
fn base() -> PathBuf {
    disk("base", FSTAB, |tree| {
        let needed = [
            "dev", "proc", "sys", "run", "tmp", "etc", "usr", "opt", "srv",
        ];
        for name in needed {
            fs::create_dir(tree.join(name)).expect("an empty directory");
        }
        symlink("usr/sbin", tree.join("sbin")).expect("an empty directory");
        fs::write(tree.join("etc/fstab"), FSTAB).expect("an empty directory");
    })
}

/// The programs: the real init is in here.
fn programs() -> PathBuf {
    let reporter = build::reporter_for(Arch::X86_64);
    let recipe = shelf::fingerprint(&reporter);
    disk("programs", &recipe, |tree| {
        roots::program(&reporter, &tree.join("sbin/init"));
    })
}

#[test]
fn boot_with_usr_and_more_on_other_devices() {
    let mut copies = Copies::new();
    let mut machine = |words: &str| {
        let machine = Machine::cloud().file(&copies.file(&base()), Bus::Virtio);
        let machine = machine.file(&copies.file(&programs()), Bus::Virtio);
        let words = format!("root=LABEL=base rd.timeout=30 {words}");
        machine.cmdline(&words).boot()
    };
    let outcome = machine("");
    outcome.assert_root("/dev/vda", "ext4", "ro");
    assert_eq!(outcome.mount("/usr"), "/dev/vdb ext4 ro");
    assert_eq!(outcome.mount("/opt"), "tmpfs tmpfs rw");
    let mounts = outcome.fact("mountinfo");
    let has = |part: &str| mounts.contains(part);
    outcome.check(has("data=journal"), "root has not the options of its fstab");
    outcome.check(has(" /usr ro,noatime "), "/usr has not its options");
    let said = |text: &str| outcome.lines.iter().any(|line| line.contains(text));
    outcome.check(
        said("/srv of root's fstab is not mounted"),
        "nothing is said",
    );
    outcome.check(!said(SECRET), "a secret is on the console");
    outcome.check(
        !outcome.fact("trace").contains(SECRET),
        "a secret is traced",
    );

    let outcome = machine("rd.fstab=0 mount.usr=/dev/vdb mount.usrflags=ro,nodev");
    outcome.assert_root("/dev/vda", "ext4", "ro");
    let mounts = outcome.fact("mountinfo");
    outcome.check(
        mounts.contains(" /usr ro,nodev,"),
        "/usr has not its options",
    );
    outcome.check(!mounts.contains("data=journal"), "the fstab was heeded");
    outcome.check(!mounts.contains(" /opt "), "the fstab was heeded");

    let outcome = machine("mount.usr=LABEL=lost");
    outcome.assert_gave_up(&["LABEL=lost on /usr", "no usable device"]);
    copies.assert_unchanged();
}
