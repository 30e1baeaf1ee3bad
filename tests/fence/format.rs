//! Fence: `format` compiled alone, with nothing but the floors it may use. Never run, only built.
//!
//! Stops `format` from using plan, sys, files, clocks, threads, and maps in random order.
#![no_std]
// Alone, nobody calls the floors.
#![allow(dead_code, unused_imports)]

extern crate alloc;

#[path = "../../src/base/mod.rs"]
pub mod base;

#[path = "../../src/format/mod.rs"]
pub mod format;
