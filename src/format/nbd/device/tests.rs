//! Messages by hand, from linux/nbd-netlink.h, as a little-endian machine has them.

#![cfg(target_endian = "little")]
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use crate::format::nbd::BlockSizes;
use crate::format::netlink::message::Messages;
use alloc::vec::Vec;

fn family() -> Family {
    Family {
        id: 0x25,
        groups: Vec::new(),
    }
}

const EXPORT: Export = Export {
    size: (1 << 20) + 100,
    flags: Flags(0x10d),
    blocks: BlockSizes {
        minimum: 1,
        preferred: 4096,
        maximum: 32 << 20,
    },
};

/// Header of the message, of the family, and the rest.
fn message(command: u8, rest: &[&[u8]]) -> Vec<u8> {
    let rest = rest.concat();
    let mut bytes = (20 + rest.len() as u32).to_le_bytes().to_vec();
    bytes.extend_from_slice(b"\x25\0\x05\0\x09\0\0\0\0\0\0\0");
    bytes.extend_from_slice(&[command, 1, 0, 0]);
    bytes.extend_from_slice(&rest);
    bytes
}

#[test]
fn a_device_is_made_of_sockets() {
    let options = Options::default();
    let expected = message(
        1,
        &[
            b"\x0c\0\x02\0\0\0\x10\0\0\0\0\0",
            b"\x0c\0\x03\0\0\x02\0\0\0\0\0\0",
            b"\x0c\0\x05\0\x0d\x01\0\0\0\0\0\0",
            b"\x0c\0\x08\0\x80\x51\x01\0\0\0\0\0",
            b"\x1c\0\x07\x80",
            b"\x0c\0\x01\x80\x08\0\x01\0\x05\0\0\0",
            b"\x0c\0\x01\x80\x08\0\x01\0\x06\0\0\0",
        ],
    );
    let request = connect(&family(), &[5, 6], &EXPORT, &options);
    assert_eq!(request.message(9), expected);
}

#[test]
fn what_the_command_line_says_counts() {
    let options = Options {
        read_only: true,
        timeout_s: Some(30),
        block_size: Some(4096),
        ..Options::default()
    };
    let expected = message(
        1,
        &[
            b"\x0c\0\x02\0\0\0\x10\0\0\0\0\0",
            b"\x0c\0\x03\0\0\x10\0\0\0\0\0\0",
            b"\x0c\0\x05\0\x0f\x01\0\0\0\0\0\0",
            b"\x0c\0\x04\0\x1e\0\0\0\0\0\0\0",
            b"\x0c\0\x08\0\x80\x51\x01\0\0\0\0\0",
            b"\x10\0\x07\x80",
            b"\x0c\0\x01\x80\x08\0\x01\0\x05\0\0\0",
        ],
    );
    let request = connect(&family(), &[5], &EXPORT, &options);
    assert_eq!(request.message(9), expected);
    let never = Options {
        dead_connection_s: Some(0),
        ..options
    };
    assert_eq!(wait_s(&never), 0);
}

#[test]
fn a_device_is_named_by_its_number() {
    let third: &[u8] = b"\x08\0\x01\0\x03\0\0\0";
    let request = disconnect(&family(), 3);
    assert_eq!(request.message(9), message(2, &[third]));
    let request = status(&family(), 3);
    assert_eq!(request.message(9), message(5, &[third]));
    let request = reconfigure(&family(), 3, &[7]);
    let sockets = b"\x10\0\x07\x80\x0c\0\x01\x80\x08\0\x01\0\x07\0\0\0";
    assert_eq!(request.message(9), message(3, &[third, sockets]));
}

/// What `read` makes of this answer, and nothing of any part of it.
fn check<T: PartialEq + core::fmt::Debug>(
    bytes: &[u8],
    read: impl Fn(&Message<'_>) -> Option<T>,
    expected: Option<T>,
) {
    let found = |bytes| Messages(bytes).find_map(|message| read(&message));
    assert_eq!(found(bytes), expected);
    for length in 0..bytes.len() {
        assert_eq!(found(&bytes[..length]), None);
    }
}

#[test]
fn the_kernel_says_which_device_it_is() {
    let family = family();
    let made = message(1, &[b"\x08\0\x01\0\x02\0\0\0"]);
    check(&made, |m| index(m, &family), Some(2));
    check(&made, |m| dead_link(m, &family), None);
    let dead = message(4, &[b"\x08\0\x01\0\x02\0\0\0"]);
    check(&dead, |m| dead_link(m, &family), Some(2));
    check(&dead, |m| index(m, &family), None);
}

#[test]
fn the_kernel_says_whether_a_device_is_connected() {
    let family = family();
    let answer = message(
        5,
        &[
            b"\x2c\0\x09\0",
            b"\x14\0\x01\0\x08\0\x01\0\0\0\0\0\x05\0\x02\0\x01\0\0\0",
            b"\x14\0\x01\0\x08\0\x01\0\x01\0\0\0\x05\0\x02\0\0\0\0\0",
        ],
    );
    check(&answer, |m| is_connected(m, &family, 0), Some(true));
    check(&answer, |m| is_connected(m, &family, 1), Some(false));
    check(&answer, |m| is_connected(m, &family, 2), None);
}
