//! Disks that only a kernel can make: a guest with Debian's cryptsetup, lvm, mdadm and mkfs runs
//! a shell script over blank disks, and reports.
//!
//! The script sees its blank disks as `$D1`, `$D2`, … and files given to it as `$F1`, …; the first
//! command that fails ends it, and the test. What it prints from a line `== NAME` on is section
//! NAME of the report. No udev runs. Nothing of landfall is in the guest: the kernel mounts root
//! by itself. Disks and report lie in `target/lab/works` under the hash of their recipe.

use super::disks::{self, WORKSHOP};
use super::guest::Machine;
use super::kernels::{Flavour, Kernel, kernel};
use super::roots;
use super::shelf;
use super::tools::{done, progress, tool_as_root};
use landfall::host::qemu::Bus;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// What is to be made.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Tells the directory apart.
    pub name: &'a str,
    /// MiB of each blank disk. (With `files`, at most 20.)
    pub disks: &'a [u64],
    /// Files that the script gets as disks to read from: a file system to put into a container.
    pub files: &'a [&'a Path],
    pub script: &'a str,
}

/// What was made. The disks are shared: boot them with throw-away writes, or copy them.
pub struct Made {
    pub disks: Vec<PathBuf>,
    pub report: String,
}

impl Made {
    /// What the script said under `== name`.
    #[track_caller]
    pub fn section(&self, name: &str) -> &str {
        let report = &self.report;
        let found = section(report, name);
        found.unwrap_or_else(|| panic!("the workshop reported no {name:?}, but\n{report}"))
    }

    /// The words of a section.
    #[track_caller]
    pub fn words(&self, name: &str) -> Vec<&str> {
        self.section(name).split_whitespace().collect()
    }
}

fn section<'a>(report: &'a str, name: &str) -> Option<&'a str> {
    let head = format!("== {name}\n");
    let begins = |at: &usize| *at == 0 || report[..*at].ends_with('\n');
    let at = report.match_indices(&head).map(|(at, _)| at).find(begins)?;
    let rest = &report[at + head.len()..];
    let end = if rest.starts_with("== ") {
        0
    } else {
        rest.find("\n== ").unwrap_or(rest.len())
    };
    Some(rest[..end].trim())
}

/// Makes it, or finds it made.
pub fn make(work: &Work<'_>) -> Made {
    let Work { disks, script, .. } = work;
    let kernel = kernel(Flavour::Cloud);
    let root = disks::file(&WORKSHOP);
    let files = work.files;
    let recipe = format!("{PRELUDE}{disks:?} {files:?} {script} {}", root.display());
    let name = work.name;
    let at = shelf::made("works", name, recipe.as_bytes(), |at| {
        fill(at, work, kernel, 1);
    });
    found(&at, disks.len())
}

/// Does it anew, and keeps nothing but the report: for what takes another time each time.
pub fn measure(work: &Work<'_>, cpus: u32) -> Made {
    let at = shelf::lab().join(format!("{}-{}", work.name, std::process::id()));
    fill(&at, work, kernel(Flavour::Cloud), cpus);
    let made = found(&at, 0);
    shelf::remove(&at);
    made
}

fn found(at: &Path, disks: usize) -> Made {
    Made {
        disks: (1..=disks).map(|n| disk(at, n)).collect(),
        report: fs::read_to_string(at.join("report")).expect("a report"),
    }
}

fn disk(at: &Path, number: usize) -> PathBuf {
    at.join(format!("disk{number}"))
}

/// A script is a disk to the guest: of whole sectors, with empty lines at its end.
const SCRIPT_SIZE: usize = 64 * 1024;

fn fill(at: &Path, work: &Work<'_>, kernel: Kernel, cpus: u32) {
    progress(&format!("the workshop makes {}", work.name));
    fs::create_dir_all(at).expect("a writable target directory");
    let script = at.join("script");
    let mut text = format!("{PRELUDE}{}\n", work.script).into_bytes();
    assert!(text.len() <= SCRIPT_SIZE, "the script is too long");
    text.resize(SCRIPT_SIZE, b'\n');
    fs::write(&script, text).expect("a writable target directory");
    let mut machine = Machine::on(kernel)
        .without_image()
        .disk(&WORKSHOP, Bus::Nvme)
        .file(&script, Bus::Virtio)
        .cmdline("root=/dev/nvme0n1 rootwait rw quiet init=/sbin/workshop")
        .cmdline(&format!(
            "disks={} files={}",
            work.disks.len(),
            work.files.len()
        ))
        .memory(1024)
        .cpus(cpus)
        .patience(900);
    for (index, mib) in work.disks.iter().enumerate() {
        let file = disk(at, index + 1);
        let blank = File::create(&file).expect("a writable target directory");
        blank.set_len(mib << 20).expect("space");
        machine = machine.file(&file, Bus::Virtio);
    }
    for file in work.files {
        machine = machine.scratch(file, Bus::Virtio);
    }
    let outcome = machine.boot();
    let report = &outcome.report;
    let done = section(report, "done").is_some();
    outcome.check(
        done,
        &format!("{} failed in the workshop:\n{report}", work.name),
    );
    fs::write(at.join("report"), report).expect("a writable target directory");
    shelf::remove(&script);
}

