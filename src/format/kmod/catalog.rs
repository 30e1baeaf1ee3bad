//! The indexes and the configuration of one module tree, and what is asked of them.
//!
//! Files are given as bytes; who reads them is not known here. An index that depmod wrote in
//! binary form is used as it lies; where it is missing or not understood, the text takes its place.
//!
//! Sources: modules.dep(5), modprobe(8), modprobe.d(5).

use super::Resolution;
use super::config::Config;
use super::lines::Lines;
use super::lookup::Index;
use super::names;
use super::resolve;
use super::trie::Trie;
use crate::base::list::Listed;
use crate::base::text::Joined;
use alloc::string::String;
use alloc::vec::Vec;

/// The files of a modules directory that are there.
#[derive(Clone, Copy, Default)]
pub struct Files<'a> {
    pub dep_bin: Option<&'a [u8]>,
    pub dep: Option<&'a [u8]>,
    pub alias_bin: Option<&'a [u8]>,
    pub alias: Option<&'a [u8]>,
    pub builtin_bin: Option<&'a [u8]>,
    pub builtin: Option<&'a [u8]>,
    pub builtin_alias_bin: Option<&'a [u8]>,
    pub builtin_modinfo: Option<&'a [u8]>,
}

/// Everything that is known about the modules of one kernel. The default knows none.
#[derive(Default)]
pub struct Catalog<'a> {
    /// The modules directory, which paths are relative to.
    pub dir: String,
    /// modprobe.d and the kernel command line.
    pub config: Config,
    /// What was odd about the tree: one sentence each.
    pub complaints: Vec<String>,
    pub(super) dep: Index<'a>,
    pub(super) alias: Index<'a>,
    pub(super) builtin: Index<'a>,
    pub(super) builtin_alias: Index<'a>,
}

impl<'a> Catalog<'a> {
    pub fn new(dir: &str, files: &Files<'a>) -> Self {
        Self {
            dir: dir.into(),
            config: Config::default(),
            complaints: Vec::new(),
            dep: index(files.dep_bin, files.dep, Lines::dependencies),
            alias: index(files.alias_bin, files.alias, Lines::aliases),
            builtin: index(files.builtin_bin, files.builtin, Lines::builtin),
            builtin_alias: index(
                files.builtin_alias_bin,
                files.builtin_modinfo,
                Lines::builtin_aliases,
            ),
        }
    }

    /// What was odd about the tree, and about its configuration: one sentence each.
    pub fn oddities(&self) -> impl Iterator<Item = &String> {
        self.complaints.iter().chain(&self.config.complaints)
    }

    /// Is there no list of modules at all? Then the kernel has everything built in, or nothing.
    pub fn is_empty(&self) -> bool {
        self.dep.is_absent()
    }

    /// What an alias, a modalias or a module name leads to.
    pub fn resolve(&self, alias: &[u8]) -> Resolution {
        resolve::resolve(self, alias)
    }

    /// Is there such a module in the tree?
    pub fn has(&self, module: &[u8]) -> bool {
        self.dep.exact(module).is_some()
    }

    /// Is it part of the kernel?
    pub fn is_builtin(&self, module: &[u8]) -> bool {
        self.builtin.exact(module).is_some()
    }

    /// The file of a module, as `modules.dep` has it: relative to `dir`, or absolute.
    pub fn path_of(&self, module: &str) -> Option<String> {
        let line = self.dep.exact(module.as_bytes())?;
        let path = core::str::from_utf8(paths(line).next()?).ok()?;
        if path.starts_with('/') {
            return Some(path.into());
        }
        Some([self.dir.as_str(), path].joined("/"))
    }

    /// Hard dependencies, all of them: loading from left to right works.
    pub fn needs_of(&self, module: &str) -> Vec<String> {
        let Some(line) = self.dep.exact(module.as_bytes()) else {
            return Vec::new();
        };
        // depmod writes the nearest first.
        let mut needs: Vec<String> = paths(line)
            .skip(1)
            .take(NEEDS_MAX)
            .filter_map(names::of_path)
            .listed();
        needs.reverse();
        needs
    }

    /// The parameters to load a module with.
    pub fn options_for(&self, module: &str) -> Vec<u8> {
        self.config.options(module.as_bytes())
    }

    /// Why a module must not be loaded by anybody, if so.
    pub fn refusal(&self, module: &str) -> Option<&'static str> {
        self.config.refusal(module.as_bytes())
    }

    /// Modules of the image that provide the algorithm `name` of the crypto API (`sha256`) with
    /// more than portable C, best first. Blacklisted ones are left out.
    pub fn accelerators_of(&self, name: &str) -> Vec<String> {
        let mut names = resolve::providers(self, [b"crypto-", name.as_bytes()].concat().as_slice());
        names.retain(|n| !n.ends_with("_generic") && !self.config.blacklisted(n.as_bytes()));
        names
    }

    /// Which of these modules does the machine with this modalias ask for itself?
    pub fn first_for<'n>(&self, modalias: &[u8], modules: &'n [String]) -> Option<&'n String> {
        let found = self.alias.matching(&names::canonical(modalias));
        let fits = |name: &&String| {
            found
                .names()
                .any(|n| names::canonical(n) == name.as_bytes())
        };
        modules.iter().find(fits)
    }

    /// Modules that this one may ask the kernel for while it runs (`weakdep`): an image that holds
    /// the one should hold the others.
    pub fn weak_of(&self, module: &str) -> Vec<String> {
        let mut out = Vec::new();
        for name in self.config.weakdeps(module.as_bytes()) {
            out.extend(resolve::providers(self, name));
        }
        out
    }
}

/// No module of a distribution needs more than 40 others.
const NEEDS_MAX: usize = 512;

fn index<'a>(
    binary: Option<&'a [u8]>,
    text: Option<&'a [u8]>,
    build: fn(&'a [u8]) -> Lines<'a>,
) -> Index<'a> {
    match (binary.and_then(Trie::new), text) {
        (Some(trie), _) => Index::Trie(trie),
        (None, Some(text)) => Index::Lines(build(text)),
        (None, None) => Index::Absent,
    }
}

/// `PATH: PATH PATH…`: the module's own path, then what it needs.
fn paths(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    names::words(line).map(|word| word.strip_suffix(b":").unwrap_or(word))
}
