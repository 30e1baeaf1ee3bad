//! Fence: `plan` compiled alone, with nothing but the floors it may use. Never run, only built.
//!
//! Stops `plan` from using sys, act, files, clocks and threads: same events, same actions.
#![no_std]
// Alone, nobody calls the floors.
#![allow(dead_code, unused_imports)]

extern crate alloc;

#[path = "../../src/base/mod.rs"]
pub mod base;

#[path = "../../src/format/mod.rs"]
pub mod format;

#[path = "../../src/plan/mod.rs"]
pub mod plan;
