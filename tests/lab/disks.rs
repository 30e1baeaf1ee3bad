//! Disk images by name, each made once by the real mkfs tools, on plain files, without root.
//!
//! Names, labels and uuids are fixed, so that a test can ask for them by heart.

use super::partitions::{self, Table};
use super::roots::{self, Root};
use super::shelf::{self, Scratch};
use super::tools::{done, tool, tool_as_root};
use landfall::host::arch::Arch;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ext4,
    Xfs,
    Btrfs,
    /// Cannot be a root; stands beside one.
    Vfat,
    Swap,
    /// A CD. Its UUID is the time it was made.
    Iso9660,
    /// Has neither a label nor a UUID.
    Squashfs,
}

/// One disk. Everything that a test may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    pub name: &'static str,
    pub kind: Kind,
    pub uuid: &'static str,
    pub label: &'static str,
    pub table: Table,
    pub root: Root,
    /// What the programs on it are for.
    pub arch: Arch,
    pub mib: u64,
}

const fn disk(name: &'static str, kind: Kind, uuid: &'static str, label: &'static str) -> Disk {
    // The least that mkfs.xfs and mkfs.btrfs agree to; sparse, so it costs nothing.
    let mib = match kind {
        Kind::Xfs => 300,
        Kind::Btrfs => 128,
        _ => 64,
    };
    Disk {
        name,
        kind,
        uuid,
        label,
        table: Table::None,
        root: Root::Reporter,
        arch: Arch::X86_64,
        mib,
    }
}

impl Disk {
    pub const fn table(mut self, table: Table) -> Self {
        self.table = table;
        self
    }

    const fn root(mut self, root: Root) -> Self {
        self.root = root;
        self
    }

    /// The same for another machine.
    pub const fn arch(mut self, arch: Arch) -> Self {
        self.arch = arch;
        self
    }

    pub const fn mib(mut self, mib: u64) -> Self {
        self.mib = mib;
        self
    }
}

pub const EXT4: Disk = disk(
    "ext4",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-000000000001",
    "harbour",
);
pub const XFS: Disk = disk(
    "xfs",
    Kind::Xfs,
    "5eedf00d-0000-4000-8000-000000000002",
    "quay",
);
pub const BTRFS: Disk = disk(
    "btrfs",
    Kind::Btrfs,
    "5eedf00d-0000-4000-8000-000000000003",
    "pier",
);
pub const EXT4_GPT: Disk = disk(
    "ext4-gpt",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-000000000004",
    "gpt",
)
.table(Table::Gpt);
pub const EXT4_TYPED: Disk = disk(
    "ext4-typed",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-00000000000d",
    "typed",
)
.table(Table::GptTyped);
/// Cards have a power of two of bytes: this one 64 MiB, with its table.
pub const EXT4_CARD: Disk = disk(
    "ext4-card",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-00000000000e",
    "card",
)
.table(Table::Gpt)
.mib(58);
pub const EXT4_MBR: Disk = disk(
    "ext4-mbr",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-000000000005",
    "mbr",
)
.table(Table::Mbr);
pub const XFS_LOGICAL: Disk = disk(
    "xfs-logical",
    Kind::Xfs,
    "5eedf00d-0000-4000-8000-000000000006",
    "logical",
)
.table(Table::MbrLogical);
pub const BTRFS_GPT: Disk = disk(
    "btrfs-gpt",
    Kind::Btrfs,
    "5eedf00d-0000-4000-8000-000000000007",
    "b gpt",
)
.table(Table::Gpt);
pub const SYMLINK: Disk = disk(
    "symlink",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-000000000008",
    "symlink",
)
.root(Root::Symlink);
pub const BUSYBOX: Disk = disk(
    "busybox",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-000000000009",
    "busybox",
)
.root(Root::Busybox);
pub const CD: Disk = disk("cd", Kind::Iso9660, "2026-01-02-03-04-05-00", "LIGHTHOUSE");
pub const SQUASHFS: Disk = disk("squashfs", Kind::Squashfs, "", "");
pub const EMPTY: Disk = disk(
    "empty",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-00000000000a",
    "empty",
)
.root(Root::Empty);
pub const DEBIAN: Disk = disk(
    "debian",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-00000000000b",
    "debian",
)
.root(Root::Debian)
.mib(1024);
/// A Debian with NetworkManager and ifupdown. Neither starts by itself.
pub const DEBIAN_NET: Disk = disk(
    "debian-net",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-00000000000f",
    "debian-net",
)
.root(Root::DebianNet)
.mib(1024);
pub const WORKSHOP: Disk = disk(
    "workshop",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-0000000000ff",
    "workshop",
)
.root(Root::Workshop)
.mib(1024);
pub const SERVER: Disk = disk(
    "server",
    Kind::Ext4,
    "5eedf00d-0000-4000-8000-0000000000fe",
    "server",
)
.root(Root::Server)
.mib(2048);
pub const VFAT: Disk = disk("vfat", Kind::Vfat, "5EED-F00D", "BUOY").root(Root::Empty);
/// A root on FAT: it knows no links and no owners, but programs run from it.
pub const VFAT_ROOT: Disk = disk("vfat-root", Kind::Vfat, "5EED-F00E", "MOLE");
pub const SWAP: Disk = disk(
    "swap",
    Kind::Swap,
    "5eedf00d-0000-4000-8000-00000000000c",
    "ballast",
)
.root(Root::Empty);

