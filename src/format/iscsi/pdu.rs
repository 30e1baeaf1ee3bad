//! The messages of a login: a header of 48 bytes, and a list of text.
//!
//! No digests protect them: those begin with the first message after the login.
//! Source: RFC 7143 §11.2 (header), §11.12 (Login Request), §11.13 (Login Response), §11.17
//! (Reject).

use crate::base::bytes::{array, be16, be32, slice, u8};
use alloc::vec::Vec;

pub const HEADER: usize = 48;

/// Longest text of one message taken, in bytes. Before the end of a login nobody may send more.
const TEXT_MAX: usize = 8192;

/// Types of messages. `IMMEDIATE`: it counts in no sequence.
const IMMEDIATE: u8 = 0x40;
const LOGIN: u8 = 0x03;
const LOGIN_ANSWER: u8 = 0x23;
const ASYNC: u8 = 0x32;
const REJECT: u8 = 0x3f;

const TRANSIT: u8 = 0x80;
const CONTINUE: u8 = 0x40;

/// What a part of the login is about; numbers as they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Security = 0,
    Operational = 1,
    /// The login is over.
    Full = 3,
}

impl Stage {
    fn by_number(number: u8) -> Option<Self> {
        Some(match number & 3 {
            0 => Self::Security,
            1 => Self::Operational,
            3 => Self::Full,
            _ => return None,
        })
    }

    pub fn next(self) -> Self {
        match self {
            Self::Security => Self::Operational,
            _ => Self::Full,
        }
    }
}

/// What is asked of a target. The session is new (TSIH 0), and has one connection (CID 0).
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub stage: Stage,
    /// Ready for the next stage.
    pub transit: bool,
    pub isid: [u8; 6],
    pub tag: u32,
    pub cmd_sn: u32,
    pub exp_stat_sn: u32,
    pub text: &'a [u8],
}

impl Request<'_> {
    pub fn bytes(&self) -> Vec<u8> {
        let next = match self.transit {
            true => TRANSIT | self.stage.next() as u8,
            false => 0,
        };
        let flags = next | (self.stage as u8) << 2;
        let length = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        // Version 0 at least and at most; no additional headers, and three bytes of length.
        bytes.extend_from_slice(&[IMMEDIATE | LOGIN, flags, 0, 0]);
        bytes.extend_from_slice(&(length & 0x00ff_ffff).to_be_bytes());
        bytes.extend_from_slice(&self.isid);
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.tag.to_be_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.cmd_sn.to_be_bytes());
        bytes.extend_from_slice(&self.exp_stat_sn.to_be_bytes());
        bytes.resize(HEADER, 0);
        bytes.extend_from_slice(self.text);
        let whole = bytes.len().next_multiple_of(4);
        bytes.resize(whole, 0);
        bytes
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    pub stage: Stage,
    /// The target goes on to the stage that is next.
    pub transit: Option<Stage>,
    /// The list goes on in the next message.
    pub more: bool,
    pub version: u8,
    pub tsih: u16,
    pub tag: u32,
    pub stat_sn: u32,
    /// Class and detail.
    pub status: (u8, u8),
    pub text: &'a [u8],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pdu<'a> {
    Login(Response<'a>),
    /// The last message was none that the target knows: its reason (§11.17.1).
    Reject(u8),
    /// News, of no concern before the login is over.
    Async,
    /// Nothing that belongs to a login.
    Other(u8),
}

/// Bytes of the message that begins with these; `None` before its length can be read. The error is
/// the end of a sentence.
pub fn length(start: &[u8]) -> Result<Option<usize>, &'static str> {
    let (Some(more), Some(text)) = (u8(start, 4), be32(start, 4)) else {
        return Ok(None);
    };
    let text = usize::try_from(text & 0x00ff_ffff).unwrap_or(usize::MAX);
    if text > TEXT_MAX {
        return Err("it says too much at once");
    }
    // Additional headers, in words of 4 bytes.
    let more = usize::from(more).saturating_mul(4);
    let text = text.next_multiple_of(4);
    Ok(Some(HEADER.saturating_add(more).saturating_add(text)))
}

/// One whole message. `None`: it is cut off, or in no stage that there is.
pub fn read(bytes: &[u8]) -> Option<Pdu<'_>> {
    let kind = u8(bytes, 0)? & 0x3f;
    Some(match kind {
        LOGIN_ANSWER => Pdu::Login(response(bytes)?),
        REJECT => Pdu::Reject(u8(bytes, 2)?),
        ASYNC => Pdu::Async,
        _ => Pdu::Other(kind),
    })
}

