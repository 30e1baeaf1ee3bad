//! Root in a file: what `loop=`, `loopflags=` and `loopfstype=` say together with `root=`.
//!
//! Two forms. `root=SOURCE loop=FILE`, as initramfs-tools(7) has it: the file lies on SOURCE, and
//! the file system in it is root. `root=INSIDE loop=SOURCE:FILE`: root is found as ever, by names
//! of what is in the file. `rootflags=` and `rootfstype=` are about what `root=` names,
//! `loopflags=` and `loopfstype=` about the other.

use super::source::Source;
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// A device, and how what is on it is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    pub source: Option<Source>,
    /// As typed, for messages.
    pub typed: Text,
    /// Types to try, in order. Empty: whatever the bytes say.
    pub types: Vec<String>,
    /// Mount options, as typed.
    pub flags: Text,
}

/// A file that root is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopFile {
    /// Absolute, within the file system that holds it.
    pub path: Text,
    /// `loop=` as typed, for messages.
    pub typed: Text,
    /// `root=` as typed.
    pub root: Text,
    /// Root. Without a source it is what the file itself holds.
    pub inside: Sought,
}

/// The source before the first `:/` that one stands before, as typed, and the path from the `/` on.
pub fn split(value: &[u8]) -> (Option<(Source, &[u8])>, &[u8]) {
    let marks = value.windows(2).enumerate();
    for (at, _) in marks.filter(|(_, two)| *two == b":/") {
        let Some((before, after)) = value.split_at_checked(at) else {
            break;
        };
        let source = Source::parse(before);
        if !matches!(source, Source::Unknown(_)) {
            return (Some((source, before)), after.get(1..).unwrap_or_default());
        }
    }
    (None, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, source: Option<&str>, path: &str) {
        let (found, rest) = split(value.as_bytes());
        let found = found.map(|(source, typed)| {
            assert_eq!(Source::parse(typed), source);
            source.as_typed()
        });
        assert_eq!(found.as_deref(), source, "{value}");
        assert_eq!(rest, path.as_bytes(), "{value}");
    }

    #[test]
    fn a_source_may_stand_before_the_path() {
        check("/ubuntu/disks/root.disk", None, "/ubuntu/disks/root.disk");
        check("UUID=A1B2-C3D4:/a.img", Some("UUID=a1b2-c3d4"), "/a.img");
        check("/dev/vda1:/a.img", Some("/dev/vda1"), "/a.img");
        check("LABEL=a b:/c:/d", Some("LABEL=a b"), "/c:/d");
        check("8:1:/a.img", Some("8:1"), "/a.img");
        check("block:/dev/vg/lv:/a", Some("/dev/vg/lv"), "/a");
        let link = "/dev/disk/by-path/pci-0000:00:03.0-part1";
        check(&[link, ":/a"].concat(), Some(link), "/a");
    }

    #[test]
    fn what_is_no_source_is_part_of_the_path() {
        check("/a:/b", None, "/a:/b");
        check("a:/b", Some("0:10"), "/b");
        check("disk:/b", None, "disk:/b");
        check("", None, "");
        check(":/", None, ":/");
    }
}
