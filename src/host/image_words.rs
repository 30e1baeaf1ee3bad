//! The words of a boot that stand in the image: what `/init` reads there, and in the same order.
//!
//! A bootconfig counts where the kernel was told to heed it, by the word `bootconfig`. (One built
//! with `CONFIG_BOOT_CONFIG_FORCE` needs no telling: then the word has to be given here.) Its
//! `kernel.` keys go before the kernel's own line, its `init.` keys behind what is meant for the
//! real init.
//!
//! Sources: `act/gather_words`, which does this at boot; setup_boot_config() in init/main.c.

use crate::base::text::Text;
use crate::format::bootconfig::{self, Found};
use crate::format::cmdline::{self, FILE_MAX, MODULE_LISTS, TABLES};
use crate::format::fstab;
use crate::format::image_files::ImageFile;
use crate::host::cpio::{Header, S_IFREG};
use crate::host::failure::Failure;
use crate::host::inspect::read_image;
use crate::host::segments::{self, Segment, Visitor};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

const LINES: &str = "etc/cmdline.d";
const SINGLE: [&str; 2] = ["etc/cmdline", "etc/fstab"];

/// What a boot is told.
pub struct Told {
    /// All words.
    pub words: Vec<u8>,
    /// What the image says besides; empty: it does not.
    pub files: Vec<(ImageFile, Text)>,
}

/// What a boot of `image` is told whose loader gives the kernel `line`.
pub fn gather(image: &Path, line: &str) -> Result<Told, Failure> {
    let name = image.display().to_string();
    let mut found = InImage::default();
    segments::walk(&name, &read_image(image)?, &mut found)?;
    let words = found.words(line.as_bytes());
    let mut text = |path: &str| Text(found.files.remove(path).unwrap_or_default());
    Ok(Told {
        words,
        files: ImageFile::ALL
            .map(|(file, _)| (file, file.read(&mut text)))
            .into(),
    })
}

/// Collects from an image; of two entries with one path the last counts, as for the kernel.
#[derive(Default)]
struct InImage {
    files: BTreeMap<String, Vec<u8>>,
    /// What a bootconfig says to the kernel, and to the real init.
    config: Option<(Vec<u8>, Vec<u8>)>,
}

impl Visitor for InImage {
    fn bootconfig(&mut self, found: &Found<'_>) -> Result<(), Failure> {
        let text = std::str::from_utf8(found.text).ok();
        let text = text.filter(|_| found.intact);
        // The kernel does without one that is broken, and says so; `inspect` shows why.
        let entries = text.and_then(|text| bootconfig::parse(text.as_bytes()).ok());
        self.config = entries.map(|entries| {
            let below = |top| bootconfig::words(&entries, top);
            (below("kernel"), below("init"))
        });
        Ok(())
    }

    fn entry(&mut self, _of: &Segment, e: &Header, body: &mut dyn Read) -> Result<(), Failure> {
        let Ok(path) = std::str::from_utf8(&e.path) else {
            return Ok(());
        };
        let path = path.trim_start_matches("./").trim_start_matches('/');
        if e.is(S_IFREG) && is_of_words(path) {
            let mut bytes = Vec::new();
            let read = body.take(FILE_MAX as u64).read_to_end(&mut bytes);
            read.map_err(|error| Failure::new(format!("cannot read {path}: {error}")))?;
            self.files.insert(path.into(), bytes);
        }
        Ok(())
    }
}

fn is_of_words(path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or_default();
    let of_directory = directory == LINES || MODULE_LISTS.contains(&directory);
    let table = TABLES.iter().any(|(table, _)| *table == path);
    table
        || SINGLE.contains(&path)
        || ImageFile::ALL
            .iter()
            .any(|(file, _)| file.paths().contains(&path))
        || of_directory && name.ends_with(".conf") && !name.starts_with('.')
}

impl InImage {
    fn words(&self, line: &[u8]) -> Vec<u8> {
        let mut all = Vec::new();
        for (path, word) in TABLES {
            if let Some(file) = self.files.get(path) {
                cmdline::add_table(&mut all, word, file);
            }
        }
        self.add_all(&MODULE_LISTS, &mut all, cmdline::add_modules);
        self.add_all(&[LINES], &mut all, cmdline::add_file);
        if let Some(file) = self.files.get("etc/cmdline") {
            cmdline::add_file(&mut all, file);
        }
        all.extend(self.with_bootconfig(line));
        if cmdline::asks_for_fstab(&all) {
            let file = self.files.get("etc/fstab");
            let mut of_fstab = file.map_or(Vec::new(), |file| fstab::root_words(file));
            of_fstab.append(&mut all);
            return of_fstab;
        }
        all
    }

