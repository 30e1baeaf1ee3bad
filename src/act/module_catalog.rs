//! Opens the module tree of one kernel: indexes mapped, modprobe.d read.
//!
//! Nothing here fails. A tree that is missing or damaged gives a catalog that knows less, and says
//! so: a kernel with every driver built in boots without any.
//!
//! Sources: modules.dep(5), modprobe.d(5).

use crate::base::list::Listed;
use crate::format::kmod::{self, CONFIGS, Files, TREES};
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::{map, module};

/// A catalog whose files stay mapped.
pub type Catalog = kmod::Catalog<'static>;

/// Bytes of one index; Debian's largest is 1.3 MiB.
const INDEX_MAX: u64 = 64 << 20;
/// Bytes of one modprobe.d file, and number of files.
const CONFIG_MAX: usize = 1 << 20;
const CONFIG_FILES_MAX: usize = 256;

/// The place of `path` below a directory.
pub(super) fn below(dir: &str, path: &str) -> String {
    [dir.trim_end_matches('/'), "/", path].concat()
}

/// Opens the tree of the running kernel below `root`. See [`open`].
pub fn open_running(root: &str) -> Catalog {
    open(root, &module::kernel_version())
}

/// Opens the tree of kernel `version` below `root`.
///
/// The words of the kernel command line are to be added after it (`catalog.config.word`), and
/// `catalog.oddities` to be said.
pub fn open(root: &str, version: &str) -> Catalog {
    let configs: Vec<String> = CONFIGS.iter().map(|dir| below(root, dir)).listed();
    let mut trees = TREES.iter().map(|tree| below(&below(root, tree), version));
    let is_there = |path: &String| dir::open_path(path.as_bytes(), Want::DirectoryPlace).is_ok();
    match trees.find(is_there) {
        Some(dir) => open_tree(&dir, &configs),
        None => {
            let mut catalog = Catalog::default();
            catalog.complaints.push(format!(
                "no modules of kernel {version} below {}: nothing can be loaded, \
                 the kernel must have its drivers built in",
                below(root, "lib/modules")
            ));
            read_configs(&mut catalog, None, &configs);
            catalog
        }
    }
}

/// Opens the modules directory `dir` with the modprobe.d directories `configs`, first one first.
pub fn open_tree(dir: &str, configs: &[String]) -> Catalog {
    let mut complaints = Vec::new();
    // The text of an index is only looked at where its binary form does not serve.
    let mut index = |binary: &str, text: &str| {
        let bytes = map_index(&below(dir, binary), &mut complaints);
        let serves = bytes.is_some_and(kmod::is_index);
        let text = (!serves).then(|| map_index(&below(dir, text), &mut complaints));
        (bytes, text.flatten())
    };
    let (dep_bin, dep) = index("modules.dep.bin", "modules.dep");
    let (alias_bin, alias) = index("modules.alias.bin", "modules.alias");
    let (builtin_bin, builtin) = index("modules.builtin.bin", "modules.builtin");
    let (builtin_alias_bin, builtin_modinfo) =
        index("modules.builtin.alias.bin", "modules.builtin.modinfo");
    let files = Files {
        dep_bin,
        dep,
        alias_bin,
        alias,
        builtin_bin,
        builtin,
        builtin_alias_bin,
        builtin_modinfo,
    };
    let mut catalog = Catalog::new(dir, &files);
    catalog.complaints = complaints;
    if files.dep.is_some_and(<[u8]>::is_empty) {
        catalog.complaints.push(format!(
            "{dir}/modules.dep is empty: if there are modules, the depmod that ran on it cannot \
             read their compression; no module can be loaded"
        ));
    }
    if catalog.is_empty() {
        catalog.complaints.push(format!(
            "{dir} holds no modules.dep: run depmod on it; no module can be loaded"
        ));
    }
    read_configs(&mut catalog, Some(dir), configs);
    catalog
}

fn map_index(path: &str, complaints: &mut Vec<String>) -> Option<&'static [u8]> {
    match map::read_only(path, INDEX_MAX) {
        Ok(bytes) => Some(bytes),
        Err(fail) if fail.errno == libc::ENOENT => None,
        Err(fail) => {
            complaints.push(format!("{fail}: left out"));
            None
        }
    }
}

