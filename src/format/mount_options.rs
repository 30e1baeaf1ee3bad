//! Mount options as a person types them (`rootflags=`), sorted by who understands them.
//!
//! mount(8) takes one list for everybody: the mount (`nosuid`), the file system (`subvol=x`) and
//! the tools around it (`nofail`, `x-systemd.…`). The kernel takes only the first two, by
//! different calls, and refuses the rest. This is no validation: what is not known to be somebody
//! else's is the file system's.
//! Source: mount(8) "FILESYSTEM-INDEPENDENT MOUNT OPTIONS", linux/mount.h.

use crate::base::text::Text;
use alloc::vec::Vec;

/// `MOUNT_ATTR_*` of linux/mount.h, as fsmount(2) takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub u32);

impl Attributes {
    pub const NOSUID: u32 = 0x2;
    pub const NODEV: u32 = 0x4;
    pub const NOEXEC: u32 = 0x8;
    /// A field, not a flag: `relatime` is 0.
    pub const ATIME_FIELD: u32 = 0x70;
    pub const NOATIME: u32 = 0x10;
    pub const STRICTATIME: u32 = 0x20;
    pub const NODIRATIME: u32 = 0x80;
    pub const NOSYMFOLLOW: u32 = 0x20_0000;

    pub fn has(self, flag: u32) -> bool {
        self.0 & flag == flag
    }
}

/// Flags of the superblock that fsconfig(2) knows by these names, whatever the file system.
const SUPERBLOCK: [&str; 5] = ["sync", "dirsync", "mand", "lazytime", "silent"];

/// What tools around the kernel understand. `user` and its kin would imply `nosuid,nodev,noexec`
/// for ordinary mounts; on the root file system that is never meant.
const TOOLS: &[&str] = &[
    "defaults",
    "auto",
    "noauto",
    "user",
    "nouser",
    "users",
    "owner",
    "noowner",
    "group",
    "nogroup",
    "nofail",
    "fail",
    "_netdev",
    "_rnetdev",
    "loop",
    "iversion",
    "noiversion",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "unbindable",
    "runbindable",
];

/// The same with a value, or a whole family by its beginning.
const TOOL_PREFIXES: &[&str] = &["comment=", "x-", "X-", "loop=", "helper=", "uhelper="];

/// The words of one option list, by who takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// For the mount.
    pub attributes: Attributes,
    /// `ro` or `rw`, the last one; `None`: neither was there.
    pub read_only: Option<bool>,
    /// For the superblock: `sync`, `dirsync`, `mand`, `lazytime`, `silent`, each once.
    pub superblock: Vec<&'static str>,
    /// For the file system, in order, quotes removed.
    pub data: Vec<(Text, Option<Text>)>,
    /// For tools that are not here.
    pub dropped: Vec<Text>,
}

impl Sorted {
    /// The one string that mount(2) takes for the file system.
    pub fn data_string(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, value) in &self.data {
            if !out.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(key.as_bytes());
            if let Some(value) = value {
                let quote: &[u8] = if value.0.contains(&b',') { b"\"" } else { b"" };
                out.push(b'=');
                out.extend_from_slice(quote);
                out.extend_from_slice(value.as_bytes());
                out.extend_from_slice(quote);
            }
        }
        out
    }

    fn take(&mut self, word: &[u8]) {
        let text = core::str::from_utf8(word).unwrap_or("");
        if self.take_attribute(text) || self.take_superblock(text) {
            return;
        }
        if TOOLS.contains(&text) || TOOL_PREFIXES.iter().any(|p| text.starts_with(p)) {
            self.dropped.push(word.into());
            return;
        }
        self.data.push(match word.iter().position(|&b| b == b'=') {
            Some(at) => {
                let (key, value) = word.split_at(at);
                let value = unquote(value.get(1..).unwrap_or_default());
                (key.into(), Some(value.into()))
            }
            None => (word.into(), None),
        });
    }

    fn take_attribute(&mut self, word: &str) -> bool {
        let (clear, set) = match word {
            "ro" | "rw" => {
                self.read_only = Some(word == "ro");
                return true;
            }
            "nosuid" => (0, Attributes::NOSUID),
            "suid" => (Attributes::NOSUID, 0),
            "nodev" => (0, Attributes::NODEV),
            "dev" => (Attributes::NODEV, 0),
            "noexec" => (0, Attributes::NOEXEC),
            "exec" => (Attributes::NOEXEC, 0),
            "noatime" => (Attributes::ATIME_FIELD, Attributes::NOATIME),
            "strictatime" => (Attributes::ATIME_FIELD, Attributes::STRICTATIME),
            "relatime" | "atime" | "norelatime" | "nostrictatime" => (Attributes::ATIME_FIELD, 0),
            "nodiratime" => (0, Attributes::NODIRATIME),
            "diratime" => (Attributes::NODIRATIME, 0),
            "nosymfollow" => (0, Attributes::NOSYMFOLLOW),
            "symfollow" => (Attributes::NOSYMFOLLOW, 0),
            _ => return false,
        };
        self.attributes.0 = self.attributes.0 & !clear | set;
        true
    }

    fn take_superblock(&mut self, word: &str) -> bool {
        let undone = match word {
            "async" => "sync",
            "nolazytime" => "lazytime",
            "nomand" => "mand",
            "loud" => "silent",
            _ => "",
        };
        if !undone.is_empty() {
            self.superblock.retain(|&flag| flag != undone);
            return true;
        }
        let Some(&flag) = SUPERBLOCK.iter().find(|&&flag| flag == word) else {
            return false;
        };
        if !self.superblock.contains(&flag) {
            self.superblock.push(flag);
        }
        true
    }
}

