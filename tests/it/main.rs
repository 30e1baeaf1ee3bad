//! One test binary for everything that needs neither a guest nor root: see tests/README.md.

mod budgets;
mod find_init;
mod kmod;
mod ns;
mod kmod;
mod params;
mod kmod;
mod rust_text;
mod scenarios;
mod tidy;
mod identity;
