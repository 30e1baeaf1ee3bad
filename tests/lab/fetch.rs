//! Fetches Debian's kernels for the tests that compare whole module trees with kmod's tools.
//! The boot tests fetch them by themselves.

#[path = "mod.rs"]
mod lab;

use lab::kernels::{self, Flavour};

fn main() {
    for flavour in [Flavour::Generic, Flavour::Cloud, Flavour::Arm64] {
        println!("{}", kernels::kernel(flavour).modules().display());
    }
}