fn response(bytes: &[u8]) -> Option<Response<'_>> {
    let flags = u8(bytes, 1)?;
    let [more, length @ ..] = array::<4>(bytes, 4)?;
    let at = HEADER.checked_add(usize::from(more).checked_mul(4)?)?;
    let [high, middle, low] = length.map(usize::from);
    let length = high << 16 | middle << 8 | low;
    let transit = match flags & TRANSIT {
        0 => None,
        _ => Some(Stage::by_number(flags)?),
    };
    Some(Response {
        stage: Stage::by_number(flags >> 2)?,
        transit,
        more: flags & CONTINUE != 0,
        version: u8(bytes, 3)?,
        tsih: be16(bytes, 14)?,
        tag: be32(bytes, 16)?,
        stat_sn: be32(bytes, 24)?,
        status: (u8(bytes, 36)?, u8(bytes, 37)?),
        text: slice(bytes, at, length)?,
    })
}

/// Why a target rejects a message.
pub fn reason(number: u8) -> &'static str {
    match number {
        0x02 => "a digest is wrong",
        0x04 => "it takes the message for a breach of the protocol",
        0x05 => "it does not know the message",
        0x09 => "a field of the message is invalid",
        0x0a => "it has no memory left",
        0x0b => "it negotiates already",
        0x0c => "it waits for something else",
        _ => "for a reason that is not known here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A response by hand: §11.13.
    fn example() -> Vec<u8> {
        let mut bytes = b"\x23\x87\0\0\0\0\0\x05\x80\x6a\x3d\x91\0\0\0\x2a".to_vec();
        bytes.extend(b"\0\0\0\x07\0\0\0\0\0\0\0\x63\0\0\0\x01\0\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend(b"A=bc\0\0\0\0");
        bytes
    }

    #[test]
    fn a_request_is_as_the_document_draws_it() {
        let request = Request {
            stage: Stage::Security,
            transit: true,
            isid: [0x80, 0x6a, 0x3d, 0x91, 0, 0],
            tag: 7,
            cmd_sn: 1,
            exp_stat_sn: 0x0102_0304,
            text: b"A=bc\0",
        };
        let mut expected = b"\x43\x81\0\0\0\0\0\x05\x80\x6a\x3d\x91\0\0\0\0".to_vec();
        expected.extend(b"\0\0\0\x07\0\0\0\0\0\0\0\x01\x01\x02\x03\x04");
        expected.extend([0; 16]);
        expected.extend(b"A=bc\0\0\0\0");
        assert_eq!(request.bytes(), expected);
        let request = Request {
            stage: Stage::Operational,
            ..request
        };
        assert_eq!(request.bytes()[1], 0x87);
        let request = Request {
            transit: false,
            text: b"",
            ..request
        };
        assert_eq!(request.bytes()[1], 0x04);
        assert_eq!(request.bytes().len(), HEADER);
    }

    #[test]
    fn a_response_is_read_whole_or_not_at_all() {
        let bytes = example();
        let expected = Response {
            stage: Stage::Operational,
            transit: Some(Stage::Full),
            more: false,
            version: 0,
            tsih: 0x2a,
            tag: 7,
            stat_sn: 0x63,
            status: (0, 0),
            text: b"A=bc\0",
        };
        assert_eq!(read(&bytes), Some(Pdu::Login(expected)));
        assert_eq!(length(&bytes), Ok(Some(56)));
        for cut in 0..bytes.len() {
            let start = &bytes[..cut];
            assert_eq!(length(start), Ok((cut >= 8).then_some(56)));
            // The padding is not missed.
            assert_eq!(read(start).is_some(), cut >= 53, "{cut}");
        }
        // A word of additional headers lies before the text.
        let mut longer = bytes.clone();
        longer[4] = 1;
        longer.splice(48..48, *b"more");
        assert_eq!(length(&longer), Ok(Some(60)));
        assert!(matches!(read(&longer), Some(Pdu::Login(r)) if r.text == b"A=bc\0"));
        // Stage 2 does not exist.
        for flags in [0x8b, 0x86] {
            longer[1] = flags;
            assert_eq!(read(&longer), None);
        }
        longer[5] = 1;
        assert!(length(&longer).is_err());
    }

    #[test]
    fn other_messages_are_told_apart() {
        let mut bytes = example();
        bytes[0] = 0x32;
        assert_eq!(read(&bytes), Some(Pdu::Async));
        (bytes[0], bytes[2]) = (0x3f, 4);
        assert_eq!(read(&bytes), Some(Pdu::Reject(4)));
        bytes[0] = 0x20;
        assert_eq!(read(&bytes), Some(Pdu::Other(0x20)));
    }
}
