//! Fence: `crypt` compiled alone, with nothing but the floors it may use. Never run, only built.
//!
//! Stops `crypt` from using sys, act, plan, files, clocks and threads.
#![no_std]
// Alone, nobody calls the floors.
#![allow(dead_code, unused_imports)]

extern crate alloc;

#[path = "../../src/base/mod.rs"]
pub mod base;

#[path = "../../src/format/mod.rs"]
pub mod format;

#[path = "../../src/crypt/mod.rs"]
pub mod crypt;
