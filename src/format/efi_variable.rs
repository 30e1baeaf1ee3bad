//! What efivarfs shows of a variable: four bytes of attributes, then its value.
//!
//! Documentation/filesystems/efivarfs.rst; the variables of boot loaders are in systemd's Boot
//! Loader Interface: UTF-16, little-endian, ended by a zero.

use super::json;
use crate::base::hex;
use crate::base::list::Listed;
use alloc::string::String;

/// The partition that the boot loader was read from, set by systemd-boot and others: its file name
/// in efivarfs.
pub const LOADER_PARTITION: &str = "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

/// Where systemd-sleep hibernated to: its file name in efivarfs. An object of JSON with `uuid`, of
/// the swap space or of the file system of the swap file, and `offset`, in pages
/// (systemd-hibernate-resume(8)).
pub const HIBERNATE_LOCATION: &str = "HibernateLocation-8cf2644b-4b0b-428f-9387-6d876050dc67";

/// Longest file that is looked at, in bytes.
pub const LONGEST: usize = 4096;

/// What variables tell. `None`: nobody left that one, or there is no EFI.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The UUID of the partition that the machine was booted from, lower case.
    pub booted: Option<String>,
    /// The UUID of the device where a system hibernates, and an offset in pages.
    pub hibernated: Option<(String, u64)>,
}

/// A partition's UUID, lower case. `None`: the value is something else.
pub fn partition_uuid(file: &[u8]) -> Option<String> {
    let text = text(file)?.to_ascii_lowercase();
    is_uuid(&text).then_some(text)
}

/// The UUID, lower case, and the offset of a system that hibernates. `None`: the value is something
/// else.
pub fn hibernate_location(file: &[u8]) -> Option<(String, u64)> {
    let value = json::read(text(file)?.as_bytes()).ok()?;
    let uuid = value.member("uuid")?.text()?.to_ascii_lowercase();
    let offset = value.member("offset")?.number()?;
    // Either form of sd-id128(3).
    let uuid = match uuid.len() {
        32 => hex::as_uuid(&uuid)?,
        _ => uuid,
    };
    is_uuid(&uuid).then_some((uuid, offset))
}

/// The value as text, of characters of one byte.
fn text(file: &[u8]) -> Option<String> {
    let (units, _) = file.get(4..)?.as_chunks::<2>();
    let units = units.iter().map(|pair| u16::from_le_bytes(*pair));
    let units = units.take_while(|unit| *unit != 0);
    // What is looked for is the same in any encoding.
    let text = units.map(|unit| u8::try_from(unit).ok()).all_some()?;
    String::from_utf8(text).ok()
}

fn is_uuid(text: &str) -> bool {
    let digit = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0a1b2c3d-0000-4000-8000-00000000beef";

    fn file(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [7, 0, 0, 0].into_iter().chain(units).collect()
    }

    #[test]
    fn a_partition_is_named_in_lower_case() {
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

    #[test]
    fn a_place_to_hibernate_is_a_uuid_and_an_offset() {
        let place = |text: &str| hibernate_location(&file(text));
        let short = ID.replace('-', "");
        let more = "\"kernelVersion\":\"6.12\",\"osReleaseId\":\"debian\"";
        for uuid in [ID, &ID.to_ascii_uppercase(), &short] {
            let text = format!("{{\"uuid\":\"{uuid}\",\"offset\":34816,{more}}}\0");
            assert_eq!(place(&text), Some((ID.into(), 34_816)), "{text}");
        }
        for odd in [
            format!("{{\"uuid\":\"{ID}\"}}"),
            format!("{{\"uuid\":\"{ID}x\",\"offset\":0}}"),
            String::from("{\"uuid\":7,\"offset\":0}"),
            ID.into(),
            String::new(),
        ] {
            assert_eq!(place(&odd), None, "{odd}");
        }
    }
}
