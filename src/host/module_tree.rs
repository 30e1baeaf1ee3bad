//! One kernel's modules as they lie on this machine: where they are, and depmod's files about them.
//!
//! Sources: modules.dep(5), depmod(8).

use crate::base::text::Text;
use crate::format::kmod::{Catalog, Files, of_path};
use crate::host::arch::Arch;
use crate::host::failure::{Failure, Tried};
use crate::host::tree::read_unpacked;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub struct ModuleTree {
    /// `…/lib/modules/VERSION` on this machine.
    pub directory: PathBuf,
    pub version: String,
    root: PathBuf,
    pub dep: Vec<u8>,
    pub alias: Vec<u8>,
    pub softdep: Vec<u8>,
    pub weakdep: Vec<u8>,
    pub devname: Vec<u8>,
    pub builtin: Vec<u8>,
    pub builtin_modinfo: Vec<u8>,
    dep_bin: Option<Vec<u8>>,
    alias_bin: Option<Vec<u8>>,
}

/// One line of modules.dep.
pub struct Dependency<'a> {
    pub name: String,
    /// Relative to the modules directory; with whatever suffix it has there.
    pub path: &'a [u8],
    pub needs: Vec<&'a [u8]>,
}

impl ModuleTree {
    /// Opens the tree of `version` below `root`; without a version the only one there is, or that
    /// of the running kernel.
    pub fn open(root: &Path, version: Option<&str>) -> Result<Self, Failure> {
        let version = match version {
            Some(version) => version.to_owned(),
            None => choose_version(root)?,
        };
        let directory = find(root, &version)?;
        let dep = fs::read(directory.join("modules.dep")).map_err(|e| no_dep(&directory, &e))?;
        if dep.iter().all(u8::is_ascii_whitespace) {
            return Err(Failure::new(format!(
                "the kernel {version} has no loadable modules ({}/modules.dep is empty); \
                 use --no-modules if everything is built in",
                directory.display()
            )));
        }
        Ok(Self {
            dep,
            alias: needed(&directory, "modules.alias")?,
            softdep: optional(&directory, "modules.softdep")?.unwrap_or_default(),
            weakdep: optional(&directory, "modules.weakdep")?.unwrap_or_default(),
            devname: optional(&directory, "modules.devname")?.unwrap_or_default(),
            builtin: optional(&directory, "modules.builtin")?.unwrap_or_default(),
            builtin_modinfo: optional(&directory, "modules.builtin.modinfo")?.unwrap_or_default(),
            dep_bin: optional(&directory, "modules.dep.bin")?,
            alias_bin: optional(&directory, "modules.alias.bin")?,
            directory,
            version,
            root: root.to_path_buf(),
        })
    }

    /// The module resolver over these files, softdeps included. Configuration of this machine
    /// (modprobe.d) has no say in what goes into an image.
    pub fn catalog(&self) -> Catalog<'_> {
        let files = Files {
            dep_bin: self.dep_bin.as_deref(),
            dep: Some(&self.dep),
            alias_bin: self.alias_bin.as_deref(),
            alias: Some(&self.alias),
            builtin: Some(&self.builtin),
            builtin_modinfo: Some(&self.builtin_modinfo),
            ..Files::default()
        };
        let mut catalog = Catalog::new("", &files);
        catalog.config.file("modules.softdep", &self.softdep);
        catalog.config.file("modules.weakdep", &self.weakdep);
        catalog
    }

    /// All modules, in depmod's order, which is that of preference.
    pub fn dependencies(&self) -> impl Iterator<Item = Dependency<'_>> {
        self.dep.split(|&b| b == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&b| b == b':')?;
            let (path, rest) = line.split_at_checked(colon)?;
            let needs = rest.get(1..)?.split(|&b| b == b' ');
            Some(Dependency {
                name: of_path(path)?,
                path,
                needs: needs.filter(|n| !n.is_empty()).collect(),
            })
        })
    }

    /// What machine the modules are for, as the first of them says.
    pub fn arch(&self) -> Option<Arch> {
        let file = self.file(self.dependencies().next()?.path);
        Arch::of_elf(&read_unpacked(&file).ok()?)
    }

    /// Where a module of `modules.dep` lies on this machine.
    pub fn file(&self, path: &[u8]) -> PathBuf {
        match path.strip_prefix(b"/") {
            Some(absolute) => self.root.join(OsStr::from_bytes(absolute)),
            None => self.directory.join(OsStr::from_bytes(path)),
        }
    }
}

/// Both layouts, with `/lib` a directory of its own and with it merged into `/usr/lib`.
fn places(root: &Path) -> [PathBuf; 2] {
    [root.join("lib/modules"), root.join("usr/lib/modules")]
}

fn find(root: &Path, version: &str) -> Result<PathBuf, Failure> {
    if version.is_empty() || version.contains('/') || version == "." || version == ".." {
        return Err(Failure::usage(format!(
            "--kernel takes a version such as 6.1.0-1-amd64, not '{version}'"
        )));
    }
    let there = places(root).into_iter().map(|place| place.join(version));
    if let Some(directory) = there.into_iter().find(|d| d.is_dir()) {
        return Ok(directory);
    }
    let known = versions(root);
    let hint = if known.is_empty() {
        "no kernel's modules are there at all: name the directory above lib/modules with \
         --modules-root, or use --no-modules if everything is built in"
            .into()
    } else {
        format!("there are {}", known.join(", "))
    };
    let missing = root.join("lib/modules").join(version);
    Err(Failure::new(format!(
        "no modules of the kernel {version}: {} does not exist; {hint}",
        missing.display()
    )))
}

fn versions(root: &Path) -> Vec<String> {
    let mut versions: Vec<String> = places(root)
        .iter()
        .filter_map(|place| fs::read_dir(place).ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    versions.sort();
    versions.dedup();
    versions
}

fn choose_version(root: &Path) -> Result<String, Failure> {
    let mut known = versions(root);
    if known.len() == 1 {
        return Ok(known.remove(0));
    }
    let running = rustix::system::uname();
    let running = running.release().to_string_lossy().into_owned();
    if root == Path::new("/") {
        return Ok(running);
    }
    let there = if known.is_empty() {
        "none".into()
    } else {
        known.join(", ")
    };
    Err(Failure::new(format!(
        "which kernel? {} has the modules of: {there}; choose one with --kernel VERSION",
        root.join("lib/modules").display()
    )))
}

fn no_dep(directory: &Path, e: &io::Error) -> Failure {
    let shown = directory.display();
    let version = directory.file_name().unwrap_or_default();
    let version = Text::from(version.as_bytes());
    Failure::new(if directory.join("kernel").is_dir() {
        format!(
            "cannot read {shown}/modules.dep: {e}; run 'depmod {version}' \
             (with -b for a tree that is not this machine's)"
        )
    } else {
        format!(
            "{shown} holds no modules ({e}: modules.dep); is the kernel's package installed? \
             Use --no-modules if everything is built in"
        )
    })
}

fn needed(directory: &Path, name: &str) -> Result<Vec<u8>, Failure> {
    let path = directory.join(name);
    fs::read(&path).or_cannot(|| format!("read {} (depmod makes it)", path.display()))
}

fn optional(directory: &Path, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    let path = directory.join(name);
    match fs::read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read
            .map(Some)
            .or_cannot(|| format!("read {}", path.display())),
    }
}
