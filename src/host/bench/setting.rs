//! What all contestants share: the kernel, the modules that reach the disk, the disk itself, and
//! where it is plugged in or served.
//!
//! The disk is a whole-disk ext4 with the measuring real init on it, made by mke2fs without root.

use super::args::Options;
use super::compile::{Compiler, run};
use super::contestants::Contestant;
use super::discipline::Discipline;
use super::server::Servers;
use crate::host::arch::Arch;
use crate::host::failure::{Failure, Tried};
use crate::host::load_order;
use crate::host::module_tree::ModuleTree;
use crate::host::qemu::{Bus, Disk, Machine};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const UUID: &str = "5eedf00d-0000-4000-8000-0000000000be";
pub const FILE_SYSTEM: &str = "ext4";
/// What the disk is called by a kernel that has no other.
pub const DEVICE: &str = "/dev/vda";
/// The same where a server has it.
pub const DEVICE_OF_SERVER: &str = "/dev/nbd0";
const DISK_BYTES: u64 = 64 << 20;

/// What the kernel asks user space for: the bus with QEMU's virtio-blk-pci, the disk on it, and
/// the file system. Each is a chain of modules that depend on each other only.
const CHAINS: [&[&str]; 2] = [
    &[
        "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00",
        "virtio:d00000002v00001AF4",
    ],
    &["fs-ext4"],
];
/// What makes the kernel's check of module signatures faster, where it is a module.
const ACCELERATOR: &str = "crypto-sha256";

/// One module: its canonical name, and its file on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    pub file: PathBuf,
}

pub struct Setting {
    pub discipline: Discipline,
    pub kernel: PathBuf,
    /// Holds `lib/modules/VERSION`.
    pub modules_root: PathBuf,
    /// `lib/modules/VERSION` itself.
    pub modules_directory: PathBuf,
    pub version: String,
    /// In the order to load them, those of a chain after each other.
    pub chains: Vec<Vec<Module>>,
    /// Empty: built in, or not there.
    pub accelerators: Vec<Module>,
    pub disk: PathBuf,
    /// Of the network discipline.
    pub servers: Option<Servers>,
    /// Made things go here.
    pub work: PathBuf,
    pub compiler: Compiler,
}

impl Setting {
    pub fn prepare(options: &Options, work: &Path) -> Result<Self, Failure> {
        let (kernel, discipline) = (&options.kernel, options.discipline);
        let arch = Arch::of_kernel_file(kernel);
        let arch = arch.or_cannot(|| format!("read the kernel {}", kernel.display()))?;
        if arch != Some(Arch::X86_64) {
            let text = format!(
                "{} is no kernel for x86_64: no other is measured",
                kernel.display()
            );
            return Err(Failure::usage(text));
        }
        let (root, version) = split(&options.modules);
        let tree = ModuleTree::open(&root, version.as_deref())?;
        let compiler = Compiler::find()?;
        let (chains, accelerators) = needed(&tree);
        let disk = make_disk(work, compiler)?;
        let servers = match discipline {
            Discipline::Disk => None,
            Discipline::Network => Some(Servers::start(&disk, work)?),
        };
        Ok(Self {
            discipline,
            kernel: kernel.into(),
            modules_root: root,
            modules_directory: tree.directory.clone(),
            version: tree.version.clone(),
            chains,
            accelerators,
            disk,
            servers,
            work: work.into(),
            compiler,
        })
    }

    /// What the command line says about root.
    pub fn words(&self, contestant: Contestant) -> String {
        match &self.servers {
            None => format!("root=UUID={UUID}"),
            Some(servers) => servers.words(contestant),
        }
    }

    /// What a guest needs to get at root.
    pub fn plug(&self, machine: &mut Machine) {
        match &self.servers {
            None => {
                let mut disk = Disk::raw(&self.disk, Bus::Virtio);
                disk.scratch = true;
                machine.disks.push(disk);
            }
            Some(servers) => servers.plug(machine),
        }
    }
}

