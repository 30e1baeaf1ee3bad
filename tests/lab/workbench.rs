//! A guest in which the real tools have a device-mapper of their own: makes disks that cannot be
//! made on plain files, and says what the tools and the kernel say about them.
//!
//! The tools are this machine's, with the libraries that they name. No part of landfall runs.

use super::by_hand;
use super::guest::Machine;
use super::kernels::Kernel;
use super::roots;
use super::shelf::{self, Scratch, fingerprint};
use super::tools::{progress, run, tool};
use landfall::host::qemu::Bus;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Something to be done once, and kept.
pub struct Work {
    /// Tells the result apart.
    pub name: &'static str,
    /// Programs beside busybox, by name.
    pub programs: &'static [&'static str],
    /// Where the modules are that may be asked for.
    pub modules: &'static [&'static str],
    /// Empty disks, in MiB; the script finds them as `/dev/vda`, `/dev/vdb` and so on.
    pub disks: &'static [u64],
    /// A shell script. What it prints is the report; it ends at the first command that fails.
    pub script: &'static str,
}

/// What is left of it.
pub struct Done {
    pub report: String,
    pub disks: Vec<PathBuf>,
}

/// Directories of modules that any guest needs.
const ALWAYS: [&str; 4] = [
    "kernel/drivers/virtio",
    "kernel/drivers/block",
    "kernel/lib",
    "kernel/crypto",
];
/// The line after which nothing is missing.
const END: &str = "the work is done";

/// Does the work in a guest with Debian's kernel, unless it was done before.
pub fn work(kernel: &Kernel, work: &Work) -> Done {
    let recipe = format!(
        "{} {:?} {:?} {:?} {}",
        kernel.version, work.programs, work.modules, work.disks, work.script
    );
    let place = shelf::made("work", work.name, recipe.as_bytes(), |at| {
        progress(&format!("working on {} in a guest", work.name));
        fs::create_dir(at).expect("a writable target directory");
        for (number, mib) in work.disks.iter().enumerate() {
            let file = File::create(disk(at, number)).expect("a writable target directory");
            file.set_len(mib << 20).expect("room for a sparse file");
        }
        let mut machine = Machine::new(kernel.flavour).image(image(kernel, work));
        for number in 0..work.disks.len() {
            machine = machine.file(&disk(at, number), Bus::Virtio);
        }
        let outcome = machine.memory(1024).patience(900).boot();
        let report = &outcome.report;
        let done = report.trim_end().ends_with(END);
        outcome.check(done, &format!("{} was not done:\n{report}", work.name));
        fs::write(at.join("report"), report).expect("a writable target directory");
    });
    Done {
        report: fs::read_to_string(place.join("report")).expect("a report"),
        disks: (0..work.disks.len()).map(|n| disk(&place, n)).collect(),
    }
}

fn disk(at: &Path, number: usize) -> PathBuf {
    at.join(format!("disk{number}"))
}

fn image(kernel: &Kernel, work: &Work) -> PathBuf {
    let paths: Vec<PathBuf> = work.programs.iter().map(|name| path_of(name)).collect();
    let prints: Vec<String> = paths.iter().map(|path| fingerprint(path)).collect();
    let script = init(work);
    let recipe = format!("{} {prints:?} {:?} {script}", kernel.version, work.modules);
    let name = format!("work-{}", work.name);
    shelf::made("images", &name, recipe.as_bytes(), |at| {
        let scratch = Scratch::new();
        let root = scratch.0.join("root");
        for directory in ["dev", "proc", "sys", "run", "tmp", "bin", "etc"] {
            fs::create_dir_all(root.join(directory)).expect("a scratch directory");
        }
        let busybox = roots::busybox_program(kernel.arch());
        roots::program(&busybox, &root.join("bin/busybox"));
        symlink("busybox", root.join("bin/sh")).expect("an own directory");
        let kmod = path_of("kmod");
        for path in paths.iter().chain([&kmod]) {
            with_libraries(path, &root);
        }
        // The kernel calls it by this path.
        symlink(&kmod, root.join("sbin/modprobe")).expect("an own directory");
        for directory in ALWAYS.iter().chain(work.modules) {
            copy_modules(&kernel.modules(), directory, &tree(kernel, &root));
        }
        for index in [
            "modules.order",
            "modules.builtin",
            "modules.builtin.modinfo",
        ] {
            let to = tree(kernel, &root).join(index);
            roots::program(&kernel.modules().join(index), &to);
        }
        by_hand::index(kernel, &root, "lib/modules");
        fs::write(root.join("init"), &script).expect("a scratch file");
        let runnable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.join("init"), runnable).expect("an own file");
        by_hand::pack(&root, at);
    })
}

fn tree(kernel: &Kernel, root: &Path) -> PathBuf {
    root.join("lib/modules").join(&kernel.version)
}

fn init(work: &Work) -> String {
    let script = work.script;
    format!(
        "#!/bin/sh
export PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin LC_ALL=C DM_DISABLE_UDEV=1
/bin/busybox mkdir -p /sbin /usr/bin /usr/sbin
/bin/busybox --install
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
modprobe -a virtio_pci virtio_blk
cd /tmp
cat > script <<'END_OF_SCRIPT'
{script}
END_OF_SCRIPT
stty -F /dev/ttyS1 -opost
if sh -e script > /dev/ttyS1 2> log; then echo '{END}' > /dev/ttyS1; fi
cat log
sync
poweroff -f
"
    )
}

fn path_of(program: &str) -> PathBuf {
    let shown = run("sh", &["-c", &format!("command -v {program}")]);
    let path = fs::canonicalize(shown.trim());
    path.unwrap_or_else(|e| panic!("{program}: {e} (sh tests/all.sh installs it)"))
}

/// Copies a program and the libraries that it names to the same places below `root`.
fn with_libraries(path: &Path, root: &Path) {
    let shown = tool("ldd").arg(path).output().expect("ldd");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let libraries = shown
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    for file in libraries.map(PathBuf::from).chain([path.to_owned()]) {
        let below = file.strip_prefix("/").expect("a full path");
        roots::program(&file, &root.join(below));
        let name = path.file_name().expect("a program");
        let short = root.join("sbin").join(name);
        if file == path && !short.exists() {
            fs::create_dir_all(root.join("sbin")).expect("a scratch directory");
            symlink(path, short).expect("an own directory");
        }
    }
}

fn copy_modules(from: &Path, directory: &str, to: &Path) {
    let Ok(entries) = fs::read_dir(from.join(directory)) else {
        panic!("the kernel has no modules in {directory}");
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let below = format!("{directory}/{}", name.to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => copy_modules(from, &below, to),
            _ => roots::program(&from.join(&below), &to.join(&below)),
        }
    }
}
