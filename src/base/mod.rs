//! Words that every floor shares. No std, no unsafe, no policy.

pub mod bytes;
pub mod fault;
pub mod hex;
pub mod list;
pub mod millis;
pub mod order;
pub mod secret;
pub mod table;
pub mod text;
pub mod words;
