//! (head to be written)
pub mod action;
pub mod event;
pub mod trace;
