//! Does an image want the module that makes its kernel check signatures faster?
//!
//! Portable hashing is most of what loading a signed module takes, and a module with the
//! processor's own instructions halves it; but that module is hashed the slow way itself, and its
//! self-tests run. Counted in instructions on Debian's kernel it has paid for itself when 8.6 times
//! its own size was hashed. `/init` loads it first if the image holds it.

use crate::format::kmod::{TAIL, signed_over};
use crate::host::failure::Failure;
use crate::host::module_tree::ModuleTree;
use crate::host::tree::read_unpacked;
use std::collections::BTreeSet;

/// It goes in if the signed modules of the image have this many times its bytes.
const PAYS_FROM: usize = 10;

/// The modules to add to `chosen`: none where they are not signed, or too small in all.
pub fn wanted(tree: &ModuleTree, chosen: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let files = tree.dependencies().filter(|m| chosen.contains(&m.name));
    let mut signed = 0_usize;
    let mut candidates = None;
    for module in files {
        let bytes = read_unpacked(&tree.file(module.path))?;
        let tail = bytes.get(bytes.len().saturating_sub(TAIL)..);
        let Some(hash) = tail.and_then(signed_over) else {
            continue;
        };
        let (names, size) = match &candidates {
            Some(known) => known,
            None => candidates.insert(accelerators(tree, hash)?),
        };
        signed = signed.saturating_add(bytes.len());
        if names.is_empty() {
            break;
        }
        if signed / PAYS_FROM >= *size {
            return Ok(names.clone());
        }
    }
    Ok(Vec::new())
}

/// All modules that compute this hash with a processor's own instructions, and the largest's size:
/// which processor it will be is not known yet.
fn accelerators(tree: &ModuleTree, hash: &str) -> Result<(Vec<String>, usize), Failure> {
    let names = tree.catalog().accelerators_of(hash);
    let mut largest = 0;
    for module in tree.dependencies().filter(|m| names.contains(&m.name)) {
        largest = read_unpacked(&tree.file(module.path))?.len().max(largest);
    }
    Ok((names, largest))
}
