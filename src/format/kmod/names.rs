//! How modules and aliases are spelt: `-` is `_`, paths and suffixes are not part of a name.
//!
//! Source: kmod's rules for names (modprobe(8), "NOTES").

use super::glob::underscore;
use alloc::string::String;
use alloc::vec::Vec;

/// The canonical form of an alias: `-` becomes `_`, except between brackets.
pub fn canonical(alias: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let mut out = Vec::with_capacity(alias.len());
    for &byte in alias {
        match byte {
            b'[' => inside = true,
            b']' => inside = false,
            _ => {}
        }
        out.push(if inside { byte } else { underscore(byte) });
    }
    out
}

/// The part of a path (or of a file name) that names the module: `kernel/fs/a-b.ko.xz` → `a-b`.
pub fn stem(path: &[u8]) -> &[u8] {
    let file = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    file.split(|&b| b == b'.').next().unwrap_or(file)
}

/// The canonical name of the module in the file at `path`. `None` for what cannot be one.
pub fn of_path(path: &[u8]) -> Option<String> {
    let name = stem(path);
    if name.is_empty() {
        return None;
    }
    String::from_utf8(canonical(name)).ok()
}

/// Words separated by blanks and tabs.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&b| b == b' ' || b == b'\t')
        .filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_path_suffix_and_dashes() {
        let check = |path: &str, name| assert_eq!(of_path(path.as_bytes()).as_deref(), name);
        check("kernel/fs/ext4/ext4.ko", Some("ext4"));
        check("kernel/a-b.ko.zst", Some("a_b"));
        check("/x/y_z.ko.gz", Some("y_z"));
        check("plain", Some("plain"));
        check("kernel/", None);
        check(".ko", None);
        assert_eq!(canonical(b"usb:d-[0-9]-x"), b"usb:d_[0-9]_x");
    }
}
