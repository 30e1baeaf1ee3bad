//! What landfall does, one job per file. Who decides on it is `plan`, which is not known here.
//! What the kernel is asked for is in `sys`.

pub mod decompress;
pub mod load_module;
pub mod module_catalog;
pub mod probe_device;
