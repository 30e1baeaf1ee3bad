//! What `init` may weigh and what it may need: nothing but a kernel.
//!
//! `LANDFALL_INIT=path` looks at a binary that is there already. Without it both targets are
//! built, with the command that the README gives.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Stripped, with the three module decoders. Every page is read, checked and held at each boot.
const SIZE_MAX: usize = 480 * 1024;

/// ELF constants, as elf(5) names them.
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NEEDED: u64 = 1;
const SHT_SYMTAB: u64 = 2;
const EM_X86_64: u64 = 62;
const EM_AARCH64: u64 = 183;

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

/// The number of `width` bytes at `at`, little-endian.
fn number(elf: &[u8], at: usize, width: usize) -> u64 {
    let bytes = &elf[at..at + width];
    bytes
        .iter()
        .rev()
        .fold(0, |sum, b| sum << 8 | u64::from(*b))
}

fn place(elf: &[u8], at: usize) -> usize {
    number(elf, at, 8)
        .try_into()
        .expect("a place within the file")
}

/// Offsets of the entries of a header table: `at` holds its offset, `sizes` its entry size and
/// count.
fn table(elf: &[u8], at: usize, sizes: usize) -> impl Iterator<Item = usize> {
    let (start, size) = (place(elf, at), number(elf, sizes, 2) as usize);
    (0..number(elf, sizes + 2, 2) as usize).map(move |n| start + n * size)
}

/// What makes this 64-bit ELF file more than "static, stripped, small, for `machine`".
fn faults(elf: &[u8], machine: u64) -> Vec<String> {
    let mut faults = Vec::new();
    if elf.len() > SIZE_MAX {
        faults.push(format!("{} bytes, more than {SIZE_MAX}", elf.len()));
    }
    if number(elf, 18, 2) != machine {
        faults.push(format!("machine {}, not {machine}", number(elf, 18, 2)));
    }
    for header in table(elf, 32, 54) {
        match number(elf, header, 4) {
            PT_INTERP => faults.push("wants a program interpreter".into()),
            PT_DYNAMIC => {
                let (start, size) = (place(elf, header + 8), place(elf, header + 32));
                let needs = |at: &usize| number(elf, *at, 8) == DT_NEEDED;
                let count = (start..start + size).step_by(16).filter(needs).count();
                if count > 0 {
                    faults.push(format!("needs {count} shared libraries"));
                }
            }
            _ => {}
        }
    }
    if table(elf, 40, 58).any(|section| number(elf, section + 4, 4) == SHT_SYMTAB) {
        faults.push("is not stripped".into());
    }
    faults
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
