//! What an array is to be called: `/dev/mdN`, and its name below `/dev`.
//!
//! The rules are those of mdadm's incremental assembly, so that the real system finds its arrays
//! under the names that it would have given them. Of mdadm.conf only what names are made of is
//! read: `ARRAY` and `HOMEHOST`. Source: mdadm(8) `--homehost`, mdadm.conf(5) "HOMEHOST", "ARRAY".

use super::superblock::{Id, Version};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// An array, as far as its name depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The kernel's name: `md127`.
    pub device: String,
    pub version: Version,
    pub array: Id,
    /// What its superblock says, with the home: `harbour:root`.
    pub name: Text,
}

/// What the array would like to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// `/dev/mdN`, if that is free. `None`: any free number, from 127 down.
    pub number: Option<u32>,
    /// Below `/dev`: `md/root`, `md5`. A suffix `_0`, `_1`, … is wanted where [`Self::suffixed`],
    /// or on conflict.
    pub path: Text,
    /// The name says neither that it is of here nor of which other machine it is.
    pub suffixed: bool,
}

/// Minor numbers have 20 bits.
const MAX_NUMBER: u32 = (1 << 20) - 1;

/// How the machine's arrays are called.
#[derive(Debug)]
pub struct Naming<'a> {
    /// This machine's name; empty: not known.
    home: &'a [u8],
    /// `HOMEHOST <ignore>`: arrays of no home are not suffixed.
    lenient: bool,
    lines: Vec<Vec<&'a [u8]>>,
}

impl<'a> Naming<'a> {
    /// `conf`: mdadm.conf(5). `hostname`: hostname(5). Either may be empty.
    pub fn read(conf: &'a [u8], hostname: &'a [u8]) -> Self {
        let mut naming = Self {
            home: hostname_in(hostname),
            lenient: false,
            lines: lines(conf),
        };
        let is = |line: &&Vec<&[u8]>| is_keyword(line, b"homehost");
        match naming.lines.iter().find(is).and_then(|line| line.get(1)) {
            None | Some(&b"<system>") => {}
            Some(&b"<none>") => naming.home = b"",
            Some(&b"<ignore>") => (naming.home, naming.lenient) = (b"", true),
            Some(home) => naming.home = home,
        }
        naming
    }

    /// A name of another home is kept with that home in front, and its number is not taken.
    pub fn preferred(&self, version: Version, array: Id, name: &Text) -> Preferred {
        if let Some(path) = self.told(version, array, name) {
            return Preferred {
                number: number(&path),
                path: Text(path),
                suffixed: false,
            };
        }
        let name = name.as_bytes();
        let colon = name.iter().position(|&b| b == b':');
        let host = colon.and_then(|at| name.get(..at));
        let rest = colon.and_then(|at| name.get(at.saturating_add(1)..));
        // Version 0.90 has no home in its name, only the number that it had.
        let own = version == Version::V0
            || host.is_some_and(|h| h == b"any" || (!self.home.is_empty() && h == self.home));
        let name = if own { rest.unwrap_or(name) } else { name };
        let mut path = b"md/".to_vec();
        path.extend(name.iter().map(|&b| plain(b)).listed());
        Preferred {
            number: number(name).filter(|_| own),
            path: Text(path),
            suffixed: !own && colon.is_none() && !self.lenient,
        }
    }

    /// What a line `ARRAY` says; nothing where two lines mean this array.
    fn told(&self, version: Version, array: Id, name: &Text) -> Option<Vec<u8>> {
        let is_meant = |line: &&Vec<&[u8]>| {
            let mut sure = false;
            let mut words = line.iter().skip(1).map(|word| split(word));
            let fits = words.all(|(key, value)| {
                let is = |keyword: &str| key.eq_ignore_ascii_case(keyword.as_bytes());
                let fits = if is("uuid") {
                    Id::read(value) == Some(array)
                } else if is("name") {
                    value == name.as_bytes()
                } else if is("super-minor") {
                    version == Version::V0 && value == name.as_bytes()
                } else {
                    return true;
                };
                sure |= fits;
                fits
            });
            fits && sure && is_keyword(line, b"array")
        };
        let mut meant = self.lines.iter().filter(is_meant);
        let line = meant.next().filter(|_| meant.next().is_none())?;
        let mut words = line.iter().skip(1);
        let device = words.find(|word| !word.contains(&b'=') && !word.starts_with(b"<"))?;
        let below_dev = device.strip_prefix(b"/dev/".as_slice());
        Some(below_dev.map_or_else(|| [b"md/", *device].concat(), <[u8]>::to_vec))
    }
}