/// The disk's file. Not to be written: guests get it with throw-away writes, or a copy.
pub fn file(disk: &Disk) -> PathBuf {
    let recipe = format!("1 {disk:?} {}", roots::recipe(disk.root, disk.arch));
    let name = format!("{}-{}", disk.name, disk.arch);
    shelf::made("disks", &name, recipe.as_bytes(), |at| {
        if disk.table == Table::None {
            format(disk, at);
        } else {
            let scratch = Scratch::new();
            let inner = scratch.0.join("fs");
            format(disk, &inner);
            partitions::wrap(disk.table, &inner, disk.mib, at);
        }
    })
}

/// The disk's file cut in the middle.
pub fn halves(disk: &Disk) -> [PathBuf; 2] {
    let whole = file(disk);
    let half = disk.mib / 2;
    [0, half].map(|skip| {
        let name = format!("{}-from-{skip}", disk.name);
        let recipe = format!("1 {}", whole.display());
        shelf::made("disks", &name, recipe.as_bytes(), |at| {
            let words = format!("bs=1M conv=sparse status=none count={half} skip={skip}");
            let mut command = tool("dd");
            command.args(words.split(' '));
            command.arg(format!("if={}", whole.display()));
            done(command.arg(format!("of={}", at.display())));
            let length = half * 1024 * 1024;
            let cut = File::options().write(true).open(at).expect("what dd made");
            cut.set_len(length).expect("space");
        })
    })
}

/// A copy whose file system says that its journal is to be replayed.
pub fn unclean(disk: &Disk) -> PathBuf {
    let whole = file(disk);
    let recipe = format!("1 {}", whole.display());
    shelf::made(
        "disks",
        &format!("{}-unclean", disk.name),
        recipe.as_bytes(),
        |at| {
            done(
                tool("cp")
                    .arg("--sparse=always")
                    .args([&whole, &at.to_path_buf()]),
            );
            let mark = ["-w", "-R", "feature needs_recovery"];
            done(tool("debugfs").args(mark).arg(at));
        },
    )
}

fn format(disk: &Disk, at: &Path) {
    let file = File::create(at).expect("a writable target directory");
    file.set_len(disk.mib * 1024 * 1024).expect("space");
    drop(file);
    let tree = roots::directory(disk.root, disk.arch);
    let mut command = match (disk.kind, disk.root) {
        // Only root may read all of a Debian.
        (Kind::Ext4, Root::Debian | Root::DebianNet | Root::Workshop | Root::Server) => {
            tool_as_root("mke2fs")
        }
        (Kind::Ext4, _) => tool("mke2fs"),
        (Kind::Xfs, _) => tool("mkfs.xfs"),
        (Kind::Btrfs, _) => tool("mkfs.btrfs"),
        (Kind::Vfat, _) => tool("mkfs.vfat"),
        (Kind::Swap, _) => tool("mkswap"),
        (Kind::Iso9660, _) => tool("xorriso"),
        (Kind::Squashfs, _) => return squashfs(&tree, at),
    };
    match disk.kind {
        Kind::Ext4 => {
            command.args([
                "-q", "-F", "-t", "ext4", "-U", disk.uuid, "-L", disk.label, "-d",
            ]);
            command.arg(&tree);
        }
        Kind::Xfs => {
            let prototype = at.with_extension("proto");
            fs::write(&prototype, xfs_prototype(&tree)).expect("a writable target directory");
            command.args([
                "-q",
                "-m",
                &format!("uuid={}", disk.uuid),
                "-L",
                disk.label,
                "-p",
            ]);
            command.arg(&prototype);
        }
        Kind::Btrfs => {
            command
                .args(["-q", "-U", disk.uuid, "-L", disk.label, "--rootdir"])
                .arg(&tree);
        }
        Kind::Vfat => {
            command.args(["-i", &disk.uuid.replace('-', ""), "-n", disk.label]);
        }
        Kind::Swap => {
            command.args(["-q", "-U", disk.uuid, "-L", disk.label]);
        }
        Kind::Iso9660 => {
            let made = disk.uuid.replace('-', "");
            command.args(["-as", "mkisofs", "-quiet", "-R", "-V", disk.label]);
            command.arg(format!("--modification-date={made}"));
            command.arg(&tree).arg("-o");
        }
        Kind::Squashfs => {}
    }
    done(command.arg(at));
    if disk.kind == Kind::Vfat && disk.root != Root::Empty {
        let copy = ["-s", "-Q", "-i"];
        let entries = fs::read_dir(&tree).expect("a directory").flatten();
        let mut command = tool("mcopy");
        command.args(copy).arg(at).args(entries.map(|e| e.path()));
        done(command.arg("::"));
    }
    shelf::remove(&at.with_extension("proto"));
}

fn squashfs(tree: &Path, at: &Path) {
    let mut command = tool("mksquashfs");
    command.args([tree, at]);
    command.args(["-noappend", "-quiet", "-no-progress", "-all-root"]);
    done(&mut command);
}

/// The tree in mkfs.xfs's `-p` language: mkfs.xfs(8), "protofile". Directories and programs.
fn xfs_prototype(tree: &Path) -> String {
    let mut out = String::from("/\n0 0\nd--755 0 0\n");
    prototype_entries(tree, &mut out);
    out.push_str("$\n");
    out
}

fn prototype_entries(directory: &Path, out: &mut String) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .expect("a directory")
        .flatten()
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("a type");
        if kind.is_symlink() {
            let target = fs::read_link(&path).expect("a link");
            out.push_str(&format!("{name} l--777 0 0 {}\n", target.display()));
        } else if kind.is_dir() {
            out.push_str(&format!("{name} d--755 0 0\n"));
            prototype_entries(&path, out);
            out.push_str("$\n");
        } else {
            out.push_str(&format!("{name} ---755 0 0 {}\n", path.display()));
        }
    }
}
