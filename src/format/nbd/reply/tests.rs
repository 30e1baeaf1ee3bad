//! Replies by hand, from the document.

#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use alloc::vec::Vec;

fn reply(option: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0\x03\xe8\x89\x04\x55\x65\xa9".to_vec();
    bytes.extend_from_slice(&option.to_be_bytes());
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

#[test]
fn replies_are_read_one_by_one() {
    for (number, kind) in [
        (1, Kind::Ack),
        (2, Kind::Server),
        (3, Kind::Info),
        (4, Kind::Other),
        (0, Kind::Other),
        (0x8000_0001, Kind::Refused(Refusal::Unsupported)),
        (0x8000_0002, Kind::Refused(Refusal::Policy)),
        (0x8000_0003, Kind::Refused(Refusal::Invalid)),
        (0x8000_0004, Kind::Refused(Refusal::Platform)),
        (0x8000_0005, Kind::Refused(Refusal::TlsRequired)),
        (0x8000_0006, Kind::Refused(Refusal::Unknown)),
        (0x8000_0007, Kind::Refused(Refusal::ShuttingDown)),
        (0x8000_0008, Kind::Refused(Refusal::BlockSizeRequired)),
        (0x8000_0009, Kind::Refused(Refusal::TooBig)),
        (0x8000_000a, Kind::Refused(Refusal::Other)),
    ] {
        let mut bytes = reply(7, number, b"text");
        let length = bytes.len();
        bytes.extend_from_slice(b"what follows");
        let expected = Reply {
            option: 7,
            kind,
            data: b"text",
        };
        assert_eq!(read(&bytes), Ok(Some((expected, length))));
        for short in 0..length {
            assert_eq!(read(&bytes[..short]), Ok(None));
        }
    }
}

#[test]
fn what_is_no_reply_is_told_early() {
    assert!(read(b"NBDMAGIC").is_err());
    assert!(read(b"\0\x03\xe8\x89\x04\x55\x65\xa8").is_err());
    let longest = reply(7, 3, &[0; DATA_MAX]);
    assert_eq!(longest.len(), LONGEST);
    assert!(read(&longest).unwrap().is_some());
    let longer = reply(7, 3, &[0; DATA_MAX + 1]);
    assert!(read(&longer[..HEADER]).is_err());
    assert_eq!(read(&longer[..HEADER - 1]), Ok(None));
}

#[test]
fn information_is_of_known_length() {
    let export = b"\0\0\0\0\0\0\0\x10\0\0\x01\x23";
    assert_eq!(info(export), Some(Info::Export(1 << 20, Flags(0x123))));
    let blocks = b"\0\x03\0\0\x02\0\0\0\x10\0\x02\0\0\0";
    let sizes = BlockSizes {
        minimum: 512,
        preferred: 4096,
        maximum: 32 << 20,
    };
    assert_eq!(info(blocks), Some(Info::BlockSizes(sizes)));
    assert_eq!(info(b"\0\x01name"), Some(Info::Other));
    assert_eq!(info(b"\0\x02"), Some(Info::Other));
    for data in [&export[..], blocks] {
        for length in 0..data.len() {
            assert_eq!(info(&data[..length]), None);
        }
        assert_eq!(info(&[data, b"\0"].concat()), None);
    }
}

#[test]
fn names_of_a_list_are_within_their_data() {
    assert_eq!(export_name(b"\0\0\0\x02abdescription"), Some(&b"ab"[..]));
    assert_eq!(export_name(b"\0\0\0\0"), Some(&b""[..]));
    assert_eq!(export_name(b"\0\0\0\x03ab"), None);
    assert_eq!(export_name(b"\xff\xff\xff\xffab"), None);
    assert_eq!(export_name(b"\0\0\0"), None);
}

#[test]
fn the_old_answer_may_end_in_zeroes() {
    let mut bytes = b"\0\0\0\0\0\x10\0\0\0\x03".to_vec();
    let expected = |length| Some((1 << 20, Flags(3), length));
    assert_eq!(export(&bytes, true), expected(10));
    assert_eq!(export(&bytes, false), None);
    bytes.resize(10 + ZEROES, 0);
    assert_eq!(export(&bytes, false), expected(134));
    for length in 0..bytes.len() {
        assert_eq!(export(&bytes[..length], false), None);
        assert_eq!(export(&bytes[..length], true).is_some(), length >= 10);
    }
}
