//! Small C programs, compiled on the spot into static ones.
//!
//! musl where there is one, as its programs are a tenth of glibc's; what was used is said.

use crate::host::failure::{Failure, Tried};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Tried in this order.
const COMPILERS: [&str; 2] = ["musl-gcc", "cc"];
const FLAGS: [&str; 5] = ["-Os", "-static", "-s", "-w", "-o"];

/// A C compiler that makes static programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compiler(pub &'static str);

impl Compiler {
    /// The first one that is installed.
    pub fn find() -> Result<Self, Failure> {
        let there = |name: &&&str| {
            let mut command = Command::new(name);
            command.arg("--version").stdin(Stdio::null());
            command.output().is_ok_and(|o| o.status.success())
        };
        match COMPILERS.iter().find(there) {
            Some(name) => Ok(Self(name)),
            None => Err(Failure::new(
                "no C compiler for the floor and the real init: neither musl-gcc nor cc runs \
                 (Debian and Ubuntu: apt install musl-tools)",
            )),
        }
    }

    /// Compiles `source` to the program `out`.
    pub fn compile(self, source: &str, out: &Path, defines: &[&str]) -> Result<PathBuf, Failure> {
        let file = out.with_extension("c");
        fs::write(&file, source).or_cannot(|| format!("write {}", file.display()))?;
        let mut command = Command::new(self.0);
        command.args(defines).args(FLAGS).arg(out).arg(&file);
        run(&mut command, self.0)?;
        Ok(out.to_path_buf())
    }
}

/// Runs a tool of this machine to its end; what it said is part of the error.
pub fn run(command: &mut Command, name: &str) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| {
        let hint = match (error.kind(), PACKAGES.iter().find(|row| row.0 == name)) {
            (ErrorKind::NotFound, Some((_, package))) => {
                format!(" (Debian and Ubuntu: apt install {package})")
            }
            _ => String::new(),
        };
        Failure::new(format!("cannot run {name}: {error}{hint}"))
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.lines().rev().take(LINES_SHOWN).collect();
    let last: Vec<&str> = last.into_iter().rev().collect();
    let text = format!("{name} failed ({}): {}", output.status, last.join("; "));
    Err(Failure::new(text))
}

/// Of what a failed tool said.
const LINES_SHOWN: usize = 2;
const PACKAGES: [(&str, &str); 4] = [
    ("mke2fs", "e2fsprogs"),
    ("unshare", "util-linux"),
    ("qemu-nbd", "qemu-utils"),
    ("qemu-system-x86_64", "qemu-system-x86"),
];
