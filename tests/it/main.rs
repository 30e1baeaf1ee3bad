//! One test binary for everything that needs neither a guest nor root: see tests/README.md.

#[cfg(feature = "host")]
mod ask;
mod budgets;
#[cfg(feature = "host")]
mod cli;
mod find_init;
mod identity;
#[cfg(feature = "host")]
mod image;
#[cfg(feature = "host")]
mod inspect;
#[cfg(feature = "host")]
mod iscsi;
mod kmod;
#[cfg(feature = "host")]
mod links;
mod luks;
mod mappings;
#[cfg(feature = "host")]
mod nbd;
mod ns;
mod params;
mod rust_text;
mod scenarios;
#[cfg(feature = "host")]
mod signed;
#[cfg(feature = "host")]
mod small_tree;
mod tidy;
mod unpack;