    /// By the files' names; one that is named twice is that of the first directory.
    fn add_all(&self, directories: &[&str], line: &mut Vec<u8>, add: fn(&mut Vec<u8>, &[u8])) {
        let mut by_name = BTreeMap::new();
        for directory in directories {
            for (path, bytes) in &self.files {
                let name = path
                    .strip_prefix(directory)
                    .and_then(|p| p.strip_prefix('/'));
                if let Some(name) = name.filter(|name| !name.contains('/')) {
                    by_name.entry(name).or_insert(bytes);
                }
            }
        }
        by_name.values().for_each(|bytes| add(line, bytes));
    }

    /// What `/proc/cmdline` will say.
    fn with_bootconfig(&self, line: &[u8]) -> Vec<u8> {
        let heeded = cmdline::words(line).any(|word| word.is("bootconfig"));
        let Some((kernel, init)) = self.config.as_ref().filter(|_| heeded) else {
            return line.to_vec();
        };
        let mut all = kernel.clone();
        all.extend(line);
        if !init.is_empty() {
            // The loader's own words for init, if there are any, stay last.
            let ended = line.windows(4).position(|four| four == b" -- ");
            let at = ended.map_or(all.len(), |at| kernel.len().saturating_add(at));
            let behind = all.split_off(at);
            all.extend(b" -- ");
            all.extend(init);
            all.extend(behind.strip_prefix(b" -- ").unwrap_or_default());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], config: Option<(&str, &str)>, line: &str, expected: &str) {
        let files = files
            .iter()
            .map(|(p, b)| (p.to_string(), b.as_bytes().to_vec()));
        let bytes = |text: &str| text.as_bytes().to_vec();
        let image = InImage {
            files: files.collect(),
            config: config.map(|(kernel, init)| (bytes(kernel), bytes(init))),
        };
        let words = String::from_utf8(image.words(line.as_bytes())).unwrap();
        let words: Vec<&str> = words.split_whitespace().collect();
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn files_of_the_image_come_before_the_kernels_own_line() {
        let files = [
            ("etc/cmdline", "root=/dev/c"),
            ("etc/cmdline.d/b.conf", "root=/dev/b\n"),
            ("etc/cmdline.d/a.conf", "root=/dev/a rw\n"),
            ("etc/modules-load.d/x.conf", "loop\n"),
            ("usr/lib/modules-load.d/x.conf", "shadowed\n"),
        ];
        let expected = "rd.modules_load=loop root=/dev/a rw root=/dev/b root=/dev/c quiet";
        check(&files, None, "quiet", expected);
        let table = [("etc/veritytab", "# no\na b c d\n")];
        check(&table, None, "ro", "landfall.veritytab=\"a b c d\" ro");
        let fstab = [("etc/fstab", "UUID=1 /sysroot ext4\n")];
        let expected = "root=\"UUID=1\" rootfstype=\"ext4\" root=fstab";
        check(&fstab, None, "root=fstab", expected);
        check(&fstab, None, "root=LABEL=x", "root=LABEL=x");
    }

    #[test]
    fn a_bootconfig_counts_where_the_kernel_heeds_it() {
        let config = Some(("root=LABEL=x ", "splash "));
        check(&[], config, "ro", "ro");
        check(
            &[],
            config,
            "bootconfig ro",
            "root=LABEL=x bootconfig ro -- splash",
        );
        let expected = "root=LABEL=x bootconfig -- splash single";
        check(&[], config, "bootconfig -- single", expected);
    }

    #[test]
    fn only_files_that_init_reads_count() {
        for (path, expected) in [
            ("etc/cmdline", true),
            ("etc/cmdline.d/a.conf", true),
            ("etc/cmdline.d/.a.conf", false),
            ("etc/cmdline.d/a", false),
            ("etc/cmdline.d/below/a.conf", false),
            ("lib/modules-load.d/a.conf", true),
        ] {
            assert_eq!(is_of_words(path), expected, "{path}");
        }
    }
}
