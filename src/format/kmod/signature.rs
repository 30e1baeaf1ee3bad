//! Which hash a module's signature was made over.
//!
//! Of the signature only as much as it takes to name the hash: what checks it is the kernel. The
//! file ends with a PKCS #7 message, a trailer of twelve bytes and a mark.
//!
//! Sources: include/linux/module_signature.h, scripts/sign-file.c; RFC 2315 §9.1 (the first
//! algorithm in a signed message is that of its digest), RFC 5754 §2 (numbers of the SHA-2 family).

use crate::base::bytes;

/// The end of a file that holds all of an ordinary signature. (Debian's have 700 bytes.)
pub const TAIL: usize = 2048;

const MARK: &[u8] = b"~Module signature appended~\n";
/// `PKEY_ID_PKCS7`, the only kind of signature that kernels still take.
const PKCS7: u8 = 2;

/// Object identifiers 2.16.840.1.101.3.4.2.N in DER, but for N.
const SHA2: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// The name in the kernel's crypto API: `sha256`. `tail`: the last [`TAIL`] bytes of a module that
/// is not compressed, or all of it. `None`: not signed, or in a way that is not known here.
pub fn signed_over(tail: &[u8]) -> Option<&'static str> {
    let rest = tail.strip_suffix(MARK)?;
    let trailer = rest.len().checked_sub(12)?;
    if bytes::u8(rest, trailer.checked_add(2)?)? != PKCS7 {
        return None;
    }
    let length = usize::try_from(bytes::be32(rest, trailer.checked_add(8)?)?).ok()?;
    let message = bytes::slice(rest, trailer.checked_sub(length)?, length)?;
    let at = message.windows(SHA2.len()).position(|w| w == SHA2)?;
    match bytes::u8(message, at.checked_add(SHA2.len())?)? {
        1 => Some("sha256"),
        2 => Some("sha384"),
        3 => Some("sha512"),
        4 => Some("sha224"),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// The end of a module whose signature is `message`.
    fn signed(message: &[u8], kind: u8) -> Vec<u8> {
        let mut file = b"\x7fELF".to_vec();
        file.extend(message);
        file.extend([0, 0, kind, 0, 0, 0, 0, 0]);
        file.extend((message.len() as u32).to_be_bytes());
        file.extend(MARK);
        file
    }

    /// As sign-file makes it: signedData, version 1, one digest algorithm.
    fn message(last: u8) -> Vec<u8> {
        let mut out = b"\x30\x82\x02\x9b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02".to_vec();
        out.extend(b"\xa0\x82\x02\x8c\x30\x82\x02\x88\x02\x01\x01\x31\x0d\x30\x0b");
        out.extend(SHA2);
        out.push(last);
        out
    }

    #[test]
    fn the_hash_is_named_as_the_crypto_api_names_it() {
        for (last, expected) in [
            (1, Some("sha256")),
            (2, Some("sha384")),
            (3, Some("sha512")),
            (9, None),
        ] {
            assert_eq!(signed_over(&signed(&message(last), 2)), expected, "{last}");
        }
    }

    #[test]
    fn what_is_not_signed_or_damaged_has_none() {
        let good = signed(&message(1), 2);
        for file in [
            &b""[..],
            b"\x7fELF",
            MARK,
            &signed(&message(1), 1),
            &signed(b"", 2),
            &good[..good.len() - 1],
            &good[good.len() - 50..],
        ] {
            assert_eq!(signed_over(file), None);
        }
        for cut in 0..good.len() {
            let _ = signed_over(&good[cut..]);
        }
    }
}
