//! How people name a block device: `UUID=`, `LABEL=`, `/dev/NAME`, `/dev/disk/by-…`, `8:1`, `0801`.
//!
//! Not here: whether such a device exists, what is a share (`share`), and what udev's names are
//! made of (`links`).
//!
//! Sources: kernel-parameters.rst and block/early-lookup.c (`root=`), fstab(5), dracut.cmdline(7),
//! and udev's rules for link names (`\xNN` for whatever a file name cannot hold).

use crate::base::list::Listed;
use crate::base::text::{Joined, Text, unescape};
use alloc::format;
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
    /// `PARTUUID=…/PARTNROFF=n`: on the same disk, the partition whose number is `n` higher.
    Beside {
        partuuid: String,
        offset: i32,
    },
    PartLabel(Text),
    /// A name of udev's making, without `/dev/disk/`: `by-id/…`, `by-path/…`, `by-diskseq/…`; or a
    /// volume in flash memory by its own name, as `ubi0:NAME` or `mtd:NAME`.
    Link(String),
    /// `/dev/NAME`: the kernel's name, without `/dev/`.
    Name(String),
    /// The kernel's device number, major and minor: `8:1`, `0801`, `0x801`.
    Number(u32, u32),
    /// What a virtual machine's host shares under this tag: see [`super::share`]. Never read here:
    /// what is a tag, `rootfstype=` says.
    Share(String),
    /// A directory on a network: see [`super::remote`]. Never read here either.
    Remote,
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
            None => tagged(text)
                .or_else(|| bare_uuid(text))
                .or_else(|| flash(text))
                .or_else(|| number(text)),
        };
        known.unwrap_or_else(|| Self::Unknown(Text::from(typed)))
    }

    /// As a person would write it.
    pub fn as_typed(&self) -> String {
        match self {
            Self::Uuid(uuid) => format!("UUID={uuid}"),
            Self::Label(label) => format!("LABEL={label}"),
            Self::PartUuid(uuid) => format!("PARTUUID={uuid}"),
            Self::Beside { partuuid, offset } => format!("PARTUUID={partuuid}/PARTNROFF={offset}"),
            Self::PartLabel(label) => format!("PARTLABEL={label}"),
            Self::Link(link) if link.starts_with("by-") => format!("/dev/disk/{link}"),
            Self::Link(name) => name.clone(),
            Self::Name(name) => format!("/dev/{name}"),
            Self::Number(major, minor) => format!("{major}:{minor}"),
            Self::Share(tag) => format!("the share {tag}"),
            Self::Remote => "a server's directory".into(),
            Self::Unknown(text) => format!("{text}"),
        }
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
        partition(&value)
    } else if is("label") {
        Some(Source::Label(Text(value)))
    } else if is("partlabel") {
        Some(Source::PartLabel(Text(value)))
    } else if is("id") {
        link("by-id", value)
    } else if is("hwpath") {
        link("by-path", value)
    } else {
        None
    }
}

fn link(folder: &str, name: Vec<u8>) -> Option<Source> {
    let name = String::from_utf8(name).ok()?;
    Some(Source::Link([folder, &name].joined("/")))
}

/// A volume of UBI or a partition in flash memory, as the kernel takes it: `ubi0_1`, `ubi1` (of
/// the first device), `ubi0:NAME`, `ubi:NAME`, `mtd2`, `mtd:NAME`; `!` may stand for `:`.
fn flash(text: &[u8]) -> Option<Source> {
    let text = core::str::from_utf8(text).ok()?;
    let numeral = |t: &str| !t.is_empty() && numeral(t);
    let (kind, rest) = text.split_at_checked(3)?;
    if !matches!(kind, "ubi" | "mtd") {
        return None;
    }
    if let Some((device, name)) = rest.split_once([':', '!']) {
        let device = match (kind, device) {
            ("ubi", "") => "0",
            ("mtd", device) if !device.is_empty() => return None,
            (_, device) if device.is_empty() || numeral(device) => device,
            _ => return None,
        };
        let named = !name.is_empty();
        return named.then(|| Source::Link([kind, device, ":", name].concat()));
    }
    match rest.split_once('_') {
        Some((device, volume)) if kind == "ubi" && numeral(device) && numeral(volume) => {
            Some(Source::Name(text.into()))
        }
        None if numeral(rest) && kind == "mtd" => Some(Source::Name(text.into())),
        None if numeral(rest) => Some(Source::Name(["ubi0_", rest].concat())),
        _ => None,
    }
}

