//! Hooks: programs that the user put into the image, and what their names say.
//!
//! A name is `PLACE/NAME`, below `/usr/lib/landfall/hooks`. Behind dots stand the words that count:
//! a number is the deadline in seconds (0: as long as it runs), `needed` means that the boot fails
//! where the hook does. All else is for people: `early/10-clock.needed.5`.

use alloc::string::String;

/// Where the boot stands when a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before any device is looked for.
    Early,
    /// All that is wanted is mounted; the real init has not been looked for.
    Mounted,
    /// The boot has failed; the page is shown.
    Failed,
}

impl Place {
    pub const ALL: [(Self, &str); 3] = [
        (Self::Early, "early"),
        (Self::Mounted, "mounted"),
        (Self::Failed, "failed"),
    ];
}

/// How long one may run whose name does not say it.
const SECONDS: u32 = 30;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    pub place: Place,
    /// `PLACE/NAME`.
    pub name: String,
    /// 0: as long as it runs.
    pub seconds: u32,
    pub needed: bool,
}

impl Hook {
    /// `None`: there is no such place.
    pub fn read(name: &str) -> Option<Self> {
        let (place, file) = name.split_once('/')?;
        let (place, _) = Place::ALL.iter().find(|(_, word)| *word == place)?;
        let mut hook = Self {
            place: *place,
            name: name.into(),
            seconds: SECONDS,
            needed: false,
        };
        for word in file.split('.').skip(1) {
            hook.needed |= word == "needed";
            hook.seconds = word.parse().unwrap_or(hook.seconds);
        }
        Some(hook)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_how_long_and_whether_it_is_needed() {
        let read = |name| Hook::read(name).map(|h| (h.place, h.seconds, h.needed));
        for (name, expected) in [
            ("early/10-clock", Some((Place::Early, 30, false))),
            ("early/10-clock.sh", Some((Place::Early, 30, false))),
            ("mounted/5.needed", Some((Place::Mounted, 30, true))),
            ("mounted/a.needed.5", Some((Place::Mounted, 5, true))),
            ("failed/a.0.sh", Some((Place::Failed, 0, false))),
            ("failed/a.99999999999", Some((Place::Failed, 30, false))),
            ("late/a", None),
            ("early", None),
            ("", None),
        ] {
            assert_eq!(read(name), expected, "{name}");
        }
    }
}
