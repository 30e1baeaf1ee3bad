//! How people name a block device: `UUID=`, `LABEL=`, `/dev/NAME`, `/dev/disk/by-…`.
//!
//! Not here: whether such a device exists, and forms that name no block device (NFS, virtiofs).
//!
//! Sources: kernel-parameters.rst (`root=`), fstab(5), dracut.cmdline(7), and udev's rules for
//! link names (`\xNN` for whatever a file name cannot hold).

use crate::base::text::{Text, unescape};
use alloc::string::String;
use alloc::vec::Vec;

/// A device reference, as in `root=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `UUID=`, lower case.
    Uuid(String),
    Label(Text),
    /// `PARTUUID=`, lower case.
    PartUuid(String),
    PartLabel(Text),
    /// `/dev/NAME`: the kernel's name, without `/dev/`.
    Name(String),
    /// Something we do not understand; kept for the failure page.
    Unknown(Text),
}

impl Source {
    /// Reads a reference. Case does not matter in tags and UUIDs; quotes around the whole or
    /// around the value and braces around a UUID are removed; `\xNN` is decoded in labels; a bare
    /// UUID is taken as `UUID=`. Never fails: see [`Source::Unknown`].
    pub fn parse(typed: &[u8]) -> Self {
        let text = unquote(typed);
        // dracut's spelling of "what follows is a block device".
        let text = text.strip_prefix(b"block:").unwrap_or(text);
        let known = match text.strip_prefix(b"/dev/") {
            Some(path) => below_dev(path),
            None => tagged(text).or_else(|| bare_uuid(text)),
        };
        known.unwrap_or_else(|| Self::Unknown(Text::from(typed)))
    }
}

/// `TAG=value`.
fn tagged(text: &[u8]) -> Option<Source> {
    let equals = text.iter().position(|&b| b == b'=')?;
    let (tag, rest) = text.split_at_checked(equals)?;
    by_tag(tag, unquote(rest.get(1..)?))
}

fn by_tag(tag: &[u8], value: &[u8]) -> Option<Source> {
    let value = unescape(value);
    if value.is_empty() {
        return None;
    }
    let is = |name: &str| tag.eq_ignore_ascii_case(name.as_bytes());
    if is("uuid") {
        identifier(value).map(Source::Uuid)
    } else if is("partuuid") {
        identifier(value).map(Source::PartUuid)
    } else if is("label") {
        Some(Source::Label(Text(value)))
    } else if is("partlabel") {
        Some(Source::PartLabel(Text(value)))
    } else {
        None
    }
}

/// A UUID in whatever shape its format gives it (`A1B2-C3D4` of FAT, `2e8f91d3-02` of MBR).
fn identifier(value: Vec<u8>) -> Option<String> {
    let inner = value.strip_prefix(b"{").and_then(|v| v.strip_suffix(b"}"));
    let id = inner.unwrap_or(&value);
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b':');
    if id.is_empty() || !id.iter().all(plain) {
        return None;
    }
    let text = String::from_utf8(id.to_vec()).ok()?;
    Some(text.to_ascii_lowercase())
}

/// `8-4-4-4-12` hexadecimal digits, with or without braces, where a reference is expected.
fn bare_uuid(text: &[u8]) -> Option<Source> {
    let id = identifier(text.to_vec())?;
    let mut groups = id.split('-');
    let mut shape = [8, 4, 4, 4, 12].iter();
    let hex = |g: &str| g.bytes().all(|b| b.is_ascii_hexdigit());
    let fits = shape.all(|&n| groups.next().is_some_and(|g| g.len() == n && hex(g)));
    (fits && groups.next().is_none()).then_some(Source::Uuid(id))
}

/// What follows `/dev/`. Empty parts and `.` are dropped as in any path; `..` is refused.
fn below_dev(path: &[u8]) -> Option<Source> {
    let path = core::str::from_utf8(path).ok()?;
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    match parts.as_slice() {
        ["disk", by, name] => by_tag(by.strip_prefix("by-")?.as_bytes(), name.as_bytes()),
        // Names that stand for "the kernel knows", not for a device.
        [] | ["disk", ..] | ["root" | "nfs" | "cifs" | "ram"] => None,
        names if names.contains(&"..") => None,
        names => Some(Source::Name(names.join("/"))),
    }
}