/// `UUID` or `UUID/PARTNROFF=n`. An offset of 0 is none.
fn partition(value: &[u8]) -> Option<Source> {
    let Some(slash) = value.iter().position(|&b| b == b'/') else {
        return identifier(value.to_vec()).map(Source::PartUuid);
    };
    let (uuid, rest) = value.split_at_checked(slash)?;
    let partuuid = identifier(uuid.to_vec())?;
    let offset = rest.strip_prefix(b"/PARTNROFF=")?;
    let back = offset.strip_prefix(b"-");
    let ahead = offset.strip_prefix(b"+").unwrap_or(offset);
    let size = i32::try_from(digits(back.unwrap_or(ahead), 10)?).ok()?;
    let offset = if back.is_some() {
        size.checked_neg()?
    } else {
        size
    };
    Some(match offset {
        0 => Source::PartUuid(partuuid),
        offset => Source::Beside { partuuid, offset },
    })
}

/// `MAJOR:MINOR` in decimal, or both in one hexadecimal number as the kernel packs them: the minor
/// number's low byte, twelve bits of major, the rest of minor (`new_decode_dev`, linux/kdev_t.h).
fn number(text: &[u8]) -> Option<Source> {
    const MAJORS: u32 = 1 << 12;
    const MINORS: u32 = 1 << 20;
    if let Some(colon) = text.iter().position(|&b| b == b':') {
        let (major, minor) = text.split_at_checked(colon)?;
        let (major, minor) = (digits(major, 10)?, digits(minor.get(1..)?, 10)?);
        return (major < MAJORS && minor < MINORS).then_some(Source::Number(major, minor));
    }
    let packed = digits(text.strip_prefix(b"0x").unwrap_or(text), 16)?;
    let major = (packed >> 8) & (MAJORS - 1);
    let minor = (packed & 0xff) | ((packed >> 12) & 0xf_ff00);
    Some(Source::Number(major, minor))
}

