//! What the root file systems of guests hold.

use super::build;
use super::packages;
use super::server;
use super::shelf::{self, Scratch, fingerprint};
use super::tools::{done, progress, run, tool, tool_as_root};
use super::workshop;
use landfall::host::arch::Arch;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A root directory tree, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The reporting init as `/sbin/init`.
    Reporter,
    /// `/sbin/init` is an absolute symlink, by way of another one.
    Symlink,
    /// busybox init with an inittab; `/sbin/init` is an absolute symlink to busybox.
    Busybox,
    /// Nothing that could be run.
    Empty,
    /// Debian with systemd, made by mmdebstrap. Needs root.
    Debian,
    /// The same with NetworkManager and ifupdown, which wait for being started. Needs root.
    DebianNet,
    /// Debian's storage tools with the kernel's modules: makes disks. See [`super::workshop`].
    Workshop,
    /// Debian's network servers with the kernel's modules. See [`super::server`].
    Server,
}

/// Mount points that any real root has.
const MOUNT_POINTS: [&str; 6] = ["dev", "proc", "sys", "run", "tmp", "etc"];

/// The directory that mkfs fills the file system from.
pub fn directory(root: Root, arch: Arch) -> PathBuf {
    let reporting = || fingerprint(&build::reporter_for(arch));
    match root {
        Root::Reporter => made(root, arch, &reporting(), reporter),
        Root::Symlink => made(root, arch, &reporting(), absolute_symlink),
        Root::Busybox => made(root, arch, &format!("{INITTAB}{}", start(arch)), busybox),
        Root::Empty => made(root, arch, "", |_, _| {}),
        Root::Debian => DEBIAN.made(|_| {}),
        Root::DebianNet => DEBIAN_NET.made(|_| {}),
        Root::Workshop => workshop::root(),
        Root::Server => server::root::root(),
    }
}

/// Changes whenever the tree would.
pub fn recipe(root: Root, arch: Arch) -> String {
    directory(root, arch).display().to_string()
}

fn made(root: Root, arch: Arch, recipe: &str, fill: impl FnOnce(&Path, Arch)) -> PathBuf {
    let name = format!("{root:?}-{arch}").to_ascii_lowercase();
    shelf::made("roots", &name, recipe.as_bytes(), |at| {
        for name in MOUNT_POINTS {
            fs::create_dir_all(at.join(name)).expect("a writable target directory");
        }
        fill(at, arch);
    })
}

fn reporter(at: &Path, arch: Arch) {
    program(&build::reporter_for(arch), &at.join("sbin/init"));
}

/// `/sbin` → `usr/sbin`; `/usr/sbin/init` → `/etc/alternatives/init` → `/opt/reporter`.
fn absolute_symlink(at: &Path, arch: Arch) {
    program(&build::reporter_for(arch), &at.join("opt/reporter"));
    fs::create_dir_all(at.join("usr/sbin")).expect("a directory");
    fs::create_dir_all(at.join("etc/alternatives")).expect("a directory");
    link("usr/sbin", &at.join("sbin"));
    link("/etc/alternatives/init", &at.join("usr/sbin/init"));
    link("/opt/reporter", &at.join("etc/alternatives/init"));
}

const INITTAB: &str = "::sysinit:/etc/start\n::ctrlaltdel:/bin/poweroff\n";
fn start(arch: Arch) -> String {
    START.replace("PORT", report_port(arch))
}

const START: &str = "#!/bin/sh
echo \"{\\\"argv\\\":[\\\"$(tr '\\0' ' ' < /proc/1/cmdline)\\\"]}\" > /dev/PORT
echo '{\"complete\":true}' > /dev/PORT
poweroff -f
";

/// Where facts go: the second serial port, or the first where the board's own is of another kind.
pub const fn report_port(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 | Arch::Riscv64 => "ttyS1",
        _ => "ttyS0",
    }
}

fn busybox(at: &Path, arch: Arch) {
    program(&busybox_program(arch), &at.join("bin/busybox"));
    fs::create_dir_all(at.join("sbin")).expect("a directory");
    link("/bin/busybox", &at.join("sbin/init"));
    for name in ["sh", "tr", "echo", "cat", "poweroff"] {
        link("busybox", &at.join("bin").join(name));
    }
    fs::write(at.join("etc/inittab"), INITTAB).expect("a writable target directory");
    fs::write(at.join("etc/start"), start(arch)).expect("a writable target directory");
    let runnable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(at.join("etc/start"), runnable).expect("an own file");
}

/// This machine's own, or Debian's for another.
pub fn busybox_program(arch: Arch) -> PathBuf {
    let places = |root: &Path| ["bin/busybox", "usr/bin/busybox"].map(|place| root.join(place));
    let root = match Arch::own() == Some(arch) {
        true => "/".into(),
        false => shelf::made("programs", &format!("busybox-{arch}"), b"", |at| {
            packages::unpack(arch, "busybox-static", at);
        }),
    };
    let found = places(&root).into_iter().find(|path| path.exists());
    found.expect("busybox-static is installed")
}

