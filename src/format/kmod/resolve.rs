//! From an alias to modules, with all that loading them takes.
//!
//! The places are asked in kmod's order and the first one that knows the alias decides: `alias`
//! lines of modprobe.d, modules by name, `install` lines, modules.alias, built-in modules by name,
//! their aliases. modules.symbols is left out: nobody but depmod asks for symbols.
//!
//! Source: modprobe(8); `kmod_module_new_from_lookup` in kmod's libkmod manual.

use super::catalog::Catalog;
use super::names;
use super::{Module, Resolution};
use crate::base::list::Listed;
use alloc::string::String;
use alloc::vec::Vec;

/// Names in one resolution, repetitions counted. The largest real ones have some hundreds.
const NAMES_MAX: usize = 16 * 1024;
/// Soft dependencies of one module, in each direction.
const SOFT_MAX: usize = 64;

/// See [`Catalog::resolve`].
pub fn resolve(catalog: &Catalog<'_>, alias: &[u8]) -> Resolution {
    let found = look_up(catalog, &names::canonical(alias));
    let mut out = Resolution {
        builtin: found.builtin,
        ..Resolution::default()
    };
    for name in found.names {
        let config = &catalog.config;
        let listed = found.by_alias && config.blacklisted(name.as_bytes());
        if listed || config.refusal(name.as_bytes()).is_some() {
            out.blacklisted.push(name);
        } else {
            out.answers.push(name);
        }
    }
    out.modules = closure(catalog, &out.answers);
    out
}

/// Modules that provide `name`, for a dependency: built-in ones need none, refused ones are none.
pub fn providers(catalog: &Catalog<'_>, name: &[u8]) -> Vec<String> {
    let mut names = look_up(catalog, &names::canonical(name)).names;
    names.retain(|n| catalog.config.refusal(n.as_bytes()).is_none());
    names
}

/// The modules that answer, before any blacklist.
#[derive(Default)]
struct Lookup {
    names: Vec<String>,
    builtin: bool,
    by_alias: bool,
}

fn look_up(catalog: &Catalog<'_>, key: &[u8]) -> Lookup {
    let mut out = Lookup {
        by_alias: true,
        ..Lookup::default()
    };
    let mut aliased = false;
    for name in catalog.config.aliases(key) {
        aliased = true;
        add(catalog, &mut out, name);
    }
    if aliased {
        return sorted(out);
    }
    // A command that is not run leaves nothing to load; `true` and `false` show as a refusal.
    let refused = catalog.config.refusal(key).is_some();
    if catalog.has(key) || refused || catalog.config.commanded(key) {
        out.by_alias = false;
        if refused || catalog.has(key) {
            out.names.extend(names::of_path(key));
        }
        return out;
    }
    let found = catalog.alias.matching(key);
    for name in found.names() {
        add(catalog, &mut out, name);
    }
    if found.is_empty() {
        out.builtin = catalog.is_builtin(key) || !catalog.builtin_alias.matching(key).is_empty();
    }
    sorted(out)
}

/// Adds a module that an alias names: once, and only if there is such a module.
fn add(catalog: &Catalog<'_>, out: &mut Lookup, name: &[u8]) {
    if catalog.has(name) {
        if let Some(name) = names::of_path(name)
            && !out.names.contains(&name)
        {
            out.names.push(name);
        }
    } else if catalog.is_builtin(name) {
        out.builtin = true;
    }
}

/// Of several providers the accelerated ones come first. By depmod's order alone the portable
/// one can win, and with it hashing a signed module takes several times as long.
fn sorted(mut lookup: Lookup) -> Lookup {
    let (portable, fast): (Vec<_>, Vec<_>) = core::mem::take(&mut lookup.names)
        .into_iter()
        .partition(|name| name.ends_with("_generic"));
    lookup.names = fast;
    lookup.names.extend(portable);
    lookup
}

/// `answers`, what they need, what goes before and after them, and so on: each module once.
fn closure(catalog: &Catalog<'_>, answers: &[String]) -> Vec<Module> {
    let mut wanted = answers.to_vec();
    let mut modules: Vec<Module> = Vec::new();
    let mut names = 0_usize;
    while let Some(name) = wanted.pop() {
        if modules.iter().any(|m| m.name == name) {
            continue;
        }
        let module = describe(catalog, name);
        let soft = module.before.iter().chain(&module.after).flatten();
        let before = wanted.len();
        wanted.extend(module.needs.iter().chain(soft).cloned());
        names = names.saturating_add(wanted.len().saturating_sub(before));
        modules.push(module);
        if names > NAMES_MAX {
            break;
        }
    }
    modules
}

fn describe(catalog: &Catalog<'_>, name: String) -> Module {
    let (before, after) = catalog.config.softdeps(name.as_bytes());
    let provided = |list: Vec<&[u8]>| -> Vec<Vec<String>> {
        let lists = list
            .into_iter()
            .take(SOFT_MAX)
            .map(|soft| providers(catalog, soft));
        lists.filter(|names| !names.is_empty()).listed()
    };
    Module {
        needs: catalog.needs_of(&name),
        before: provided(before),
        after: provided(after),
        name,
    }
}
