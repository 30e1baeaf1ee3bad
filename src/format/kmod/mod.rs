//! Kernel module indexes: which modules answer a name or a modalias, and what they need.
//!
//! Sources: modules.dep(5), modprobe.d(5), depmod(8), and kmod's index format.

mod catalog;
mod config;
mod glob;
mod lines;
mod lookup;
mod modinfo;
mod names;
mod resolve;
mod signature;
#[cfg(test)]
mod tests;
mod trie;

pub use catalog::{Catalog, Files};
pub use config::Config;
pub use glob::{matches, same};
pub use modinfo::{Modinfo, modinfo};
pub use names::of_path;
pub use signature::{TAIL, signed_over};
pub use trie::is_index;

use alloc::string::String;
use alloc::vec::Vec;

/// Where the trees of all kernels are, below the root.
pub const TREES: [&str; 2] = ["lib/modules", "usr/lib/modules"];

/// Where modprobe.d is, below the root. Of two files with the same name the one in the earlier
/// directory counts.
pub const CONFIGS: [&str; 5] = [
    "etc/modprobe.d",
    "run/modprobe.d",
    "usr/local/lib/modprobe.d",
    "usr/lib/modprobe.d",
    "lib/modprobe.d",
];

/// One module that may have to be loaded. Names are canonical: `_` for `-`, no suffix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    /// Hard dependencies, all of them (modules.dep lists them transitively).
    pub needs: Vec<String>,
    /// Soft dependencies to try before: for each, the modules that provide it, best first.
    pub before: Vec<Vec<String>>,
    /// Soft dependencies to try after.
    pub after: Vec<Vec<String>>,
}

/// What an alias, a modalias or a name resolves to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// The modules that answer, best first. Blacklisted ones are left out.
    pub answers: Vec<String>,
    /// Modules that would answer but are blacklisted.
    pub blacklisted: Vec<String>,
    /// The kernel has it built in: nothing to load, and that is a success.
    pub builtin: bool,
    /// Every module named above or needed by one, each once.
    pub modules: Vec<Module>,
}
