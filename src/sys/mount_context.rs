//! A file system in the making. fsopen(2), fsconfig(2), fsmount(2); linux/mount.h.
//!
//! The descriptor is also a log: each read gives one message of the kernel about the attempt, `e `
//! for errors, `w ` for warnings, `i ` for information (Documentation/filesystems/mount_api.rst).

use super::fail::{Fail, Outcome};
use super::path::{Shown, ended};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};
use rustix::mount::{fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen};

/// The kernel keeps at most 8 messages a context (`fc_log`, fs/fs_context.c).
const MOST_MESSAGES: usize = 16;

/// A longer message is refused by read(2) with `EMSGSIZE`, and stays.
const LONGEST_MESSAGE: usize = 4096;

pub struct Context(OwnedFd);

impl Context {
    /// `ENODEV`: the kernel knows no such file system. `ENOSYS`: before Linux 5.2.
    pub fn open(fstype: &str) -> Outcome<Self> {
        let open = |fstype| fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC);
        let context = ended(fstype.as_bytes()).and_then(open);
        Ok(Self(context.map_err(Fail::of("fsopen", &fstype))?))
    }

    pub fn set_flag(&self, key: &[u8]) -> Outcome<()> {
        let set = |key| fsconfig_set_flag(&self.0, key);
        ended(key)
            .and_then(set)
            .map_err(Fail::of("fsconfig", &Shown(key)))
    }

    pub fn set_string(&self, key: &[u8], value: &[u8]) -> Outcome<()> {
        let set = || fsconfig_set_string(&self.0, ended(key)?, ended(value)?);
        set().map_err(Fail::of("fsconfig", &Shown(key)))
    }

    /// Reads the device and makes the file system. This is the long step.
    pub fn create(&self) -> Outcome<()> {
        fsconfig_create(&self.0).map_err(Fail::of("fsconfig", &"create"))
    }

    /// A mount of it that hangs nowhere yet. `attributes`: `MOUNT_ATTR_*`.
    pub fn mount(&self, attributes: u32) -> Outcome<OwnedFd> {
        let attributes = MountAttrFlags::from_bits_retain(attributes);
        fsmount(&self.0, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
            .map_err(Fail::of("fsmount", &"-"))
    }

    /// What the kernel said since the last call, oldest first, without the `e ` in front.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut buffer = vec![0; LONGEST_MESSAGE];
        while all.len() < MOST_MESSAGES {
            match rustix::io::read(&self.0, buffer.as_mut_slice()) {
                Ok(length) => all.push(without_mark(buffer.get(..length).unwrap_or_default())),
                Err(Errno::INTR) => {}
                // ENODATA: that was all.
                Err(_) => break,
            }
        }
        all
    }
}

fn without_mark(message: &[u8]) -> Vec<u8> {
    let text = match message {
        [b'e' | b'w' | b'i', b' ', text @ ..] => text,
        _ => message,
    };
    text.trim_ascii_end().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_lose_their_mark_and_line_break() {
        assert_eq!(without_mark(b"e ext4: no\n"), b"ext4: no");
        assert_eq!(without_mark(b"x ext4"), b"x ext4");
        assert_eq!(without_mark(b""), b"");
    }
}
