//! Looks whether this kernel checks the signatures of modules, and whether the image holds
//! a module that makes this machine hash them faster.
//!
//! Portable hashing is most of what loading a signed module takes. Which hash it is stands in the
//! signature of the candidate itself; whether the processor has the instructions is what its
//! modalias says. Nothing is loaded here, and nothing fails: without an answer all is as before.
//!
//! Sources: kernel/module/signing.c (`sig_enforce` exists wherever signatures are checked);
//! Documentation/ABI/testing/sysfs-devices-system-cpu (`modalias`).

use super::module_catalog::Catalog;
use crate::format::kmod::{TAIL, signed_over};
use crate::sys::dir::{self, Want};
use crate::sys::proc_sys;

const CHECKED: &str = "/sys/module/module/parameters/sig_enforce";
const CPU: &str = "/sys/devices/system/cpu/modalias";
/// x86 lists every feature of the processor: 2 KiB.
const CPU_BYTES: usize = 4096;

/// Hashes that kernels sign modules with (`CONFIG_MODULE_SIG_HASH`), the usual ones first.
const HASHES: [&str; 3] = ["sha256", "sha512", "sha384"];

/// The hash and the module, if it is worth loading first.
pub fn find(catalog: &Catalog) -> Option<(&'static str, String)> {
    let candidates = |hash: &&str| {
        let names = catalog.accelerators_of(hash);
        // All modules of a kernel are signed in the same way: one tells.
        let first = names.first()?;
        (signature_of(catalog, first)? == *hash).then_some(names)
    };
    let (hash, names) = HASHES
        .iter()
        .find_map(|hash| Some((*hash, candidates(hash)?)))?;
    let _ = dir::open_path(CHECKED.as_bytes(), Want::Place).ok()?;
    let cpu = proc_sys::read(CPU, CPU_BYTES).ok()?;
    let module = catalog.first_for(cpu.trim_ascii(), &names)?;
    Some((hash, module.clone()))
}

fn signature_of(catalog: &Catalog, module: &str) -> Option<&'static str> {
    let path = catalog.path_of(module)?;
    let file = dir::open_path(path.as_bytes(), Want::Contents).ok()?;
    let bytes = dir::status(&file).ok()?.bytes;
    let mut tail = [0; TAIL];
    let length = dir::read_at(&file, &mut tail, bytes.saturating_sub(TAIL as u64)).ok()?;
    signed_over(tail.get(..length)?)
}