/// A number of at least one digit, and of nothing else.
fn digits(text: &[u8], base: u32) -> Option<u32> {
    let push = |sum: u32, &digit: &u8| {
        let digit = char::from(digit).to_digit(base)?;
        sum.checked_mul(base)?.checked_add(digit)
    };
    let some = !text.is_empty();
    some.then(|| text.iter().try_fold(0, push)).flatten()
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

/// Digits only, or nothing.
fn numeral(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// What follows `/dev/`. Empty parts and `.` are dropped as in any path; `..` is refused.
fn below_dev(path: &[u8]) -> Option<Source> {
    let path = core::str::from_utf8(path).ok()?;
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .listed();
    match parts.as_slice() {
        ["disk", "by-id" | "by-path" | "by-diskseq", _, ..] => {
            Some(Source::Link(parts.get(1..)?.joined("/")))
        }
        ["block", pair] if pair.contains(':') => number(pair.as_bytes()),
        ["disk", by, name] => by_tag(by.strip_prefix("by-")?.as_bytes(), name.as_bytes()),
        // Names that stand for "the kernel knows", not for a device.
        [] | ["disk", ..] | ["root" | "nfs" | "cifs"] => None,
        // The kernel fills the first of these from an initrd, where there is no initramfs.
        [name] if name.strip_prefix("ram").is_some_and(numeral) => None,
        names if names.contains(&"..") => None,
        names => Some(Source::Name(names.joined("/"))),
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
        check(
            "UUID=0A1B2C3D4E5F6071",
            Source::Uuid("0a1b2c3d4e5f6071".into()),
        );
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
    fn a_partition_is_found_by_its_distance_from_another() {
        let beside = |offset| Source::Beside {
            partuuid: ID.into(),
            offset,
        };
        check(&alloc::format!("PARTUUID={ID}/PARTNROFF=1"), beside(1));
        check(&alloc::format!("PARTUUID={ID}/PARTNROFF=-2"), beside(-2));
        check(
            &alloc::format!("PARTUUID={ID}/PARTNROFF=0"),
            Source::PartUuid(ID.into()),
        );
        for odd in ["", "=", "=x", "=1x", "=99999999999", "=1/PARTNROFF=1"] {
            check_unknown(alloc::format!("PARTUUID={ID}/PARTNROFF{odd}").as_bytes());
        }
        check_unknown(b"PARTUUID=/PARTNROFF=1");
        check_unknown(b"UUID=a/PARTNROFF=1");
    }

    #[test]
    fn a_device_number_is_read_as_the_kernel_does() {
        check("8:1", Source::Number(8, 1));
        check("259:65536", Source::Number(259, 65_536));
        check("block:253:0", Source::Number(253, 0));
        check("0801", Source::Number(8, 1));
        check("801", Source::Number(8, 1));
        check("0x801", Source::Number(8, 1));
        check("FE02", Source::Number(254, 2));
        // The minor number's upper bits lie above the major number.
        check("0x00110305", Source::Number(0x103, 0x105));
        check("fff00000", Source::Number(0, 0xf_ff00));
        for odd in [
            "8:",
            ":1",
            "8:1:",
            "8:+1",
            "8:x",
            "4096:0",
            "8:1048576",
            "0x",
            "08g1",
            "100000000",
            "-1",
            "+801",
            " 801",
        ] {
            check_unknown(odd.as_bytes());
        }
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
        check("LABEL='it is'", Source::Label("it is".into()));
        check("label=\\x5c\\x22", Source::Label("\\\"".into()));
        check("LABEL=a\\x2", Source::Label("a\\x2".into()));
        check(
            "/dev/disk/by-partlabel/p\\xc3\\xa9",
            Source::PartLabel("p\u{e9}".into()),
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
    fn names_below_folders_of_dev_wait_for_a_device_of_that_name() {
        for name in [
            "mapper/vg-root",
            "vg/root",
            "md0",
            "md/home:0",
            "mtdblock2",
            "ram0/x",
            "zram0",
        ] {
            check(&alloc::format!("/dev/{name}"), Source::Name(name.into()));
        }
    }

    #[test]
    fn names_of_udev_are_kept_as_they_are() {
        let link = |text: &str| Source::Link(text.into());
        for (typed, expected) in [
            (
                "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4",
                "by-id/wwn-0x5000c500a1b2c3d4",
            ),
            ("ID=ata-Disk_1-part2", "by-id/ata-Disk_1-part2"),
            (
                "/dev//disk/by-path/pci-0000:00:03.0",
                "by-path/pci-0000:00:03.0",
            ),
            (
                "hwpath=pci-0000:00:03.0-part1",
                "by-path/pci-0000:00:03.0-part1",
            ),
            ("/dev/disk/by-diskseq/7-part1", "by-diskseq/7-part1"),
            ("/dev/disk/by-id/a/b", "by-id/a/b"),
        ] {
            check(typed, link(expected));
        }
        check("/dev/block/8:17", Source::Number(8, 17));
    }

    #[test]
    fn volumes_in_flash_memory_are_named_as_the_kernel_names_them() {
        for (typed, name) in [
            ("ubi0_1", "ubi0_1"),
            ("ubi3", "ubi0_3"),
            ("mtd2", "mtd2"),
            ("/dev/ubi0_1", "ubi0_1"),
        ] {
            check(typed, Source::Name(name.into()));
        }
        for (typed, link) in [
            ("ubi0:rootfs", "ubi0:rootfs"),
            ("ubi:rootfs", "ubi0:rootfs"),
            ("ubi1!root fs", "ubi1:root fs"),
            ("mtd:rootfs", "mtd:rootfs"),
        ] {
            check(typed, Source::Link(link.into()));
        }
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
            b"/dev/ram",
            b"/dev/ram0",
            b"/dev/../etc/passwd",
            b"/dev/\xff",
            b"/dev/disk/by-uuid",
            b"0a1b2c3d-0000-4000-8000-00000000beef-00",
            b"0a1b2c3d-0000-4000-8000-00000000beeg",
            b"/dev/disk/by-id/",
            b"ubi:",
            b"ubi0_",
            b"ubix:rootfs",
            b"mtd1:rootfs",
            b"mtd1_1",
            b"ubi",
            b"\"",
        ] {
            check_unknown(typed);
        }
    }
}