/// The first line that is one.
fn hostname_in(file: &[u8]) -> &[u8] {
    let mut lines = file.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let is = |line: &&[u8]| !line.is_empty() && !line.starts_with(b"#");
    lines.find(is).unwrap_or_default()
}

/// Words by line. A line that begins with white space continues the one before; `#` at the begin of
/// a word hides the rest; quotation marks hold a word together.
fn lines(conf: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut lines: Vec<Vec<&[u8]>> = Vec::new();
    for line in conf.split(|&b| b == b'\n') {
        let continues = line.first().is_some_and(u8::is_ascii_whitespace);
        if !continues || lines.is_empty() {
            lines.push(Vec::new());
        }
        let mut rest = line.trim_ascii();
        while !rest.is_empty() && !rest.starts_with(b"#") {
            let quote = rest.first().copied().filter(|b| matches!(b, b'"' | b'\''));
            let start = usize::from(quote.is_some());
            let ends = |b: &u8| quote.map_or(b.is_ascii_whitespace(), |quote| *b == quote);
            let inside = rest.get(start..).unwrap_or_default();
            let end = inside.iter().position(ends).unwrap_or(inside.len());
            let (word, behind) = inside.split_at(end);
            lines.last_mut().into_iter().for_each(|l| l.push(word));
            rest = behind.get(start..).unwrap_or_default().trim_ascii();
        }
    }
    lines
}

/// Keywords may be cut after their third letter.
fn is_keyword(line: &[&[u8]], keyword: &[u8]) -> bool {
    let word = line.first().copied().unwrap_or_default();
    let start = keyword.get(..word.len()).unwrap_or_default();
    word.len() >= 3 && word.eq_ignore_ascii_case(start)
}

fn split(word: &[u8]) -> (&[u8], &[u8]) {
    let at = word.iter().position(|&b| b == b'=');
    let (key, value) = word.split_at(at.unwrap_or(word.len()));
    (key, value.get(1..).unwrap_or_default())
}

const fn plain(byte: u8) -> u8 {
    match byte {
        b'/' => b'-',
        0..=b' ' => b'_',
        other => other,
    }
}

/// `5`, `md5`, `md/5`, `/dev/md5`, `/dev/md/5`.
fn number(name: &[u8]) -> Option<u32> {
    let cut = |name, prefix: &[u8]| <[u8]>::strip_prefix(name, prefix).unwrap_or(name);
    let digits = cut(cut(cut(name, b"/dev/"), b"md"), b"/");
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let text = core::str::from_utf8(digits).ok().filter(|_| plain)?;
    text.parse().ok().filter(|&number| number <= MAX_NUMBER)
}

/// `/dev/mdN` or `/dev/md_NAME` by the kernel's name: what `new_array` is told.
pub(super) fn kernel_name(number: u32) -> String {
    alloc::format!("md{number}")
}

