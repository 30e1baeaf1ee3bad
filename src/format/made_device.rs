//! Devices that the kernel makes of others, or of a file: `dm-0`, `md127`, `md_d0p1`, `loop3`.
//! Documentation/admin-guide/devices.txt.

use alloc::string::String;

/// What makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mapped,
    Array,
    Loop,
}

impl Kind {
    /// By the kernel's name of the device, or of a partition in it.
    pub fn of(name: &str) -> Option<Self> {
        let is = |(stem, _): &(&str, Self)| {
            let rest = name.strip_prefix(*stem).unwrap_or_default();
            rest.bytes().next().is_some_and(|b| b.is_ascii_digit())
        };
        STEMS.into_iter().find(is).map(|(_, kind)| kind)
    }
}

const STEMS: [(&str, Kind); 4] = [
    ("dm-", Kind::Mapped),
    ("md", Kind::Array),
    ("md_d", Kind::Array),
    ("loop", Kind::Loop),
];

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeDevice {
    pub kind: Kind,
    /// What the device mapper calls it; of others the kernel's name.
    pub name: String,
    /// Major and minor number.
    pub number: (u32, u32),
    /// Another device is made of it, or of one of its partitions.
    pub held: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_devices_are_known_by_their_names() {
        for (name, kind) in [
            ("dm-12", Some(Kind::Mapped)),
            ("md0p1", Some(Kind::Array)),
            ("md_d1", Some(Kind::Array)),
            ("loop0", Some(Kind::Loop)),
            ("loop-control", None),
            ("mdev", None),
            ("mtd0", None),
            ("dm", None),
            ("vda1", None),
        ] {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }
}
