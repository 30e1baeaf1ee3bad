//! The end of the real system: what root lies on is taken down in order.

use crate::lab::copies::Copies;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::outcome::Outcome;
use crate::lab::roots::{busybox_program, program};
use crate::lab::shelf::{self, fingerprint};
use crate::lab::stacked_debian;
use crate::lab::tools::{done, tool};
use crate::lab::workshop::{self, Made, Work};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const KEY: &str = "/etc/keys/safe.key";
const LUKS: &str = "5eedf00d-0000-4000-8000-0000000000f1";

/// busybox's init becomes the program when it is told to start anew.
const INITTAB: &str = "::once:/etc/start\n::restart:/run/initramfs/shutdown poweroff\n";
const START: &str = "#!/bin/sh
echo one > /written
echo '{\"complete\":true}' > /dev/ttyS1
busybox kill -QUIT 1
";
/// An init that does not end what it has started, and becomes the program itself. No kernel is
/// there that could be started next.
const HOLD: &str = "#!/bin/sh
echo two >> /written
busybox sleep 100000 < /written &
echo '{\"complete\":true}' > /dev/ttyS1
exec /run/initramfs/shutdown kexec
";

/// A file system with these scripts.
fn root() -> PathBuf {
    let busybox = busybox_program(Arch::X86_64);
    let recipe = format!("{INITTAB}{START}{HOLD}{}", fingerprint(&busybox));
    let fill = |at: &Path| {
        for name in ["dev", "proc", "sys", "run", "sbin", "etc"] {
            fs::create_dir_all(at.join(name)).expect("a writable target directory");
        }
        program(&busybox, &at.join("bin/busybox"));
        symlink("busybox", at.join("bin/sh")).expect("an own directory");
        symlink("/bin/busybox", at.join("sbin/init")).expect("an own directory");
        for (name, text) in [("inittab", INITTAB), ("start", START), ("hold", HOLD)] {
            let file = at.join("etc").join(name);
            fs::write(&file, text).expect("an own directory");
            fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("an own file");
        }
    };
    let tree = shelf::made("roots", "shutdown", recipe.as_bytes(), fill);
    shelf::made("disks", "shutdown-root", recipe.as_bytes(), |at| {
        let file = File::create(at).expect("a writable target directory");
        file.set_len(16 << 20).expect("space");
        let mut mkfs = tool("mke2fs");
        mkfs.args([
            "-q", "-F", "-t", "ext4", "-b", "4096", "-L", "harbour", "-d",
        ]);
        done(mkfs.arg(&tree).arg(at));
    })
}

const STACK: &str = r#"
load dm-mod dm-crypt md-mod raid1
mdadm --create /dev/md0 --run --quiet --homehost=harbour --name=quay -l1 -n2 --assume-clean \
      $D1 $D2 < /dev/null
vgcreate -q -s 1m vg /dev/md0
lvcreate -y -q -Wn -Zn -n safe -l 36 vg
printf 'correct horse' > /tmp/pass
cryptsetup luksFormat -q --key-file /tmp/pass --type luks2 --pbkdf pbkdf2 \
           --pbkdf-force-iterations 1000 --uuid 5eedf00d-0000-4000-8000-0000000000f1 \
           --luks2-metadata-size 16k --luks2-keyslots-size 512k /dev/vg/safe
cryptsetup open --key-file /tmp/pass /dev/vg/safe safe
dd if=$F1 of=/dev/mapper/safe bs=1M conv=fsync status=none
cryptsetup close safe
vgchange -q -an vg
mdadm --stop --quiet /dev/md0
"#;

fn stack() -> Made {
    workshop::make(&Work {
        name: "shutdown",
        disks: &[48, 48],
        files: &[&root()],
        script: STACK,
    })
}

const EXAMINED: &str = r#"
load dm-mod dm-crypt md-mod raid1 ext4
for disk in $F1 $F2; do
  echo "== ${disk##*/}"
  mdadm --examine $disk | sed -n 's/^ *\(State\|Events\|Array State\) : \([^ ]*\).*/\1 \2/p'
done
mdadm --assemble --quiet --readonly --run /dev/md0 $F1 $F2
vgchange -q -ay vg > /dev/null
printf 'correct horse' > /tmp/pass
cryptsetup open --readonly --key-file /tmp/pass /dev/vg/safe safe
echo "== state"
dumpe2fs -h /dev/mapper/safe 2> /dev/null | sed -n 's/^Filesystem state: *//p'
echo "== features"
dumpe2fs -h /dev/mapper/safe 2> /dev/null | sed -n 's/^Filesystem features: *//p'
mkdir -p /tmp/safe
mount -o ro,noload /dev/mapper/safe /tmp/safe
echo "== written"
cat /tmp/safe/written
"#;

/// What Debian's own tools say of the disks.
fn examined(disks: &[PathBuf]) -> Made {
    let files: Vec<&Path> = disks.iter().map(PathBuf::as_path).collect();
    let work = Work {
        name: "shutdown-examined",
        disks: &[],
        files: &files,
        script: EXAMINED,
    };
    workshop::measure(&work, 1)
}

fn boot(disks: &[PathBuf], words: &str) -> Outcome {
    let kernel = kernel(Flavour::Cloud);
    let key = format!("--add-file={}:{KEY}", stacked_debian::key().display());
    let image = images::image_with(&kernel, "shutdown", &[&key]);
    let mut machine = Machine::cloud().image(image);
    for disk in disks {
        machine = machine.file(disk, Bus::Virtio);
    }
    let machine = machine.cmdline(&format!("root=LABEL=harbour rw rd.luks.uuid={LUKS}"));
    machine.cmdline(words).boot()
}

#[track_caller]
fn assert_taken_down(outcome: &Outcome) {
    let says = |text: &str| outcome.lines.iter().any(|line| line.contains(text));
    outcome.assert_reached();
    outcome.check(
        says("everything below the old root is taken down"),
        "something stays, or the program did not run",
    );
    for dirty in ["not clean", "recovery"] {
        outcome.check(!says(dirty), "an earlier end left something dirty");
    }
}

/// LUKS on a volume on a mirror; once PID 1 ends all other processes before, once it does not.
#[test]
fn boot_ends_with_clean_disks_below_busybox() {
    let mut copies = Copies::new();
    let disks: Vec<PathBuf> = stack().disks.iter().map(|d| copies.file(d)).collect();
    let key = format!("rd.luks.key={KEY}");
    let off = boot(&disks, &key);
    assert_taken_down(&off);
    let says = |outcome: &Outcome, text: &str| outcome.lines.iter().any(|l| l.contains(text));
    off.check(says(&off, "reboot: Power down"), "it was not switched off");
    let again = boot(&disks, &format!("{key} init=/etc/hold"));
    assert_taken_down(&again);
    again.check(
        says(&again, "reboot: Restarting system"),
        "without a kernel to start next it was not restarted",
    );
    let told = examined(&disks);
    assert_eq!(told.section("state"), "clean", "{}", told.report);
    let features = told.section("features");
    assert!(features.contains("has_journal") && !features.contains("needs_recovery"));
    assert_eq!(told.words("written"), ["one", "two"]);
    let members = ["vdb", "vdc"].map(|disk| told.section(disk));
    assert_eq!(members[0], members[1], "{}", told.report);
    assert!(members[0].contains("State clean"), "{}", told.report);
    assert!(members[0].contains("Array State AA"), "{}", told.report);
}
