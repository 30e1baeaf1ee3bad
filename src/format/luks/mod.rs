//! LUKS 1 and 2: what a header says. Nothing here computes on secrets, and nothing writes.
//!
//! Both versions are read into the same [`Header`]: LUKS1 is what LUKS2 calls one segment, one
//! digest and up to eight key slots. Where LUKS2's first copy is damaged the second one serves;
//! it is never written back.
//! Source: LUKS1 On-Disk Format Specification 1.2.3; LUKS2 On-Disk Format Specification 1.1.3.
//!
//! | Here | what |
//! |---|---|
//! | `luks1`, `luks2` | the binary headers, and which copy counts |
//! | `metadata` | the JSON area of LUKS2 |
//! | `choice` | which segment to map, which slots to try, what is refused |
//! | `cipher` | cipher and integrity specifications |
//! | `order` | what is to be opened, with which key: one job |
//! | `table` | the device-mapper tables that cryptsetup would load |

pub mod choice;
pub mod cipher;
pub mod flags;
mod luks1;
mod luks2;
mod metadata;
pub mod order;
pub mod table;

use super::identity::{Need, View};
use crate::base::fault::Fault;
use alloc::string::String;
use alloc::vec::Vec;
use flags::Flags;

pub use luks2::Checksum;

/// Sectors of the kernel, whatever the device's are.
pub const SECTOR: u64 = 512;
/// Longest volume key, in bytes: with 4000 stripes that is 2 MB in a slot's area. The largest
/// key of any cipher, with one for integrity behind it, has 128.
const KEY_MAX: usize = 512;

/// What is known of a LUKS volume, whatever its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// As it is written; cryptsetup uses 36 characters in small letters.
    pub uuid: String,
    pub label: String,
    pub subsystem: String,
    /// LUKS2: counts the changes of the header.
    pub sequence: u64,
    /// LUKS2: why the first copy was not used.
    pub damage: Option<String>,
    /// LUKS2: bytes before the first segment that belong to the header; LUKS1: 0.
    pub metadata_size: u64,
    /// By number. LUKS1: the active ones.
    pub slots: Vec<KeySlot>,
    pub digests: Vec<Digest>,
    /// By number.
    pub segments: Vec<Segment>,
    pub tokens: Vec<Token>,
    pub flags: Flags,
    /// Whoever does not know each of these must leave the volume alone.
    pub requirements: Vec<String>,
}

/// A place for the volume key, locked by a passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySlot {
    pub number: u32,
    pub priority: Priority,
    /// Bytes of the volume key in it.
    pub key_size: usize,
    pub kdf: Kdf,
    /// The hash that diffuses the stripes.
    pub af_hash: String,
    pub stripes: u32,
    pub area: Area,
}

/// When a slot is tried, if none was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Only when asked for by number.
    Ignore,
    Normal,
    /// Before all others.
    Prefer,
}

/// From passphrase to the key of a slot's area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kdf {
    Pbkdf2 {
        hash: String,
        iterations: u32,
        salt: Vec<u8>,
    },
    Argon2 {
        /// `false`: Argon2i.
        id: bool,
        passes: u32,
        memory_kib: u32,
        lanes: u32,
        salt: Vec<u8>,
    },
    /// One that is not known, by name.
    Other(String),
}

/// Where a slot's stripes lie, encrypted in sectors of 512 bytes that count from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Bytes from the start of the header.
    pub at: u64,
    /// Bytes to read: all stripes, in whole sectors.
    pub len: usize,
    /// As in `aes-xts-plain64`.
    pub cipher: String,
    /// Bytes of the key that encrypts it.
    pub key_size: usize,
}

/// Tells whether a volume key is right: PBKDF2 of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub number: u32,
    pub hash: String,
    pub iterations: u32,
    pub salt: Vec<u8>,
    pub value: Vec<u8>,
    /// The slots that hold this key.
    pub slots: Vec<u32>,
    /// The segments that are encrypted with it.
    pub segments: Vec<u32>,
}

/// A part of the data device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub number: u32,
    /// `crypt`, `linear`, `hw-opal`, `hw-opal-crypt`, or one that is not known.
    pub kind: String,
    /// Bytes from the start of the data device.
    pub offset: u64,
    /// Bytes; `None`: to the end of the device.
    pub size: Option<u64>,
    /// Of a segment that dm-crypt has to do with.
    pub crypt: Option<Crypt>,
    pub flags: Vec<String>,
}

/// How a segment is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crypt {
    pub cipher: String,
    /// Bytes: 512 to 4096.
    pub sector_size: u32,
    /// Added to sector numbers, in units of 512 bytes.
    pub iv_tweak: u64,
    pub integrity: Option<Integrity>,
}

/// The dm-integrity layer below a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integrity {
    /// As in `hmac(sha256)`, `aead`, `poly1305`, `none`.
    pub kind: String,
    /// Both `none` in everything that cryptsetup can open.
    pub journal_encryption: String,
    pub journal_integrity: String,
    /// Bytes, where it is not the one that `kind` implies.
    pub key_size: Option<u32>,
}

/// Something beside passphrases that may open slots: only listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub number: u32,
    pub kind: String,
    pub slots: Vec<u32>,
}

/// Reads the header at the start of `view`: a device, or a file with a detached header. Call again
/// after each [`Need`], with the range added or lost. Asks for 16 MiB at most.
///
/// `sum` computes checksums: see [`Checksum`].
pub fn read(view: &View, sum: Checksum) -> Result<Result<Header, Fault>, Need> {
    match view.bytes(0, luks1::LEN)? {
        Some(bytes) if luks1::is_one(bytes) => Ok(luks1::read(bytes)),
        _ => luks2::read(view, sum),
    }
}

/// Bytes of all stripes of a key, in whole sectors.
fn stripes_len(key_size: usize, stripes: u32) -> Option<usize> {
    let stripes = usize::try_from(stripes).ok()?;
    key_size.checked_mul(stripes)?.checked_next_multiple_of(512)
}
