//! Loading kernel modules. init_module(2), finit_module(2), linux/module.h; uname(2).
//!
//! Deleting modules is left out: an initramfs has no use for it.

use super::fail::{Fail, Outcome};
use rustix::fd::AsFd;
use std::ffi::CStr;

/// linux/module.h: the file is compressed as the kernel's own modules are (Linux 5.17).
const MODULE_INIT_COMPRESSED_FILE: i32 = 4;

/// Loads the module in the open file `path`. `parameters`: words separated by blanks, or nothing.
///
/// `EEXIST`: it is loaded already. `compressed`: let the kernel decompress it; `EINVAL` from
/// kernels that do not know the flag or another compression, `EOPNOTSUPP` from those without any.
pub fn load_file(file: impl AsFd, path: &str, parameters: &CStr, compressed: bool) -> Outcome<()> {
    let flags = if compressed {
        MODULE_INIT_COMPRESSED_FILE
    } else {
        0
    };
    let loaded = rustix::system::finit_module(file, parameters, flags);
    loaded.map_err(Fail::of("finit_module", &path))
}

/// Loads the module whose ELF object lies in memory; `path` is where it came from.
pub fn load_image(object: &[u8], path: &str, parameters: &CStr) -> Outcome<()> {
    let loaded = rustix::system::init_module(object, parameters);
    loaded.map_err(Fail::of("init_module", &path))
}

/// The version of the running kernel: `uname -r`.
pub fn kernel_version() -> String {
    let names = rustix::system::uname();
    names.release().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_kernels() {
        let expected = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(kernel_version(), expected.trim_end());
    }

    #[test]
    fn what_is_no_module_is_refused() {
        // EPERM without the right to load modules, ENOEXEC with it; never success.
        assert!(load_image(b"not a module", "-", c"").is_err());
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(load_file(&file, "-", c"", false).is_err());
    }
}
