//! (to be written)
pub mod probe_device;
