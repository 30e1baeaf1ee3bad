//! Debian's kernels, as its packages hold them: fetched by apt, unpacked without root.
//!
//! `generic` has virtio, ext4 and nearly everything else as modules; `cloud` has ext4 and NVMe
//! built in and is at `/init` in half the time.

use super::shelf::{self, Scratch, lab};
use super::tools::{done, progress, run, tool};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    Generic,
    Cloud,
}

impl Flavour {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Cloud => "cloud",
        }
    }

    /// The package that depends on the current kernel package.
    const fn package(self) -> &'static str {
        match self {
            Self::Generic => "linux-image-amd64",
            Self::Cloud => "linux-image-cloud-amd64",
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
    Kernel {
        flavour,
        vmlinuz: root.join(format!("boot/vmlinuz-{version}")),
        version,
        root,
    }
}

fn fetch(flavour: Flavour, root: &Path) {
    let package = current_package(flavour);
    progress(&format!("fetching Debian's {package}"));
    let scratch = Scratch::new();
    done(
        tool("apt-get")
            .args(["-q", "download", &package])
            .current_dir(&scratch.0),
    );
    let fetched = fs::read_dir(&scratch.0).expect("a directory").flatten();
    let deb = fetched
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "deb"));
    let deb = deb.unwrap_or_else(|| panic!("apt-get download {package} left no .deb"));
    let part = root.with_extension("part");
    shelf::remove(&part);
    fs::create_dir_all(&part).expect("a writable target directory");
    run(
        "dpkg-deb",
        &["-x".as_ref(), deb.as_os_str(), part.as_os_str()],
    );
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

/// `Depends: linux-image-6.1.0-56-amd64` of the meta package.
fn current_package(flavour: Flavour) -> String {
    let depends = run("apt-cache", &["depends", "--important", flavour.package()]);
    let kernel = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with("linux-image-"));
    let missing = "names no kernel (is this Debian on amd64, and was apt-get update run?)";
    kernel
        .unwrap_or_else(|| panic!("{} {missing}", flavour.package()))
        .to_owned()
}
