//! The module indexes and modprobe.d of one kernel, as a boot would find them: in a directory, or
//! in an image.
//!
//! Not here: the modules themselves, and what of a tree goes into an image (`module_tree`).
//! Sources: modules.dep(5), modprobe.d(5).

use crate::base::text::Text;
use crate::format::kmod::{CONFIGS, Catalog, Files, TREES};
use crate::host::cpio::{Header, S_IFREG};
use crate::host::failure::{Failure, Tried};
use crate::host::inspect::read_image;
use crate::host::segments::{self, Segment, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const INDEXES: [&str; 10] = [
    "modules.dep.bin",
    "modules.dep",
    "modules.alias.bin",
    "modules.alias",
    "modules.builtin.bin",
    "modules.builtin",
    "modules.builtin.alias.bin",
    "modules.builtin.modinfo",
    "modules.softdep",
    "modules.weakdep",
];
/// Bytes of one index or modprobe.d file in an image; Debian's largest is 1.3 MiB.
const FILE_MAX: u64 = 64 << 20;

/// The files, whole.
#[derive(Default)]
pub struct ModuleIndex {
    /// `…/lib/modules/VERSION`.
    pub directory: String,
    pub version: String,
    files: BTreeMap<&'static str, Vec<u8>>,
    /// Modules in the image, relative to `directory`. `None`: look into `directory`.
    modules: Option<BTreeSet<String>>,
    /// modprobe.d by file name, in the order in which they count.
    configs: BTreeMap<String, (usize, Vec<u8>)>,
}

impl ModuleIndex {
    /// Reads the tree of kernel `version` below `root`; without a version the only one there is,
    /// or that of the running kernel.
    pub fn of_tree(root: &Path, version: Option<&str>) -> Result<Self, Failure> {
        let root = std::path::absolute(root).or_cannot(|| format!("find {}", root.display()))?;
        let version = choose(&versions(&root), version, &root.display().to_string())?;
        let [first, merged] = TREES.map(|tree| root.join(tree).join(&version));
        let directory = if first.is_dir() { first } else { merged };
        let mut index = Self {
            directory: directory.display().to_string(),
            version,
            ..Self::default()
        };
        for name in INDEXES {
            if let Ok(bytes) = fs::read(directory.join(name)) {
                index.files.insert(name, bytes);
            }
        }
        for (rank, place) in CONFIGS.iter().enumerate() {
            let entries = fs::read_dir(root.join(place)).into_iter().flatten();
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                index.add_config_file(rank, &path)?;
            }
        }
        index.checked()
    }

    /// Reads what an initramfs image holds. `None`: no modules, and none were asked for.
    pub fn of_image(path: &Path, version: Option<&str>) -> Result<Option<Self>, Failure> {
        let name = path.display().to_string();
        let mut found = InImage::default();
        segments::walk(&name, &read_image(path)?, &mut found)?;
        if found.versions.is_empty() && version.is_none() {
            return Ok(None);
        }
        let known: Vec<String> = found.versions.into_iter().collect();
        let version = choose(&known, version, &name)?;
        let mut index = Self {
            directory: format!("/lib/modules/{version}"),
            modules: Some(found.modules.remove(&version).unwrap_or_default()),
            version,
            ..Self::default()
        };
        for (path, bytes) in found.files {
            match place_of(&path) {
                Some(Place::Index(of, name)) if of == index.version => {
                    index.files.insert(name, bytes);
                }
                Some(Place::Config(rank, name)) => index.add_config(rank, name, bytes),
                _ => {}
            }
        }
        index.checked().map(Some)
    }

    fn checked(self) -> Result<Self, Failure> {
        if self
            .files
            .keys()
            .any(|name| name.starts_with("modules.dep"))
        {
            return Ok(self);
        }
        let (directory, version) = (&self.directory, &self.version);
        Err(Failure::new(format!(
            "{directory} holds no modules.dep: run 'depmod {version}' (with -b for a tree that is \
             not this machine's)"
        )))
    }

    fn add_config_file(&mut self, rank: usize, path: &Path) -> Result<(), Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_config(&name) {
            let bytes = fs::read(path).or_cannot(|| format!("read {}", path.display()))?;
            self.add_config(rank, &name, bytes);
        }
        Ok(())
    }

    fn add_config(&mut self, rank: usize, name: &str, bytes: Vec<u8>) {
        let known = self.configs.get(name);
        if known.is_none_or(|(known, _)| rank <= *known) {
            self.configs.insert(name.into(), (rank, bytes));
        }
    }

    /// Is the file of a module there? `path` is one of [`Catalog::path_of`].
    pub fn holds(&self, path: &str) -> bool {
        let below = path.strip_prefix(&self.directory);
        match (&self.modules, below) {
            (Some(modules), Some(below)) => modules.contains(below.trim_start_matches('/')),
            (Some(_), None) => false,
            (None, _) => Path::new(path).exists(),
        }
    }

    /// The resolver over these files, as PID 1 builds it: what depmod collected about soft
    /// dependencies counts as files of modprobe.d, among the others by name.
    pub fn catalog(&self) -> Catalog<'_> {
        let file = |name: &str| self.files.get(name).map(Vec::as_slice);
        let files = Files {
            dep_bin: file("modules.dep.bin"),
            dep: file("modules.dep"),
            alias_bin: file("modules.alias.bin"),
            alias: file("modules.alias"),
            builtin_bin: file("modules.builtin.bin"),
            builtin: file("modules.builtin"),
            builtin_alias_bin: file("modules.builtin.alias.bin"),
            builtin_modinfo: file("modules.builtin.modinfo"),
        };
        let mut catalog = Catalog::new(&self.directory, &files);
        let mut configs: BTreeMap<&str, &[u8]> = BTreeMap::new();
        for name in ["modules.softdep", "modules.weakdep"] {
            configs.extend(file(name).map(|bytes| (name, bytes)));
        }
        let own = self.configs.iter();
        configs.extend(own.map(|(name, (_, bytes))| (name.as_str(), bytes.as_slice())));
        for (name, bytes) in configs {
            catalog.config.file(name, bytes);
        }
        catalog
    }
}

