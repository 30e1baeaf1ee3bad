//! Debian's packages, of any architecture, fetched by apt and unpacked without root.
//!
//! For another architecture than this machine's, apt works on lists and a cache of its own below
//! `target/lab/apt`: what the machine has installed, and what it may install, stay as they are.

use super::roots;
use super::shelf::{self, Scratch, lab};
use super::tools::{done, progress, run, tool};
use landfall::host::arch::Arch;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian's name for an architecture.
const fn debian(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "amd64",
        Arch::Aarch64 => "arm64",
        Arch::Riscv64 => "riscv64",
        Arch::Armv7 => "armhf",
    }
}

/// Unpacks the package into the directory `to`, which is made.
pub fn unpack(arch: Arch, package: &str, to: &Path) {
    progress(&format!("fetching Debian's {package} for {}", debian(arch)));
    let scratch = Scratch::new();
    let mut fetch = apt("apt-get", arch);
    done(
        fetch
            .args(["-q", "download", package])
            .current_dir(&scratch.0),
    );
    let fetched = fs::read_dir(&scratch.0).expect("a directory").flatten();
    let deb = fetched
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "deb"));
    let deb = deb.unwrap_or_else(|| panic!("apt-get download {package} left no .deb"));
    fs::create_dir_all(to).expect("a writable target directory");
    run(
        "dpkg-deb",
        &["-x".as_ref(), deb.as_os_str(), to.as_os_str()],
    );
}

/// The first package whose name begins with `prefix` among those that `package` depends on.
pub fn dependency(arch: Arch, package: &str, prefix: &str) -> String {
    let depends = done(apt("apt-cache", arch).args(["depends", "--important", package]));
    let found = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| name.starts_with(prefix));
    let missing = "names no kernel (is this Debian, and was apt-get update run?)";
    found
        .unwrap_or_else(|| panic!("{package} for {} {missing}", debian(arch)))
        .to_owned()
}

/// An apt program that sees the packages of this architecture.
fn apt(program: &str, arch: Arch) -> Command {
    let mut command = tool(program);
    if run("dpkg", &["--print-architecture"]).trim() != debian(arch) {
        command.args(["-c".as_ref(), configuration(arch).as_os_str()]);
    }
    command
}

/// A configuration of apt with which this architecture is the only one there is.
fn configuration(arch: Arch) -> PathBuf {
    let name = debian(arch);
    let top = lab().join("apt").join(name);
    let file = top.join("apt.conf");
    let _alone = shelf::lock(&format!("apt-{name}"));
    if !file.exists() {
        for directory in ["lists/partial", "cache/archives/partial", "etc"] {
            fs::create_dir_all(top.join(directory)).expect("a writable target directory");
        }
        let sources = top.join("sources.list");
        fs::write(&sources, sources_with_keys(arch)).expect("a writable target directory");
        let shown = top.display();
        let text = format!(
            "APT::Architecture \"{name}\";\n#clear APT::Architectures;\n\
             APT::Architectures:: \"{name}\";\n\
             Dir::State::Lists \"{shown}/lists\";\nDir::State::status \"/dev/null\";\n\
             Dir::Cache \"{shown}/cache\";\nDir::Etc::SourceList \"{}\";\n\
             Dir::Etc::SourceParts \"{shown}/etc\";\nAcquire::Languages \"none\";\n",
            sources.display(),
        );
        let part = top.join("apt.conf.part");
        fs::write(&part, text).expect("a writable target directory");
        progress(&format!(
            "fetching the list of Debian's packages for {name}"
        ));
        done(tool("apt-get").arg("-c").arg(&part).args(["-q", "update"]));
        fs::rename(&part, &file).expect("a rename within one directory");
    }
    file
}

/// This machine's Debian archives, with Debian's keys, whatever else the machine trusts.
fn sources_with_keys(arch: Arch) -> String {
    let keys =
        ["pgp", "gpg"].map(|end| format!("/usr/share/keyrings/debian-archive-keyring.{end}"));
    let mut sources = match arch {
        Arch::Riscv64 => stable(&roots::sources()),
        _ => roots::sources(),
    };
    if let Some(key) = keys.iter().find(|key| Path::new(key).exists()) {
        sources = sources.replace("deb ", &format!("deb [signed-by={key}] "));
    }
    sources
}

/// The same archive's stable release: an older one lacks the younger architectures.
fn stable(sources: &str) -> String {
    let main = sources.lines().find(|line| line.ends_with(" main"));
    let mut words = main.unwrap_or_default().split(' ');
    let archive = words.nth(1).expect("`deb ARCHIVE SUITE COMPONENT`");
    format!("deb {archive} stable main\n")
}
