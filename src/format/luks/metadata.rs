//! The JSON area of a LUKS2 header.
//!
//! Checked: what mapping and unlocking rely on. Slots, digests and tokens of kinds that are not
//! known are left out, as the specification asks; so are slots that re-encryption keeps its books
//! in. A member that is missing or of the wrong type makes the whole copy useless.
//! Source: LUKS2 On-Disk Format Specification 1.1.3, section 3.

use super::flags::Flags;
use super::{Area, Crypt, Digest, Header, Integrity, Kdf, KeySlot, Priority, Segment, Token};
use super::{KEY_MAX, SECTOR, stripes_len};
use crate::format::base64;
use crate::format::json::{Value, digits};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The kind of segment that dm-crypt alone maps.
pub const CRYPT: &str = "crypt";
/// What cryptsetup writes, and all it reads.
const STRIPES: u32 = 4000;
const BINARY_LEN: u64 = 4096;
/// Most that the key slots may take.
const SLOTS_MAX: u64 = 128 << 20;

/// The objects of a section with their numbers, in the order of these. The error is the number
/// that is none.
fn numbered<'a>(header: &'a Value, name: &str) -> Result<Vec<(u32, &'a Value)>, String> {
    let Some(Value::Object(members)) = header.member(name) else {
        return Err(format!("its section \"{name}\" is missing"));
    };
    let mut all: Vec<(u32, &Value)> = Vec::new();
    for (key, value) in members {
        let number = digits(key.as_bytes()).and_then(|n| u32::try_from(n).ok());
        let number = number.ok_or_else(|| wrong("number", key, name))?;
        // There are 32 at most, and they stand in order already.
        let at = all.iter().take_while(|(other, _)| *other <= number).count();
        all.insert(at, (number, value));
    }
    Ok(all)
}

fn wrong(what: &str, key: &str, section: &str) -> String {
    format!("\"{what}\" of \"{key}\" in \"{section}\" is missing or impossible")
}

/// Each object of a section, read by `one`; what is wrong is said with its place.
fn section<T>(
    header: &Value,
    name: &'static str,
    one: fn(u32, &Value) -> Result<Option<T>, &'static str>,
) -> Result<Vec<T>, String> {
    let mut all = Vec::new();
    for (number, value) in numbered(header, name)? {
        let read = one(number, value);
        all.extend(read.map_err(|what| wrong(what, &format!("{number}"), name))?);
    }
    Ok(all)
}

/// The typed form of `json`, the JSON text of a copy of `size` bytes.
pub fn read(json: &Value, size: u64) -> Result<Header, String> {
    let config = Config::read(json, size)?;
    let header = Header {
        metadata_size: config.metadata_size,
        slots: section(json, "keyslots", slot)?,
        digests: section(json, "digests", digest)?,
        segments: section(json, "segments", segment)?,
        tokens: section(json, "tokens", token)?,
        flags: config.flags,
        requirements: config.requirements,
        ..Header::default()
    };
    let first_area = size.saturating_mul(2);
    for KeySlot { number, area, .. } in &header.slots {
        let end = area.at.saturating_add(area.len as u64);
        if area.at < first_area || end > config.metadata_size {
            return Err(format!(
                "the area of key slot {number} lies outside of its place"
            ));
        }
    }
    match header.segments.is_empty() {
        true => Err("it has no segment".into()),
        false => Ok(header),
    }
}

struct Config {
    metadata_size: u64,
    flags: Flags,
    requirements: Vec<String>,
}

impl Config {
    fn read(json: &Value, size: u64) -> Result<Self, String> {
        let config = json.member("config");
        let config = config.ok_or("its section \"config\" is missing")?;
        let wrong = |what| format!("\"{what}\" in \"config\" is missing or impossible");
        let json_size = number(config, "json_size").map_err(wrong)?;
        if json_size.checked_add(BINARY_LEN) != Some(size) {
            return Err(wrong("json_size"));
        }
        let slots_size = number(config, "keyslots_size").map_err(wrong)?;
        if slots_size > SLOTS_MAX {
            return Err(wrong("keyslots_size"));
        }
        let mut flags = Flags::default();
        for name in texts_or_none(config, "flags").map_err(wrong)? {
            flags.set_by_name(&name);
        }
        let requirements = config.member("requirements");
        let requirements = requirements.map(|r| texts_or_none(r, "mandatory"));
        Ok(Self {
            metadata_size: size.saturating_mul(2).saturating_add(slots_size),
            flags,
            requirements: requirements.unwrap_or(Ok(Vec::new())).map_err(wrong)?,
        })
    }
}

fn slot(slot_number: u32, json: &Value) -> Result<Option<KeySlot>, &'static str> {
    if text(json, "type")? != "luks2" {
        return Ok(None);
    }
    let priority = match json.member("priority").map(Value::number) {
        None | Some(Some(1)) => Priority::Normal,
        Some(Some(2)) => Priority::Prefer,
        Some(_) => Priority::Ignore,
    };
    // Slots for nothing in particular may hold keys of any length.
    let Ok(key_size) = size(json, "key_size") else {
        number(json, "key_size")?;
        return Ok(None);
    };
    let af = json.member("af").ok_or("af")?;
    if text(af, "type")? != "luks1" || small(af, "stripes")? != STRIPES {
        return Err("af");
    }
    Ok(Some(KeySlot {
        number: slot_number,
        priority,
        key_size,
        kdf: kdf(json.member("kdf").ok_or("kdf")?)?,
        af_hash: text(af, "hash")?.into(),
        stripes: STRIPES,
        area: area(json.member("area").ok_or("area")?, key_size)?,
    }))
}

