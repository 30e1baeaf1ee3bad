//! Mounts. mount(2), umount2(2), move_mount(2), open_tree(2); linux/mount.h.
//!
//! The calls of Linux 5.2 and later are used first; where they are missing (`ENOSYS`), mount(2)
//! by path. Attributes are `MOUNT_ATTR_*`, translated for mount(2) here.

use super::fail::{Fail, Outcome};
use super::path::ended;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags};
use rustix::mount::{UnmountFlags, unmount};
use std::ffi::{CStr, CString};

/// `MOUNT_ATTR_*`, linux/mount.h.
pub const RDONLY: u32 = 0x1;
pub const NOSUID: u32 = 0x2;
pub const NODEV: u32 = 0x4;
pub const NOEXEC: u32 = 0x8;
pub const NOATIME: u32 = 0x10;
pub const STRICTATIME: u32 = 0x20;
pub const NODIRATIME: u32 = 0x80;
pub const NOSYMFOLLOW: u32 = 0x20_0000;

/// What to mount by mount(2).
pub struct Classic<'a> {
    pub source: &'a [u8],
    pub fstype: &'a str,
    /// `MOUNT_ATTR_*`.
    pub attributes: u32,
    /// Words for the superblock: `ro`, `sync`, `dirsync`, `mand`, `lazytime`, `silent`.
    pub superblock: &'a [&'static str],
    /// `key=value,key`, as the file system takes it.
    pub data: &'a CStr,
}

/// mount(2): one call, no explanation of a refusal but errno.
pub fn classic(what: &Classic<'_>, target: &str) -> Outcome<()> {
    let mut flags = flags_of(what.attributes);
    for word in what.superblock {
        flags |= match *word {
            "ro" => MountFlags::RDONLY,
            "sync" => MountFlags::SYNCHRONOUS,
            "dirsync" => MountFlags::DIRSYNC,
            "mand" => MountFlags::PERMIT_MANDATORY_FILE_LOCKING,
            "lazytime" => MountFlags::LAZYTIME,
            "silent" => MountFlags::SILENT,
            _ => MountFlags::empty(),
        };
    }
    rustix::mount::mount(what.source, target, what.fstype, flags, what.data)
        .map_err(Fail::of("mount", &target))
}

/// A file system without a device (`proc`, `tmpfs`).
pub fn virtual_fs(fstype: &str, target: &str, attributes: u32, data: &CStr) -> Outcome<()> {
    let what = Classic {
        source: fstype.as_bytes(),
        fstype,
        attributes,
        superblock: &[],
        data,
    };
    classic(&what, target)
}

/// Shows the tree at `source` a second time at `target`.
pub fn bind(source: &str, target: &str) -> Outcome<()> {
    rustix::mount::mount_bind_recursive(source, target).map_err(Fail::of("bind mount", &target))
}

/// Changes the attributes of the mount at `target`, and `ro` of its file system with it.
pub fn remount(target: &str, attributes: u32) -> Outcome<()> {
    let flags = flags_of(attributes);
    rustix::mount::mount_remount(target, flags, c"").map_err(Fail::of("remount", &target))
}

/// Makes the mount at `target` and its file system writable. What else was asked of both stays, but
/// for `dirsync` and `lazytime`, of which statfs(2) says nothing.
pub fn make_writable(target: &str) -> Outcome<()> {
    /// Flags with the same number there and here: nosuid, nodev, noexec, sync, mand, noatime,
    /// nodiratime.
    const KEPT: u64 = 0x2 | 0x4 | 0x8 | 0x10 | 0x40 | 0x400 | 0x800;
    let status = rustix::fs::statvfs(target).map_err(Fail::of("statfs", &target))?;
    let flags = status.f_flag.bits() & KEPT;
    let flags = MountFlags::from_bits_retain(u32::try_from(flags).unwrap_or(0));
    rustix::mount::mount_remount(target, flags, c"").map_err(Fail::of("remount", &target))
}

/// No mount or unmount below `target` is seen elsewhere any more, nor the other way round.
pub fn make_private(target: &str) -> Outcome<()> {
    let flags = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    rustix::mount::mount_change(target, flags).map_err(Fail::of("make private", &target))
}

/// Takes the mount whose root directory is `from` to the directory `to`, with all below it.
/// Both may be `O_PATH` descriptors, so no path is looked up again.
pub fn move_to(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Outcome<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(from, c"", to, c"", flags).map_err(Fail::of("move_mount", &"-"))
}

/// The same to a path; the classic call serves where the new one is missing.
pub fn move_to_path(from: BorrowedFd<'_>, from_path: &str, to: &str) -> Outcome<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    let move_mount = |to| rustix::mount::move_mount(from, c"", CWD, to, flags);
    match ended(to.as_bytes()).and_then(move_mount) {
        Ok(()) => Ok(()),
        Err(Errno::NOSYS) => {
            rustix::mount::mount_move(from_path, to).map_err(Fail::of("move mount", &to))
        }
        Err(errno) => Err(Fail::of("move_mount", &to)(errno)),
    }
}

/// Hangs a mount that fsmount(2) or [`copy`] made into the tree. `target`: also a descriptor's link
/// in /proc.
pub fn attach(mount: impl AsFd, target: &str) -> Outcome<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_SYMLINKS;
    let attach = |target| rustix::mount::move_mount(mount, c"", CWD, target, flags);
    ended(target.as_bytes())
        .and_then(attach)
        .map_err(Fail::of("move_mount", &target))
}

