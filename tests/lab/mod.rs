//! The laboratory: real kernels, real disks made by the real tools, real roots, guests in QEMU.
//!
//! Shared by the boot tests and the demo. Everything that takes time to make lies in
//! `target/lab`, under a name with a hash of how it was made; delete it at any time.
//! Nothing here judges landfall: it makes machines, runs them and returns what was seen.
#![allow(dead_code)]

pub mod build;
pub mod by_hand;
pub mod ceph;
pub mod copies;
pub mod disks;
pub mod elf;
pub mod esp;
pub mod firmware;
pub mod guest;
pub mod images;
pub mod kernels;
pub mod md;
pub mod nics;
pub mod outcome;
pub mod own_module;
pub mod packages;
pub mod partitions;
pub mod qmp;
pub mod roots;
pub mod secure_boot;
pub mod server;
pub mod shares;
pub mod shelf;
pub mod stacked_debian;
pub mod stacks;
pub mod std_source;
pub mod tools;
pub mod workshop;
