//! One structure on the disk, field by field.
//!
//! A reader of a format is a chain of `?`: whatever is not there, not plausible or not read yet
//! ends it. Offsets in the readers are those of the structure in its source document.

use super::view::{Range, View};
use super::{Need, Signature, Usage};
use crate::base::bytes;
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

/// A look at a view: bytes that are missing are noted, and absent for the moment.
///
/// As long as something was missing, no answer counts: the engine has it read and looks again.
pub(super) struct Look<'a> {
    view: &'a View,
    missing: RefCell<Vec<Range>>,
}

impl<'a> Look<'a> {
    pub fn at(view: &'a View) -> Self {
        Self {
            view,
            missing: RefCell::new(Vec::new()),
        }
    }

    /// Bytes on the device.
    pub fn size(&self) -> u64 {
        self.view.size
    }

    /// Bytes in a logical sector.
    pub fn sector(&self) -> u32 {
        self.view.sector
    }

    pub fn is_partition(&self) -> bool {
        self.view.partition
    }

    /// The structure of `len` bytes at byte `at` of the device.
    pub fn fields(&self, at: u64, len: usize) -> Option<Fields<'a>> {
        match self.view.bytes(at, len) {
            Ok(found) => found.map(Fields),
            Err(Need(range)) => {
                self.missing.borrow_mut().push(range);
                None
            }
        }
    }

    /// Goes on only if `magic` is at byte `at` of the device.
    pub fn magic(&self, at: u64, magic: &[u8]) -> Option<()> {
        ensure(self.fields(at, magic.len())?.is(0, magic))
    }

    pub fn is_missing(&self) -> bool {
        !self.missing.borrow().is_empty()
    }

    /// What was missing.
    pub fn missing(self) -> Vec<Range> {
        self.missing.into_inner()
    }
}

/// Goes on only if `plausible`.
pub(super) fn ensure(plausible: bool) -> Option<()> {
    plausible.then_some(())
}

/// The bytes of one structure; what lies past its end is absent.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn bytes(self, at: usize, len: usize) -> Option<&'a [u8]> {
        bytes::slice(self.0, at, len)
    }

    pub fn is(self, at: usize, magic: &[u8]) -> bool {
        self.bytes(at, magic.len()) == Some(magic)
    }

    pub fn u8(self, at: usize) -> Option<u8> {
        bytes::u8(self.0, at)
    }

    pub fn le16(self, at: usize) -> Option<u16> {
        bytes::le16(self.0, at)
    }

    pub fn le32(self, at: usize) -> Option<u32> {
        bytes::le32(self.0, at)
    }

    pub fn le64(self, at: usize) -> Option<u64> {
        bytes::le64(self.0, at)
    }

    pub fn be16(self, at: usize) -> Option<u16> {
        bytes::be16(self.0, at)
    }

    pub fn be32(self, at: usize) -> Option<u32> {
        bytes::be32(self.0, at)
    }

    pub fn be64(self, at: usize) -> Option<u64> {
        bytes::be64(self.0, at)
    }

    /// A UUID of sixteen bytes in the order they are written. All zero: none.
    pub fn uuid(self, at: usize) -> Option<String> {
        uuid(bytes::array(self.0, at)?)
    }

    /// A UUID whose first three fields are little-endian (UEFI 2.10, appendix A).
    pub fn guid(self, at: usize) -> Option<String> {
        let mut raw: [u8; 16] = bytes::array(self.0, at)?;
        let (head, _) = raw.split_at_mut(8);
        let (long, shorts) = head.split_at_mut(4);
        long.reverse();
        shorts.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        uuid(raw)
    }

    /// A label: up to the first NUL, blanks at the end removed, as libblkid reports it.
    pub fn label(self, at: usize, len: usize) -> Option<Text> {
        label(self.bytes(at, len)?)
    }

    /// A UUID that is stored as text.
    pub fn text_uuid(self, at: usize, len: usize) -> Option<String> {
        self.label(at, len)?.as_str().map(String::from)
    }
}

/// How a label's characters are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Units {
    Latin1,
    Utf16Le,
    Utf16Be,
}

/// A label in Unicode, as UTF-8.
pub(super) fn unicode(raw: &[u8], units: Units) -> Option<Text> {
    label(&utf8(raw, units))
}

