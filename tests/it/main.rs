//! One test binary for everything that needs neither a guest nor root: see tests/README.md.

mod budgets;
mod find_init;
mod kmod;
mod ns;
#[cfg(feature = "host")]
mod cli;
#[cfg(feature = "host")]
mod image;
mod params;
mod rust_text;
mod scenarios;
#[cfg(feature = "host")]
mod small_tree;
mod tidy;
mod identity;
