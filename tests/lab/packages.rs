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
    unpack_one_of(arch, &[package.to_owned()], to);
}

/// Unpacks the first of these packages that is to be had, newest version first: an archive of
/// updates may name files that it does not hold (yet, or any more).
pub fn unpack_one_of(arch: Arch, packages: &[String], to: &Path) {
    let scratch = Scratch::new();
    let mut complaints = String::new();
    for package in packages {
        for version in versions(arch, package) {
            let exact = format!("{package}={version}");
            progress(&format!("fetching Debian's {exact} for {}", debian(arch)));
            let mut fetch = apt("apt-get", arch);
            fetch
                .args(["-q", "download", &exact])
                .current_dir(&scratch.0);
            let output = fetch.output().expect("apt-get runs");
            if output.status.success() {
                return unpack_fetched(&scratch.0, to);
            }
            complaints += &String::from_utf8_lossy(&output.stderr);
        }
    }
    panic!("none of {packages:?} was to be had: {complaints}");
}

fn unpack_fetched(from: &Path, to: &Path) {
    let fetched = fs::read_dir(from).expect("a directory").flatten();
    let deb = fetched
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "deb"));
    let deb = deb.expect("apt-get download left a .deb");
    fs::create_dir_all(to).expect("a writable target directory");
    run(
        "dpkg-deb",
        &["-x".as_ref(), deb.as_os_str(), to.as_os_str()],
    );
}

/// `NAME | VERSION | ARCHIVE`, one a line, newest first: apt-cache(8), "madison".
fn versions(arch: Arch, package: &str) -> Vec<String> {
    let table = done(apt("apt-cache", arch).args(["madison", package]));
    let mut versions: Vec<String> = Vec::new();
    for line in table.lines().filter(|line| line.ends_with(" Packages")) {
        let version = line.split('|').nth(1).unwrap_or_default().trim();
        if !versions.iter().any(|known| known == version) {
            versions.push(version.into());
        }
    }
    versions
}

/// The packages whose names begin with `prefix` among those that `package` depends on, or an
/// older version of it.
pub fn dependencies(arch: Arch, package: &str, prefix: &str) -> Vec<String> {
    let shown = done(apt("apt-cache", arch).args(["show", package]));
    let lines = shown
        .lines()
        .filter_map(|line| line.strip_prefix("Depends: "));
    let names = lines.flat_map(|line| line.split(", ").filter_map(|each| each.split(' ').next()));
    let mut found: Vec<String> = Vec::new();
    for name in names.filter(|name| name.starts_with(prefix)) {
        if !found.iter().any(|known| known == name) {
            found.push(name.into());
        }
    }
    let missing = "names no kernel (is this Debian, and was apt-get update run?)";
    assert!(
        !found.is_empty(),
        "{package} for {} {missing}",
        debian(arch)
    );
    found
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
        // One archive that is out of step with its own lists is no reason to have none: apt keeps
        // those of the others.
        let update = ["-q", "update"];
        let _ = tool("apt-get").arg("-c").arg(&part).args(update).output();
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
