//! fstab(5): the image's, for `root=fstab`; and of the real root's what is to be mounted before the
//! real init runs.
//!
//! Everything else in either is the real system's business.

use super::mount_options;
use super::mounts::{Entry, Extra, add};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Bytes of lines that [`early`] keeps: the answer of a worker is one message.
const MAX_KEPT: usize = 8 << 10;

/// Options of root that another mount would not change: which tree it is, and what the real init
/// changes as it runs.
const NOT_ANEW: [&[u8]; 3] = [b"subvol", b"subvolid", b"errors"];

/// Root's mount point in an initramfs, and in a system whose fstab was copied into one.
const ROOT: [&[u8]; 2] = [b"/sysroot", b"/"];

/// The line about root in words of the kernel's command line, each with a blank behind it: `root=`,
/// `rootfstype=`, `rootflags=`. Empty where there is none, or where it cannot be said so.
pub fn root_words(file: &[u8]) -> Vec<u8> {
    let lines: Vec<Vec<Vec<u8>>> = lines(file).map(|(_, fields)| fields).listed();
    let on = |place: &&[u8]| {
        let is_there = |l: &&Vec<Vec<u8>>| l.get(1).is_some_and(|f| f == place);
        lines.iter().find(is_there)
    };
    let Some(line) = ROOT.iter().find_map(on) else {
        return Vec::new();
    };
    let mut words = Vec::new();
    for (key, at) in [("root", 0), ("rootfstype", 2), ("rootflags", 3)] {
        let Some(value) = line.get(at).filter(|v| !v.contains(&b'"')) else {
            continue;
        };
        let parts = [key.as_bytes(), b"=\"", value, b"\" "];
        words.extend_from_slice(&parts.concat());
    }
    words
}

/// The lines that are no comments, each as it is and by its fields.
fn lines(file: &[u8]) -> impl Iterator<Item = (&[u8], Vec<Vec<u8>>)> {
    let fields = |line| {
        let fields = split(line).map(unescape).listed();
        let comment = fields.first().is_none_or(|f: &Vec<u8>| f.starts_with(b"#"));
        (!comment).then_some((line, fields))
    };
    file.split(|&b| b == b'\n').filter_map(fields)
}

fn split(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let fields = line.split(|b| matches!(b, b' ' | b'\t'));
    fields.filter(|f| !f.is_empty())
}

/// The lines of the real root's file that matter before its init runs, with nothing in them that
/// could be a secret: of what is not mounted here, no options.
pub fn early(file: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for (line, fields) in lines(file) {
        let entry = Entry::of(&fields);
        let root = entry.at == b"/" && !anew(entry.options).0.is_empty();
        if !root && !entry.is_early() {
            continue;
        }
        let mut line = line.to_vec();
        if !root && entry.extra().is_err() {
            let three: Vec<&[u8]> = split(&line).take(3).listed();
            line = [three.join(&b' '), b" x-initrd.mount".to_vec()].concat();
        }
        if kept.len().saturating_add(line.len()) < MAX_KEPT {
            kept.extend_from_slice(&line);
            kept.push(b'\n');
        }
    }
    kept
}

/// What such lines ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Early {
    /// Options that root is to be mounted with anew. Empty: it stays as it is.
    pub root: Text,
    pub extras: Vec<Extra>,
    /// What cannot be mounted here: one sentence each.
    pub complaints: Vec<String>,
}

/// Reads what [`early`] kept. `writable`: root is.
pub fn read(kept: &[u8], writable: bool) -> Early {
    let mut found = Early::default();
    for (_, fields) in lines(kept) {
        let entry = Entry::of(&fields);
        if entry.at == b"/" {
            found.root = anew(entry.options);
            continue;
        }
        match entry.extra() {
            Ok(mut extra) => {
                // As root: the real init makes it writable.
                extra.writable &= writable || entry.at != b"/usr";
                add(&mut found.extras, extra);
            }
            Err(why) => {
                let at = Text::from(entry.at);
                let text = format!("{at} of root's fstab is not mounted before init: {why}");
                found.complaints.push(text);
            }
        }
    }
    found
}

