//! A modules tree of a few small files, and the tool run over it: what image tests need.
//!
//! The modules are real ELF objects as far as anybody here looks: a `.modinfo` section.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

pub const VERSION: &str = "6.1.0-test";

/// A directory of this test that goes away with the value.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("landfall-it-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Everything in it, for tests that nothing half-written stays behind.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the tool in `directory`.
pub fn landfall<S: AsRef<OsStr>>(directory: &Path, args: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_landfall"))
        .args(args)
        .current_dir(directory)
        .env_remove("SOURCE_DATE_EPOCH")
        .output()
        .unwrap()
}

/// As `landfall`, and it must succeed. Returns what it printed.
pub fn landfall_did<S: AsRef<OsStr>>(directory: &Path, args: &[S]) -> Vec<u8> {
    let output = landfall(directory, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    output.stdout
}

/// Runs a program of this machine over `input`; it must succeed. Returns what it printed.
pub fn filter(command: &[&str], input: &[u8], directory: &Path) -> Vec<u8> {
    let (program, args) = command.split_first().unwrap();
    let file = directory.join(".input");
    fs::write(&file, input).unwrap();
    let output = Command::new(program)
        .args(args)
        .current_dir(directory)
        .stdin(Stdio::from(fs::File::open(&file).unwrap()))
        .output()
        .unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    fs::remove_file(&file).unwrap();
    output.stdout
}

/// An ELF object whose `.modinfo` holds `fields`, each `KEY=VALUE`.
pub fn module(fields: &[&str]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.modinfo\0.shstrtab\0";
    let info: Vec<u8> = fields
        .iter()
        .flat_map(|f| [f.as_bytes(), b"\0"].concat())
        .collect();
    let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    elf.extend([1, 0, 62, 0, 1, 0, 0, 0]); // relocatable, x86-64, version
    elf.extend([0; 16]); // no entry, no program headers
    let table = 64 + NAMES.len() + info.len();
    elf.extend((table as u64).to_le_bytes());
    elf.extend([0; 4]);
    elf.extend([64, 0, 0, 0, 0, 0, 64, 0, 3, 0, 2, 0]); // sizes; 3 sections, names in the third
    elf.extend(NAMES);
    elf.extend(&info);
    elf.extend([0; 64]);
    for (name, kind, at, size) in [
        (1_u32, 1_u32, 64 + NAMES.len(), info.len()),
        (10, 3, 64, NAMES.len()),
    ] {
        elf.extend(name.to_le_bytes());
        elf.extend(kind.to_le_bytes());
        elf.extend([0; 16]);
        elf.extend((at as u64).to_le_bytes());
        elf.extend((size as u64).to_le_bytes());
        elf.extend([0; 24]);
    }
    elf
}

/// A root with modules in every compression, soft and weak dependencies, and firmware.
pub fn make_root(scratch: &Scratch) -> PathBuf {
    let base = format!("root/lib/modules/{VERSION}");
    let put = |name: &str, bytes: &[u8]| scratch.write(&format!("{base}/{name}"), bytes);
    put("modules.dep", DEP);
    put("modules.alias", ALIAS);
    put("modules.softdep", b"softdep disk pre: crypto-sum\n");
    put("modules.weakdep", b"weakdep disk weak\n");
    put("modules.builtin", b"kernel/fs/inside.ko\n");
    put(
        "modules.builtin.modinfo",
        b"inside.license=GPL\0inside.alias=fs-inside\0",
    );
    let packed = |with: &[&str], bytes: &[u8]| filter(with, bytes, &scratch.0);
    let disk = module(&[
        "firmware=chip/one.fw",
        "firmware=chip/*.cfg",
        "firmware=gone.fw",
    ]);
    put(
        "kernel/disk.ko.xz",
        &packed(&["xz", "--check=crc32", "-c"], &disk),
    );
    put(
        "kernel/bus-core.ko.zst",
        &packed(&["zstd", "-qc"], &module(&["name=bus"])),
    );
    put(
        "kernel/sum_fast.ko.gz",
        &packed(&["gzip", "-c"], &module(&["name=fast"])),
    );
    put("kernel/sum_generic.ko", &module(&["name=generic"]));
    put("kernel/weak.ko", &module(&["name=weak"]));
    put("kernel/other.ko", &module(&["firmware=other.fw"]));
    let firmware = |name: &str, bytes: &[u8]| {
        scratch.write(&format!("root/lib/firmware/{name}"), bytes);
    };
    firmware("chip/one.fw", b"old");
    firmware(
        "updates/chip/one.fw.xz",
        &packed(&["xz", "--check=crc32", "-c"], b"new"),
    );
    firmware("chip/a.cfg.zst", &packed(&["zstd", "-qc"], b"a"));
    firmware("chip/b.cfg", b"b");
    scratch.write("init", b"#!/bin/true\n");
    scratch.path("root")
}

const DEP: &[u8] = b"\
kernel/disk.ko.xz: kernel/bus-core.ko.zst
kernel/bus-core.ko.zst:
kernel/sum_fast.ko.gz:
kernel/sum_generic.ko:
kernel/weak.ko:
kernel/other.ko: kernel/bus-core.ko.zst
";

const ALIAS: &[u8] = b"\
# Aliases extracted from modules themselves.
alias pci:v00001AF4d*sv*sd*bc*sc*i* disk
alias fs-diskfs disk
alias crypto-sum sum_fast
alias crypto-sum sum_generic
alias pci:v00001111d*sv*sd*bc*sc*i* other
";

/// Options that build an image of the tree that `make_root` made.
pub fn image_args<'a>(output: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![
        "image",
        "-o",
        output,
        "--modules-root",
        "root",
        "--init",
        "init",
    ];
    args.extend(more);
    args
}
