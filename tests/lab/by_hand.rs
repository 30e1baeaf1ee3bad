//! Images without `landfall image`: packed by the tools that everybody's scripts use (modprobe,
//! depmod, xz, gzip, zstd, cpio) around the `/init` that is under test.
//!
//! They hold what that tool never makes: compressed modules, few indexes, another tree.

use super::build;
use super::kernels::Kernel;
use super::roots;
use super::shelf::{self, Scratch, fingerprint};
use super::tools::{done, progress, run, tool};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// What an image holds. `Image { name: "…", ..VIRTIO_EXT4 }`
#[derive(Clone, Copy, Debug)]
pub struct Image {
    /// Tells the file apart.
    pub name: &'static str,
    /// Asked of the real modprobe, with all they need and their soft dependencies.
    pub modules: &'static [&'static str],
    /// The command that packs each module, or none.
    pub packer: &'static [&'static str],
    /// What the packer appends to names, where depmod cannot read what it makes (Debian's knows
    /// no gzip): modules are packed after it then, and renamed in the text index.
    pub unreadable: Option<&'static str>,
    /// Where the trees of all kernels are.
    pub trees: &'static str,
    /// Left out: modules (`crc32c_generic`) and indexes (`modules.softdep`).
    pub without: &'static [&'static str],
    /// Modules with one byte changed in their middle.
    pub damaged: &'static [&'static str],
    /// Further files: path and text.
    pub files: &'static [(&'static str, &'static str)],
    /// busybox as `/bin/sh`.
    pub shell: bool,
}

/// Reaches an ext4 on a virtio disk. Modules lie as the kernel package has them.
pub const VIRTIO_EXT4: Image = Image {
    name: "plain",
    modules: &["virtio_pci", "virtio_blk", "ext4"],
    packer: &[],
    unreadable: None,
    trees: "lib/modules",
    without: &[],
    damaged: &[],
    files: &[],
    shell: false,
};

pub fn image(kernel: &Kernel, image: &Image) -> PathBuf {
    let init = build::init_for(kernel.arch());
    let recipe = format!("1 {} {} {image:?}", kernel.version, fingerprint(&init));
    let name = format!("by-hand-{}-{}", kernel.flavour.name(), image.name);
    shelf::made("images", &name, recipe.as_bytes(), |at| {
        progress(&format!("packing image {name} by hand"));
        let scratch = Scratch::new();
        let root = scratch.0.join("root");
        tree(kernel, image, &root);
        roots::program(&init, &root.join("init"));
        for (path, text) in image.files {
            write(&root.join(path), text);
        }
        if image.shell {
            roots::program(
                &roots::busybox_program(kernel.arch()),
                &root.join("bin/busybox"),
            );
            symlink("busybox", root.join("bin/sh")).expect("an own directory");
        }
        pack(&root, at);
    })
}

/// The module tree, indexed by the real depmod.
fn tree(kernel: &Kernel, image: &Image, root: &Path) {
    let directory = root.join(image.trees).join(&kernel.version);
    let mut files = Vec::new();
    for file in closure(kernel, image.modules) {
        let to = directory.join(&file);
        if image.without.contains(&stem(&to).as_str()) {
            continue;
        }
        roots::program(&kernel.modules().join(&file), &to);
        if image.damaged.contains(&stem(&to).as_str()) {
            damage(&to);
        }
        files.push(to);
    }
    for index in [
        "modules.order",
        "modules.builtin",
        "modules.builtin.modinfo",
    ] {
        roots::program(&kernel.modules().join(index), &directory.join(index));
    }
    if image.unreadable.is_none() {
        compress(image.packer, &files);
    }
    index(kernel, root, image.trees);
    if let Some(end) = image.unreadable {
        compress(image.packer, &files);
        let dep = directory.join("modules.dep");
        let names = fs::read_to_string(&dep).expect("an index of depmod");
        write(&dep, &names.replace(".ko", &format!(".ko{end}")));
        shelf::remove(&directory.join("modules.dep.bin"));
    }
    for entry in fs::read_dir(&directory).expect("a directory").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let left_out = |pattern: &&str| match pattern.strip_prefix('*') {
            Some(end) => name.starts_with("modules.") && name.ends_with(end),
            None => name == **pattern,
        };
        if image.without.iter().any(left_out) {
            shelf::remove(&entry.path());
        }
    }
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).expect("an own file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).expect("an own file");
}

fn compress(packer: &[&str], files: &[PathBuf]) {
    if let [program, arguments @ ..] = packer {
        done(tool(program).args(arguments).args(files));
        let left = files.iter().find(|file| file.exists());
        assert!(left.is_none(), "{program} left {left:?} as it was");
    }
}

/// depmod looks into one directory below its root; which one depends on how it was built.
pub fn index(kernel: &Kernel, root: &Path, trees: &str) {
    let link = match trees {
        "lib/modules" => root.join("usr/lib"),
        _ => root.join("lib"),
    };
    let target = root.join(trees.trim_end_matches("/modules"));
    fs::create_dir_all(link.parent().expect("a path below the root")).expect("a directory");
    symlink(target, &link).expect("an own directory");
    run(
        "depmod",
        &["-b".as_ref(), root.as_os_str(), kernel.version.as_ref()],
    );
    fs::remove_file(&link).expect("an own link");
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a path below the root")).expect("a directory");
    fs::write(path, text).expect("a writable temporary directory");
}

/// `crc32c-intel.ko` is `crc32c_intel`.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().expect("a file name");
    stem.to_string_lossy().replace('-', "_")
}

/// Paths below the kernel's tree.
fn closure(kernel: &Kernel, names: &[&str]) -> BTreeSet<String> {
    let mut command = tool("modprobe");
    command
        .arg("-d")
        .arg(&kernel.root)
        .args(["-S", &kernel.version]);
    // Without the modprobe.d of this machine.
    command.args(["-C", "/dev/null", "-a", "--show-depends"]);
    let shown = done(command.args(names));
    let inside = format!("/{}/", kernel.version);
    let below = |line: &str| {
        let path = line.strip_prefix("insmod ")?.split(' ').next()?;
        Some(path.rsplit_once(&inside)?.1.to_owned())
    };
    shown.lines().filter_map(below).collect()
}

pub fn pack(root: &Path, at: &Path) {
    let script = "find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 | zstd -q -o \"$0\"";
    done(tool("sh").args(["-c", script]).arg(at).current_dir(root));
}
