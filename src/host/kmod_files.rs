//! depmod's files about a module tree, cut down to the modules that are in an image.
//!
//! Lines are kept in their order, which is the order of preference. Modules are stored unpacked,
//! so the paths lose `.gz`, `.xz` and `.zst`. Of the built-in modules' information only the
//! aliases are kept: nothing else of it is looked up at boot. The index of symbols is left out:
//! only depmod asks for symbols.
//!
//! Sources: modules.dep(5), depmod(8).

use crate::format::kmod::of_path;
use crate::host::decompress;
use crate::host::failure::Failure;
use crate::host::kmod_index::Index;
use crate::host::module_tree::ModuleTree;
use std::collections::{BTreeMap, BTreeSet};

/// Name and contents of every file.
pub fn prune(
    tree: &ModuleTree,
    modules: &BTreeSet<String>,
) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let mut dep = Vec::new();
    let mut dep_index = Index::default();
    let mut rank = BTreeMap::new();
    for module in tree.dependencies() {
        if !modules.contains(&module.name) || rank.contains_key(&module.name) {
            continue;
        }
        let priority = rank.len() as u32;
        let mut line = [plain_name(module.path), b":"].concat();
        for need in module.needs {
            line.push(b' ');
            line.extend(plain_name(need));
        }
        dep_index.insert(module.name.as_bytes(), &line, priority);
        dep.extend(line);
        dep.push(b'\n');
        rank.insert(module.name, priority);
    }
    let (alias, alias_index) = aliases(&tree.alias, &rank);
    let (builtin_info, builtin_alias_index) = builtin_aliases(&tree.builtin_modinfo);
    let mut builtin_index = Index::default();
    for path in tree.builtin.split(|&b| b == b'\n') {
        if let Some(name) = of_path(path) {
            builtin_index.insert(name.as_bytes(), b"", 0);
        }
    }
    let mut files = vec![
        ("modules.alias", alias),
        ("modules.alias.bin", bytes(&alias_index)?),
        ("modules.builtin", tree.builtin.clone()),
        ("modules.builtin.alias.bin", bytes(&builtin_alias_index)?),
        ("modules.builtin.bin", bytes(&builtin_index)?),
        ("modules.builtin.modinfo", builtin_info),
        ("modules.dep", dep),
        ("modules.dep.bin", bytes(&dep_index)?),
        ("modules.devname", lines_about(&tree.devname, 0, modules)),
        ("modules.softdep", lines_about(&tree.softdep, 1, modules)),
        ("modules.weakdep", lines_about(&tree.weakdep, 1, modules)),
    ];
    files.retain(|(_, contents)| !contents.is_empty());
    Ok(files)
}

/// A module's path without the suffix of its compression.
pub fn plain_name(path: &[u8]) -> &[u8] {
    let suffix = decompress::suffix(path).map_or("", |(suffix, _)| suffix);
    path.strip_suffix(suffix.as_bytes()).unwrap_or(path)
}

fn bytes(index: &Index) -> Result<Vec<u8>, Failure> {
    let too_large = || Failure::new("cannot write the module indexes: they exceed 256 MiB");
    index.to_bytes().ok_or_else(too_large)
}

/// `alias PATTERN MODULE`, and comments.
fn aliases(text: &[u8], rank: &BTreeMap<String, u32>) -> (Vec<u8>, Index) {
    let mut kept = Vec::new();
    let mut index = Index::default();
    for line in text.split(|&b| b == b'\n') {
        let words: Vec<&[u8]> = line.split(|&b| b == b' ').collect();
        if let &[b"alias", pattern, module] = words.as_slice() {
            let name = of_path(module);
            let Some((name, &priority)) = name.as_ref().and_then(|n| rank.get_key_value(n)) else {
                continue;
            };
            index.insert(&canonical(pattern), name.as_bytes(), priority);
        } else if !line.starts_with(b"#") {
            continue;
        }
        kept.extend(line);
        kept.push(b'\n');
    }
    (kept, index)
}

/// `-` is `_` in an index's keys, except between brackets.
fn canonical(pattern: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let swap = |&byte: &u8| {
        inside = (inside || byte == b'[') && byte != b']';
        if byte == b'-' && !inside { b'_' } else { byte }
    };
    pattern.iter().map(swap).collect()
}

/// `MODULE.alias=PATTERN`, each ended by NUL.
fn builtin_aliases(modinfo: &[u8]) -> (Vec<u8>, Index) {
    let mut kept = Vec::new();
    let mut index = Index::default();
    for field in modinfo.split(|&b| b == 0) {
        let Some(dot) = field.iter().position(|&b| b == b'.') else {
            continue;
        };
        let (module, rest) = field.split_at(dot);
        let Some(pattern) = rest.strip_prefix(b".alias=") else {
            continue;
        };
        if let Some(name) = of_path(module) {
            index.insert(&canonical(pattern), name.as_bytes(), 0);
            kept.extend(field);
            kept.push(0);
        }
    }
    (kept, index)
}

/// Comments, and the lines whose word number `column` names a module of the image.
fn lines_about(text: &[u8], column: usize, modules: &BTreeSet<String>) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        let word = line.split(|&b| b == b' ').nth(column);
        let about = word.and_then(of_path).is_some_and(|n| modules.contains(&n));
        if about || line.starts_with(b"#") {
            kept.extend(line);
            kept.push(b'\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_other_modules_go() {
        let modules = BTreeSet::from(["a_b".to_owned()]);
        let text = b"# head\nsoftdep a-b pre: x\nsoftdep c pre: a_b\n";
        let kept = lines_about(text, 1, &modules);
        assert_eq!(kept, b"# head\nsoftdep a-b pre: x\n");
    }

    #[test]
    fn only_aliases_of_builtin_modules_stay() {
        let (kept, _) = builtin_aliases(b"a.license=GPL\0a.alias=fs-a\0b.parm=x:y\0");
        assert_eq!(kept, b"a.alias=fs-a\0");
    }

    #[test]
    fn dashes_survive_only_between_brackets() {
        assert_eq!(canonical(b"a-b[0-9]c-d"), b"a_b[0-9]c_d");
    }
}
