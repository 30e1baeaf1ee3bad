//! From what a target needs to every module that must be in its image.
//!
//! Hard dependencies, soft ones before and after, weak ones, and of an alias every provider: which
//! of them fits the machine is known only when it boots. And what a module asks the kernel for
//! without a word of it in the indexes.

use crate::format::kmod::Catalog;
use crate::host::accelerator;
use crate::host::arch::Arch;
use crate::host::failure::Failure;
use crate::host::generic;
use crate::host::module_tree::ModuleTree;
use crate::host::networks;
use std::collections::BTreeSet;

/// Modules that do not start without an algorithm, which they ask for by name when they start.
/// fs/ubifs/compress.c, `ubifs_compressors_init`.
const ASKED_FOR: [(&str, &[&str]); 1] =
    [("ubifs", &["crypto-lzo", "crypto-deflate", "crypto-zstd"])];

/// Which modules were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    pub generic: bool,
    /// What leads to roots on servers.
    pub network: bool,
    /// Names, aliases, modaliases, or types of file systems.
    pub named: Vec<String>,
}

/// The names of all modules that `needs` imply.
pub fn close(tree: &ModuleTree, needs: &Needs) -> Result<BTreeSet<String>, Failure> {
    let catalog = tree.catalog();
    let mut closure = BTreeSet::new();
    for name in &needs.named {
        if !include(&catalog, name, &mut closure) {
            return Err(Failure::new(format!(
                "the kernel {} has no module, alias, file system or built-in called '{name}'",
                tree.version
            )));
        }
    }
    if needs.generic {
        let with_firmware_tables = matches!(tree.arch(), None | Some(Arch::X86_64));
        let wanted = |path: &str| {
            generic::has_path(path) || !with_firmware_tables && generic::carries_disks(path)
        };
        for module in tree.dependencies() {
            if std::str::from_utf8(module.path).is_ok_and(wanted) {
                include(&catalog, &module.name, &mut closure);
            }
        }
        for name in generic::names() {
            include(&catalog, &name, &mut closure);
        }
    }
    if needs.network {
        for module in tree.dependencies() {
            if std::str::from_utf8(module.path).is_ok_and(networks::has_path) {
                include(&catalog, &module.name, &mut closure);
            }
        }
        for name in networks::names() {
            include(&catalog, name, &mut closure);
        }
    }
    for name in accelerator::wanted(tree, &closure)? {
        include(&catalog, &name, &mut closure);
    }
    Ok(closure)
}

/// Adds what `name` leads to. False if it leads nowhere.
fn include(catalog: &Catalog<'_>, name: &str, closure: &mut BTreeSet<String>) -> bool {
    if closure.contains(name) {
        return true;
    }
    let direct = catalog.resolve(name.as_bytes());
    let found = if direct.answers.is_empty() && !direct.builtin {
        catalog.resolve(format!("fs-{name}").as_bytes())
    } else {
        direct
    };
    let mut more = Vec::new();
    for module in &found.modules {
        if closure.insert(module.name.clone()) {
            more.extend(catalog.weak_of(&module.name));
            let asking = ASKED_FOR.iter().filter(|(name, _)| *name == module.name);
            more.extend(asking.flat_map(|(_, asked)| asked.iter().map(ToString::to_string)));
        }
    }
    for name in more {
        include(catalog, &name, closure);
    }
    found.builtin || !found.answers.is_empty()
}
