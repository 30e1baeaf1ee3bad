//! Firmware that modules ask for: by the `firmware` fields they carry, looked up where the kernel
//! would look.
//!
//! It lies unpacked in the image: not every kernel unpacks firmware, and the image is compressed
//! as a whole.
//!
//! Source: Documentation/driver-api/firmware/fw_search_path.rst (Linux 6.12).

use crate::format::kmod::{matches, modinfo};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// As it is, or packed in one of the two ways that the kernel knows.
const SUFFIXES: [&str; 3] = ["", ".zst", ".xz"];
/// A pattern stands for at most this many files.
const PATTERN_FILES: usize = 1000;

/// Where one kernel's firmware may lie, best first.
pub struct Firmware {
    directories: Vec<PathBuf>,
}

impl Firmware {
    pub fn new(root: &Path, version: &str) -> Self {
        let mut directories = Vec::new();
        for base in ["lib/firmware", "usr/lib/firmware"] {
            let base = root.join(base);
            directories.extend([
                base.join("updates").join(version),
                base.join("updates"),
                base.join(version),
                base,
            ]);
        }
        Self { directories }
    }

    /// The file behind a name that a module gives.
    pub fn find(&self, name: &[u8]) -> Option<PathBuf> {
        let safe = !name.split(|&b| b == b'/').any(|part| part == b"..") && !name.is_empty();
        let candidates = self.directories.iter().flat_map(|directory| {
            SUFFIXES.iter().map(|suffix| {
                let mut file = directory.join(OsStr::from_bytes(name)).into_os_string();
                file.push(suffix);
                PathBuf::from(file)
            })
        });
        candidates.into_iter().find(|file| safe && file.is_file())
    }

    /// The names that a pattern stands for; a name without wildcards stands for itself.
    pub fn expand(&self, name: &[u8]) -> BTreeSet<Vec<u8>> {
        if !name.iter().any(|b| b"*?[".contains(b)) {
            return BTreeSet::from([name.to_vec()]);
        }
        let slash = name.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1);
        let (parent, pattern) = name.split_at(slash);
        let mut found = BTreeSet::new();
        for directory in &self.directories {
            let list = std::fs::read_dir(directory.join(OsStr::from_bytes(parent)));
            for entry in list.into_iter().flatten().flatten().take(PATTERN_FILES) {
                let file = entry.file_name();
                let file = SUFFIXES
                    .iter()
                    .skip(1)
                    .fold(file.as_bytes(), |file, suffix| {
                        file.strip_suffix(suffix.as_bytes()).unwrap_or(file)
                    });
                if matches(pattern, file) {
                    found.insert([parent, file].concat());
                }
            }
        }
        found
    }
}

/// The names that a module (unpacked) gives.
pub fn names_in(module: &[u8]) -> Vec<Vec<u8>> {
    let info = modinfo(module);
    let names = info.iter().flat_map(|info| info.all(b"firmware"));
    names.map(<[u8]>::to_vec).collect()
}
