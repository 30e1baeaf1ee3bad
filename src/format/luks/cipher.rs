//! Cipher specifications: cryptsetup's own form, and what dm-crypt wants where sectors carry tags.
//!
//! Source: cryptsetup(8) under "Authenticated disk encryption"; kernel
//! `Documentation/admin-guide/device-mapper/dm-crypt.rst`.

use super::Integrity;
use crate::base::fault::Fault;
use alloc::format;
use alloc::string::String;

/// `CIPHER-MODE-IV`, taken apart: `aes-xts-plain64`, `aes-cbc-essiv:sha256`, `aegis128-random`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec<'a> {
    pub cipher: &'a str,
    /// Empty where the cipher is a mode of its own, or the specification is the kernel's.
    pub mode: &'a str,
    /// Empty for ciphers that need none.
    pub iv: &'a str,
}

impl<'a> Spec<'a> {
    /// `None` for the kernel's own form, `capi:…`.
    pub fn read(text: &'a str) -> Option<Self> {
        if text.starts_with("capi:") {
            return None;
        }
        let (cipher, rest) = match text {
            "null" | "cipher_null" => ("cipher_null", "ecb"),
            _ => text.split_once('-').unwrap_or((text, "")),
        };
        // Two words from the days before there were modes.
        let rest = match rest {
            "" | "plain" => "cbc-plain",
            rest => rest,
        };
        let (mode, iv) = match rest.split_once('-') {
            Some(both) => both,
            None if rest == "ecb" => (rest, ""),
            None => ("", rest),
        };
        Some(Self { cipher, mode, iv })
    }
}

/// Whether nothing is encrypted at all: such a volume has no key, and only the empty passphrase.
pub fn is_null(text: &str) -> bool {
    matches!(Spec::read(text), Some(spec) if spec.cipher == "cipher_null")
}

/// A dm-crypt cipher, and the tag that it keeps beside each sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    /// As in `capi:gcm(aes)-random`.
    pub cipher: String,
    /// Bytes beside each sector.
    pub tag_size: u32,
    /// `aead` or `none`.
    pub kind: &'static str,
    /// Bytes of the volume key that authenticate, where the kernel has to be told.
    pub key_size: Option<u32>,
}

/// Bytes of the IV that is kept beside each sector.
fn kept_iv(spec: &Spec) -> u32 {
    match (spec.mode, spec.iv) {
        ("xts" | "ctr", "random") => 16,
        ("gcm", "random") => 12,
        ("ccm", "random") => 8,
        ("", "random") if spec.cipher == "aegis256" => 32,
        ("", "random") => 16,
        _ => 0,
    }
}

/// Length of the tag, and the key length that goes without saying, of a kind of integrity.
fn sizes(kind: &str) -> Option<(u32, Option<u32>)> {
    Some(match kind {
        "none" => (0, None),
        "aead" | "poly1305" => (16, None),
        "cmac(aes)" => (16, Some(16)),
        "hmac(sha1)" => (20, Some(20)),
        "hmac(sha256)" => (32, Some(32)),
        "hmac(sha512)" => (64, Some(64)),
        "phmac(sha1)" => (20, None),
        "phmac(sha256)" => (32, None),
        "phmac(sha512)" => (64, None),
        _ => return None,
    })
}