/// Sorts one list. Commas inside double quotes belong to the value (`context="a:b:c1,c2"`).
pub fn sort(options: &[u8]) -> Sorted {
    let mut sorted = Sorted::default();
    let mut quoted = false;
    let words = options.split(|&b| {
        quoted ^= b == b'"';
        b == b',' && !quoted
    });
    for word in words.filter(|word| !word.is_empty()) {
        sorted.take(word);
    }
    sorted
}

fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    /// `data | superblock | dropped`
    fn shown(options: &str) -> String {
        let sorted = sort(options.as_bytes());
        let dropped: Vec<_> = sorted.dropped.iter().map(ToString::to_string).collect();
        alloc::format!(
            "{} | {} | {}",
            Text(sorted.data_string()),
            sorted.superblock.join(","),
            dropped.join(",")
        )
    }

    #[test]
    fn words_go_to_whom_they_concern() {
        for (options, expected) in [
            ("", " |  | "),
            (",,", " |  | "),
            ("defaults", " |  | defaults"),
            ("subvol=@,compress=zstd:1", "subvol=@,compress=zstd:1 |  | "),
            (
                "nofail,_netdev,errors=remount-ro",
                "errors=remount-ro |  | nofail,_netdev",
            ),
            (
                "x-systemd.device-timeout=5,X-mount.mkdir",
                " |  | x-systemd.device-timeout=5,X-mount.mkdir",
            ),
            (
                "comment=hello,loop=/dev/loop3,user",
                " |  | comment=hello,loop=/dev/loop3,user",
            ),
            ("sync,dirsync,sync,lazytime", " | sync,dirsync,lazytime | "),
            ("sync,async,discard", "discard |  | "),
            (
                "context=\"u:r:t:s0:c1,c2\",acl",
                "context=\"u:r:t:s0:c1,c2\",acl |  | ",
            ),
            ("context=\"plain\"", "context=plain |  | "),
            ("a=\"unended,b", "a=\"\"unended,b\" |  | "),
            (
                "journal_async_commit,data=",
                "journal_async_commit,data= |  | ",
            ),
        ] {
            assert_eq!(shown(options), expected, "{options}");
        }
    }

    #[test]
    fn quotes_are_not_part_of_the_value() {
        let sorted = sort(b"context=\"a,b\"");
        let expected = ("context".into(), Some("a,b".into()));
        assert_eq!(sorted.data, [expected]);
    }

    #[test]
    fn attributes_are_set_and_undone_and_the_last_word_wins() {
        for (options, expected) in [
            ("nosuid,nodev,noexec", 0xe),
            ("nosuid,suid", 0),
            ("noatime,strictatime", Attributes::STRICTATIME),
            ("strictatime,noatime", Attributes::NOATIME),
            ("noatime,relatime,nodiratime", Attributes::NODIRATIME),
            ("nosymfollow", Attributes::NOSYMFOLLOW),
        ] {
            let sorted = sort(options.as_bytes());
            assert_eq!(sorted.attributes.0, expected, "{options}");
            assert_eq!(sorted.data, []);
        }
        assert_eq!(sort(b"ro,rw").read_only, Some(false));
        assert_eq!(sort(b"rw,ro").read_only, Some(true));
        assert_eq!(sort(b"acl").read_only, None);
    }

    #[test]
    fn bytes_that_are_not_text_go_to_the_file_system() {
        assert_eq!(
            sort(b"\xff=\xfe").data,
            [(b"\xff"[..].into(), Some(b"\xfe"[..].into()))]
        );
    }
}
