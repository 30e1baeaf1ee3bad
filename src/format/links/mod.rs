//! The names that udev gives to a disk below `/dev/disk/by-id` and `by-path`, made without udev.
//!
//! What sysfs says of the disk, and of the devices above it, becomes the link names that
//! `60-persistent-storage.rules` makes of them, so that a `root=` written on a running system
//! finds the same disk. Not here: reading sysfs ([`Sysfs`] stands for it), names made of what a
//! disk holds (`by-uuid` and its kin), and names that udev learns by sending commands to the disk:
//! `ata-` of disks in USB enclosures and of optical drives.
//!
//! Partitions are named by their disk's name and `-partN`, which the caller appends.
//!
//! Sources: udev(7) and systemd's 60-persistent-storage.rules (252 to 257) for the names; SPC-4 for
//! the pages of SCSI disks; Documentation/ABI/testing/sysfs-*.

mod path;
mod serial;
mod vpd;

use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest attribute that is looked at, in bytes: a page of SCSI vital product data.
pub const LONGEST: usize = 4096;

/// No device has more devices above it.
const MAX_ABOVE: usize = 64;

/// The tree below `/sys`. Paths begin with `/` and mean what is below it: `/devices/…`.
pub trait Sysfs {
    /// The first [`LONGEST`] bytes of a file. `None`: it is not there, or cannot be read.
    fn read(&self, path: &str) -> Option<Vec<u8>>;
    /// What a link says: `../../../../bus/scsi`.
    fn link(&self, path: &str) -> Option<String>;
    /// The names in a directory.
    fn list(&self, path: &str) -> Vec<String>;
}

/// All names of the whole disk at `devpath` (`/devices/…/block/sda`), without `/dev/disk/`:
/// `by-id/…` first, then `by-path/…`. Empty: it has none.
pub fn of_disk(sysfs: &dyn Sysfs, devpath: &str) -> Vec<String> {
    let disk = Node {
        sysfs,
        path: devpath,
    };
    let mut names = Vec::new();
    serial::add(&disk, &mut names);
    path::add(&disk, &mut names);
    names
}

/// The name of a disk's partition: `by-id/virtio-root-part2`.
pub fn of_partition(disk: &str, number: u32) -> String {
    format!("{disk}-part{number}")
}

/// One device in sysfs.
#[derive(Clone, Copy)]
struct Node<'a> {
    sysfs: &'a dyn Sysfs,
    path: &'a str,
}

impl<'a> Node<'a> {
    /// The kernel's name, `/` written as `!`.
    fn name(&self) -> &'a str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn file(&self, name: &str) -> Option<Vec<u8>> {
        self.sysfs.read(&format!("{}/{name}", self.path))
    }

    /// An attribute without the white space behind it. `None` where it is empty, too.
    fn value(&self, name: &str) -> Option<Vec<u8>> {
        let file = self.file(name)?;
        let value = file.trim_ascii_end();
        (!value.is_empty()).then(|| value.to_vec())
    }

    /// The same, where it must be text.
    fn text(&self, name: &str) -> Option<String> {
        String::from_utf8(self.value(name)?).ok()
    }

    fn subsystem(&self) -> Option<String> {
        let link = self.sysfs.link(&format!("{}/subsystem", self.path))?;
        Some(link.rsplit('/').next().unwrap_or_default().into())
    }

    /// Is the kernel's `DEVTYPE` this one?
    fn is_type(&self, kind: &str) -> bool {
        let file = self.file("uevent").unwrap_or_default();
        let mut lines = file.split(|&b| b == b'\n');
        lines.any(|line| line.strip_prefix(b"DEVTYPE=") == Some(kind.as_bytes()))
    }

    /// The directory above, device or not.
    fn above(&self) -> Option<Self> {
        let (path, _) = self.path.rsplit_once('/')?;
        (!path.is_empty()).then_some(Self { path, ..*self })
    }

    /// The next device above: directories without `uevent` are none.
    fn parent(&self) -> Option<Self> {
        let mut all = core::iter::successors(self.above(), Self::above).take(MAX_ABOVE);
        all.find(|node| node.file("uevent").is_some())
    }

    /// All devices above, the nearest first.
    fn parents(self) -> impl Iterator<Item = Self> {
        core::iter::successors(self.parent(), Self::parent).take(MAX_ABOVE)
    }

    /// The nearest device above of this subsystem and type.
    fn parent_of_type(self, subsystem: &str, kind: &str) -> Option<Self> {
        let fits = |n: &Self| n.subsystem().as_deref() == Some(subsystem) && n.is_type(kind);
        self.parents().find(fits)
    }

    /// The last of the devices that follow each other upwards in one subsystem.
    fn last_of(self, subsystem: &str) -> Self {
        let same = |n: &Self| n.subsystem().as_deref() == Some(subsystem);
        self.parents().take_while(same).last().unwrap_or(self)
    }
}

/// White space around it removed, and each run of white space within made one `_`. Ends at a NUL.
fn squeeze(text: &[u8]) -> Vec<u8> {
    let text = text.split(|&b| b == 0).next().unwrap_or_default();
    let words = text.split(u8::is_ascii_whitespace);
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).listed();
    words.join(&b'_')
}

/// What may stand in a link name as it is; everything else becomes `_`, one for each byte.
fn plain(text: &[u8], also: &[u8]) -> String {
    const KEPT: &[u8] = b"#+-.:=@_";
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let byte = u8::try_from(c).unwrap_or(0);
            let kept = c.is_ascii_alphanumeric() || KEPT.contains(&byte) || also.contains(&byte);
            out.push(if kept || !c.is_ascii() { c } else { '_' });
        }
        out.extend(chunk.invalid().iter().map(|_| '_'));
    }
    out
}

/// An attribute as the rules put it into a link name.
fn in_link(value: &[u8]) -> String {
    plain(&squeeze(value), b"/")
}

/// A vendor, model or serial number as the programs behind the rules write it.
fn in_serial(value: &[u8]) -> String {
    plain(&squeeze(value), b"")
}

#[cfg(test)]
mod tests;
