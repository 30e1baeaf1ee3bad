//! Files that say how things are called and opened: of the image, or of the real system.

use super::cmdline::CRYPTTAB;
use crate::base::text::Text;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFile {
    /// crypttab(5)
    Crypttab,
    /// mdadm.conf(5)
    MdadmConf,
    /// hostname(5)
    Hostname,
}

impl ImageFile {
    /// With the word of each.
    pub const ALL: [(Self, &str); 3] = [
        (Self::Crypttab, "crypttab"),
        (Self::MdadmConf, "mdadm-conf"),
        (Self::Hostname, "hostname"),
    ];

    pub fn word(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == self)
            .map_or("", |(_, word)| word)
    }

    /// Its places below the root directory; the first that there is counts.
    pub const fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Crypttab => &[CRYPTTAB],
            // "FILES" of mdadm.conf(5): Debian's place, then everybody's.
            Self::MdadmConf => &["etc/mdadm/mdadm.conf", "etc/mdadm.conf"],
            Self::Hostname => &["etc/hostname"],
        }
    }

    /// `read`: the contents of the file at a path, empty if there is none.
    pub fn read(self, read: &mut dyn FnMut(&str) -> Text) -> Text {
        let mut texts = self.paths().iter().map(|path| read(path));
        let found = texts.find(|text| !text.0.is_empty());
        found.unwrap_or_default()
    }
}
