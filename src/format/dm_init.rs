//! `dm-mod.create=`: mapped devices written out on the kernel command line.
//!
//! Not here: how the devices that a table names are found (`plan::mapping`), and the ioctls.
//! Only the targets that the kernel allows there are taken: others read, and some write, metadata
//! that somebody has to check first.
//!
//! Source: Documentation/admin-guide/device-mapper/dm-init.rst, drivers/md/dm-init.c (Linux 6.12).

use super::source::Source;
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// `DM_MAX_STR_SIZE` of the kernel.
const BYTES_MAX: usize = 4096;
/// `DM_NAME_LEN`, `DM_UUID_LEN`, the terminating NUL not counted; linux/dm-ioctl.h.
const NAME_MAX: usize = 127;
const UUID_MAX: usize = 128;
/// Devices, and targets of one device.
const ENTRIES_MAX: usize = 256;
/// Minor numbers have 20 bits.
const MINORS: u64 = 1 << 20;

/// `dm_allowed_targets` of the kernel.
const TARGETS: [&str; 6] = [
    "crypt",
    "delay",
    "linear",
    "snapshot-origin",
    "striped",
    "verity",
];

/// In the place of a key, which is known only to whoever makes the device.
pub const KEY: &str = "{key}";

/// One device to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    pub name: String,
    /// May be empty.
    pub uuid: String,
    /// `None`: the kernel takes the next one.
    pub minor: Option<u32>,
    pub read_only: bool,
    /// What its table refers to, for dm-verity.
    pub signature: Option<Signature>,
    /// The file of the image whose bytes, as digits, stand where its only line says [`KEY`].
    pub key_file: Option<String>,
    pub targets: Vec<Target>,
}

/// A signature that the kernel looks for in a keyring when the table is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The name of the key.
    pub description: String,
    /// The path of a file in the image, or `base64:` and the bytes.
    pub source: Text,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it begins and how long it is, in 512-byte sectors.
    pub start: u64,
    pub sectors: u64,
    pub kind: String,
    /// As the target takes them: words, some of them devices.
    pub arguments: String,
}

impl Target {
    /// The arguments that name devices.
    pub fn devices(&self) -> impl Iterator<Item = Source> {
        self.arguments.split(' ').filter_map(device)
    }

    /// The arguments with each device replaced by its number; `None` if one is not known.
    pub fn with_numbers(&self, number: &dyn Fn(&Source) -> Option<(u32, u32)>) -> Option<String> {
        let mut out = String::new();
        for word in self.arguments.split(' ') {
            if !out.is_empty() {
                out.push(' ');
            }
            match device(word) {
                Some(source) => {
                    let (major, minor) = number(&source)?;
                    out.push_str(&format!("{major}:{minor}"));
                }
                None => out.push_str(word),
            }
        }
        Some(out)
    }
}

/// Is this word of a table a device? Hexadecimal digests and keys also occur there, so of the
/// forms without a tag only `/dev/…` and `MAJOR:MINOR` count.
fn device(word: &str) -> Option<Source> {
    let tagged = word
        .split_once('=')
        .is_some_and(|(tag, _)| tag.bytes().all(|b| b.is_ascii_alphabetic()));
    let number = word.contains(':') && word.bytes().all(|b| b.is_ascii_digit() || b == b':');
    if !word.starts_with("/dev/") && !tagged && !number {
        return None;
    }
    match Source::parse(word.as_bytes()) {
        Source::Unknown(_) => None,
        source => Some(source),
    }
}

/// Reads the value. One mistake spoils all of it, as in the kernel: half of a stack of devices is
/// no use. The error is what is wrong, as the end of a sentence.
pub fn parse(value: &[u8]) -> Result<Vec<Mapping>, String> {
    let text = core::str::from_utf8(value).map_err(|_| "is not text".to_string())?;
    let fits = text.len() < BYTES_MAX && text.split(';').count() <= ENTRIES_MAX;
    if !fits {
        return Err("is longer than the kernel takes".into());
    }
    text.split(';').map(mapping).all_ok()
}

fn mapping(text: &str) -> Result<Mapping, String> {
    let mut fields = text.splitn(5, ',').map(str::trim);
    let mut field = || fields.next().ok_or("has a device with less than 5 fields");
    let (name, uuid, minor) = (field()?, field()?, field()?);
    let read_only = match field()? {
        "ro" => true,
        "rw" => false,
        other => return Err(format!("has '{other}' where ro or rw is expected")),
    };
    let odd = matches!(name, "" | "." | "..") || name.contains('/');
    if odd || name.len() > NAME_MAX || uuid.len() > UUID_MAX {
        return Err(format!("has a device that cannot be named '{name}'"));
    }
    let minor = match minor {
        "" => None,
        digits => Some(
            number(digits)
                .filter(|&n| n < MINORS)
                .ok_or_else(|| format!("has '{digits}' where a minor number is expected"))?,
        ),
    };
    let targets: Vec<Target> = field()?.split(',').map(target).all_ok()?;
    if targets.len() > ENTRIES_MAX {
        return Err("is longer than the kernel takes".into());
    }
    Ok(Mapping {
        name: name.into(),
        uuid: uuid.into(),
        minor: minor.and_then(|n| u32::try_from(n).ok()),
        read_only,
        signature: None,
        key_file: None,
        targets,
    })
}

fn target(text: &str) -> Result<Target, String> {
    let (start, rest) = word(text);
    let (sectors, rest) = word(rest);
    let (kind, arguments) = word(rest);
    let (Some(start), Some(sectors)) = (number(start), number(sectors)) else {
        let text = text.trim_ascii();
        return Err(format!(
            "has '{text}' where START SECTORS TYPE … is expected"
        ));
    };
    if !TARGETS.contains(&kind) {
        return Err(format!(
            "asks for the target '{kind}', which cannot be set up from the command line"
        ));
    }
    Ok(Target {
        start,
        sectors,
        kind: kind.into(),
        arguments: arguments.trim_ascii().into(),
    })
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(' ').unwrap_or((text, ""))
}

