//! Leaves this program where the real system runs it when it ends: systemd-shutdown(8), the
//! "initrd interface" of systemd.

use crate::sys::dir::{self, Want};
use crate::sys::fail::Outcome;

/// What becomes the root directory in the end.
pub const HOME: &str = "/run/initramfs";
const PROGRAM: &str = "/run/initramfs/shutdown";
const OWN: &[u8] = b"/proc/self/exe";

/// No program of ours is larger.
const MOST_BYTES: usize = 16 << 20;

/// What is there already is the image's own, and stays.
pub fn leave() {
    if dir::open_path(PROGRAM.as_bytes(), Want::Place).is_ok() {
        return;
    }
    if let Err(fail) = copy() {
        log::warn!("nothing is left for the end of the real system: {fail}");
        dir::remove_path(PROGRAM);
    }
}

fn copy() -> Outcome<()> {
    let own = dir::read_all(dir::open_path(OWN, Want::Contents)?, MOST_BYTES)?;
    dir::make(HOME)?;
    dir::write_file_with_mode(PROGRAM, &own, 0o755)
}
