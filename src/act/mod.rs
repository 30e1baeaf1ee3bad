//! One job per file.

pub mod decompress;
pub mod load_module;
pub mod module_catalog;
pub mod probe_device;
