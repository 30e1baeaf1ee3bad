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

    /// What is stored as text.
    pub fn text(self, at: usize, len: usize) -> Option<String> {
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

/// Unicode up to the first NUL, as UTF-8. Half a surrogate pair becomes the three bytes that
/// libblkid makes of it, which are not UTF-8.
pub(super) fn utf8(raw: &[u8], units: Units) -> Vec<u8> {
    let width = if units == Units::Latin1 { 1 } else { 2 };
    let mut text = Vec::with_capacity(raw.len());
    // The first half of a pair.
    let mut half = 0;
    for unit in raw.chunks_exact(width) {
        let unit = match *unit {
            [low, high] if units == Units::Utf16Le => u16::from_le_bytes([low, high]),
            [high, low] => u16::from_be_bytes([high, low]),
            _ => unit.first().copied().unwrap_or(0).into(),
        };
        let mut c = u32::from(unit);
        if c == 0 {
            break;
        }
        if half != 0 && c >> 10 == 0x37 {
            // Both halves: the three bytes of the first one give way.
            text.truncate(text.len().saturating_sub(3));
            c = (c & 0x3ff) | (half & 0x3ff) << 10;
            c = c.saturating_add(0x1_0000);
        }
        half = if c >> 10 == 0x36 { c } else { 0 };
        push_utf8(&mut text, c);
    }
    text
}

/// One to four bytes, also for half a surrogate pair.
fn push_utf8(text: &mut Vec<u8>, c: u32) {
    let (lead, mut shift): (u8, u32) = match c {
        0..0x80 => return text.push(c as u8),
        0x80..0x800 => (0xc0, 6),
        0x800..0x1_0000 => (0xe0, 12),
        _ => (0xf0, 18),
    };
    text.push(lead | (c >> shift) as u8);
    while shift > 0 {
        shift = shift.saturating_sub(6);
        text.push(0x80 | (c >> shift) as u8 & 0x3f);
    }
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

/// What a reader writes its finds into. Not inlined: there are many readers.
impl Signature {
    #[inline(never)]
    pub(super) fn set_uuid(&mut self, sb: Fields<'_>, at: usize) {
        self.uuid = sb.uuid(at);
    }

    /// An identity that is already text.
    #[inline(never)]
    pub(super) fn set_id(&mut self, id: Option<String>) {
        self.uuid = id;
    }

    #[inline(never)]
    pub(super) fn set_label(&mut self, sb: Fields<'_>, at: usize, len: usize) {
        self.label = sb.label(at, len);
    }

    #[inline(never)]
    pub(super) fn set_unicode(&mut self, raw: &[u8], units: Units) {
        self.label = label(&utf8(raw, units));
    }

    #[inline(never)]
    pub(super) fn set_version(&mut self, version: &str) {
        self.version = Some(version.into());
    }

    #[inline(never)]
    pub(super) fn set_number(&mut self, version: u64) {
        self.version = Some(decimal(version));
    }

    /// A version of two numbers.
    #[inline(never)]
    pub(super) fn set_dotted(&mut self, major: u32, minor: u32) {
        self.version = Some(format!("{major}.{minor}"));
    }
}

#[inline(never)]
pub(super) fn decimal(number: u64) -> String {
    format!("{number}")
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
    pub min_size: u32,
    /// Name and usage are filled in from here, unless the reader knows a better name.
    pub read: fn(&Look, &mut Signature) -> Option<()>,
}

/// What most formats are.
pub(super) const FILESYSTEM: Format = Format {
    name: "",
    usage: Usage::Filesystem,
    tolerant: false,
    min_size: 0,
    read: |_, _| None,
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
            let mut found = Signature::default();
            found.set_unicode(raw, units);
            assert_eq!(found.label.unwrap_or_default().0, expected);
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
