//! One question of DNS, and what its answer says: the addresses of a name.
//!
//! Not when and whom to ask: that is `plan::talk::dns`. No EDNS and no TCP: an answer that does not
//! fit into 512 bytes has more addresses than a machine that boots can try.
//! Sources: RFC 1035 §4.1 (messages), 3596 (AAAA), 2308 (what a missing name is), 5452 §9.1 (what
//! an answer has to repeat).

use super::domain::{self, Name};
use crate::base::bytes::{array, be16, slice};
use crate::base::text::Text;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

pub const PORT: u16 = 53;

/// Bytes that the caller reads of a datagram, and takes as a message. Servers keep to 512 where
/// nobody said that more is fine (RFC 1035 §4.2.1); this is what fits into Ethernet's frames.
pub const ANSWER_MAX: usize = 1472;

/// Records that are looked at: 42 of IPv4 fit into 512 bytes.
const RECORDS_MAX: u16 = 64;
/// Names that a name may stand for, one after the other.
const CHAIN_MAX: usize = 16;
/// Addresses that count, the first.
const ADDRESSES_MAX: usize = 16;

const HEADER: usize = 12;
/// Flags: it is an answer; the four bits of the kind of question; the server is in charge of the
/// name; the rest did not fit; look it up for me; the server does so.
const QR: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const AA: u16 = 0x0400;
const TC: u16 = 0x0200;
const RD: u16 = 0x0100;
const RA: u16 = 0x0080;
const RCODE: u16 = 0x000f;

const CLASS_IN: u16 = 1;
const TYPE_CNAME: u16 = 5;

/// Which addresses are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    /// The type of record: A, AAAA.
    fn kind(self) -> u16 {
        match self {
            Self::V4 => 1,
            Self::V6 => 28,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// What a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// At least one, each once, in the server's order.
    Addresses(Vec<IpAddr>),
    /// The name exists, with other records.
    NoAddress,
    /// The name does not exist (NXDOMAIN).
    NoName,
    /// Nothing about the name; another server may know. A verb and what belongs to it.
    Useless(&'static str),
}

/// The message that asks a server to look a name up. `id`: what its answer has to repeat.
pub fn query(id: u16, name: &Name, family: Family) -> Vec<u8> {
    let mut out = Vec::new();
    // Of the four counts of records, one is a question.
    for number in [id, RD, 1, 0, 0, 0] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    name.write(&mut out);
    for number in [family.kind(), CLASS_IN] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out
}

/// `None`: it is not the answer to this question, or noise.
pub fn answer(message: &[u8], id: u16, name: &Name, family: Family) -> Option<Answer> {
    let [got, flags, questions, answers] = [0, 2, 4, 6].map(|at| be16(message, at));
    let (flags, questions, answers) = (flags?, questions?, answers?);
    let long = slice(message, 0, HEADER).is_none() || message.len() > ANSWER_MAX;
    if long || got? != id || flags & (QR | OPCODE) != QR {
        return None;
    }
    let refusal = match flags & RCODE {
        0 | 3 => None,
        1 => Some("does not understand the question (FORMERR)"),
        2 => Some("cannot find out (SERVFAIL)"),
        4 => Some("does not answer such questions (NOTIMP)"),
        5 => Some("refuses to answer (REFUSED)"),
        _ => Some("answers with an error that is not of questions"),
    };
    // Whoever cannot read the question cannot repeat it.
    if let (Some(why), 0) = (refusal, questions) {
        return Some(Answer::Useless(why));
    }
    let (asked, behind) = domain::read(message, HEADER)?;
    let [kind, class] = array::<4>(message, behind).map(both)?;
    if questions != 1 || !name.is(&asked) || (kind, class) != (family.kind(), CLASS_IN) {
        return None;
    }
    if let Some(why) = refusal {
        return Some(Answer::Useless(why));
    }
    if flags & RCODE == 3 {
        return Some(Answer::NoName);
    }
    let found = records(message, behind.checked_add(4)?, answers);
    let addresses = addresses(message, &found.records, asked, family);
    Some(if !addresses.is_empty() {
        Answer::Addresses(addresses)
    } else if flags & TC != 0 {
        Answer::Useless("answers with more than fits into a datagram")
    } else if !found.whole {
        Answer::Useless("answers with bytes that are no records")
    } else if flags & (AA | RA) == 0 {
        Answer::Useless("does not look names up for others")
    } else {
        Answer::NoAddress
    })
}

/// One record of the class IN.
struct Record {
    owner: Text,
    kind: u16,
    data_at: usize,
    data_bytes: usize,
}

struct Found {
    records: Vec<Record>,
    /// As many as the message says, or as are looked at.
    whole: bool,
}

/// The records from `at` on, up to the first that cannot be read.
fn records(message: &[u8], at: usize, count: u16) -> Found {
    let mut records = Vec::new();
    let mut at = at;
    for _ in 0..count.min(RECORDS_MAX) {
        let Some((record, class, next)) = record(message, at) else {
            return Found {
                records,
                whole: false,
            };
        };
        if class == CLASS_IN {
            records.push(record);
        }
        at = next;
    }
    Found {
        records,
        whole: true,
    }
}

/// The record at `at`, its class, and where the next one begins.
fn record(message: &[u8], at: usize) -> Option<(Record, u16, usize)> {
    let (owner, behind) = domain::read(message, at)?;
    let [kind, class] = array::<4>(message, behind).map(both)?;
    // Its time to live, four bytes, is as long as this boot.
    let data_bytes = usize::from(be16(message, behind.checked_add(8)?)?);
    let data_at = behind.checked_add(10)?;
    slice(message, data_at, data_bytes)?;
    let record = Record {
        owner,
        kind,
        data_at,
        data_bytes,
    };
    Some((record, class, data_at.checked_add(data_bytes)?))
}

fn both(bytes: [u8; 4]) -> [u16; 2] {
    let [a, b, c, d] = bytes;
    [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]
}

/// The addresses of `name`, or of what it stands for. Records may be in any order.
fn addresses(message: &[u8], records: &[Record], name: Text, family: Family) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut owner = name;
    for _ in 0..CHAIN_MAX {
        let mut alias = None;
        for record in records {
            if !record.owner.0.eq_ignore_ascii_case(&owner.0) {
                continue;
            } else if record.kind == TYPE_CNAME {
                alias = domain::read(message, record.data_at);
            } else if record.kind == family.kind()
                && let Some(address) = address(message, record, family)
                && found.len() < ADDRESSES_MAX
                && !found.contains(&address)
            {
                found.push(address);
            }
        }
        match alias {
            Some((name, _)) if found.is_empty() => owner = name,
            _ => break,
        }
    }
    found
}

/// An address that one machine can have.
fn address(message: &[u8], record: &Record, family: Family) -> Option<IpAddr> {
    let at = record.data_at;
    let address: IpAddr = match (family, record.data_bytes) {
        (Family::V4, 4) => array::<4>(message, at)?.into(),
        (Family::V6, 16) => array::<16>(message, at)?.into(),
        _ => return None,
    };
    let all = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    (!all && !address.is_unspecified() && !address.is_multicast()).then_some(address)
}

#[cfg(test)]
mod tests;