/// `kstrtoull` with base 0: `0x` is hexadecimal, a leading `0` octal, a `+` is nothing.
fn number(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let hex = digits.strip_prefix("0x").or(digits.strip_prefix("0X"));
    let (digits, base) = match (hex, digits.strip_prefix('0')) {
        (Some(hex), _) => (hex, 16),
        (None, Some(octal)) if !octal.is_empty() => (octal, 8),
        _ => (digits, 10),
    };
    let plain = !digits.is_empty() && !digits.starts_with('+');
    plain.then(|| u64::from_str_radix(digits, base).ok())?
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// `NAME UUID MINOR ro|rw | START SECTORS TYPE ARGUMENTS | …`
    fn shown(mapping: &Mapping) -> String {
        let access = if mapping.read_only { "ro" } else { "rw" };
        let Mapping {
            name, uuid, minor, ..
        } = mapping;
        let mut out = format!("{name} {uuid} {minor:?} {access}");
        for t in &mapping.targets {
            let Target {
                start,
                sectors,
                kind,
                arguments,
            } = t;
            out.push_str(&format!(" | {start} {sectors} {kind} {arguments}"));
        }
        out
    }

    fn check(value: &str, expected: &[&str]) {
        let all = parse(value.as_bytes()).unwrap_or_else(|e| panic!("{value}: {e}"));
        let shown: Vec<String> = all.iter().map(shown).listed();
        assert_eq!(shown, expected, "{value}");
    }

    #[test]
    fn devices_and_their_tables_are_read() {
        check(
            "lroot,,,rw, 0 4096 linear 98:16 0, 4096 4096 linear 98:32 0",
            &["lroot  None rw | 0 4096 linear 98:16 0 | 4096 4096 linear 98:32 0"],
        );
        check(
            "a,b-1,0x3,ro,0 010 linear /dev/vda 0;  c , , 5 , rw ,  0   4  striped 2 8 8:1 0 8:2 0 ",
            &[
                "a b-1 Some(3) ro | 0 8 linear /dev/vda 0",
                "c  Some(5) rw | 0 4 striped 2 8 8:1 0 8:2 0",
            ],
        );
    }

    #[test]
    fn one_mistake_spoils_it_all() {
        for (value, expected) in [
            ("", "has a device with less than 5 fields"),
            ("a,,,rw", "has a device with less than 5 fields"),
            (
                "a,,,rw,0 1 linear 8:1 0;",
                "has a device with less than 5 fields",
            ),
            ("a,,,,0 1 linear 8:1 0", "has '' where ro or rw"),
            ("a,,x,ro,0 1 linear 8:1 0", "has 'x' where a minor"),
            (
                "a,,1048576,ro,0 1 linear 8:1 0",
                "has '1048576' where a minor",
            ),
            (
                "../a,,,ro,0 1 linear 8:1 0",
                "has a device that cannot be named '../a'",
            ),
            ("a,,,ro,0 linear 8:1 0", "has '0 linear 8:1 0' where START"),
            (
                "a,,,ro,0 -1 linear 8:1 0",
                "has '0 -1 linear 8:1 0' where START",
            ),
            (
                "a,,,ro,0 1 snapshot 8:1 8:2 P 8",
                "asks for the target 'snapshot'",
            ),
            ("a,,,ro,0 1 linear 8:1 0,", "has '' where START"),
        ] {
            let error = parse(value.as_bytes()).unwrap_err();
            assert!(error.starts_with(expected), "{value}: {error}");
        }
        assert!(parse(b"\xff,,,ro,0 1 linear 8:1 0").is_err());
        let long = format!("a,,,ro,0 1 linear 8:1 0{}", " ".repeat(BYTES_MAX));
        assert!(parse(long.as_bytes()).is_err());
    }

    #[test]
    fn devices_are_told_from_other_words() {
        for (arguments, expected) in [
            ("/dev/vda 0", "<Name(\"vda\")> 0"),
            ("98:16 0", "<Number(98, 16)> 0"),
            ("PARTUUID=AB-01 7", "<PartUuid(\"ab-01\")> 7"),
            (
                "aes-xts-plain64 00ff 0 /dev/mapper/a 1",
                "aes-xts-plain64 00ff 0 <Name(\"mapper/a\")> 1",
            ),
            (
                "1 8:1 8:2 4096 4096 10 1 sha256 fb1a 0801",
                "1 <Number(8, 1)> <Number(8, 2)> 4096 4096 10 1 sha256 fb1a 0801",
            ),
            (":32:logon:key 0", ":32:logon:key 0"),
            ("capi:xts(aes)-plain64 a=b", "capi:xts(aes)-plain64 a=b"),
        ] {
            let target = Target {
                start: 0,
                sectors: 1,
                kind: "linear".into(),
                arguments: arguments.into(),
            };
            let mut out: Vec<String> = Vec::new();
            for word in arguments.split(' ') {
                out.push(device(word).map_or(word.into(), |d| format!("<{d:?}>")));
            }
            assert_eq!(out.join(" "), expected);
            let devices = out.iter().filter(|w| w.starts_with('<')).count();
            assert_eq!(target.devices().count(), devices);
            let numbered = target.with_numbers(&|_| Some((7, 9))).unwrap();
            assert_eq!(numbered.matches("7:9").count(), devices, "{numbered}");
            assert_eq!(target.with_numbers(&|_| None).is_none(), devices > 0);
        }
    }
}
