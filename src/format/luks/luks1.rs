//! The LUKS1 header: 592 bytes, everything big-endian.
//!
//! Slots whose own fields are impossible are left out, so that damage to one slot leaves the
//! others usable (cryptsetup refuses the header until it is repaired).
//! Source: LUKS1 On-Disk Format Specification 1.2.3, figures 1 and 2.

use super::{Area, Crypt, Digest, Header, KEY_MAX, Kdf, KeySlot, Priority, SECTOR, Segment};
use super::{metadata, stripes_len};
use crate::base::bytes::{be16, be32, slice, until_nul};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes of `struct luks_phdr`, padding aside.
pub const LEN: usize = 592;
const MAGIC: &[u8] = b"LUKS\xba\xbe";
const DIGEST_LEN: usize = 20;
const SALT_LEN: usize = 32;
const ENABLED: u32 = 0x00ac_71f3;
/// All that cryptsetup ever made; it takes no others.
pub const STRIPES: u32 = 4000;

const SLOTS: usize = 208;
const SLOT_LEN: usize = 48;
const SLOT_COUNT: u32 = 8;

pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && be16(bytes, 6) == Some(1)
}

/// Reads [`LEN`] bytes for which [`is_one`] holds.
pub fn read(bytes: &[u8]) -> Result<Header, Fault> {
    let broken = |what| Fault::plain(format!("the LUKS1 header is damaged: {what}"));
    let fields = Fields::read(bytes).ok_or_else(|| broken("it is too short"))?;
    if fields.key_size == 0 || fields.key_size > KEY_MAX {
        return Err(broken("its key size is impossible"));
    }
    let slots = slots(bytes, &fields);
    let digest = Digest {
        number: 0,
        hash: fields.hash,
        iterations: fields.iterations,
        salt: fields.salt,
        value: fields.digest,
        slots: slots.iter().map(|slot| slot.number).listed(),
        segments: alloc::vec![0],
    };
    let crypt = Crypt {
        cipher: fields.cipher,
        sector_size: 512,
        iv_tweak: 0,
        integrity: None,
    };
    let segment = Segment {
        number: 0,
        kind: metadata::CRYPT.into(),
        offset: fields.payload.saturating_mul(SECTOR),
        size: None,
        crypt: Some(crypt),
        flags: Vec::new(),
    };
    Ok(Header {
        version: 1,
        uuid: fields.uuid,
        slots,
        digests: alloc::vec![digest],
        segments: alloc::vec![segment],
        ..Header::default()
    })
}

struct Fields {
    cipher: String,
    hash: String,
    /// In sectors; 0 where the header is detached.
    payload: u64,
    key_size: usize,
    digest: Vec<u8>,
    salt: Vec<u8>,
    iterations: u32,
    uuid: String,
}

impl Fields {
    fn read(bytes: &[u8]) -> Option<Self> {
        let cipher = word(bytes, 8, 32)?;
        let mode = word(bytes, 40, 32)?;
        Some(Self {
            cipher: format!("{cipher}-{mode}"),
            hash: word(bytes, 72, 32)?,
            payload: be32(bytes, 104)?.into(),
            key_size: be32(bytes, 108)?.try_into().ok()?,
            digest: slice(bytes, 112, DIGEST_LEN)?.to_vec(),
            salt: slice(bytes, 132, SALT_LEN)?.to_vec(),
            iterations: be32(bytes, 164)?,
            uuid: word(bytes, 168, 40)?,
        })
    }
}

/// Text in a field of fixed length, up to the first NUL.
pub fn word(bytes: &[u8], at: usize, len: usize) -> Option<String> {
    let field = until_nul(slice(bytes, at, len)?);
    Some(String::from_utf8_lossy(field).into_owned())
}

fn slots(bytes: &[u8], fields: &Fields) -> Vec<KeySlot> {
    let fitting = |slot: &KeySlot| {
        let end = slot.area.at.saturating_add(slot.area.len as u64);
        let detached = fields.payload == 0;
        slot.area.at >= 1024 && (detached || end <= fields.payload.saturating_mul(SECTOR))
    };
    let slots = (0..SLOT_COUNT).filter_map(|number| slot(bytes, number, fields));
    slots.filter(fitting).listed()
}

/// The slot, if it is active and its stripes are as they must be.
fn slot(bytes: &[u8], number: u32, fields: &Fields) -> Option<KeySlot> {
    let place = usize::try_from(number).ok()?.checked_mul(SLOT_LEN)?;
    let slot = slice(bytes, SLOTS.checked_add(place)?, SLOT_LEN)?;
    if be32(slot, 0)? != ENABLED || be32(slot, 44)? != STRIPES {
        return None;
    }
    Some(KeySlot {
        number,
        priority: Priority::Normal,
        key_size: fields.key_size,
        kdf: Kdf::Pbkdf2 {
            hash: fields.hash.clone(),
            iterations: be32(slot, 4)?,
            salt: slice(slot, 8, SALT_LEN)?.to_vec(),
        },
        af_hash: fields.hash.clone(),
        stripes: STRIPES,
        area: Area {
            at: u64::from(be32(slot, 40)?).checked_mul(SECTOR)?,
            len: stripes_len(fields.key_size, STRIPES)?,
            cipher: fields.cipher.clone(),
            key_size: fields.key_size,
        },
    })
}
