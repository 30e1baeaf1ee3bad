//! The JSON area of a LUKS2 header.
//!
//! Checked: what mapping and unlocking rely on. Slots, digests and tokens of kinds that are not
//! known are left out, as the specification asks; so are slots that re-encryption keeps its books
//! in. A member that is missing or of the wrong type makes the whole copy useless.
//! Source: LUKS2 On-Disk Format Specification 1.1.3, section 3.

use super::flags::Flags;
use super::{Area, Crypt, Digest, Header, Integrity, Kdf, KeySlot, Priority, Segment, Token};
use super::{KEY_MAX, SECTOR, stripes_len};
use crate::base::list::Listed;
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
        match one(number, value) {
            Ok(Some(item)) => all.push(item),
            Ok(None) => {}
            Err(what) => return Err(wrong(what, &format!("{number}"), name)),
        }
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
        let mut fields = Fields::of(config);
        let json_size = fields.number("json_size");
        if json_size.checked_add(BINARY_LEN) != Some(size) {
            return Err(wrong("json_size"));
        }
        let slots_size = fields.number("keyslots_size");
        if fields.wrong.is_some() || slots_size > SLOTS_MAX {
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

fn slot(number: u32, json: &Value) -> Result<Option<KeySlot>, &'static str> {
    let mut fields = Fields::of(json);
    if fields.text("type") != "luks2" {
        return fields.done(None).map(|()| None);
    }
    let priority = match json.member("priority").map(Value::number) {
        None | Some(Some(1)) => Priority::Normal,
        Some(Some(2)) => Priority::Prefer,
        Some(_) => Priority::Ignore,
    };
    // Slots for nothing in particular may hold keys of any length.
    let length = fields.number("key_size");
    let key_size = usize::try_from(length).unwrap_or(usize::MAX);
    if fields.wrong.is_none() && !(1..=KEY_MAX).contains(&key_size) {
        return Ok(None);
    }
    let mut af = fields.object("af");
    if af.text("type") != "luks1" || af.small("stripes") != STRIPES {
        fields.wrong("af");
    }
    let af_hash = af.text("hash").into();
    let area = area(&mut fields.object("area"), key_size);
    let kdf = kdf(&mut fields.object("kdf"));
    fields.done(af.wrong)?;
    Ok(Some(KeySlot {
        number,
        priority,
        key_size,
        kdf: kdf?,
        af_hash,
        stripes: STRIPES,
        area: area?,
    }))
}

fn area(fields: &mut Fields, volume_key_size: usize) -> Result<Area, &'static str> {
    let len = stripes_len(volume_key_size, STRIPES).ok_or("key_size")?;
    let at = fields.number("offset");
    let room = fields.number("size");
    let whole = at.is_multiple_of(SECTOR) && room >= len as u64;
    if fields.text("type") != "raw" || !whole {
        fields.wrong("area");
    }
    let cipher = fields.text("encryption").into();
    let key_size = fields.size("key_size");
    fields.done(None)?;
    Ok(Area {
        at,
        len,
        cipher,
        key_size,
    })
}

fn kdf(fields: &mut Fields) -> Result<Kdf, &'static str> {
    let kind = fields.text("type");
    let kdf = match kind {
        "pbkdf2" => Kdf::Pbkdf2 {
            hash: fields.text("hash").into(),
            iterations: fields.small("iterations"),
            salt: fields.bytes("salt"),
        },
        "argon2i" | "argon2id" => Kdf::Argon2 {
            id: kind == "argon2id",
            passes: fields.small("time"),
            memory_kib: fields.small("memory"),
            lanes: fields.small("cpus"),
            salt: fields.bytes("salt"),
        },
        _ => Kdf::Other(kind.into()),
    };
    fields.done(None)?;
    Ok(kdf)
}

fn digest(number: u32, json: &Value) -> Result<Option<Digest>, &'static str> {
    let mut fields = Fields::of(json);
    if fields.text("type") != "pbkdf2" {
        return fields.done(None).map(|()| None);
    }
    let digest = Digest {
        number,
        hash: fields.text("hash").into(),
        iterations: fields.small("iterations"),
        salt: fields.bytes("salt"),
        value: fields.bytes("digest"),
        slots: fields.numbers("keyslots"),
        segments: fields.numbers("segments"),
    };
    fields.done(None)?;
    Ok(Some(digest))
}

