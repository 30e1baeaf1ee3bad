//! What the kernel sends: messages in a datagram, attributes in a message.
//!
//! A length that does not fit ends the list: what came before it counts.
//! Source: linux/netlink.h, netlink(3) (Linux 6.12).

use crate::base::bytes::{array, slice};
use core::net::IpAddr;

/// The flag of a list during which something changed: it may lack entries (`NLM_F_DUMP_INTR`).
const INTERRUPTED: u16 = 0x10;

/// Type and flags of an attribute share 16 bits.
const TYPE_MASK: u16 = 0x3fff;

/// `struct nlmsghdr`, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    pub kind: u16,
    pub flags: u16,
    /// Of the request that it answers. 0: nobody asked.
    pub sequence: u32,
    pub body: &'a [u8],
}

impl Message<'_> {
    pub fn interrupted(&self) -> bool {
        self.flags & INTERRUPTED != 0
    }
}

/// The messages of a datagram.
#[derive(Clone, Copy)]
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = usize::try_from(ne32(self.0, 0)?).ok()?;
        let message = Message {
            kind: ne16(self.0, 4)?,
            flags: ne16(self.0, 6)?,
            sequence: ne32(self.0, 8)?,
            body: slice(self.0, 16, length.checked_sub(16)?)?,
        };
        self.0 = behind(self.0, length);
        Some(message)
    }
}

/// `struct nlattr`, and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Without the flags.
    pub kind: u16,
    pub payload: &'a [u8],
}

/// Attributes one behind the other.
#[derive(Clone, Copy)]
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Attributes<'a> {
    /// What follows a header of `header` bytes.
    pub fn after(body: &'a [u8], header: usize) -> Self {
        Self(body.get(header..).unwrap_or_default())
    }

    /// The last one of this kind: the kernel counts it so, too.
    pub fn find(self, kind: u16) -> Option<&'a [u8]> {
        let found = self.filter(|attribute| attribute.kind == kind);
        found.last().map(|attribute| attribute.payload)
    }

    pub fn u32(self, kind: u16) -> Option<u32> {
        ne32(self.find(kind)?, 0)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let length = usize::from(ne16(self.0, 0)?);
        let attribute = Attribute {
            kind: ne16(self.0, 2)? & TYPE_MASK,
            payload: slice(self.0, 4, length.checked_sub(4)?)?,
        };
        self.0 = behind(self.0, length);
        Some(attribute)
    }
}

/// What follows the first `length` bytes and their padding, which the last one may lack.
fn behind(bytes: &[u8], length: usize) -> &[u8] {
    let whole = length.checked_next_multiple_of(4).unwrap_or(usize::MAX);
    bytes.get(whole..).unwrap_or_default()
}

pub fn ne16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_ne_bytes)
}

pub fn ne32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_ne_bytes)
}

/// An address of the family that its length says.
pub fn address(payload: &[u8]) -> Option<IpAddr> {
    match payload.len() {
        4 => array::<4>(payload, 0).map(IpAddr::from),
        16 => array::<16>(payload, 0).map(IpAddr::from),
        _ => None,
    }
}
