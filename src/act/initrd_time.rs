//! Tells systemd when the initramfs began, so that systemd-analyze(1) shows what it took.
//!
//! An initramfs with systemd hands its state over as a file that `--deserialize` names, and that
//! begins with the times. No document promises the form; it has been the same since systemd 38, and
//! lines that are not known are passed over. `--switched-root` has it set up everything, as it does
//! without any of this.

use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Outcome;
use crate::sys::{clock, memory_file};
use std::ffi::CString;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};

/// How every path to it ends, wherever distributions put it.
const SYSTEMD: &[u8] = b"/systemd/systemd";

/// Is the init of this root systemd?
pub fn is_wanted(root: &OwnedFd, init: &Text) -> bool {
    let path = dir::open_in_root(root, &init.0, Want::Place).and_then(|file| {
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        dir::link_text(root, link.as_bytes())
    });
    path.is_ok_and(|path| path.ends_with(SYSTEMD))
}

/// Arguments for it, of which one names a file that is open when it starts.
pub fn words(began: Millis) -> Outcome<[CString; 4]> {
    let took = began.until(clock::since_boot());
    let began_1970 = clock::since_1970().0.saturating_sub(took);
    // In microseconds.
    let state = format!("initrd-timestamp={began_1970}000 {}000\n", began.0);
    let file = memory_file::inherited(c"systemd-state", state.as_bytes())?.into_raw_fd();
    let number = CString::new(file.to_string()).unwrap_or_default();
    let [switched, system] = [c"--switched-root", c"--system"].map(CString::from);
    Ok([switched, system, c"--deserialize".into(), number])
}
