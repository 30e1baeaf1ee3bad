//! One file per kernel interface. Each names its header or man page, asserts the layouts it
//! relies on and translates errno into [`fail::Fail`].
//!
//! No policy, no retries (but `EINTR`), no knowledge of what a call is for. The only floor with
//! `unsafe`, lifted file by file.

pub mod block;
pub mod fail;
