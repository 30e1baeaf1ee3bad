//! Fence: `sys` compiled alone, with nothing but the floors it may use. Never run, only built.
//!
//! Stops `sys` from using anything but base.
// Alone, nobody calls the floors.
#![allow(dead_code, unused_imports)]

extern crate alloc;

#[path = "../../src/base/mod.rs"]
pub mod base;

#[path = "../../src/sys/mod.rs"]
pub mod sys;
