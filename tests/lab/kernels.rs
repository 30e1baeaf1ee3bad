//! Debian's kernels, as its packages hold them: fetched by apt, unpacked without root.
//!
//! `generic` has virtio, ext4 and nearly everything else as modules; `cloud` has ext4 and NVMe
//! built in and is at `/init` in half the time. The others are the generic ones of
//! their architecture.

use super::packages;
use super::shelf::{self, lab};
use super::tools::run;
use landfall::host::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Generic,
    Cloud,
    Arm64,
    Armmp,
    Riscv64,
}

impl Flavour {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Cloud => "cloud",
            Self::Arm64 => "arm64",
            Self::Armmp => "armmp",
            Self::Riscv64 => "riscv64",
        }
    }

    /// The package that depends on the current kernel package.
    const fn package(self) -> &'static str {
        match self {
            Self::Generic => "linux-image-amd64",
            Self::Cloud => "linux-image-cloud-amd64",
            Self::Arm64 => "linux-image-arm64",
            Self::Armmp => "linux-image-armmp",
            Self::Riscv64 => "linux-image-riscv64",
        }
    }

    pub const fn arch(self) -> Arch {
        match self {
            Self::Generic | Self::Cloud => Arch::X86_64,
            Self::Arm64 => Arch::Aarch64,
            Self::Armmp => Arch::Armv7,
            Self::Riscv64 => Arch::Riscv64,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Kernel {
    pub flavour: Flavour,
    pub vmlinuz: PathBuf,
    /// As `uname -r` prints it.
    pub version: String,
    /// Holds `lib/modules/VERSION`.
    pub root: PathBuf,
}

impl Kernel {
    pub const fn arch(&self) -> Arch {
        self.flavour.arch()
    }

    pub fn modules(&self) -> PathBuf {
        self.root.join("lib/modules").join(&self.version)
    }
}

/// Debian's current kernel of this flavour.
pub fn kernel(flavour: Flavour) -> Kernel {
    let root = lab().join("kernels").join(flavour.name());
    let _alone = shelf::lock(flavour.name());
    if !root.exists() {
        fetch(flavour, &root);
    }
    let versions = fs::read_dir(root.join("lib/modules")).expect("lib/modules of the kernel");
    let newest = versions.flatten().map(|e| e.file_name()).max();
    let version = newest.expect("a version").to_string_lossy().into_owned();
    // riscv64 packs none of its kernels.
    let files = ["vmlinuz", "vmlinux"].map(|name| root.join(format!("boot/{name}-{version}")));
    let file = files.into_iter().find(|file| file.exists());
    Kernel {
        flavour,
        vmlinuz: file.expect("the kernel of its package"),
        version,
        root,
    }
}

fn fetch(flavour: Flavour, root: &Path) {
    let arch = flavour.arch();
    let named = packages::dependencies(arch, flavour.package(), "linux-image-");
    let part = root.with_extension("part");
    shelf::remove(&part);
    packages::unpack_one_of(arch, &named, &part);
    // Debian 13 and later ship modules below usr only.
    if !part.join("lib").exists() {
        std::os::unix::fs::symlink("usr/lib", part.join("lib")).expect("a symlink");
    }
    for version in fs::read_dir(part.join("lib/modules"))
        .expect("lib/modules")
        .flatten()
    {
        let version = version.file_name();
        run(
            "depmod",
            &["-b".as_ref(), part.as_os_str(), version.as_os_str()],
        );
    }
    fs::rename(&part, root).expect("a rename within one directory");
}