fn area(json: &Value, volume_key_size: usize) -> Result<Area, &'static str> {
    if text(json, "type")? != "raw" {
        return Err("area");
    }
    let at = number(json, "offset")?;
    let room = number(json, "size")?;
    let len = stripes_len(volume_key_size, STRIPES).ok_or("key_size")?;
    if !at.is_multiple_of(SECTOR) || room < len as u64 {
        return Err("area");
    }
    Ok(Area {
        at,
        len,
        cipher: text(json, "encryption")?.into(),
        key_size: size(json, "key_size")?,
    })
}

fn kdf(json: &Value) -> Result<Kdf, &'static str> {
    let kind = text(json, "type")?;
    if kind == "pbkdf2" {
        return Ok(Kdf::Pbkdf2 {
            hash: text(json, "hash")?.into(),
            iterations: small(json, "iterations")?,
            salt: bytes(json, "salt")?,
        });
    }
    if kind != "argon2i" && kind != "argon2id" {
        return Ok(Kdf::Other(kind.into()));
    }
    Ok(Kdf::Argon2 {
        id: kind == "argon2id",
        passes: small(json, "time")?,
        memory_kib: small(json, "memory")?,
        lanes: small(json, "cpus")?,
        salt: bytes(json, "salt")?,
    })
}

fn digest(number: u32, json: &Value) -> Result<Option<Digest>, &'static str> {
    if text(json, "type")? != "pbkdf2" {
        return Ok(None);
    }
    Ok(Some(Digest {
        number,
        hash: text(json, "hash")?.into(),
        iterations: small(json, "iterations")?,
        salt: bytes(json, "salt")?,
        value: bytes(json, "digest")?,
        slots: numbers(json, "keyslots")?,
        segments: numbers(json, "segments")?,
    }))
}

fn segment(segment_number: u32, json: &Value) -> Result<Option<Segment>, &'static str> {
    let kind = text(json, "type")?;
    let dynamic = json.member("size").and_then(Value::text) == Some("dynamic");
    let size = if dynamic {
        None
    } else {
        Some(number(json, "size")?)
    };
    let offset = number(json, "offset")?;
    if !offset.is_multiple_of(SECTOR) {
        return Err("offset");
    }
    if size.is_some_and(|s| s == 0 || !s.is_multiple_of(SECTOR)) {
        return Err("size");
    }
    let encrypted = matches!(kind, CRYPT | "hw-opal-crypt");
    Ok(Some(Segment {
        number: segment_number,
        kind: kind.into(),
        offset,
        size,
        crypt: if encrypted { Some(crypt(json)?) } else { None },
        flags: texts_or_none(json, "flags")?,
    }))
}

fn crypt(json: &Value) -> Result<Crypt, &'static str> {
    let integrity = json.member("integrity");
    let sector_size = small(json, "sector_size")?;
    if !matches!(sector_size, 512 | 1024 | 2048 | 4096) {
        return Err("sector_size");
    }
    Ok(Crypt {
        cipher: text(json, "encryption")?.into(),
        sector_size,
        iv_tweak: number(json, "iv_tweak")?,
        integrity: integrity.map(self::integrity).transpose()?,
    })
}

fn integrity(json: &Value) -> Result<Integrity, &'static str> {
    let key_size = json.member("key_size").map(|_| small(json, "key_size"));
    Ok(Integrity {
        kind: text(json, "type")?.into(),
        journal_encryption: text(json, "journal_encryption")?.into(),
        journal_integrity: text(json, "journal_integrity")?.into(),
        key_size: key_size.transpose()?,
    })
}

fn token(number: u32, json: &Value) -> Result<Option<Token>, &'static str> {
    Ok(Some(Token {
        number,
        kind: text(json, "type")?.into(),
        slots: numbers(json, "keyslots")?,
    }))
}

// The members of an object; the error is the name of the member.

fn text<'a>(json: &'a Value, key: &'static str) -> Result<&'a str, &'static str> {
    json.member(key).and_then(Value::text).ok_or(key)
}

fn number(json: &Value, key: &'static str) -> Result<u64, &'static str> {
    json.member(key).and_then(Value::number).ok_or(key)
}

fn small(json: &Value, key: &'static str) -> Result<u32, &'static str> {
    number(json, key)?.try_into().map_err(|_| key)
}

/// Bytes of a key.
fn size(json: &Value, key: &'static str) -> Result<usize, &'static str> {
    let size = usize::try_from(number(json, key)?).ok();
    size.filter(|size| (1..=KEY_MAX).contains(size)).ok_or(key)
}

fn bytes(json: &Value, key: &'static str) -> Result<Vec<u8>, &'static str> {
    base64::decode(text(json, key)?.as_bytes()).ok_or(key)
}

/// A list of numbers, each as a string.
fn numbers(json: &Value, key: &'static str) -> Result<Vec<u32>, &'static str> {
    let items = json.member(key).and_then(Value::items).ok_or(key)?;
    let number = |item: &Value| item.number()?.try_into().ok();
    items.iter().map(|item| number(item).ok_or(key)).collect()
}

/// A list of strings; none where there is no such member.
fn texts_or_none(json: &Value, key: &'static str) -> Result<Vec<String>, &'static str> {
    let Some(list) = json.member(key) else {
        return Ok(Vec::new());
    };
    let items = list.items().ok_or(key)?.iter();
    items
        .map(|item| Ok(item.text().ok_or(key)?.into()))
        .collect()
}