/// What mdadm reads as its own note of the arrays that run: their names are not guessed again. A
/// line is the device, the version, the identity as four numbers, and the path. Source: mdadm's
/// mapfile.c (its head, and map_write).
pub fn map(arrays: &[Named], naming: &Naming<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    let mut taken: Vec<Vec<u8>> = Vec::new();
    for known in arrays {
        let liked = naming.preferred(known.version, known.array, &known.name);
        let suffix = |n: u32| [liked.path.as_bytes(), alloc::format!("_{n}").as_bytes()].concat();
        let plain = Some(liked.path.0.clone()).filter(|_| !liked.suffixed);
        let mut names = plain.into_iter().chain((0..).map(suffix));
        let path = names.find(|name| !taken.contains(name)).unwrap_or_default();
        let line = alloc::format!("{} {} ", known.device, known.version);
        text.extend(line.into_bytes());
        for (at, number) in known.array.0.chunks(4).enumerate() {
            let colon = if at > 0 { ":" } else { "" };
            let number: [u8; 4] = number.try_into().unwrap_or_default();
            // The new form's bytes are taken for a number as they lie, the old form's numbers are
            // kept with the first digit first.
            let number = match known.version {
                Version::V0 => u32::from_be_bytes(number),
                _ => u32::from_ne_bytes(number),
            };
            text.extend(alloc::format!("{colon}{number:08x}").into_bytes());
        }
        text.extend(b" /dev/");
        text.extend(&path);
        text.push(b'\n');
        taken.push(path);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRAY: Id = Id(*b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f");

    fn check(conf: &str, home: &str, name: &str, expected: (Option<u32>, &str, bool)) {
        let naming = Naming::read(conf.as_bytes(), home.as_bytes());
        let found = naming.preferred(Version::V1_2, ARRAY, &name.into());
        let path = found.path.to_string();
        let found = (found.number, path.as_str(), found.suffixed);
        assert_eq!(found, expected, "{conf:?} {home} {name}");
    }

    #[test]
    fn names_of_here_lose_their_home_and_give_their_number() {
        check("", "harbour", "harbour:5", (Some(5), "md/5", false));
        check("", "harbour", "harbour:md7", (Some(7), "md/md7", false));
        check(
            "",
            "# a\n\n harbour \n",
            "harbour:root",
            (None, "md/root", false),
        );
        check("", "quay", "harbour:5", (None, "md/harbour:5", false));
        check("", "quay", "any:5", (Some(5), "md/5", false));
        check("", "quay", "5", (None, "md/5", true));
        check("", "", "a b/c\n", (None, "md/a_b-c_", true));
        check("", "", ":5", (None, "md/:5", false));
        let large = (None, "md/99999999", false);
        check("", "harbour", "harbour:99999999", large);
    }

    #[test]
    fn mdadm_conf_names_arrays_and_their_home() {
        let by_uuid =
            |device: &str| format!("# a\narr {device} UUID=00010203:04050607:08090a0b:0c0d0e0f");
        check(&by_uuid("/dev/md5"), "", "a", (Some(5), "md5", false));
        check(&by_uuid("/dev/md/5"), "", "a", (Some(5), "md/5", false));
        check(&by_uuid("root"), "", "a", (None, "md/root", false));
        check(
            &by_uuid("'/dev/md/the root'"),
            "",
            "a",
            (None, "md/the root", false),
        );
        let by_name = "ARRAY /dev/md2 metadata=1.2\n   Name=a:b # not c\n";
        check(by_name, "", "a:b", (Some(2), "md2", false));
        check(by_name, "", "a:c", (None, "md/a:c", false));
        // Nothing that tells which one it is, two that say so, one that is not to be assembled.
        check("ARRAY /dev/md2 level=1", "", "a", (None, "md/a", true));
        let twice = format!("{}\n{}", by_uuid("/dev/md5"), by_uuid("/dev/md6"));
        check(&twice, "", "a", (None, "md/a", true));
        check(&by_uuid("<ignore>"), "", "a", (None, "md/a", true));
        check(
            "HOMEHOST quay",
            "harbour",
            "quay:5",
            (Some(5), "md/5", false),
        );
        check(
            "homehost <system>",
            "harbour",
            "harbour:5",
            (Some(5), "md/5", false),
        );
        check("HOMEHOST <ignore>", "harbour", "a", (None, "md/a", false));
        check(
            "HOMEHOST <none>",
            "harbour",
            "harbour:a",
            (None, "md/harbour:a", false),
        );
        check(" \"\n#'", "", "a", (None, "md/a", true));
    }

    /// As mdadm 4.2 and 4.4 write it (little endian).
    #[test]
    fn the_map_is_as_mdadm_writes_it() {
        let known = |device: &str, version, name: &str| Named {
            device: device.into(),
            version,
            array: ARRAY,
            name: name.into(),
        };
        let arrays = [
            known("md127", Version::V1_2, "harbour:root"),
            known("md0", Version::V0, "0"),
            known("md126", Version::V1_0, "root"),
            known("md125", Version::V1_1, "root"),
        ];
        let naming = Naming::read(b"HOMEHOST <ignore>", b"");
        let map = map(&arrays, &naming);
        let expected = "md127 1.2 03020100:07060504:0b0a0908:0f0e0d0c /dev/md/harbour:root\n\
                        md0 0.90 00010203:04050607:08090a0b:0c0d0e0f /dev/md/0\n\
                        md126 1.0 03020100:07060504:0b0a0908:0f0e0d0c /dev/md/root\n\
                        md125 1.1 03020100:07060504:0b0a0908:0f0e0d0c /dev/md/root_0\n";
        assert_eq!(String::from_utf8(map).unwrap(), expected);
    }
}
