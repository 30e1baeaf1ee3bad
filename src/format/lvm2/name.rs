//! Names and UUIDs of volumes, as lvm and device-mapper spell them.
//!
//! Source: lvm2 `libdm/libdm-string.c` (dm_build_dm_name), `lib/uuid/uuid.c`.

use crate::base::text::Text;
use alloc::string::String;
use core::fmt;

/// Thirty-two letters. Printed in groups of 6-4-4-4-4-4-6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id([u8; 32]);

impl Id {
    /// As it lies in a label: without dashes.
    pub fn read(raw: &[u8]) -> Option<Self> {
        let id: [u8; 32] = raw.try_into().ok()?;
        id.iter().all(u8::is_ascii_alphanumeric).then_some(Self(id))
    }

    /// As metadata spells it: with dashes, wherever they stand.
    pub fn parse(text: &Text) -> Option<Self> {
        let mut id = [0; 32];
        let mut letters = text.as_bytes().iter().filter(|&&b| b != b'-');
        for place in &mut id {
            *place = *letters.next()?;
        }
        letters.next().is_none().then_some(())?;
        Self::read(&id)
    }

    /// Without dashes: as in the UUIDs of device-mapper devices.
    pub fn plain(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, letter) in self.plain().chars().enumerate() {
            if matches!(i, 6 | 10 | 14 | 18 | 22 | 26) {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The device-mapper name of a volume: dashes within a part are doubled.
pub fn device(group: &str, volume: &str, layer: &str) -> String {
    let mut out = String::new();
    for part in [group, volume, layer] {
        if part.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('-');
        }
        for c in part.chars() {
            out.push(c);
            if c == '-' {
                out.push(c);
            }
        }
    }
    out
}

/// Group and volume from a device-mapper name; the inverse of [`device`] without a layer.
pub fn split(device: &str) -> Option<(String, String)> {
    let bytes = device.as_bytes();
    let mut at = 0usize;
    while let Some(&byte) = bytes.get(at) {
        if byte != b'-' {
            at = at.checked_add(1)?;
        } else if bytes.get(at.checked_add(1)?) == Some(&b'-') {
            at = at.checked_add(2)?;
        } else {
            let (group, volume) = (device.get(..at)?, device.get(at.checked_add(1)?..)?);
            let (group, volume) = (group.replace("--", "-"), volume.replace("--", "-"));
            return (!group.is_empty() && !volume.is_empty()).then_some((group, volume));
        }
    }
    None
}

/// The device-mapper UUID of a volume's device.
pub fn uuid(group: &Id, volume: &Id, layer: &str) -> String {
    let mut out = String::from("LVM-");
    out.push_str(group.plain());
    out.push_str(volume.plain());
    if !layer.is_empty() {
        out.push('-');
        out.push_str(layer);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn dashes_in_names_are_doubled_and_undone() {
        let check = |group: &str, volume: &str, expected: &str| {
            assert_eq!(device(group, volume, ""), expected);
            let both = (String::from(group), String::from(volume));
            assert_eq!(split(expected), Some(both), "{expected}");
        };
        check("vg", "root", "vg-root");
        check("my-vg", "a--b", "my--vg-a----b");
        check("x-", "y", "x---y");
        assert_eq!(device("vg", "pool", "tpool"), "vg-pool-tpool");
        assert_eq!(split("vg--root"), None);
        assert_eq!(split("vg-"), None);
    }

    #[test]
    fn ids_are_read_with_and_without_dashes() {
        let text = Text::from("abcdef-1234-5678-90AB-cdef-GHIJ-klmnop");
        let id = Id::parse(&text).unwrap();
        assert_eq!(id.to_string().as_bytes(), text.as_bytes());
        assert_eq!(Id::read(id.plain().as_bytes()), Some(id));
        assert_eq!(Id::parse(&Text::from("abc")), None);
        assert_eq!(Id::read(&[b'/'; 32]), None);
    }
}
