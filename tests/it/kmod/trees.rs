//! Module trees to test with, and our catalogs over them.

use landfall::format::cmdline;
use landfall::format::kmod::{Catalog, Files};
use std::fs;
use std::path::{Path, PathBuf};

/// A root directory with the modules of one kernel below `lib/modules/VERSION`.
pub struct Tree {
    pub root: PathBuf,
    pub version: String,
    pub dir: PathBuf,
}

const HOW: &str = "no module tree to test with: set LANDFALL_TEST_TREES=ROOT@VERSION, where \
    ROOT/lib/modules/VERSION is a tree that depmod(8) has seen (`/@$(uname -r)` will do), or let \
    the test runner unpack Debian's kernels into target/lab/kernels";

/// All trees that are there; fails if there is none.
pub fn all() -> Vec<Tree> {
    let named = std::env::var("LANDFALL_TEST_TREES").unwrap_or_default();
    let named = named.split(':').filter_map(|tree| tree.split_once('@'));
    let mut trees: Vec<Tree> = named.map(|(root, v)| Tree::new(root.as_ref(), v)).collect();
    if trees.is_empty() {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab/kernels");
        for root in folders(&lab) {
            for dir in folders(&root.join("lib/modules")) {
                let version = dir.file_name().unwrap().to_string_lossy();
                trees.push(Tree::new(&root, &version));
            }
        }
    }
    assert!(!trees.is_empty(), "{HOW}");
    trees
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    found.sort();
    found
}

impl Tree {
    fn new(root: &Path, version: &str) -> Self {
        let dir = root.join("lib/modules").join(version);
        assert!(
            dir.join("modules.dep.bin").exists(),
            "{}: run depmod on it",
            dir.display()
        );
        Self {
            root: root.into(),
            version: version.into(),
            dir,
        }
    }

    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.dir.join(name)).unwrap_or_default();
        String::from_utf8(bytes).unwrap()
    }

    /// Our view of the tree, by one form of its indexes only. The running kernel's command line
    /// counts, as it does for modprobe.
    pub fn catalog(&self, binary: bool, config: &str) -> Catalog<'static> {
        let read = |name: &str| -> Option<&'static [u8]> {
            let bytes = fs::read(self.dir.join(name)).ok()?;
            (name.ends_with(".bin") == binary).then(|| &*bytes.leak())
        };
        let files = Files {
            dep_bin: read("modules.dep.bin"),
            dep: read("modules.dep"),
            alias_bin: read("modules.alias.bin"),
            alias: read("modules.alias"),
            builtin_bin: read("modules.builtin.bin"),
            builtin: read("modules.builtin"),
            builtin_alias_bin: read("modules.builtin.alias.bin"),
            builtin_modinfo: read("modules.builtin.modinfo"),
        };
        let mut catalog = Catalog::new(self.dir.to_str().unwrap(), &files);
        catalog.config.file("a.conf", config.as_bytes());
        let softdeps = self.read("modules.softdep");
        catalog.config.file("modules.softdep", softdeps.as_bytes());
        let words = fs::read("/proc/cmdline").unwrap();
        for word in cmdline::words(&words) {
            catalog.config.word(word.key, word.value);
        }
        catalog
    }
}
