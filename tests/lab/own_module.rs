//! A module of the kernel's own source, built with an option that Debian leaves out. As real as
//! Debian's other modules, but for the signature, which its kernels do not insist on.

use super::kernels::Kernel;
use super::packages;
use super::shelf::{self, Scratch};
use super::tools::{done, progress, tool};
use std::fs;
use std::path::{Path, PathBuf};

/// Where Debian's own lies, below the modules of the kernel.
const PLACE: &str = "kernel/drivers/virtio/virtio_mmio.ko";

/// `virtio_mmio` with its parameter `device=`, and its place in an image. Other distributions
/// have it so (`CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES`).
pub fn virtio_mmio(kernel: &Kernel) -> (PathBuf, String) {
    let recipe = format!("1 {}", kernel.version);
    let module = shelf::made("modules", "virtio_mmio.ko", recipe.as_bytes(), |at| {
        progress("building virtio_mmio from Debian's kernel source (a download of 140 MB)");
        let scratch = Scratch::new();
        headers(kernel, &scratch.0);
        let module = scratch.0.join("module");
        fs::create_dir(&module).expect("a scratch directory");
        fs::write(module.join("virtio_mmio.c"), source(kernel, &scratch.0)).expect("a file");
        let makefile = "obj-m := virtio_mmio.o\n\
                        ccflags-y := -DCONFIG_VIRTIO_MMIO_CMDLINE_DEVICES\n";
        fs::write(module.join("Makefile"), makefile).expect("a file");
        let build = format!("usr/src/linux-headers-{}", kernel.version);
        let mut make = tool("make");
        make.arg("-C").arg(scratch.0.join(build)).arg("modules");
        done(make.arg(format!("M={}", module.display())));
        fs::copy(module.join("virtio_mmio.ko"), at).expect("a module was built");
    });
    (module, format!("/lib/modules/{}/{PLACE}", kernel.version))
}

/// What modules are built with, unpacked below `at`. Its files name each other by absolute paths.
fn headers(kernel: &Kernel, at: &Path) {
    // `6.1.0-56-cloud-amd64` shares most with `6.1.0-56-common`.
    let (release, common) = (&kernel.version, abi(kernel));
    let packages = [
        format!("linux-headers-{release}"),
        format!("linux-headers-{common}-common"),
        format!("linux-kbuild-{}", series(kernel)),
    ];
    for package in &packages {
        packages::unpack(kernel.arch(), package, at);
    }
    let makefile = at.join(format!("usr/src/linux-headers-{release}/Makefile"));
    let text = fs::read_to_string(&makefile).expect("a makefile in the headers");
    let own = format!("{}/usr/", at.display());
    fs::write(&makefile, text.replace("/usr/", &own)).expect("an own file");
}

/// The one file out of the whole source.
fn source(kernel: &Kernel, at: &Path) -> String {
    let name = format!("linux-source-{}", series(kernel));
    packages::unpack(kernel.arch(), &name, at);
    let archive = at.join(format!("usr/src/{name}.tar.xz"));
    let mut tar = tool("tar");
    tar.args(["-xJO", "--occurrence=1", "-f"]).arg(archive);
    done(tar.arg(format!("{name}/drivers/virtio/virtio_mmio.c")))
}

/// `6.1.0-56`
fn abi(kernel: &Kernel) -> String {
    kernel
        .version
        .split('-')
        .take(2)
        .collect::<Vec<_>>()
        .join("-")
}

/// `6.1`
fn series(kernel: &Kernel) -> String {
    kernel
        .version
        .split('.')
        .take(2)
        .collect::<Vec<_>>()
        .join(".")
}
