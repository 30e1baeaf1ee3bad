//! fstab(5) of the image: what it says of root, for `root=fstab`.
//!
//! Everything else in it is the real system's business.

use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::vec::Vec;

/// Root's mount point in an initramfs, and in a system whose fstab was copied into one.
const ROOT: [&[u8]; 2] = [b"/sysroot", b"/"];

/// The line about root in words of the kernel's command line, each with a blank behind it: `root=`,
/// `rootfstype=`, `rootflags=`. Empty where there is none, or where it cannot be said so.
pub fn root_words(file: &[u8]) -> Vec<u8> {
    let fields = |line: &[u8]| {
        let fields = line.split(|b| matches!(b, b' ' | b'\t'));
        let fields: Vec<Vec<u8>> = fields.filter(|f| !f.is_empty()).map(unescape).listed();
        let comment = fields.first().is_none_or(|f| f.starts_with(b"#"));
        (!comment).then_some(fields)
    };
    let lines: Vec<Vec<Vec<u8>>> = file.split(|&b| b == b'\n').filter_map(fields).listed();
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
}
