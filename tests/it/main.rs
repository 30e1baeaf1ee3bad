//! One test binary for everything that needs neither a guest nor root: see tests/README.md.

mod kmod;
mod rust_text;
mod scenarios;
mod tidy;
