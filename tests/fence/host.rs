//! Fence: `host` compiled alone, with nothing but the floors it may use. Never run, only built.
//!
//! Stops `host` from using what belongs to PID 1: sys, act, init.
// Alone, nobody calls the floors.
#![allow(dead_code, unused_imports)]

extern crate alloc;

#[path = "../../src/base/mod.rs"]
pub mod base;

#[path = "../../src/format/mod.rs"]
pub mod format;

#[path = "../../src/crypt/mod.rs"]
pub mod crypt;

#[path = "../../src/plan/mod.rs"]
pub mod plan;

#[path = "../../src/host/mod.rs"]
pub mod host;
