//! Generic netlink: families that have a name, and a number that each kernel gives anew.
//!
//! Source: linux/genetlink.h, Documentation/userspace-api/netlink/intro.rst (Linux 6.12).

use super::message::{Attributes, Message, Messages, ne16};
use super::request::Request;
use crate::base::bytes::{u8, until_nul};
use crate::base::text::Text;
use alloc::vec::Vec;

/// The family that knows all others (`GENL_ID_CTRL`), and what it is asked (`CTRL_CMD_*`).
const CONTROL: u16 = 0x10;
const GET_FAMILY: u8 = 3;

/// `CTRL_ATTR_*`.
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;
const GROUPS: u16 = 7;
const GROUP_NAME: u16 = 1;
const GROUP_ID: u16 = 2;

/// `struct genlmsghdr`: command, version, two bytes of nothing.
const HEADER: usize = 4;

/// A family as this kernel has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The type of its messages.
    pub id: u16,
    /// Whoever joins one is told of what happens.
    pub groups: Vec<(Text, u32)>,
}

impl Family {
    /// `ENOENT` is the answer where the kernel has none of this name: its module is not loaded.
    pub fn ask(name: &str) -> Request {
        request(CONTROL, GET_FAMILY, 1).with(|a| a.text(FAMILY_NAME, name))
    }

    /// The kernel's answer to that.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        Messages(datagram).find_map(|message| {
            let (_, attributes) = read(&message, CONTROL)?;
            let id = ne16(attributes.find(FAMILY_ID)?, 0)?;
            let mut groups = Vec::new();
            for group in Attributes(attributes.find(GROUPS).unwrap_or_default()) {
                let group = Attributes(group.payload);
                if let (Some(name), Some(id)) = (group.find(GROUP_NAME), group.u32(GROUP_ID)) {
                    groups.push((Text::from(until_nul(name)), id));
                }
            }
            Some(Self { id, groups })
        })
    }

    pub fn group(&self, name: &str) -> Option<u32> {
        let mut groups = self.groups.iter();
        let found = groups.find(|(known, _)| known.as_bytes() == name.as_bytes());
        found.map(|(_, id)| *id)
    }
}

/// A message to the family with this number.
pub fn request(family: u16, command: u8, version: u8) -> Request {
    Request::new(family, 0, &[command, version, 0, 0])
}

/// The command and the attributes of a message of this family; `None`: it is of another.
pub fn read<'a>(message: &Message<'a>, family: u16) -> Option<(u8, Attributes<'a>)> {
    let command = u8(message.body, 0).filter(|_| message.kind == family)?;
    Some((command, Attributes::after(message.body, HEADER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a little-endian kernel answers about `nbd`, but for its operations.
    const ANSWER: &[&[u8]] = &[
        b"\x50\0\0\0\x10\0\0\0\x07\0\0\0\0\0\0\0\x01\x02\0\0",
        b"\x08\0\x02\0nbd\0\x06\0\x01\0\x25\0\0\0",
        b"\x08\0\x03\0\x01\0\0\0\x24\0\x07\0\x20\0\x01\0",
        b"\x08\0\x02\0\x10\0\0\0\x11\0\x01\0nbd_mc_group\0\0\0\0",
    ];

    #[test]
    fn a_family_is_asked_for_by_its_name() {
        let bytes = Family::ask("nbd").message(7);
        let expected = b"\x1c\0\0\0\x10\0\x05\0\x07\0\0\0\0\0\0\0\x03\x01\0\0\x08\0\x02\0nbd\0";
        if cfg!(target_endian = "little") {
            assert_eq!(bytes, expected);
        }
    }

    #[test]
    fn a_family_has_a_number_and_groups() {
        if cfg!(target_endian = "big") {
            return;
        }
        let answer = ANSWER.concat();
        let family = Family::parse(&answer).unwrap();
        assert_eq!((family.id, family.group("nbd_mc_group")), (0x25, Some(16)));
        assert_eq!(family.group("nbd"), None);
        for length in 0..answer.len() {
            assert_eq!(Family::parse(&answer[..length]), None);
        }
    }

    #[test]
    fn messages_of_other_families_are_not_read() {
        let message = Message {
            kind: 0x25,
            flags: 0,
            sequence: 0,
            body: b"\x04\x01\0\0\x08\0\x01\0\x05\0\0\0",
        };
        let (command, attributes) = read(&message, 0x25).unwrap();
        assert_eq!(command, 4);
        assert_eq!(attributes.find(1).map(<[u8]>::len), Some(4));
        assert!(read(&message, 0x26).is_none());
        let empty = Message {
            body: b"",
            ..message
        };
        assert!(read(&empty, 0x25).is_none());
    }
}