/// Without one pair of quotes. The kernel keeps those that stand inside a word.
fn unquote(text: &[u8]) -> &[u8] {
    let pair = |q: &[u8]| text.strip_prefix(q)?.strip_suffix(q);
    pair(b"\"").or_else(|| pair(b"'")).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d-0000-4000-8000-00000000beef";

    fn check(typed: &str, expected: Source) {
        assert_eq!(Source::parse(typed.as_bytes()), expected, "{typed}");
    }

    fn check_unknown(typed: &[u8]) {
        assert_eq!(Source::parse(typed), Source::Unknown(Text::from(typed)));
    }

    #[test]
    fn a_uuid_is_found_in_every_spelling() {
        let upper = "0A1B2C3D-0000-4000-8000-00000000BEEF";
        for typed in [
            &alloc::format!("UUID={ID}"),
            &alloc::format!("UUID={upper}"),
            &alloc::format!("uuid={{{upper}}}"),
            &alloc::format!("UUID=\"{ID}\""),
            &alloc::format!("'UUID={ID}'"),
            &alloc::format!("block:UUID={ID}"),
            &alloc::format!("/dev/disk/by-uuid/{ID}"),
            &alloc::format!("block:/dev//disk/by-uuid/{ID}"),
            &alloc::format!("{{{upper}}}"),
            &String::from(ID),
        ] {
            check(typed, Source::Uuid(ID.into()));
        }
        check("UUID=A1B2-C3D4", Source::Uuid("a1b2-c3d4".into()));
    }

    #[test]
    fn a_partition_is_found_by_its_uuid() {
        check(
            "PARTUUID=2E8F91D3-02",
            Source::PartUuid("2e8f91d3-02".into()),
        );
        check(
            "/dev/disk/by-partuuid/2e8f91d3-02",
            Source::PartUuid("2e8f91d3-02".into()),
        );
    }

    #[test]
    fn labels_keep_their_case_and_lose_escapes_and_quotes() {
        check("LABEL=My Root", Source::Label("My Root".into()));
        check("LABEL=\"My Root\"", Source::Label("My Root".into()));
        check("LABEL=My\\x20Root", Source::Label("My Root".into()));
        check("/dev/disk/by-label/a\\x2fb", Source::Label("a/b".into()));
        check("LABEL=a=b", Source::Label("a=b".into()));
        check(
            "PARTLABEL=EFI System",
            Source::PartLabel("EFI System".into()),
        );
        check(
            "/dev/disk/by-partlabel/root",
            Source::PartLabel("root".into()),
        );
        let odd = Source::parse(b"LABEL=\xff");
        assert_eq!(odd, Source::Label(Text(b"\xff".to_vec())));
    }

    #[test]
    fn a_path_below_dev_is_a_name() {
        check("/dev/vda1", Source::Name("vda1".into()));
        check("\"/dev/vda1\"", Source::Name("vda1".into()));
        check("/dev//./cciss/c0d0p1", Source::Name("cciss/c0d0p1".into()));
        check("/dev/mapper/a\\x20b", Source::Name("mapper/a\\x20b".into()));
    }

    #[test]
    fn whatever_else_is_kept_as_typed() {
        for typed in [
            &b""[..],
            b"UUID=",
            b"LABEL=",
            b"UUID={}",
            b"UUID=a/b",
            b"WWID=x",
            b"/dev/",
            b"/dev/root",
            b"/dev/nfs",
            b"/dev/../etc/passwd",
            b"/dev/\xff",
            b"/dev/disk/by-uuid",
            b"/dev/disk/by-id/wwn-1",
            b"0a1b2c3d-0000-4000-8000-00000000beef-00",
            b"0a1b2c3d-0000-4000-8000-00000000beeg",
            b"8:1",
            b"\"",
        ] {
            check_unknown(typed);
        }
    }
}
