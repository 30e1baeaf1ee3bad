//! What `init` may weigh and what it may need: nothing but a kernel.
//!
//! `LANDFALL_INIT=path` looks at a binary that is there already. Without it both targets are
//! built, with the command that the README gives.

#[allow(dead_code)]
#[path = "../lab/elf.rs"]
mod elf;

use elf::{EM_AARCH64, EM_X86_64, SIZE_MAX, faults};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn build(target: &str) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--bin",
            "init",
            "--target",
            target,
        ])
        .current_dir(top)
        .status()
        .expect("cargo runs");
    assert!(made.success(), "init does not build for {target}");
    let targets = std::env::var_os("CARGO_TARGET_DIR").map_or(top.join("target"), |d| top.join(d));
    targets.join(target).join("release/init")
}

fn check(path: &Path, machine: u64) {
    let elf = fs::read(path).expect("the binary is readable");
    let left = SIZE_MAX.saturating_sub(elf.len()) / 1024;
    let line = format!("{}: {} bytes, {left} KiB left\n", path.display(), elf.len());
    // Past the capture of the test runner: the figure is what people look for.
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr takes a line");
    assert_eq!(faults(&elf, machine), [""; 0], "{}", path.display());
}

#[test]
fn init_is_static_and_small() {
    let given = std::env::var_os("LANDFALL_INIT").map(PathBuf::from);
    check(
        &given.unwrap_or_else(|| build("x86_64-unknown-linux-musl")),
        EM_X86_64,
    );
}

#[test]
fn init_is_static_and_small_on_aarch64() {
    if std::env::var_os("LANDFALL_INIT").is_none() {
        check(&build("aarch64-unknown-linux-musl"), EM_AARCH64);
    }
}

#[test]
fn an_ordinary_program_is_over_budget() {
    // This test's own binary: dynamic, with symbols, large.
    let own = std::env::current_exe()
        .and_then(fs::read)
        .expect("this binary is readable");
    let found = faults(&own, 0).join(", ");
    for fault in [
        "more than",
        "machine",
        "interpreter",
        "shared libraries",
        "not stripped",
    ] {
        assert!(found.contains(fault), "{fault} not among: {found}");
    }
}
