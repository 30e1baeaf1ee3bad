//! How a request ended: `struct nlmsgerr`, or the last message of a list.
//!
//! Source: linux/netlink.h; `netlink_ack` and `netlink_dump_done` in net/netlink/af_netlink.c
//! (Linux 6.12).

use super::message::{Attributes, Message, ne32};
use crate::base::bytes::until_nul;
use crate::base::text::Text;

/// Types of messages that belong to no family (`NLMSG_*`).
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// Below are types of netlink itself.
const FIRST_OF_FAMILY: u16 = 0x10;

/// Flags of this message: the request is not repeated in it; attributes follow.
const CAPPED: u16 = 0x100;
const HAS_ATTRIBUTES: u16 = 0x200;

const ATTRIBUTE_TEXT: u16 = 1;

/// Longest text taken, in bytes; the kernel's are sentences.
const LONGEST: usize = 256;

/// The end of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// 0: it was done.
    pub errno: i32,
    /// What the kernel says besides. Empty: nothing, or it is older than 4.12.
    pub said: Text,
}

/// What one message is to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A part of what was asked for.
    Item,
    /// Nothing follows.
    End(End),
    /// Of netlink itself, and without meaning here.
    Other,
}

pub fn read(message: &Message) -> Answer {
    let attributes_at = match message.kind {
        DONE => 4,
        // The request follows as it was sent, unless it is left out but for its header.
        ERROR if message.flags & CAPPED != 0 => 20,
        ERROR => {
            let length = ne32(message.body, 4).and_then(|length| usize::try_from(length).ok());
            let whole = length.and_then(|length| length.checked_next_multiple_of(4));
            whole.unwrap_or(usize::MAX).saturating_add(4)
        }
        FIRST_OF_FAMILY.. => return Answer::Item,
        _ => return Answer::Other,
    };
    // The last message of a list had no number once.
    let number = ne32(message.body, 0).unwrap_or(0).cast_signed();
    let text = if message.flags & HAS_ATTRIBUTES == 0 {
        None
    } else {
        Attributes::after(message.body, attributes_at).find(ATTRIBUTE_TEXT)
    };
    let text = until_nul(text.unwrap_or_default());
    Answer::End(End {
        errno: number.checked_neg().filter(|n| *n >= 0).unwrap_or(i32::MAX),
        said: Text::from(text.get(..LONGEST).unwrap_or(text)),
    })
}
