//! What is mounted, as the kernel tells. proc_pid_mountinfo(5).

use super::fstab::unescape;
use crate::base::text::Text;
use alloc::vec::Vec;

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    pub id: u32,
    /// The mount that it is mounted on.
    pub parent: u32,
    /// Major and minor number of the file system.
    pub number: (u32, u32),
    /// Where, from the reader's root directory on.
    pub place: Text,
    pub source: Text,
    /// Nothing is written to the file system, on whatever mount.
    pub read_only: bool,
}

/// Lines that are not understood are left out.
pub fn read(text: &[u8]) -> Vec<Mount> {
    let mut mounts = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        mounts.extend(mount(line));
    }
    mounts
}

/// `ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAG…] - TYPE SOURCE OPTIONS`.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&b| b == b' ');
    let (id, parent) = (number(words.next()?)?, number(words.next()?)?);
    let mut device = words.next()?.split(|&b| b == b':');
    let device = (number(device.next()?)?, number(device.next()?)?);
    let place = words.nth(1)?;
    words.find(|word| *word == b"-")?;
    let source = words.nth(1)?;
    let options = words.next()?;
    Some(Mount {
        id,
        parent,
        number: device,
        place: Text(unescape(place)),
        source: Text(unescape(source)),
        read_only: options.split(|&b| b == b',').any(|word| word == b"ro"),
    })
}

/// One function: parsing a number is 150 bytes of `init` each time.
#[inline(never)]
fn number(word: &[u8]) -> Option<u32> {
    core::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_tags_or_without() {
        let root = b"21 1 253:2 / / rw,relatime shared:1 - ext4 /dev/mapper/a\\040b ro,errors=x\n";
        let expected = Mount {
            id: 21,
            parent: 1,
            number: (253, 2),
            place: "/".into(),
            source: "/dev/mapper/a b".into(),
            read_only: true,
        };
        let plain = b"21 1 253:2 /x / ro - ext4 /dev/mapper/a\\040b rw";
        let writable = Mount {
            read_only: false,
            ..expected.clone()
        };
        assert_eq!(read(plain), [writable]);
        assert_eq!(read(root), [expected]);
    }

    #[test]
    fn what_is_no_line_of_a_mount_is_left_out() {
        for line in [
            "",
            "21",
            "x 1 0:1 / / rw - a b rw",
            "21 1 0 / / rw - a b rw",
            "21 1 0:1 / / rw a b rw",
            "21 1 0:1 / / rw - a b",
        ] {
            assert_eq!(read(line.as_bytes()), [], "{line}");
        }
    }
}