/// `ROOT/lib/modules/VERSION` names a version, any other directory is a root.
fn split(modules: &Path) -> (PathBuf, Option<String>) {
    let version = modules.file_name().and_then(|name| name.to_str());
    let root = modules.ancestors().nth(3);
    match (version, root) {
        (Some(version), Some(root)) if modules.join("modules.dep").exists() => {
            let root = match root.as_os_str().is_empty() {
                true => Path::new("."),
                false => root,
            };
            (root.into(), Some(version.into()))
        }
        _ => (modules.into(), None),
    }
}

fn needed(tree: &ModuleTree) -> (Vec<Vec<Module>>, Vec<Module>) {
    let mut placed = BTreeSet::new();
    let mut chain = |aliases: &[&str]| -> Vec<Module> {
        let catalog = tree.catalog();
        let found = aliases
            .iter()
            .map(|alias| catalog.resolve(alias.as_bytes()));
        let steps = found.flat_map(|found| load_order::order(&found));
        // Second providers of something are for when the first one fails.
        let first = steps.filter(|step| step.instead_of.is_empty());
        let names = first.map(|step| step.module);
        let new: Vec<String> = names.filter(|name| placed.insert(name.clone())).collect();
        new.iter().filter_map(|name| find(tree, name)).collect()
    };
    let chains: Vec<Vec<Module>> = CHAINS.iter().map(|aliases| chain(aliases)).collect();
    let best = tree.catalog().resolve(ACCELERATOR.as_bytes()).answers;
    let accelerators = match best.first() {
        Some(best) => chain(&[best]),
        None => Vec::new(),
    };
    let chains = chains.into_iter().filter(|chain| !chain.is_empty());
    (chains.collect(), accelerators)
}

fn find(tree: &ModuleTree, name: &str) -> Option<Module> {
    let entry = tree.dependencies().find(|entry| entry.name == name)?;
    let file = tree.file(entry.path);
    Some(Module {
        name: entry.name,
        file,
    })
}

fn make_disk(work: &Path, compiler: Compiler) -> Result<PathBuf, Failure> {
    let root = work.join("root");
    for name in ["sbin", "dev", "proc", "sys", "run", "tmp", "etc", "root"] {
        let directory = root.join(name);
        fs::create_dir_all(&directory).or_cannot(|| format!("make {}", directory.display()))?;
    }
    let init = compiler.compile(include_str!("real_init.c"), &work.join("real-init"), &[])?;
    let place = root.join("sbin/init");
    fs::copy(&init, &place).or_cannot(|| format!("write {}", place.display()))?;
    let disk = work.join("disk");
    let file = fs::File::create(&disk).or_cannot(|| format!("make {}", disk.display()))?;
    let sized = file.set_len(DISK_BYTES);
    sized.or_cannot(|| format!("make {}", disk.display()))?;
    let mut command = Command::new("mke2fs");
    // Ordinary users have no sbin in their PATH on Debian.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
    command.args(["-q", "-F", "-t", FILE_SYSTEM, "-U", UUID, "-d"]);
    command.arg(&root).arg(&disk);
    run(&mut command, "mke2fs")?;
    Ok(disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_named_by_its_root_or_by_its_own_directory() {
        let scratch = std::env::temp_dir().join(format!("landfall-split-{}", std::process::id()));
        let tree = scratch.join("lib/modules/6.1.0");
        fs::create_dir_all(&tree).unwrap();
        fs::write(tree.join("modules.dep"), "").unwrap();
        assert_eq!(split(&tree), (scratch.clone(), Some("6.1.0".into())));
        assert_eq!(split(&scratch), (scratch.clone(), None));
        assert_eq!(split(Path::new("/")), (PathBuf::from("/"), None));
        fs::remove_dir_all(&scratch).unwrap();
    }
}
