//! Base64 with padding, as JSON headers hold salts and digests. RFC 4648, section 4.

use alloc::vec::Vec;

/// The bytes that `text` stands for; `None` unless it is canonical in all but its spare bits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let body = text.strip_suffix(b"==").or(text.strip_suffix(b"="));
    let body = body.unwrap_or(text);
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Vec::new();
    for group in body.chunks(4) {
        let mut bits = 0;
        for place in 0..4 {
            let value = group.get(place).map_or(Some(0), |b| value(*b))?;
            bits = bits << 6 | u32::from(value);
        }
        let [_, whole @ ..] = bits.to_be_bytes();
        // Two characters hold one byte, three hold two.
        bytes.extend(whole.iter().take(group.len().saturating_sub(1)));
    }
    Some(bytes)
}

fn value(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => b.checked_sub(b'A'),
        b'a'..=b'z' => b.checked_sub(b'a' - 26),
        b'0'..=b'9' => b.checked_add(52 - b'0'),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4648_decode() {
        let check = |text: &str, expected: Option<&[u8]>| {
            assert_eq!(decode(text.as_bytes()).as_deref(), expected, "{text}");
        };
        check("", Some(b""));
        check("Zg==", Some(b"f"));
        check("Zm8=", Some(b"fo"));
        check("Zm9v", Some(b"foo"));
        check("Zm9vYmFy", Some(b"foobar"));
        check("+/+/", Some(&[0xfb, 0xff, 0xbf]));
        for bad in [
            "Z", "Zg", "Zg=", "Z===", "====", "Zm9\n", "Zm9v=", "Zg==Zg==", "Zm-_",
        ] {
            check(bad, None);
        }
    }
}
