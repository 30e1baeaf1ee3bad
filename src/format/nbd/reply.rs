//! What a server answers to an option.
//!
//! Source: doc/proto.md of the NBD project, "Option reply types".

use super::{BlockSizes, Flags};
use crate::base::bytes::{array, be16, be32, be64, slice};

const MAGIC: u64 = 0x0003_e889_0455_65a9;

const HEADER: usize = 20;

/// Most bytes of data in a reply: two strings, and room for what the document does not know yet.
pub const DATA_MAX: usize = 16 << 10;

/// Zeroes behind the answer to `NBD_OPT_EXPORT_NAME`, where they are not left out.
pub const ZEROES: usize = 124;

/// Most bytes taken before a reply is whole, or known to be none.
pub const LONGEST: usize = HEADER + DATA_MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The option that it answers.
    pub option: u32,
    pub kind: Kind,
    pub data: &'a [u8],
}

/// `NBD_REP_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ack,
    /// An export of the list.
    Server,
    /// Something about the export that is asked for.
    Info,
    Refused(Refusal),
    Other,
}

/// `NBD_REP_ERR_*`; the data is a text for a person, or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The server does not know the option.
    Unsupported,
    Policy,
    Invalid,
    Platform,
    TlsRequired,
    /// There is no such export.
    Unknown,
    ShuttingDown,
    BlockSizeRequired,
    TooBig,
    Other,
}

/// A piece of information about an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Info {
    Export(u64, Flags),
    BlockSizes(BlockSizes),
    Other,
}

/// The first reply of these bytes, and how many of them it takes. `Ok(None)`: it is not whole yet.
///
/// # Errors
/// What comes is no reply, or longer than [`DATA_MAX`].
pub fn read(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, &'static str> {
    match be64(bytes, 0) {
        None => return Ok(None),
        Some(MAGIC) => {}
        Some(_) => return Err("its answer is not one of NBD's"),
    }
    let fields = (be32(bytes, 8), be32(bytes, 12), be32(bytes, 16));
    let (Some(option), Some(kind), Some(length)) = fields else {
        return Ok(None);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > DATA_MAX {
        return Err("its answer is longer than any of NBD's");
    }
    let Some(data) = slice(bytes, HEADER, length) else {
        return Ok(None);
    };
    let kind = kind_of(kind);
    let reply = Reply { option, kind, data };
    Ok(Some((reply, HEADER.saturating_add(length))))
}

fn kind_of(number: u32) -> Kind {
    const ERROR: u32 = 1 << 31;
    match number {
        1 => Kind::Ack,
        2 => Kind::Server,
        3 => Kind::Info,
        ERROR.. => Kind::Refused(match number & !ERROR {
            1 => Refusal::Unsupported,
            2 => Refusal::Policy,
            3 => Refusal::Invalid,
            4 => Refusal::Platform,
            5 => Refusal::TlsRequired,
            6 => Refusal::Unknown,
            7 => Refusal::ShuttingDown,
            8 => Refusal::BlockSizeRequired,
            9 => Refusal::TooBig,
            _ => Refusal::Other,
        }),
        _ => Kind::Other,
    }
}

/// The data of [`Kind::Info`]. `None`: it is cut off, or longer than it is.
pub fn info(data: &[u8]) -> Option<Info> {
    match (be16(data, 0)?, data.len()) {
        (0, 12) => Some(Info::Export(be64(data, 2)?, Flags(be16(data, 10)?))),
        (super::option::INFO_BLOCK_SIZE, 14) => Some(Info::BlockSizes(BlockSizes {
            minimum: be32(data, 2)?,
            preferred: be32(data, 6)?,
            maximum: be32(data, 10)?,
        })),
        (0 | super::option::INFO_BLOCK_SIZE, _) => None,
        _ => Some(Info::Other),
    }
}

/// The name in the data of [`Kind::Server`].
pub fn export_name(data: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(be32(data, 0)?).ok()?;
    slice(data, 4, length)
}

/// The whole answer to `NBD_OPT_EXPORT_NAME`, and how many bytes it takes: it is no reply.
/// `None`: it is not whole yet.
pub fn export(bytes: &[u8], no_zeroes: bool) -> Option<(u64, Flags, usize)> {
    let (size, flags) = (be64(bytes, 0)?, be16(bytes, 8)?);
    if no_zeroes {
        return Some((size, Flags(flags), 10));
    }
    array::<ZEROES>(bytes, 10)?;
    Some((size, Flags(flags), 10 + ZEROES))
}

#[cfg(test)]
mod tests;