fn segment(number: u32, json: &Value) -> Result<Option<Segment>, &'static str> {
    let mut fields = Fields::of(json);
    let kind = fields.text("type");
    let dynamic = json.member("size").and_then(Value::text) == Some("dynamic");
    let size = (!dynamic).then(|| fields.number("size"));
    let offset = fields.number("offset");
    if !offset.is_multiple_of(SECTOR) {
        fields.wrong("offset");
    }
    if size.is_some_and(|s| s == 0 || !s.is_multiple_of(SECTOR)) {
        fields.wrong("size");
    }
    let encrypted = matches!(kind, CRYPT | "hw-opal-crypt");
    let flags = texts_or_none(json, "flags")?;
    let crypt = encrypted.then(|| crypt(&mut fields));
    fields.done(None)?;
    Ok(Some(Segment {
        number,
        kind: kind.into(),
        offset,
        size,
        crypt: crypt.transpose()?,
        flags,
    }))
}

fn crypt(fields: &mut Fields) -> Result<Crypt, &'static str> {
    let sector_size = fields.small("sector_size");
    if !matches!(sector_size, 512 | 1024 | 2048 | 4096) {
        fields.wrong("sector_size");
    }
    let integrity = fields.json.and_then(|json| json.member("integrity"));
    Ok(Crypt {
        cipher: fields.text("encryption").into(),
        sector_size,
        iv_tweak: fields.number("iv_tweak"),
        integrity: integrity.map(self::integrity).transpose()?,
    })
}

fn integrity(json: &Value) -> Result<Integrity, &'static str> {
    let mut fields = Fields::of(json);
    let integrity = Integrity {
        kind: fields.text("type").into(),
        journal_encryption: fields.text("journal_encryption").into(),
        journal_integrity: fields.text("journal_integrity").into(),
        key_size: json.member("key_size").map(|_| fields.small("key_size")),
    };
    fields.done(None)?;
    Ok(integrity)
}

fn token(number: u32, json: &Value) -> Result<Option<Token>, &'static str> {
    let mut fields = Fields::of(json);
    let token = Token {
        number,
        kind: fields.text("type").into(),
        slots: fields.numbers("keyslots"),
    };
    fields.done(None)?;
    Ok(Some(token))
}

/// The members of an object, and the name of the first one that is missing or of the wrong type.
/// That is looked at once at the end: what is read until then may be empty.
struct Fields<'a> {
    json: Option<&'a Value>,
    wrong: Option<&'static str>,
}

impl<'a> Fields<'a> {
    fn of(json: &'a Value) -> Self {
        Self {
            json: Some(json),
            wrong: None,
        }
    }

    fn wrong(&mut self, key: &'static str) {
        self.wrong = self.wrong.or(Some(key));
    }

    /// The first thing that was wrong, here or in `below`.
    fn done(&self, below: Option<&'static str>) -> Result<(), &'static str> {
        self.wrong.or(below).map_or(Ok(()), Err)
    }

    fn member(&self, key: &'static str) -> Option<&'a Value> {
        self.json?.member(key)
    }

    fn object(&mut self, key: &'static str) -> Fields<'a> {
        let json = self.member(key);
        if json.is_none() {
            self.wrong(key);
        }
        Fields { json, wrong: None }
    }

    fn text(&mut self, key: &'static str) -> &'a str {
        let text = self.member(key).and_then(Value::text);
        text.unwrap_or_else(|| {
            self.wrong(key);
            ""
        })
    }

    #[inline(never)]
    fn number(&mut self, key: &'static str) -> u64 {
        let number = self.member(key).and_then(Value::number);
        number.unwrap_or_else(|| {
            self.wrong(key);
            0
        })
    }

    #[inline(never)]
    fn small(&mut self, key: &'static str) -> u32 {
        let number = self.number(key);
        number.try_into().unwrap_or_else(|_| {
            self.wrong(key);
            0
        })
    }

    /// Bytes of a key.
    fn size(&mut self, key: &'static str) -> usize {
        let size = self.small(key) as usize;
        if !(1..=KEY_MAX).contains(&size) {
            self.wrong(key);
        }
        size
    }

    #[inline(never)]
    fn bytes(&mut self, key: &'static str) -> Vec<u8> {
        let bytes = base64::decode(self.text(key).as_bytes());
        bytes.unwrap_or_else(|| {
            self.wrong(key);
            Vec::new()
        })
    }

    /// A list of numbers, each as a string.
    #[inline(never)]
    fn numbers(&mut self, key: &'static str) -> Vec<u32> {
        let items = self.member(key).and_then(Value::items);
        if items.is_none() {
            self.wrong(key);
        }
        let mut numbers = Vec::new();
        for item in items.unwrap_or_default() {
            match item.number().and_then(|n| n.try_into().ok()) {
                Some(number) => numbers.push(number),
                None => self.wrong(key),
            }
        }
        numbers
    }
}

/// A list of strings; none where there is no such member.
fn texts_or_none(json: &Value, key: &'static str) -> Result<Vec<String>, &'static str> {
    let Some(list) = json.member(key) else {
        return Ok(Vec::new());
    };
    let items = list.items().ok_or(key)?.iter();
    items
        .map(|item| Ok(item.text().ok_or(key)?.into()))
        .all_ok()
}