/// Unicode up to the first NUL, as UTF-8. Half a surrogate pair becomes the three bytes that
/// libblkid makes of it, which are not UTF-8.
pub(super) fn utf8(raw: &[u8], units: Units) -> Vec<u8> {
    let unit = |bytes: &[u8]| match (units, bytes) {
        (Units::Utf16Le, &[low, high]) | (Units::Utf16Be, &[high, low]) => {
            u16::from_be_bytes([high, low])
        }
        (_, &[one, ..]) => u16::from(one),
        _ => 0,
    };
    let width = if units == Units::Latin1 { 1 } else { 2 };
    let units = raw.chunks_exact(width).map(unit).take_while(|&u| u != 0);
    let mut text = Vec::with_capacity(raw.len());
    for c in char::decode_utf16(units) {
        match c {
            Ok(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(half) => {
                let [high, low] = half.unpaired_surrogate().to_be_bytes();
                let middle = (high & 0x0f) << 2 | low >> 6;
                text.extend([0xe0 | high >> 4, 0x80 | middle, 0x80 | low & 0x3f]);
            }
        }
    }
    text
}

/// `XXXX-XXXX`: a serial number of four bytes, the last one first. All zero: none.
pub(super) fn serial_number(raw: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(9);
    ensure(raw.iter().any(|&b| b != 0))?;
    for (i, &byte) in raw.iter().rev().enumerate() {
        if i == 2 {
            text.push('-');
        }
        hex(&mut text, byte, b'A');
    }
    Some(text)
}

/// A number in decimal digits.
#[inline(never)]
pub(super) fn decimal(number: u64) -> Option<String> {
    Some(format!("{number}"))
}

/// A version of two numbers.
#[inline(never)]
pub(super) fn dotted(major: u32, minor: u32) -> Option<String> {
    Some(format!("{major}.{minor}"))
}

/// A signature with what most formats have.
#[inline(never)]
pub(super) fn named(
    version: Option<String>,
    uuid: Option<String>,
    label: Option<Text>,
    block_size: u32,
) -> Option<Signature> {
    Some(Signature {
        version,
        uuid,
        label,
        block_size,
        ..Signature::default()
    })
}

pub(super) fn label(raw: &[u8]) -> Option<Text> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    let text = bytes::until_nul(raw);
    let end = text.iter().rposition(|b| !blank(b))?;
    text.get(..=end).map(Text::from)
}

fn uuid(raw: [u8; 16]) -> Option<String> {
    const DASH_BEFORE: [usize; 4] = [4, 6, 8, 10];
    if raw == [0; 16] {
        return None;
    }
    let mut text = String::with_capacity(36);
    for (i, byte) in raw.into_iter().enumerate() {
        if DASH_BEFORE.contains(&i) {
            text.push('-');
        }
        hex(&mut text, byte, b'a');
    }
    Some(text)
}

/// Two hexadecimal digits; `ten` is the digit for ten, `a` or `A`.
pub(super) fn hex(text: &mut String, byte: u8, ten: u8) {
    for nibble in [byte >> 4, byte & 15] {
        let digit = match nibble {
            0..=9 => b'0'.saturating_add(nibble),
            _ => ten.saturating_add(nibble.saturating_sub(10)),
        };
        text.push(char::from(digit));
    }
}

/// One format: the record at the bottom of each reader's file. What a record does not say is as
/// in [`FILESYSTEM`].
#[derive(Clone, Copy)]
pub(super) struct Format {
    /// libblkid's name, which is also what mount(2) and the other tools call it.
    pub name: &'static str,
    pub usage: Usage,
    /// May share a device with another file system (a hybrid CD image, for example).
    pub tolerant: bool,
    /// Bytes below which no device holds this format.
    pub min_size: u64,
    /// Name and usage are filled in from here, unless the reader knows a better name.
    pub read: fn(&Look) -> Option<Signature>,
}

/// What most formats are.
pub(super) const FILESYSTEM: Format = Format {
    name: "",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 0,
    read: |_| None,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_as_everybody_writes_them() {
        let raw: [u8; 17] = core::array::from_fn(|i| i as u8);
        let fields = Fields(&raw);
        let check = |uuid: Option<String>, expected: &str| {
            assert_eq!(uuid.as_deref(), Some(expected));
        };
        check(fields.uuid(0), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        check(fields.guid(1), "04030201-0605-0807-090a-0b0c0d0e0f10");
        assert_eq!(fields.uuid(2), None);
        assert_eq!(Fields(&[0; 16]).uuid(0), None);
    }

    #[test]
    fn unicode_labels_become_utf_8() {
        let check = |raw: &[u8], units: Units, expected: &[u8]| {
            assert_eq!(unicode(raw, units).unwrap_or_default().0, expected);
        };
        check(b"a\0\xe4\0 \0\0\0z\0", Units::Utf16Le, "aä".as_bytes());
        check(b"\0a \xacxx\0", Units::Utf16Be, "a€硸".as_bytes());
        check(b"\xd8\x3d\xde\x00\0!", Units::Utf16Be, "😀!".as_bytes());
        check(b"\xd8\x3d\0!", Units::Utf16Be, b"\xed\xa0\xbd!");
        check(b"\x3d\xd8", Units::Utf16Le, b"\xed\xa0\xbd");
        check(b"gr\xfc\xdfe ", Units::Latin1, "grüße".as_bytes());
        check(b"\0\0", Units::Utf16Le, b"");
    }

    #[test]
    fn labels_end_at_nul_and_lose_their_blanks() {
        let check = |raw: &[u8], expected: Option<&str>| {
            assert_eq!(label(raw), expected.map(Text::from));
        };
        check(b"root\0junk", Some("root"));
        check(b" a b  \n ", Some(" a b"));
        check(b"    ", None);
        check(b"\0abc", None);
        check(b"full", Some("full"));
    }
}
