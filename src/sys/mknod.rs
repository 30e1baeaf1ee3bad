//! Character device nodes. mknod(2); numbers: Documentation/admin-guide/devices.txt.

use super::fail::{Fail, Outcome};
use super::path::ended;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

/// Makes `path`; one that exists is left as it is. The mode is subject to umask(2).
pub fn character_device(path: &str, mode: u32, major: u32, minor: u32) -> Outcome<()> {
    let device = makedev(major, minor);
    let mode = Mode::from_raw_mode(mode);
    let make = |path| mknodat(CWD, path, FileType::CharacterDevice, mode, device);
    match ended(path.as_bytes()).and_then(make) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(errno) => Err(Fail::of("mknod", &path)(errno)),
    }
}
