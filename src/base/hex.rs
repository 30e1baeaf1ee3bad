//! Bytes as hexadecimal digits. Not for secrets: the time it takes depends on what the digits are.

use crate::base::list::Listed;
use alloc::string::String;
use alloc::vec::Vec;

/// Two digits for each byte, lower case.
pub fn encode(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digit = |digit: u8| char::from_digit(u32::from(digit), 16);
    digits.filter_map(digit).collect()
}

/// The bytes that `text` stands for, in digits of either case. `None`: it holds something else, or
/// an odd number of digits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        let value = char::from(byte).to_digit(16)?;
        u8::try_from(value).ok()
    };
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.all_some()
}

/// Hyphens between the parts of a UUID's 32 digits. `None`: there are not so many.
pub fn as_uuid(digits: &str) -> Option<String> {
    let mut text = String::with_capacity(36);
    let mut rest = digits;
    for length in [8, 4, 4, 4, 12] {
        let (part, tail) = rest.split_at_checked(length)?;
        if !text.is_empty() {
            text.push('-');
        }
        text.push_str(part);
        rest = tail;
    }
    rest.is_empty().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_bytes_and_bytes_digits() {
        for (text, bytes) in [
            ("", Some(&[][..])),
            ("00fF10", Some(&[0, 255, 16])),
            ("0", None),
            ("0g", None),
            ("+1", None),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), bytes, "{text}");
            if let Some(bytes) = bytes {
                assert_eq!(encode(bytes), text.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn uuids_have_32_digits() {
        let digits = "00010203040506070809aabbccddeeff";
        let uuid = "00010203-0405-0607-0809-aabbccddeeff";
        assert_eq!(as_uuid(digits).as_deref(), Some(uuid));
        assert_eq!(as_uuid(&digits[1..]), None);
        assert_eq!(as_uuid("00010203040506070809aabbccddeeff0"), None);
    }
}
