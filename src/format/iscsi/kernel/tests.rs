//! Messages by hand, from the header.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that overflows fails"
)]

use super::*;
use crate::format::netlink::message::Messages;

const HERE: Connection = Connection {
    transport: 0x1122_3344_5566_7788,
    session: 7,
};

/// By hand from the header, for a machine that has the lowest byte first.
fn check(found: &[u8], kind: u8, fields: &[u8], more: &[u8]) {
    let length = u8::try_from(72 + more.len()).unwrap();
    let mut expected = alloc::vec![length, 0, 0, 0, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    expected.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend(b"\x88\x77\x66\x55\x44\x33\x22\x11");
    expected.extend(fields);
    expected.resize(72, 0);
    expected.extend(more);
    if cfg!(target_endian = "little") {
        assert_eq!(found, expected);
    }
}

#[test]
fn messages_are_as_the_header_has_them() {
    // 128 commands, a queue of 32.
    let session = create_session(HERE.transport, 0x0102_0304);
    check(&session, 11, b"\x04\x03\x02\x01\x80\0\x20\0", b"");
    check(
        &HERE.about(CREATE_CONNECTION),
        13,
        b"\x07\0\0\0\0\0\0\0",
        b"",
    );
    let bound = b"\x07\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01\0\0\0";
    check(&HERE.bind(5), 15, bound, b"");
    let name = b"\x07\0\0\0\0\0\0\0\x0f\0\0\0\x04\0\0\0";
    check(&HERE.set(Param::TargetName, b"iqn"), 16, name, b"iqn\0");
    check(&HERE.about(START_CONNECTION), 17, b"\x07", b"");
    let stop = b"\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0";
    check(&HERE.stop(), 18, stop, b"");
    check(&HERE.about(DESTROY_CONNECTION), 14, b"\x07", b"");
    check(&HERE.about(DESTROY_SESSION), 12, b"\x07", b"");
}

/// What the kernel makes of a message: the same, but for what it fills in.
fn answered(mut bytes: Vec<u8>, fill: &[(usize, u32)]) -> Vec<u8> {
    bytes.truncate(72);
    bytes[..4].copy_from_slice(&72u32.to_ne_bytes());
    for (at, word) in fill {
        bytes[16 + at..20 + at].copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

#[test]
fn answers_tell_what_came_of_a_message() {
    let read = |bytes: &[u8], asked| Messages(bytes).find_map(|m| answer(&m, asked));
    let bytes = answered(create_session(1, 1), &[(40, 3), (44, 9)]);
    let found = read(&bytes, CREATE_SESSION).unwrap();
    assert_eq!((found.errno, found.words), (0, [3, 9]));
    assert_eq!(read(&bytes, CREATE_CONNECTION), None);
    // -EINVAL, as an error of the interface, and as an outcome.
    let minus_22 = u32::MAX - 21;
    let bytes = answered(HERE.set(Param::Port, b"1"), &[(0, 103), (4, minus_22)]);
    assert_eq!(read(&bytes, SET_PARAM).unwrap().errno, 22);
    let bytes = answered(HERE.bind(5), &[(40, minus_22)]);
    assert_eq!(read(&bytes, BIND_CONNECTION).unwrap().errno, 22);
    // An error without a number, or with one that no kernel says.
    let bytes = answered(HERE.stop(), &[(0, 103)]);
    assert_eq!(read(&bytes, STOP_CONNECTION).unwrap().errno, 1);
    let bytes = answered(HERE.stop(), &[(0, 103), (4, 1 << 31)]);
    assert_eq!(read(&bytes, STOP_CONNECTION).unwrap().errno, i32::MAX);
    for cut in 0..bytes.len() {
        assert_eq!(read(&bytes[..cut], STOP_CONNECTION), None);
    }
}
