//! Options of sockets that rustix does not know. setsockopt(2).
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, AsRawFd};

/// A structure, or a number, as linux/netlink.h, linux/if_packet.h or linux/filter.h tell it.
///
/// # Safety
/// `value` is of the type that the kernel expects for this option, and what it points to is valid.
pub(super) unsafe fn set<T>(
    socket: impl AsFd,
    level: libc::c_int,
    option: libc::c_int,
    value: &T,
) -> Outcome<()> {
    let size = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    let socket = socket.as_fd().as_raw_fd();
    let from: *const T = value;
    // SAFETY: the kernel reads `size` bytes of a value that outlives the call; the caller vouches
    // for its type.
    match unsafe { libc::setsockopt(socket, level, option, from.cast(), size) } {
        0 => Ok(()),
        _ => Err(Fail::last("setsockopt", &option)),
    }
}

/// A number.
pub(super) fn set_number(
    socket: impl AsFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> Outcome<()> {
    // SAFETY: a number points to nothing. Where the kernel expects more bytes, it refuses.
    unsafe { set(socket, level, option, &value) }
}
