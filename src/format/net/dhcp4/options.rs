//! Options, wherever in a message they stand.
//!
//! An option may stand in several pieces (RFC 3396), and in the fields `file` and `sname` where
//! option 52 says so (RFC 2132 §9.3): the pieces are one value, in this order. An option that runs
//! past the end of its field ends the field; what came before counts.

use super::code;
use crate::base::bytes::{array, be32};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// Longest name that counts, in bytes: DNS has none that are longer (RFC 1035 §2.3.4).
const NAME_MAX: usize = 255;

pub(super) struct Options<'a> {
    fields: [&'a [u8]; 3],
}

impl<'a> Options<'a> {
    /// Of what follows the cookie, of `file` and of `sname`.
    pub fn new(options: &'a [u8], file: &'a [u8], sname: &'a [u8]) -> Self {
        let mut all = Self {
            fields: [options, &[], &[]],
        };
        // It counts in the first field only: nothing can lead in circles.
        let overload = all.value(code::OVERLOAD).first().copied().unwrap_or(0);
        let taken = |bit: u8, field: &'a [u8]| match overload {
            1..=3 if overload & bit != 0 => field,
            _ => &[],
        };
        all.fields = [options, taken(1, file), taken(2, sname)];
        all
    }

    /// Does the field hold options, and so no text?
    pub fn took_file(&self) -> bool {
        let [_, file, _] = self.fields;
        !file.is_empty()
    }

    pub fn took_sname(&self) -> bool {
        let [.., sname] = self.fields;
        !sname.is_empty()
    }

    /// All pieces of the option together. Empty: it is not there, or says nothing.
    pub fn value(&self, code: u8) -> Vec<u8> {
        let mut value = Vec::new();
        for field in self.fields {
            let mut rest = field;
            while let Some((found, piece, behind)) = first(rest) {
                if found == code {
                    value.extend_from_slice(piece);
                }
                rest = behind;
            }
        }
        value
    }

    /// The first one of those that may be several.
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        Some(array::<4>(&self.value(code), 0)?.into())
    }

    pub fn addresses(&self, code: u8) -> Vec<Ipv4Addr> {
        let value = self.value(code);
        let four = |at: &[u8]| Some(array::<4>(at, 0)?.into());
        value.chunks(4).filter_map(four).listed()
    }

    /// Seconds.
    pub fn time(&self, code: u8) -> Option<u32> {
        be32(&self.value(code), 0)
    }

    /// Some servers end text with NUL (RFC 2132 §2).
    pub fn text(&self, code: u8) -> Option<Text> {
        let mut value = self.value(code);
        while value.last() == Some(&0) {
            value.pop();
        }
        (!value.is_empty()).then_some(Text(value))
    }

    /// A name: neither with control bytes, nor longer than names are.
    pub fn name(&self, code: u8) -> Option<Text> {
        let name = self.text(code)?;
        let clean = !name.0.iter().any(u8::is_ascii_control);
        (clean && name.0.len() <= NAME_MAX).then_some(name)
    }
}

/// The first option of a field: code, value, what is behind it.
fn first(field: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let mut rest = field;
    loop {
        let (&code, tail) = rest.split_first()?;
        match code {
            code::PAD => rest = tail,
            code::END => return None,
            _ => {
                let (&length, tail) = tail.split_first()?;
                let (value, behind) = tail.split_at_checked(length.into())?;
                return Some((code, value, behind));
            }
        }
    }
}