/// The form that dm-crypt wants for `cipher` with tags of this kind.
pub fn tagged(cipher: &str, integrity: &Integrity) -> Result<Tagged, Fault> {
    let kind = &integrity.kind;
    let unknown = || {
        let what = "is not known, so the size of its tags is not";
        Fault::plain(format!("integrity {kind} with cipher {cipher} {what}"))
    };
    let spec = Spec::read(cipher).ok_or_else(unknown)?;
    let (tag, implied) = sizes(kind).ok_or_else(unknown)?;
    let mut kept = kept_iv(&spec);
    if kind == "poly1305" && kept > 0 {
        kept = 12;
    }
    let algorithm = match spec.mode {
        "" => spec.cipher.into(),
        mode => format!("{mode}({})", spec.cipher),
    };
    let algorithm = match (&**kind, spec.mode) {
        ("none", _) => algorithm,
        ("aead", "ccm") => format!("rfc4309({algorithm})"),
        ("aead", _) => algorithm,
        ("poly1305", _) => format!("rfc7539({algorithm},poly1305)"),
        _ => format!("authenc({kind},{algorithm})"),
    };
    Ok(Tagged {
        cipher: format!("capi:{algorithm}-{}", spec.iv),
        tag_size: kept.saturating_add(tag),
        kind: if kind == "none" { "none" } else { "aead" },
        key_size: integrity.key_size.filter(|size| Some(*size) != implied),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_come_apart() {
        let check = |text, expected| {
            let found = Spec::read(text).map(|s| (s.cipher, s.mode, s.iv));
            assert_eq!(found, expected, "{text}");
        };
        check("aes-xts-plain64", Some(("aes", "xts", "plain64")));
        check("aes-cbc-essiv:sha256", Some(("aes", "cbc", "essiv:sha256")));
        check("aes-plain", Some(("aes", "cbc", "plain")));
        check("aes", Some(("aes", "cbc", "plain")));
        check("aes-ecb", Some(("aes", "ecb", "")));
        check("aegis128-random", Some(("aegis128", "", "random")));
        check("cipher_null-ecb", Some(("cipher_null", "ecb", "")));
        check("capi:xts(aes)-plain64", None);
        assert!(is_null("null") && is_null("cipher_null-ecb") && !is_null("aes-ecb"));
    }

    #[test]
    fn tags_are_as_dm_crypt_wants_them() {
        let check = |cipher: &str, kind: &str, expected: (&str, u32, &str)| {
            let integrity = Integrity {
                kind: kind.into(),
                journal_encryption: "none".into(),
                journal_integrity: "none".into(),
                key_size: None,
            };
            let found = tagged(cipher, &integrity).unwrap();
            assert_eq!((&*found.cipher, found.tag_size, found.kind), expected);
        };
        check(
            "aes-gcm-random",
            "aead",
            ("capi:gcm(aes)-random", 28, "aead"),
        );
        check(
            "aes-ccm-random",
            "aead",
            ("capi:rfc4309(ccm(aes))-random", 24, "aead"),
        );
        check(
            "aegis128-random",
            "aead",
            ("capi:aegis128-random", 32, "aead"),
        );
        check(
            "aegis256-random",
            "aead",
            ("capi:aegis256-random", 48, "aead"),
        );
        let poly = "capi:rfc7539(chacha20,poly1305)-random";
        check("chacha20-random", "poly1305", (poly, 28, "aead"));
        let hmac = "capi:authenc(hmac(sha256),xts(aes))-plain64";
        check("aes-xts-plain64", "hmac(sha256)", (hmac, 32, "aead"));
        let random = "capi:authenc(hmac(sha256),xts(aes))-random";
        check("aes-xts-random", "hmac(sha256)", (random, 48, "aead"));
        check(
            "aes-xts-random",
            "none",
            ("capi:xts(aes)-random", 16, "none"),
        );
    }

    #[test]
    fn a_key_size_is_told_only_where_it_is_unusual() {
        let mut integrity = Integrity {
            kind: "hmac(sha256)".into(),
            journal_encryption: "none".into(),
            journal_integrity: "none".into(),
            key_size: Some(32),
        };
        let size = |i: &Integrity| tagged("aes-xts-plain64", i).unwrap().key_size;
        assert_eq!(size(&integrity), None);
        integrity.key_size = Some(64);
        assert_eq!(size(&integrity), Some(64));
        integrity.kind = "crc32".into();
        assert!(tagged("aes-xts-plain64", &integrity).is_err());
    }
}
