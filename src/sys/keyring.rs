//! The kernel's keyrings. add_key(2), keyctl(2); linux/keyctl.h.
//!
//! A key of type `logon` can be used by the kernel and read by nobody. Those here hang on the
//! keyring of the calling thread, where what this thread asks of the kernel next finds them.
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use std::ffi::{CStr, CString};

const KEY_SPEC_THREAD_KEYRING: i32 = -1;
const KEYCTL_UNLINK: libc::c_int = 9;

/// A key on this thread's keyring; taken off it when it goes out of use. Whoever in the kernel
/// took a copy meanwhile keeps that.
pub struct Logon(i32);

/// Adds a key, or changes the one of this description. `ENOSYS`: the kernel has no keyrings.
pub fn add_logon(description: &str, payload: &[u8]) -> Outcome<Logon> {
    add(c"logon", description, payload)
}

/// The same of type `user`, which may be read: no secret.
pub fn add_user(description: &str, payload: &[u8]) -> Outcome<Logon> {
    add(c"user", description, payload)
}

/// The same of type `ceph`, which nobody can read: a key of Ceph as its own files hold it, decoded.
/// `ENODEV`: the kernel's client of Ceph is not there. `EINVAL`: it is no key.
pub fn add_ceph(description: &str, payload: &[u8]) -> Outcome<Logon> {
    add(c"ceph", description, payload)
}

fn add(kind: &CStr, description: &str, payload: &[u8]) -> Outcome<Logon> {
    let name =
        CString::new(description).map_err(|_| Fail::new("add_key", description, libc::EINVAL))?;
    // SAFETY: two strings that end with NUL, and a buffer with its length: all outlive the call.
    let key = unsafe {
        libc::syscall(
            libc::SYS_add_key,
            kind.as_ptr(),
            name.as_ptr(),
            payload.as_ptr(),
            payload.len(),
            KEY_SPEC_THREAD_KEYRING,
        )
    };
    match i32::try_from(key) {
        Ok(key) if key > 0 => Ok(Logon(key)),
        _ => Err(Fail::last("add_key", &description)),
    }
}

impl Drop for Logon {
    fn drop(&mut self) {
        // SAFETY: three numbers by value.
        unsafe {
            libc::syscall(
                libc::SYS_keyctl,
                KEYCTL_UNLINK,
                self.0,
                KEY_SPEC_THREAD_KEYRING,
            )
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_a_name_and_needs_no_rights() {
        let refused = |name: &str| add_logon(name, b"secret").err().map(|f| f.errno);
        assert_eq!(refused("no\0name"), Some(libc::EINVAL));
        match add_logon("landfall:test", b"secret") {
            // A description of this type has a colon; a key goes when its owner does.
            Ok(_) => assert_eq!(refused("colonless"), Some(libc::EINVAL)),
            // Containers often forbid keyrings.
            Err(fail) => assert!(matches!(fail.errno, libc::ENOSYS | libc::EPERM), "{fail}"),
        }
    }
}