/// Reads all configuration in the order of file names. The soft dependencies that depmod
/// collected count as files of theirs: modprobe.d can come before or after them.
fn read_configs(catalog: &mut Catalog, tree: Option<&str>, dirs: &[String]) {
    let mut files: Confs = Vec::new();
    for name in ["modules.softdep", "modules.weakdep"] {
        if let Some(tree) = tree {
            files.push((name.into(), below(tree, name)));
        }
    }
    add_conf_files(&mut files, dirs);
    for (_, path) in files {
        read_config(catalog, &path);
    }
}

/// Configuration files: the name that they are ordered by, and the path.
type Confs = Vec<(Vec<u8>, String)>;

/// Adds the `*.conf` files of these directories, ordered by name; the first of a name counts.
pub(super) fn add_conf_files(files: &mut Confs, dirs: &[String]) {
    for dir in dirs {
        let Ok(folder) = dir::open_path(dir.as_bytes(), Want::Directory) else {
            continue;
        };
        // What cannot be listed to its end holds what was listed.
        let _ = dir::list(&folder, &mut |name, _| {
            let bytes = name.to_bytes();
            let wanted = bytes.ends_with(b".conf") && bytes.len() > 5 && !bytes.starts_with(b".");
            if !wanted || files.len() >= CONFIG_FILES_MAX {
                return;
            }
            // Directories are few and files are few: a list kept in order is enough.
            let place = files.binary_search_by(|(known, _)| known.as_slice().cmp(bytes));
            if let (Err(at), Ok(name)) = (place, name.to_str()) {
                files.insert(at, (bytes.into(), below(dir, name)));
            }
        });
    }
}

fn read_config(catalog: &mut Catalog, path: &str) {
    let file = dir::open_path(path.as_bytes(), Want::Contents);
    match file.and_then(|file| dir::read_all(file, CONFIG_MAX)) {
        Ok(text) => catalog.config.file(path, &text),
        Err(fail) if fail.errno == libc::ENOENT => {}
        Err(fail) => {
            let fail = Fail::new("read", path, fail.errno);
            catalog.complaints.push(format!("{fail}: left out"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("landfall-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn a_missing_tree_knows_nothing_and_says_so() {
        let root = scratch("no-tree");
        let catalog = open(root.to_str().unwrap(), "1.2.3");
        assert!(catalog.is_empty());
        assert_eq!(catalog.resolve(b"ext4"), Default::default());
        assert!(catalog.complaints[0].contains("1.2.3"));
        std::fs::remove_dir_all(root).unwrap();
    }

    /// As depmod without zlib (Debian's) leaves it beside modules that are all `.ko.gz`.
    #[test]
    fn an_empty_index_is_named() {
        let root = scratch("empty-dep");
        for (dep, complaints) in [("", 1), ("a.ko:\n", 0)] {
            std::fs::write(root.join("modules.dep"), dep).unwrap();
            let said = open_tree(root.to_str().unwrap(), &[]).complaints;
            assert_eq!(said.len(), complaints, "{said:?}");
            assert!(said.iter().all(|s| s.contains("modules.dep is empty")));
        }
        std::fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn configuration_is_read_by_name_and_the_first_directory_wins() {
        let root = scratch("configs");
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("usr/lib/modules/1/modules.dep", "a.ko:\nb.ko:\nc.ko:\n");
        write("usr/lib/modules/1/modules.softdep", "softdep a pre: b\n");
        write("lib/modprobe.d/z.conf", "softdep a pre: c\noptions a z=1\n");
        write("lib/modprobe.d/m.conf", "options a shadowed=1\n");
        write("etc/modprobe.d/m.conf", "options a m=1\n");
        write("etc/modprobe.d/b.txt", "options a no=1\n");
        let catalog = open(root.to_str().unwrap(), "1");
        assert_eq!(catalog.options_for("a"), b"m=1 z=1");
        let found = catalog.resolve(b"a").modules;
        assert_eq!(
            found.iter().find(|m| m.name == "a").unwrap().before,
            [["b"]]
        );
        assert_eq!(catalog.oddities().count(), 0);
        write("etc/modprobe.d/m.conf", "install a /usr/bin/play\n");
        let said: Vec<String> = open(root.to_str().unwrap(), "1")
            .oddities()
            .cloned()
            .collect();
        assert!(said.len() == 1 && said[0].contains("m.conf"), "{said:?}");
        std::fs::remove_dir_all(root).unwrap();
    }
}