/// The options that root can only get when it is mounted.
fn anew(options: &[u8]) -> Text {
    let mut kept = Vec::new();
    for word in options.split(|&b| b == b',') {
        let sorted = mount_options::sort(word);
        let counts = |(key, _): &(Text, _)| !NOT_ANEW.contains(&key.as_bytes());
        if sorted.data.first().is_some_and(counts) {
            kept.push(word);
        }
    }
    Text(kept.join(&b','))
}

/// `\040` and its like: a backslash and three octal digits.
pub(super) fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Text::default();
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..3).filter(|_| first == b'\\');
        let digit = |d: &u8| char::from(*d).to_digit(8);
        let number = digits.and_then(|digits| {
            let push = |sum: u32, d: &u8| sum.checked_mul(8)?.checked_add(digit(d)?);
            u8::try_from(digits.iter().try_fold(0, push)?).ok()
        });
        out.0.push(number.unwrap_or(first));
        rest = match number {
            Some(_) => tail.get(3..).unwrap_or_default(),
            None => tail,
        };
    }
    out.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_the_line_of_its_mount_point() {
        let check = |file: &[u8], expected: &str| {
            assert_eq!(Text(root_words(file)), Text::from(expected));
        };
        check(
            b"# a comment\n\nUUID=1 /sysroot ext4 ro,noatime 0 1\nLABEL=x / xfs defaults\n",
            "root=\"UUID=1\" rootfstype=\"ext4\" rootflags=\"ro,noatime\" ",
        );
        check(
            b"tmpfs /tmp tmpfs\n\tLABEL=my\\040root\t/\tauto",
            "root=\"LABEL=my root\" rootfstype=\"auto\" ",
        );
        check(b"LABEL=a\\\"b / ext4", "rootfstype=\"ext4\" ");
        check(b"/dev/sda1 /mnt ext4\n/dev/sda2\n#/dev/x / ext4", "");
        check(b"", "");
        assert_eq!(unescape(b"a\\134\\9\\77\\400"), b"a\\\\9\\77\\400");
    }

    const FILE: &str = "# the real root's\nUUID=1 / ext4 errors=remount-ro,noatime 0 1\n\
                        /dev/vda2 /home ext4 defaults\n/dev/vda3 /usr ext4 defaults,noatime 0 2\n\
                        //s/x /srv cifs password=moon,x-initrd.mount\n\
                        LABEL=my\\040var /var xfs x-initrd.mount,nofail\n";

    #[test]
    fn what_is_early_is_kept_without_secrets() {
        let kept = early(FILE.as_bytes());
        let lines = "/dev/vda3 /usr ext4 defaults,noatime 0 2\n//s/x /srv cifs x-initrd.mount\n\
                     LABEL=my\\040var /var xfs x-initrd.mount,nofail\n";
        assert_eq!(Text(kept.clone()), Text::from(lines));
        assert_eq!(early(&kept), kept);
        let found = read(&kept, false);
        assert_eq!(found.root, Text::default());
        let at: Vec<String> = found.extras.iter().map(|e| format!("{}", e.at)).collect();
        assert_eq!(at, ["/usr", "/var"]);
        assert_eq!(found.extras[1].sought.typed, Text::from("LABEL=my var"));
        assert!(!found.extras[0].writable && found.extras[1].writable);
        assert!(read(&kept, true).extras[0].writable);
        assert_eq!(found.complaints.len(), 1, "{:?}", found.complaints);
        assert!(found.complaints[0].starts_with("/srv of root's fstab"));
        let many = FILE.repeat(1000);
        assert!(early(many.as_bytes()).len() <= MAX_KEPT);
    }

    #[test]
    fn root_is_mounted_anew_for_what_cannot_be_changed_later() {
        for (options, kept) in [
            ("defaults,errors=remount-ro,ro,nodev,x-a", ""),
            ("rw,subvol=@,subvolid=5", ""),
            ("data=journal,noatime,commit=5", "data=journal,commit=5"),
        ] {
            let line = format!("UUID=1 / ext4 {options} 0 1");
            let found = read(&early(line.as_bytes()), false);
            assert_eq!(found.root, Text::from(kept), "{options}");
        }
    }
}
