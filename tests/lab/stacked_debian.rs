//! A Debian with its storage tools, and the initramfs that its own initramfs-tools makes for it.
//!
//! Its root is in a group on two mirrors: a part in LUKS on one, a part on the other directly.
//! Members are partitions of one disk: names of disks are a matter of chance in Debian's initramfs.

use super::kernels::{Flavour, Kernel, kernel};
use super::roots::{Debian, FACTS_UNIT};
use super::shelf;
use super::tools::{done, tool_as_root};
use super::workshop::{self, Made, Work};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// UUID of the LUKS volume.
pub const LUKS: &str = "5eedf00d-0000-4000-8000-0000000000e1";
/// Where both images hold the key.
pub const KEY: &str = "/etc/keys/safe.key";
/// Where it says what its second array is called.
pub const MDADM_CONF: &str = "/etc/mdadm/mdadm.conf";
const PASSPHRASE: &str = "correct horse";
const MIB: u64 = 640;

/// Sections of the report that must be the same.
pub const COMPARED: &[&str] = &[
    "failed",
    "findmnt",
    "lsblk",
    "pvs",
    "vgs",
    "lvs",
    "dmsetup",
    "table",
    "mdadm",
    "mdstat",
    "cryptsetup",
    "links",
    "udev",
];

const FACTS: &str = r#"state=$(systemctl is-system-running --wait)
udevadm settle
say() { printf '\n== %s\n' "$1"; shift; "$@" 2>&1; }
{
  say state echo "$state"
  say failed systemctl --failed --no-legend --plain
  say findmnt findmnt -rn -o SOURCE,FSTYPE,OPTIONS /
  say lsblk lsblk -n -o NAME,TYPE,SIZE,RO,FSTYPE,UUID,MOUNTPOINTS -x NAME
  say pvs pvs --noheadings -o pv_name,vg_name,pv_attr,pv_size,pv_free
  say vgs vgs --noheadings -o vg_name,vg_attr,pv_count,lv_count
  say lvs lvs --noheadings -o lv_name,lv_attr,lv_size,devices
  say dmsetup sh -c 'dmsetup info -c --noheadings -o name,uuid,attr,open | sort'
  say table sh -c 'dmsetup table | sort'
  say mdadm sh -c 'mdadm --detail /dev/md7 /dev/md/* | grep -v "Time\|Events"'
  say mdstat sh -c 'grep -v "^unused\|bitmap" /proc/mdstat'
  say cryptsetup cryptsetup status safe
  say links sh -c 'cd /dev; find mapper disk md harbour -type l -printf "%p -> %l\\n" | grep -v "loop\|diskseq" | sort'
  say udev sh -c 'for b in $(ls /sys/block | grep "dm-\|md\|vd" | sort); do
      n=$(cat /sys/block/$b/dm/name 2>/dev/null || echo $b)
      udevadm info -q property /sys/block/$b | sort | grep -v "USEC\|SEQNUM\|DISKSEQ" | sed "s,^,$n ,"
    done'
  say journal journalctl -b -p warning --no-pager
  say end true
} > /dev/ttyS1
sleep 3
systemctl poweroff
"#;
const CRYPTTAB: &str =
    "safe UUID=5eedf00d-0000-4000-8000-0000000000e1 /etc/keys/safe.key luks,initramfs\n";
const FSTAB: &str = "/dev/mapper/harbour-root / ext4 errors=remount-ro 0 1
/dev/mapper/harbour-home /home ext4 defaults 0 2
";
const NAMES: &str = "MAILADDR root
HOMEHOST <system>
ARRAY /dev/md7 metadata=1.2 UUID=5eedf00d:00004000:80000000:000000e7
";
const HOOK: &str = "KEYFILE_PATTERN=/etc/keys/*.key\n";

/// Modules that either initramfs loads.
const MODULES: &[&str] = &[
    "arch/x86/crypto",
    "crypto",
    "lib",
    "drivers/md",
    "drivers/block",
    "drivers/dax",
    "drivers/virtio",
    "drivers/char/hw_random",
];

