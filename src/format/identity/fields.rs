//! One structure on the disk, field by field.
//!
//! A reader of a format is a chain of `?`: whatever is not there, not plausible or not read yet
//! ends it. Offsets in the readers are those of the structure in its source document.

use super::view::{Range, View};
use super::{Need, Usage};
use crate::base::bytes;
use crate::base::text::Text;
use alloc::string::String;

/// Why a reader has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It is not this format.
    Absent,
    /// It cannot say before these bytes are read.
    Need(Range),
}

impl From<Need> for Miss {
    fn from(need: Need) -> Self {
        Self::Need(need.0)
    }
}

pub(super) type Read<T> = Result<T, Miss>;

/// Goes on only if `plausible`.
pub(super) fn ensure(plausible: bool) -> Read<()> {
    if plausible { Ok(()) } else { Err(Miss::Absent) }
}

/// The first alternative that is not absent.
pub(super) fn first<A: Copy, T>(all: &[A], read: impl Fn(A) -> Read<T>) -> Read<T> {
    for &one in all {
        match read(one) {
            Err(Miss::Absent) => {}
            answer => return answer,
        }
    }
    Err(Miss::Absent)
}

/// The bytes of one structure; what lies past its end is absent.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The structure of `len` bytes at byte `at` of the device.
    pub fn of(view: &'a View, at: u64, len: usize) -> Read<Self> {
        view.bytes(at, len)?.map(Self).ok_or(Miss::Absent)
    }

    pub fn bytes(self, at: usize, len: usize) -> Read<&'a [u8]> {
        bytes::slice(self.0, at, len).ok_or(Miss::Absent)
    }

    pub fn is(self, at: usize, magic: &[u8]) -> bool {
        bytes::slice(self.0, at, magic.len()) == Some(magic)
    }

    pub fn u8(self, at: usize) -> Read<u8> {
        bytes::u8(self.0, at).ok_or(Miss::Absent)
    }

    pub fn le16(self, at: usize) -> Read<u16> {
        bytes::le16(self.0, at).ok_or(Miss::Absent)
    }

    pub fn le32(self, at: usize) -> Read<u32> {
        bytes::le32(self.0, at).ok_or(Miss::Absent)
    }

    pub fn le64(self, at: usize) -> Read<u64> {
        bytes::le64(self.0, at).ok_or(Miss::Absent)
    }

    pub fn be16(self, at: usize) -> Read<u16> {
        bytes::be16(self.0, at).ok_or(Miss::Absent)
    }

    pub fn be32(self, at: usize) -> Read<u32> {
        bytes::be32(self.0, at).ok_or(Miss::Absent)
    }

    pub fn be64(self, at: usize) -> Read<u64> {
        bytes::be64(self.0, at).ok_or(Miss::Absent)
    }

    /// A UUID of sixteen bytes in the order they are written. All zero: none.
    pub fn uuid(self, at: usize) -> Read<Option<String>> {
        bytes::array(self.0, at).map(uuid).ok_or(Miss::Absent)
    }

    /// A UUID whose first three fields are little-endian (UEFI 2.10, appendix A).
    pub fn guid(self, at: usize) -> Read<Option<String>> {
        let mut raw: [u8; 16] = bytes::array(self.0, at).ok_or(Miss::Absent)?;
        let (head, _) = raw.split_at_mut(8);
        let (long, shorts) = head.split_at_mut(4);
        long.reverse();
        shorts.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        Ok(uuid(raw))
    }

    /// A label: up to the first NUL, blanks at the end removed, as libblkid reports it.
    pub fn label(self, at: usize, len: usize) -> Read<Option<Text>> {
        Ok(label(self.bytes(at, len)?))
    }

    /// A UUID that is stored as text.
    pub fn text_uuid(self, at: usize, len: usize) -> Read<Option<String>> {
        let text = self.label(at, len)?;
        Ok(text.and_then(|t| t.as_str().map(String::from)))
    }
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

/// One format: the record at the bottom of each reader's file.
pub(super) struct Format {
    /// libblkid's name, which is also what mount(2) and the other tools call it.
    pub name: &'static str,
    pub usage: Usage,
    /// May share a device with another file system (a hybrid CD image, for example).
    pub tolerant: bool,
    /// Bytes below which no device holds this format.
    pub min_size: u64,
    pub read: fn(&View) -> Read<super::Signature>,
}

impl Format {
    /// A signature with nothing known but its name.
    pub fn signature(&self) -> super::Signature {
        super::Signature {
            kind: self.name.into(),
            usage: self.usage,
            version: None,
            uuid: None,
            uuid_sub: None,
            label: None,
            block_size: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_written_as_everybody_writes_them() {
        let raw: [u8; 17] = core::array::from_fn(|i| i as u8);
        let fields = Fields(&raw);
        let check = |uuid: Read<Option<String>>, expected: &str| {
            assert_eq!(uuid.ok().flatten().as_deref(), Some(expected));
        };
        check(fields.uuid(0), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        check(fields.guid(1), "04030201-0605-0807-090a-0b0c0d0e0f10");
        assert_eq!(fields.uuid(2), Err(Miss::Absent));
        assert_eq!(Fields(&[0; 16]).uuid(0), Ok(None));
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
