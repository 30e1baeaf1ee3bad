//! One test binary for everything that needs neither a guest nor root: see tests/README.md.

mod identity;