fn tree() -> PathBuf {
    let kernel = kernel(Flavour::Cloud);
    let recipe = format!("{}{MODULES:?}", kernel.version);
    let debian = Debian {
        name: "stacked-debian",
        packages: "systemd-sysv,udev,dbus,util-linux,login,kmod,initramfs-tools,zstd,lvm2,mdadm,\
                   cryptsetup,cryptsetup-initramfs,dmsetup",
        files: &[
            ("etc/systemd/system/landfall-facts.service", FACTS_UNIT),
            ("etc/landfall-facts", FACTS),
            ("etc/hostname", "harbour\n"),
            ("etc/fstab", FSTAB),
            ("etc/crypttab", CRYPTTAB),
            ("etc/mdadm/mdadm.conf", NAMES),
            ("etc/cryptsetup-initramfs/conf-hook", HOOK),
        ],
        hook: "chroot \"$1\" systemctl enable landfall-facts.service
mkdir -p \"$1/etc/keys\"; printf 'correct horse' > \"$1/etc/keys/safe.key\"",
        recipe: &recipe,
    };
    debian.made(|at| with_initrd(&kernel, at))
}

fn with_initrd(kernel: &Kernel, at: &Path) {
    workshop::copy_modules(kernel, MODULES, at);
    let config = fs::read(kernel.root.join(format!("boot/config-{}", kernel.version)));
    let config = config.expect("the kernel's own configuration");
    let copy = at.join(format!("boot/config-{}", kernel.version));
    fs::write(copy, config).expect("root's rights");
    let mut mkinitramfs = tool_as_root("chroot");
    mkinitramfs
        .arg(at)
        .args(["mkinitramfs", "-o", "/boot/initrd.img", &kernel.version]);
    done(&mut mkinitramfs);
    done(
        tool_as_root("chmod")
            .arg("644")
            .arg(at.join("boot/initrd.img")),
    );
}

/// What Debian's initramfs-tools made.
pub fn initrd() -> PathBuf {
    tree().join("boot/initrd.img")
}

pub fn key() -> PathBuf {
    text(PASSPHRASE)
}

pub fn mdadm_conf() -> PathBuf {
    text(NAMES)
}

fn text(text: &str) -> PathBuf {
    shelf::made("files", "text", text.as_bytes(), |at| {
        fs::write(at, text).expect("a writable target directory");
    })
}

fn root() -> PathBuf {
    let tree = tree();
    let recipe = format!("{MIB} {}", tree.display());
    shelf::made("disks", "stacked-debian", recipe.as_bytes(), |at| {
        let file = File::create(at).expect("a writable target directory");
        file.set_len(MIB << 20).expect("space");
        let mut mkfs = tool_as_root("mke2fs");
        mkfs.args(["-q", "-F", "-t", "ext4", "-L", "stacked", "-d"]);
        done(mkfs.arg(&tree).arg(at));
    })
}

const STACK: &str = r#"
load dm-mod dm-crypt md-mod raid1
sfdisk -q --no-reread --label gpt $D1 << END
size=720M
size=720M
size=60M
size=60M
END
partx -u $D1
mirror() { mdadm --create --run --quiet --homehost=harbour -l1 -n2 --assume-clean "$@" < /dev/null; }
mirror /dev/md0 --name=safe ${D1}1 ${D1}2
mirror /dev/md7 --name=quay --uuid=5eedf00d:00004000:80000000:000000e7 ${D1}3 ${D1}4
printf 'correct horse' > /tmp/pass
cryptsetup luksFormat -q --key-file /tmp/pass --type luks2 --pbkdf pbkdf2 \
           --pbkdf-force-iterations 1000 --uuid 5eedf00d-0000-4000-8000-0000000000e1 /dev/md0
cryptsetup open --key-file /tmp/pass /dev/md0 safe
vgcreate -q harbour /dev/mapper/safe /dev/md7
lvcreate -y -q -Wn -Zn -n root -L 640m harbour /dev/mapper/safe
lvextend -q -l +2 harbour/root /dev/md7
lvcreate -y -q -Wn -Zn -n home -L 40m harbour /dev/md7
dd if=$F1 of=/dev/harbour/root bs=1M status=none
mke2fs -q -t ext4 /dev/harbour/home
sync
vgchange -q -an harbour
cryptsetup close safe
mdadm --stop --quiet /dev/md0 /dev/md7
"#;

pub fn disks() -> Made {
    workshop::make(&Work {
        name: "stacked-debian",
        disks: &[1600],
        files: &[&root()],
        script: STACK,
    })
}