/// Runs before every script, and looks after it.
const PRELUDE: &str = r#"
export HOME=/root LC_ALL=C DM_DISABLE_UDEV=1 LVM_SUPPRESS_FD_WARNINGS=1
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mkdir -p /etc/lvm/archive /etc/lvm/backup /etc/mdadm
mkdir -p /run/lvm /run/lock/lvm /run/cryptsetup /run/mdadm
hostname workshop
stty -F /dev/ttyS1 raw -echo
for word in $(cat /proc/cmdline); do
  case $word in
  disks=*) DISKS=${word#*=} ;;
  files=*) FILES=${word#*=} ;;
  esac
done
set -- b c d e f g h i j k l m n o p q r s t u v w x y z
for n in $(seq $DISKS); do export D$n=/dev/vd$1; shift; done
for n in $(seq $FILES); do export F$n=/dev/vd$1; shift; done

# Modules and what they need: load dm-thin-pool dm-raid
load() { for module; do modprobe "$module"; done; }

# A text with MAJOR:MINOR in it, which no two guests number alike. Writes D1, F1, md0 or the name of
# a mapping in their place, in angle brackets.
by_name() {
  dmsetup info -c --noheadings --separator ' ' -o major,minor,name 2>/dev/null |
    grep '^[0-9]' > /tmp/names || :
  for d in $(compgen -v | grep '^[DF][0-9]'); do
    echo "$(tr : ' ' < /sys/block/${!d#/dev/}/dev) $d" >> /tmp/names
  done
  for d in /sys/block/md*; do
    [ ! -e $d ] || echo "$(tr : ' ' < $d/dev) ${d##*/}" >> /tmp/names
  done
  while read major minor name; do
    echo "s,\\([ :]\\)$major:$minor\\( \\|\$\\),\\1<$name>\\2,g"
  done < /tmp/names > /tmp/by-name
  sed -f /tmp/by-name
}
export -f load by_name

sed '1,/^# SCRIPT$/d' /dev/vda > /tmp/script
run() {
  if BASH_XTRACEFD=9 bash -ex /tmp/script 9> /tmp/trace; then
    echo "== done"
  else
    echo "== failed with $?, at the last of"
    grep '^+ ' /tmp/trace | tail -n 12
  fi
}
run > /dev/ttyS1 2>&1 < /dev/null
sync
echo o > /proc/sysrq-trigger
sleep 60
exit
# SCRIPT
"#;

const PACKAGES: &str = "lvm2,thin-provisioning-tools,mdadm,cryptsetup-bin,dmsetup,e2fsprogs,\
                        btrfs-progs,xfsprogs,kmod,util-linux,fdisk,udev,xxd";

/// PID 1 of the workshop. The root disk is on another bus: what comes first is the script.
const INIT: &str = "#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
modprobe virtio_pci
modprobe virtio_blk
exec bash /dev/vda
";

/// Modules that storage needs: whole directories of the kernel's tree.
const MODULES: &[&str] = &[
    "arch/x86/crypto",
    "crypto",
    "lib",
    "drivers/md",
    "drivers/block",
    "drivers/dax",
    "drivers/virtio",
    "fs/xfs",
    "fs/btrfs",
];

/// mkfs fills the workshop's disk from here.
pub fn root() -> PathBuf {
    let kernel = kernel(Flavour::Cloud);
    let hook = "chmod 755 \"$1/sbin/workshop\"";
    let recipe = format!("{}{MODULES:?}", kernel.version);
    let debian = roots::Debian {
        name: "workshop",
        packages: PACKAGES,
        files: &[("sbin/workshop", INIT)],
        hook,
        recipe: &recipe,
    };
    debian.made(|at| copy_modules(&kernel, MODULES, at))
}

/// Copies these directories of the kernel's tree into a root's, with its indexes.
pub fn copy_modules(kernel: &Kernel, directories: &[&str], at: &Path) {
    let tree = at.join("lib/modules").join(&kernel.version);
    let mut copies: Vec<PathBuf> = directories
        .iter()
        .map(|m| Path::new("kernel").join(m))
        .collect();
    let lists = ["order", "builtin", "builtin.modinfo"];
    copies.extend(lists.map(|list| format!("modules.{list}").into()));
    for path in copies {
        let from = kernel.modules().join(&path);
        if !from.exists() {
            continue;
        }
        let to = tree.join(&path);
        let above = to.parent().expect("a path below the tree");
        done(tool_as_root("mkdir").arg("-p").arg(above));
        done(tool_as_root("cp").arg("-a").arg(from).arg(to));
    }
    done(
        tool_as_root("depmod")
            .arg("-b")
            .arg(at)
            .arg(&kernel.version),
    );
}
