//! What efivarfs shows of a variable: four bytes of attributes, then its value.
//!
//! Documentation/filesystems/efivarfs.rst; the variables of boot loaders are in systemd's Boot
//! Loader Interface: UTF-16, little-endian, ended by a zero.

use crate::base::list::Listed;
use alloc::string::String;

/// The partition that the boot loader was read from, set by systemd-boot and others: its file name
/// in efivarfs.
pub const LOADER_PARTITION: &str = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// Longest file that is looked at, in bytes.
pub const LONGEST: usize = 1024;

/// A partition's UUID, lower case. `None`: the value is something else.
pub fn partition_uuid(file: &[u8]) -> Option<String> {
    let (units, _) = file.get(4..)?.as_chunks::<2>();
    let units = units.iter().map(|pair| u16::from_le_bytes(*pair));
    let units = units.take_while(|unit| *unit != 0);
    // Digits and hyphens are one byte in any encoding.
    let text = units.map(|unit| u8::try_from(unit).ok()).all_some()?;
    let text = String::from_utf8(text).ok()?.to_ascii_lowercase();
    let digit = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    (text.len() == 36 && text.bytes().enumerate().all(digit)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_named_in_lower_case() {
        const ID: &str = "0a1b2c3d-0000-4000-8000-00000000beef";
        let file = |text: &str| -> Vec<u8> {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [7, 0, 0, 0].into_iter().chain(units).collect()
        };
        let check = |file: &[u8], expected: Option<&str>| {
            assert_eq!(partition_uuid(file).as_deref(), expected, "{file:?}");
        };
        check(&file(&ID.to_ascii_uppercase()), Some(ID));
        check(&file("0A1B2C3D-0000-4000-8000-00000000BEEF\0x"), Some(ID));
        check(&file("0a1b2c3d-0000-4000-8000-00000000bee"), None);
        check(&file("0a1b2c3d-0000-4000-8000-00000000beeg"), None);
        check(&file(""), None);
        check(&[7, 0], None);
        check(&[&[0; 4], &[0, 0xd8, 0, 0xd8][..]].concat(), None);
    }
}
