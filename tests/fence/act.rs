//! Fence: `act` compiled alone, with nothing but the floors it may use. Never run, only built.
//!
//! Stops `act` from knowing plan or init.
// Alone, nobody calls the floors.
#![allow(dead_code, unused_imports)]

extern crate alloc;

#[path = "../../src/base/mod.rs"]
pub mod base;

#[path = "../../src/format/mod.rs"]
pub mod format;

#[path = "../../src/crypt/mod.rs"]
pub mod crypt;

#[path = "../../src/sys/mod.rs"]
pub mod sys;

#[path = "../../src/act/mod.rs"]
pub mod act;