/// A second, unattached mount of the directory `path`. Gone when it is closed unattached.
pub fn copy(path: &str) -> Outcome<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(CWD, path, flags).map_err(Fail::of("open_tree", &path))
}

/// Takes the mount at `target` out of the tree now; it ends when nobody uses it any more.
pub fn detach(target: &str) -> Outcome<()> {
    let flags = UnmountFlags::DETACH | UnmountFlags::NOFOLLOW;
    unmount_with(target, flags)
}

/// Unmounts `target`, refused while it is in use.
pub fn remove(target: &str) -> Outcome<()> {
    unmount_with(target, UnmountFlags::NOFOLLOW)
}

fn unmount_with(target: &str, flags: UnmountFlags) -> Outcome<()> {
    let result = ended(target.as_bytes()).and_then(|target| unmount(target, flags));
    result.map_err(Fail::of("umount", &target))
}

/// Makes the mount at `new` the root directory of all who have the present one, which is at `old`
/// then; both may be ".". pivot_root(2).
pub fn pivot(new: &str, old: &str) -> Outcome<()> {
    let pivot = || rustix::process::pivot_root(ended(new.as_bytes())?, ended(old.as_bytes())?);
    pivot().map_err(Fail::of("pivot_root", &new))
}

/// Which mount, and which device, holds what this descriptor names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub device: (u32, u32),
    /// 0 before Linux 5.8.
    pub mount: u64,
    /// The root directory of its mount; `None` before Linux 5.8.
    pub mount_root: Option<bool>,
}

pub fn place_of(fd: impl AsFd) -> Outcome<Place> {
    place(fd, c"", AtFlags::EMPTY_PATH).map_err(Fail::of("statx", &"-"))
}

/// The same of a path, following links.
pub fn place_at(path: &str) -> Outcome<Place> {
    let place = |path: CString| place(CWD, &path, AtFlags::empty());
    ended(path.as_bytes())
        .and_then(place)
        .map_err(Fail::of("statx", &path))
}

fn place(dir: impl AsFd, path: &CStr, flags: AtFlags) -> Result<Place, Errno> {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};
    let wanted = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
    let status = statx(dir, path, flags | AtFlags::NO_AUTOMOUNT, wanted)?;
    let has_id = status.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    let root = StatxAttributes::MOUNT_ROOT;
    let knows_root = status.stx_attributes_mask.contains(root);
    Ok(Place {
        device: (status.stx_dev_major, status.stx_dev_minor),
        mount: if has_id { status.stx_mnt_id } else { 0 },
        mount_root: knows_root.then(|| status.stx_attributes.contains(root)),
    })
}

impl Place {
    /// Is `self` another mount than `other`?
    pub fn differs_from(&self, other: &Self) -> bool {
        self.device != other.device || self.mount != other.mount
    }
}

fn flags_of(attributes: u32) -> MountFlags {
    let pairs = [
        (RDONLY, MountFlags::RDONLY),
        (NOSUID, MountFlags::NOSUID),
        (NODEV, MountFlags::NODEV),
        (NOEXEC, MountFlags::NOEXEC),
        (NOATIME, MountFlags::NOATIME),
        (STRICTATIME, MountFlags::STRICTATIME),
        (NODIRATIME, MountFlags::NODIRATIME),
        (NOSYMFOLLOW, MountFlags::from_bits_retain(256)), // MS_NOSYMFOLLOW
    ];
    let set = pairs.iter().filter(|(bit, _)| attributes & bit != 0);
    set.fold(MountFlags::empty(), |flags, (_, flag)| flags | *flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_the_numbers_of_the_kernel_in_both_calls() {
        use rustix::mount::MountAttrFlags as Attr;
        for (ours, new) in [
            (RDONLY, Attr::MOUNT_ATTR_RDONLY),
            (NOSUID, Attr::MOUNT_ATTR_NOSUID),
            (NODEV, Attr::MOUNT_ATTR_NODEV),
            (NOEXEC, Attr::MOUNT_ATTR_NOEXEC),
            (NOATIME, Attr::MOUNT_ATTR_NOATIME),
            (STRICTATIME, Attr::MOUNT_ATTR_STRICTATIME),
            (NODIRATIME, Attr::MOUNT_ATTR_NODIRATIME),
            (NOSYMFOLLOW, Attr::MOUNT_ATTR_NOSYMFOLLOW),
        ] {
            assert_eq!(ours, new.bits());
        }
        assert_eq!(
            flags_of(NOSUID | NOATIME).bits(),
            (libc::MS_NOSUID | libc::MS_NOATIME) as u32
        );
        assert_eq!(flags_of(NOSYMFOLLOW).bits(), 256);
    }

    #[test]
    fn proc_is_another_mount_than_the_root() {
        let of = |path: &str| place_of(std::fs::File::open(path).unwrap()).unwrap();
        assert!(of("/proc").differs_from(&of("/")));
        assert!(!of("/").differs_from(&of("/")));
        assert_eq!(of("/proc").mount_root, Some(true));
        assert_eq!(of("/proc/sys").mount_root, Some(false));
    }
}