/// Facts of a booted systemd, in the words of its own tools.
pub const FACTS_UNIT: &str = "[Unit]
Description=Report how the boot went
[Service]
Type=simple
ExecStart=/bin/sh /etc/landfall-facts
[Install]
WantedBy=multi-user.target
";
const FACTS: &str = r#"state=$(systemctl is-system-running --wait)
say() { printf '\n== %s\n' "$1"; shift; "$@" 2>&1; }
{
  say state echo "$state"
  say failed systemctl --failed --no-legend --plain
  say analyze systemd-analyze
  say findmnt findmnt -rn -o SOURCE,FSTYPE,OPTIONS /
  say uuid findmnt -n -o UUID /
  say mounts findmnt -rn -o TARGET,FSTYPE
  say cmdline cat /proc/cmdline
  say argv tr '\0' ' ' < /proc/1/cmdline
  say journal journalctl -b -p warning --no-pager
  say end true
} > /dev/ttyS1
sleep 3
systemctl poweroff
"#;
const PACKAGES: &str = "systemd-sysv,udev,dbus,util-linux,login";

/// A Debian, made by mmdebstrap.
pub struct Debian<'a> {
    pub name: &'a str,
    pub packages: &'a str,
    /// Path below the root and text of files.
    pub files: &'a [(&'a str, &'a str)],
    /// A shell command; `$1` is the root.
    pub hook: &'a str,
    /// What else the tree depends on.
    pub recipe: &'a str,
}

const DEBIAN: Debian<'_> = Debian {
    name: "debian",
    packages: PACKAGES,
    files: DEBIAN_FILES,
    hook: "chroot \"$1\" systemctl enable landfall-facts.service",
    recipe: "",
};

/// Neither daemon starts by itself: each test starts its own, and tells what it wants to know.
const DEBIAN_NET: Debian<'_> = Debian {
    name: "debian-net",
    packages: "systemd-sysv,udev,dbus,util-linux,login,iproute2,network-manager,ifupdown,\
               isc-dhcp-client",
    files: &[
        ("etc/hostname", "harbour\n"),
        (
            "etc/fstab",
            "LABEL=debian-net / ext4 errors=remount-ro 0 1\n",
        ),
    ],
    hook: "chroot \"$1\" systemctl disable NetworkManager networking",
    recipe: "",
};

impl Debian<'_> {
    /// The tree; `finish` has the last word on it.
    pub fn made(&self, finish: impl FnOnce(&Path)) -> PathBuf {
        let Self {
            packages,
            files,
            hook,
            ..
        } = self;
        let recipe = format!("{files:?}{packages}{hook}{}{}", self.recipe, sources());
        shelf::made("roots", self.name, recipe.as_bytes(), |at| {
            progress(&format!(
                "making a Debian root ({}) with mmdebstrap",
                self.name
            ));
            self.bootstrap(at);
            finish(at);
        })
    }

    fn bootstrap(&self, at: &Path) {
        let scratch = Scratch::new();
        let apt = scratch.0.join("apt.conf");
        let list = scratch.0.join("sources.list");
        fs::write(&apt, acquire_options()).expect("a writable temporary directory");
        fs::write(&list, sources()).expect("a writable temporary directory");
        let mut command = tool_as_root("mmdebstrap");
        command.args(["--quiet", "--variant=minbase", "--format=directory"]);
        command.arg(format!("--include={}", self.packages));
        command.arg(format!("--aptopt={}", apt.display()));
        for (path, text) in self.files {
            let file = scratch.0.join(path.replace('/', "-"));
            fs::write(&file, text).expect("a writable temporary directory");
            let upload = format!("upload {} /{path}", file.display());
            command.arg(format!("--customize-hook={upload}"));
        }
        command.arg(format!("--customize-hook={}", self.hook));
        let lines = sources();
        let suite = lines
            .split(' ')
            .nth(2)
            .expect("`deb ARCHIVE SUITE COMPONENT`");
        done(command.args([suite.as_ref(), at.as_os_str(), list.as_os_str()]));
    }
}

const DEBIAN_FILES: &[(&str, &str)] = &[
    ("etc/systemd/system/landfall-facts.service", FACTS_UNIT),
    ("etc/landfall-facts", FACTS),
    ("etc/hostname", "harbour\n"),
    ("etc/fstab", "LABEL=debian / ext4 errors=remount-ro 0 1\n"),
];

/// The Debian archives that this machine itself installs from, as lines of sources.list.
pub fn sources() -> String {
    let format = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
    let filters = ["Created-By: Packages", "Origin: Debian"];
    let lines = done(
        tool("apt-get")
            .args(["indextargets", "--format", format])
            .args(filters),
    );
    assert!(
        !lines.is_empty(),
        "apt knows no Debian archive (apt-get update first)"
    );
    lines
}

/// Proxies and the like, so that the guest's packages come the way the machine's do.
fn acquire_options() -> String {
    let wanted = ["Acquire::http", "Acquire::Check", "Acquire::Retries"];
    let keep = |line: &&str| wanted.iter().any(|w| line.starts_with(w));
    let dump = run("apt-config", &["dump"]);
    dump.lines()
        .filter(keep)
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Copies a file, with the directories above it.
pub fn program(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a path below the root")).expect("a directory");
    fs::copy(from, to).unwrap_or_else(|e| panic!("cannot copy {}: {e}", from.display()));
}

fn link(target: &str, at: &Path) {
    symlink(target, at).unwrap_or_else(|e| panic!("cannot link {}: {e}", at.display()));
}
