//! What is mounted besides root before the real init runs: `/usr`, and what the real root's
//! fstab(5) marks with `x-initrd.mount`. systemd-fstab-generator(8), systemd.mount(5).

use super::loop_file::Sought;
use super::mount_options;
use super::source::Source;
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// One mount besides root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    /// Its mount point, absolute, as the real system names it.
    pub at: Text,
    pub sought: Sought,
    pub writable: bool,
    /// `nofail`: the boot goes on without it.
    pub optional: bool,
}

/// A mount as a table or a word says it. Empty: not said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry<'a> {
    pub what: &'a [u8],
    pub at: &'a [u8],
    pub fstype: &'a [u8],
    pub options: &'a [u8],
}

/// Types without a device, which need nothing but their options.
const BY_THEMSELVES: [&[u8]; 4] = [b"tmpfs", b"ramfs", b"virtiofs", b"9p"];

/// Is this one of the words of a list of mount options?
pub fn has_word(options: &[u8], word: &[u8]) -> bool {
    options.split(|&b| b == b',').any(|own| own == word)
}

impl<'a> Entry<'a> {
    /// In this order, as far as they go; others are passed over.
    pub fn of(fields: &'a [Vec<u8>]) -> Self {
        let field = |at: usize| fields.get(at).map_or(&[][..], Vec::as_slice);
        Self {
            what: field(0),
            at: field(1),
            fstype: field(2),
            options: field(3),
        }
    }

    /// Is it to be mounted before the real init runs?
    pub fn is_early(&self) -> bool {
        let marked = has_word(self.options, b"x-initrd.mount");
        !has_word(self.options, b"noauto") && (marked || self.at == b"/usr")
    }

    /// # Errors
    /// Why it cannot be mounted here: a clause.
    pub fn extra(&self) -> Result<Extra, &'static str> {
        let steps = self.at.strip_prefix(b"/").unwrap_or_default();
        if steps.is_empty() || steps.split(|&b| b == b'/').any(|step| step == b"..") {
            return Err("its mount point is no place below root");
        }
        let of = |words: &[&[u8]]| words.iter().any(|word| has_word(self.options, word));
        let text = String::from_utf8_lossy(self.fstype);
        let types = text.split(',').filter(|t| !matches!(*t, "" | "auto"));
        let source = match BY_THEMSELVES.contains(&self.fstype) {
            true => Source::Share(String::from_utf8_lossy(self.what).into()),
            false => Source::parse(self.what),
        };
        if of(&[b"bind", b"rbind"]) {
            return Err("a directory that is shown in a second place is the real init's to mount");
        }
        if matches!(source, Source::Unknown(_) | Source::Remote) {
            return Err("it is neither on a device that can be named here nor in memory");
        }
        Ok(Extra {
            at: Text::from(self.at),
            sought: Sought {
                source: Some(source),
                typed: Text::from(self.what),
                types: types.map(ToString::to_string).listed(),
                flags: Text::from(self.options),
            },
            writable: mount_options::sort(self.options).read_only != Some(true),
            optional: of(&[b"nofail"]),
        })
    }
}

/// Adds what is not there yet, so that what holds a mount point comes before it.
pub fn add(list: &mut Vec<Extra>, extra: Extra) {
    if list.iter().any(|known| known.at == extra.at) {
        return;
    }
    let order = |extra: &Extra| {
        let steps = extra.at.0.iter().filter(|&&b| b == b'/').count();
        // What may be missing keeps nothing else waiting.
        (steps, extra.optional)
    };
    let behind = |known: &Extra| order(known) <= order(&extra);
    let at = list.iter().take_while(|known| behind(known)).count();
    list.insert(at, extra);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: &str) -> Entry<'_> {
        let mut fields = line.split(' ').map(str::as_bytes);
        let mut next = || fields.next().unwrap_or_default();
        Entry {
            what: next(),
            at: next(),
            fstype: next(),
            options: next(),
        }
    }

    #[test]
    fn usr_and_what_is_marked_are_early() {
        for (line, early) in [
            ("/dev/vda2 /usr ext4 defaults", true),
            ("/dev/vda2 /usr ext4 noauto", false),
            ("/dev/vda2 /home ext4 defaults", false),
            ("/dev/vda2 /var ext4 defaults,x-initrd.mount", true),
            ("/dev/vda2 /var ext4 x-initrd.mount=1", false),
        ] {
            assert_eq!(entry(line).is_early(), early, "{line}");
        }
    }

    #[test]
    fn a_line_is_a_mount_or_says_why_not() {
        let extra = entry("LABEL=var /var ext4,xfs noatime,nofail").extra();
        let extra = extra.unwrap();
        assert_eq!(extra.at, Text::from("/var"));
        assert_eq!(extra.sought.source, Some(Source::Label("var".into())));
        assert_eq!(extra.sought.types, ["ext4", "xfs"]);
        assert!(extra.writable && extra.optional);
        let extra = entry("tmpfs /tmp tmpfs size=1m,ro").extra().unwrap();
        assert_eq!(extra.sought.source, Some(Source::Share("tmpfs".into())));
        assert!(!extra.writable && !extra.optional);
        assert!(
            entry("/dev/vda2 /usr auto x")
                .extra()
                .unwrap()
                .sought
                .types
                .is_empty()
        );
        for (line, why) in [
            ("/dev/vda2 / ext4", "no place below root"),
            ("/dev/vda2 none swap", "no place below root"),
            ("/dev/vda2 /var/../etc ext4", "no place below root"),
            ("/srv /home none bind", "second place"),
            ("server:/usr /usr nfs ro", "neither on a device"),
        ] {
            let text = entry(line).extra().unwrap_err();
            assert!(text.contains(why), "{line}: {text}");
        }
    }

    #[test]
    fn what_holds_a_mount_point_comes_first() {
        let mut list = Vec::new();
        for at in [
            "/var/log",
            "/opt nofail",
            "/usr",
            "/var",
            "/usr",
            "/usr/a/b",
        ] {
            let (at, more) = at.split_once(' ').unwrap_or((at, ""));
            let line = alloc::format!("/dev/vda1 {at} ext4 {more}");
            add(&mut list, entry(&line).extra().unwrap());
        }
        let order: Vec<String> = list.iter().map(|e| e.at.to_string()).collect();
        assert_eq!(order, ["/usr", "/var", "/opt", "/var/log", "/usr/a/b"]);
    }
}
