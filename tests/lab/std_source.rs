//! Targets for which rustup has no standard library ready-made: it is built from its source
//! (rustup's component `rust-src`), over musl as Debian packages it for that architecture.
//!
//! Only tests do this: where `rustup target add` gives the target, nothing of it is needed.
//! Sources: "build-std" in cargo's reference; `-C link-self-contained` in rustc's.

use super::packages;
use super::shelf;
use super::tools::run;
use landfall::host::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes `cargo build --target …` work for this architecture, if it does not by itself.
pub fn provide(arch: Arch, cargo: &mut Command) {
    let target = arch.target();
    let installed = run("rustc", &["--print", "target-libdir", "--target", target]);
    if Path::new(installed.trim()).exists() {
        return;
    }
    let musl = musl(arch);
    let shown = musl.display();
    let objects = ["crt1.o", "crti.o", "crtn.o"].map(|name| format!("'-Clink-arg={shown}/{name}'"));
    let flags = format!(
        "target.{target}.rustflags=['-Clink-self-contained=no', '-Lnative={shown}', {}]",
        objects.join(", ")
    );
    // What the stable compiler keeps for its own standard library.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo.args(["-Zbuild-std=std,panic_abort", "--config", &flags]);
}

/// The directory of the C library and its start files.
fn musl(arch: Arch) -> PathBuf {
    let made = shelf::made("programs", &format!("musl-{arch}"), b"1", |at| {
        packages::unpack(arch, "musl-dev", at);
        // An empty archive: nothing unwinds, but std names the library.
        fs::write(directory(at).join("libunwind.a"), "!<arch>\n").expect("an own directory");
    });
    directory(&made)
}

/// `usr/lib/arm-linux-musleabihf`
fn directory(package: &Path) -> PathBuf {
    let entries = fs::read_dir(package.join("usr/lib")).expect("libraries of musl-dev");
    let found = entries.flatten().map(|entry| entry.path());
    let with_libc = |path: &PathBuf| path.join("libc.a").exists();
    found
        .into_iter()
        .find(with_libc)
        .expect("libc.a of musl-dev")
}