fn is_config(name: &str) -> bool {
    name.ends_with(".conf") && name.len() > 5 && !name.starts_with('.')
}

fn versions(root: &Path) -> Vec<String> {
    let places = TREES.iter().map(|tree| root.join(tree));
    let entries = places
        .filter_map(|place| fs::read_dir(place).ok())
        .flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.collect::<BTreeSet<_>>().into_iter().collect()
}

fn choose(known: &[String], wanted: Option<&str>, place: &str) -> Result<String, Failure> {
    let running = rustix::system::uname();
    let running = running.release().to_string_lossy();
    let there = known.join(", ");
    match (wanted, known) {
        (_, []) => Err(Failure::new(format!(
            "no kernel's modules are in {place}: name the directory above lib/modules"
        ))),
        (Some(wanted), _) if known.iter().any(|v| v == wanted) => Ok(wanted.into()),
        (Some(wanted), _) => Err(Failure::new(format!(
            "no modules of the kernel {wanted} in {place}: there are those of {there}"
        ))),
        (None, [only]) => Ok(only.clone()),
        (None, _) if place == "/" && known.contains(&running.clone().into_owned()) => {
            Ok(running.into_owned())
        }
        (None, _) => Err(Failure::new(format!(
            "which kernel? {place} has the modules of {there}; choose one with --kernel VERSION"
        ))),
    }
}

// -- images -----------------------------------------------------------------------------------

/// What a path in an image is to us.
enum Place<'a> {
    /// An index of this kernel.
    Index(&'a str, &'static str),
    /// A file of modprobe.d and the rank of its directory.
    Config(usize, &'a str),
    /// A module of this kernel, relative to the directory of its tree.
    Module(&'a str, &'a str),
}

fn place_of(path: &str) -> Option<Place<'_>> {
    let (directory, name) = path.rsplit_once('/')?;
    let below = |tree: &&str| path.strip_prefix(*tree)?.strip_prefix('/');
    if name.contains(".ko")
        && let Some(below) = TREES.iter().find_map(below)
    {
        let (version, module) = below.split_once('/')?;
        return Some(Place::Module(version, module));
    }
    if let Some(rank) = CONFIGS.iter().position(|config| *config == directory) {
        return is_config(name).then_some(Place::Config(rank, name));
    }
    let (tree, version) = directory.rsplit_once('/')?;
    let index = INDEXES.into_iter().find(|index| *index == name)?;
    TREES
        .contains(&tree)
        .then_some(Place::Index(version, index))
}

/// Collects from an image; of two entries with one path the last counts, as for the kernel.
#[derive(Default)]
struct InImage {
    versions: BTreeSet<String>,
    modules: BTreeMap<String, BTreeSet<String>>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Visitor for InImage {
    fn entry(&mut self, _of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(&e.path));
        let plain = path.strip_prefix("/").unwrap_or(&path);
        let plain = plain.strip_prefix(".").unwrap_or(plain);
        let Some(path) = plain.to_str().filter(|_| e.is(S_IFREG)) else {
            return Ok(());
        };
        let Some(place) = place_of(path) else {
            return Ok(());
        };
        match place {
            Place::Index(version, _) => {
                self.versions.insert(version.into());
            }
            Place::Module(version, module) => {
                let modules = self.modules.entry(version.into()).or_default();
                modules.insert(module.into());
                return Ok(());
            }
            Place::Config(..) => {}
        }
        let mut bytes = Vec::new();
        let read = body.take(FILE_MAX).read_to_end(&mut bytes);
        read.or_cannot(|| format!("read {} in the image", Text(e.path.clone())))?;
        self.files.insert(path.into(), bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indexes_and_the_configuration_are_found_in_both_layouts() {
        let check = |path: &str, expected: &str| {
            let found = match place_of(path) {
                Some(Place::Index(version, name)) => format!("{version} {name}"),
                Some(Place::Config(rank, name)) => format!("{rank} {name}"),
                Some(Place::Module(version, module)) => format!("{version} {module}"),
                None => String::new(),
            };
            assert_eq!(found, expected, "{path}");
        };
        check("lib/modules/6.1/modules.dep", "6.1 modules.dep");
        check("usr/lib/modules/6.1/modules.dep.bin", "6.1 modules.dep.bin");
        check("etc/modprobe.d/a.conf", "0 a.conf");
        check("lib/modprobe.d/a.conf", "4 a.conf");
        check("etc/modprobe.d/.conf", "");
        check("etc/modprobe.d/a.txt", "");
        check("lib/modules/6.1/kernel/modules.dep", "");
        check("modules.dep", "");
        check("lib/modules/6.1/kernel/fs/a.ko.xz", "6.1 kernel/fs/a.ko.xz");
    }

    #[test]
    fn a_kernel_is_only_chosen_where_there_is_no_doubt() {
        let none = Vec::new();
        let (one, two) = (vec!["1".to_string()], vec!["1".to_string(), "2".into()]);
        assert_eq!(choose(&one, None, "x").unwrap(), "1");
        assert_eq!(choose(&two, Some("2"), "x").unwrap(), "2");
        for (known, wanted, word) in [
            (&two, None, "--kernel"),
            (&one, Some("3"), "of 1"),
            (&none, None, "no kernel's"),
        ] {
            let failure = choose(known, wanted, "x").unwrap_err();
            assert!(failure.text.contains(word), "{failure}");
        }
    }
}
