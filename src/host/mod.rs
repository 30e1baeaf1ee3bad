//! (to be written)
pub mod boot;
pub mod boot_options;
pub mod console;
pub mod failure;
pub mod qemu;
pub mod story;
