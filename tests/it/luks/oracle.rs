//! What `luksDump` says about a header, and what we say, in the same words.

use landfall::format::json::{Value, read};
use landfall::format::luks::{Digest, Header, Kdf, KeySlot, Priority, Segment, Token};
use std::fmt::Write;

/// The part of our header that LUKS1's dump shows, as it shows it.
pub fn dump_of_one(header: &Header) -> String {
    let segment = &header.segments[0];
    let crypt = segment.crypt.as_ref().expect("an encrypted segment");
    let (cipher, mode) = crypt.cipher.split_once('-').expect("two parts");
    let digest = header.digest().expect("a digest");
    let mut text = format!(
        "Version: 1\nCipher name: {cipher}\nCipher mode: {mode}\nHash spec: {}\n\
         Payload offset: {}\nMK bits: {}\nMK digest: {}\nMK salt: {}\nMK iterations: {}\nUUID: {}\n",
        digest.hash,
        segment.offset / 512,
        header.key_size().expect("a key") * 8,
        hex(&digest.value),
        hex(&digest.salt),
        digest.iterations,
        header.uuid
    );
    for number in 0..8 {
        match header.slots.iter().find(|slot| slot.number == number) {
            None => writeln!(text, "Key Slot {number}: DISABLED"),
            Some(slot) => writeln!(text, "Key Slot {number}: ENABLED{}", slot_of_one(slot)),
        }
        .expect("room");
    }
    text
}

fn slot_of_one(slot: &KeySlot) -> String {
    let Kdf::Pbkdf2 {
        iterations, salt, ..
    } = &slot.kdf
    else {
        panic!("LUKS1 knows PBKDF2 only");
    };
    format!(
        " Iterations: {iterations} Salt: {} Key material offset: {} AF stripes: {}",
        hex(salt),
        slot.area.at / 512,
        slot.stripes
    )
}

/// The dump, with blanks and line breaks as [`dump_of_one`] has them.
pub fn plain_dump(dump: &str) -> String {
    let words: Vec<&str> = dump.split_whitespace().collect();
    words.join(" ")
}

pub fn hex(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    bytes.join(" ")
}

/// The JSON that our header of LUKS2 amounts to, where cryptsetup printed `theirs`.
pub fn json_of_two(header: &Header, theirs: &Value) -> Value {
    let config = theirs.member("config").and_then(|c| c.member("json_size"));
    let json_size = config.and_then(Value::number).expect("a size");
    let slots_size = header.metadata_size - 2 * (json_size + 4096);
    let slots = header.slots.iter().map(|s| (s.number, slot_of_two(s)));
    let tokens = header.tokens.iter().map(|t| (t.number, token_of_two(t)));
    let segments = header
        .segments
        .iter()
        .map(|s| (s.number, segment_of_two(s)));
    let digests = header.digests.iter().map(|d| (d.number, digest_of_two(d)));
    let sections = [
        section("keyslots", slots),
        section("tokens", tokens),
        section("segments", segments),
        section("digests", digests),
    ];
    let config = format!(r#"{{"json_size":"{json_size}","keyslots_size":"{slots_size}"}}"#);
    let text = format!(r#"{{{},"config":{config}}}"#, sections.join(","));
    read(text.as_bytes()).expect("what we wrote")
}

fn segment_of_two(segment: &Segment) -> String {
    let crypt = segment.crypt.as_ref().expect("an encrypted segment");
    let size = segment.size.map_or("dynamic".into(), |s| s.to_string());
    format!(
        r#"{{"type":"{}","offset":"{}","size":"{size}","iv_tweak":"{}","encryption":"{}","sector_size":{}}}"#,
        segment.kind, segment.offset, crypt.iv_tweak, crypt.cipher, crypt.sector_size
    )
}

fn digest_of_two(digest: &Digest) -> String {
    let numbers = |all: &[u32]| {
        let all: Vec<String> = all.iter().map(|n| format!("\"{n}\"")).collect();
        all.join(",")
    };
    format!(
        r#"{{"type":"pbkdf2","keyslots":[{}],"segments":[{}],"hash":"{}","iterations":{},"salt":"{}","digest":"{}"}}"#,
        numbers(&digest.slots),
        numbers(&digest.segments),
        digest.hash,
        digest.iterations,
        base64(&digest.salt),
        base64(&digest.value)
    )
}

fn section(name: &str, all: impl Iterator<Item = (u32, String)>) -> String {
    let all: Vec<String> = all.map(|(n, text)| format!("\"{n}\":{text}")).collect();
    format!("\"{name}\":{{{}}}", all.join(","))
}

fn slot_of_two(slot: &KeySlot) -> String {
    let kdf = match &slot.kdf {
        Kdf::Pbkdf2 {
            hash,
            iterations,
            salt,
        } => format!(
            r#"{{"type":"pbkdf2","hash":"{hash}","iterations":{iterations},"salt":"{}"}}"#,
            base64(salt)
        ),
        Kdf::Argon2 {
            id,
            passes,
            memory_kib,
            lanes,
            salt,
        } => format!(
            r#"{{"type":"argon2{}","time":{passes},"memory":{memory_kib},"cpus":{lanes},"salt":"{}"}}"#,
            if *id { "id" } else { "i" },
            base64(salt)
        ),
        Kdf::Other(name) => panic!("what is {name}?"),
    };
    let priority = match slot.priority {
        Priority::Ignore => r#","priority":0"#,
        Priority::Normal => "",
        Priority::Prefer => r#","priority":2"#,
    };
    format!(
        r#"{{"type":"luks2"{priority},"key_size":{},"af":{{"type":"luks1","stripes":{},"hash":"{}"}},"area":{{"type":"raw","offset":"{}","size":"{}","encryption":"{}","key_size":{}}},"kdf":{kdf}}}"#,
        slot.key_size,
        slot.stripes,
        slot.af_hash,
        slot.area.at,
        slot.area.len.next_multiple_of(4096),
        slot.area.cipher,
        slot.area.key_size
    )
}

fn token_of_two(token: &Token) -> String {
    let slots: Vec<String> = token.slots.iter().map(|n| format!("\"{n}\"")).collect();
    let kind = &token.kind;
    format!(r#"{{"type":{kind:?},"keyslots":[{}]}}"#, slots.join(","))
}

/// What cryptsetup printed, without what only some kind of token knows.
pub fn without_bodies(theirs: &Value) -> Value {
    let mut value = theirs.clone();
    let Value::Object(sections) = &mut value else {
        return value;
    };
    let tokens = sections.iter_mut().filter(|(name, _)| name == "tokens");
    for (_, tokens) in tokens {
        let Value::Object(tokens) = tokens else {
            continue;
        };
        for (_, token) in tokens {
            if let Value::Object(members) = token {
                members.retain(|(name, _)| name == "type" || name == "keyslots");
            }
        }
    }
    value
}

/// The same value with the members of its objects in the order of their names.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(k, v)| (k.clone(), sorted(v)))
                .collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members)
        }
        Value::List(items) => Value::List(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |n: usize| u32::from(chunk.get(n).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize % 64];
            text.push(if place > chunk.len() {
                '='
            } else {
                digit.into()
            });
        }
    }
    text
}
