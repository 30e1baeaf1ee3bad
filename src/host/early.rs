//! Microcode in front of an image: a small archive of its own, not compressed, where the kernel
//! looks before it unpacks anything.
//!
//! Vendors are told apart by content, so file names do not matter. The data begins at a multiple
//! of 16 bytes, which old kernels need because they load it from where it lies.
//!
//! Source: Documentation/arch/x86/microcode.rst (Linux 6.12); the headers in
//! arch/x86/kernel/cpu/microcode/{amd.c,intel.c}.

use crate::base::bytes;
use crate::host::cpio::{self, Header, Writer};
use crate::host::failure::{Failure, Tried};
use crate::host::tree::read_unpacked;
use std::io::Write;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "kernel/x86/microcode";
const ALIGN: u64 = 16;
const AMD_MAGIC: u32 = 0x0041_4d44;
/// An Intel blob: header version 1, loader version 1, its sizes in whole KiB.
const INTEL_VERSION: u32 = 1;

/// Writes the early archive from `sources`: files, or directories whose files are all taken.
pub fn write(sources: &[PathBuf], mtime: u32, out: &mut dyn Write) -> Result<(), Failure> {
    let (mut amd, mut intel) = (Vec::new(), Vec::new());
    for source in sources {
        for file in files(source)? {
            let blob = read_unpacked(&file)?;
            match vendor(&blob) {
                Some(Vendor::Amd) => amd.extend(blob),
                Some(Vendor::Intel) => intel.extend(blob),
                None => {
                    return Err(Failure::new(format!(
                        "{} is neither AMD nor Intel microcode",
                        file.display()
                    )));
                }
            }
        }
    }
    archive(&amd, &intel, mtime, out).or_cannot(|| "write the microcode archive".into())
}

/// A directory's files sorted by name: the archive must not depend on the order on disk.
fn files(source: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !source.is_dir() {
        return Ok(vec![source.to_path_buf()]);
    }
    let shown = || format!("read {}", source.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(source).or_cannot(shown)? {
        let path = entry.or_cannot(shown)?.path();
        // Signatures and notes lie beside AMD's containers.
        let skip = path
            .extension()
            .is_some_and(|e| e == "asc" || e == "README");
        if path.is_file() && !skip {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

enum Vendor {
    Amd,
    Intel,
}

fn vendor(blob: &[u8]) -> Option<Vendor> {
    if bytes::le32(blob, 0)? == AMD_MAGIC {
        return Some(Vendor::Amd);
    }
    let version = bytes::le32(blob, 0)? == INTEL_VERSION && bytes::le32(blob, 20)? == INTEL_VERSION;
    (version && blob.len().is_multiple_of(1024)).then_some(Vendor::Intel)
}

fn archive(amd: &[u8], intel: &[u8], mtime: u32, out: &mut dyn Write) -> std::io::Result<()> {
    let mut archive = Writer::new(out);
    let mut ino = 0;
    let mut header = |path: &str, mode, size: usize| {
        ino += 1;
        Header {
            path: path.into(),
            ino,
            mode,
            nlink: if mode & cpio::S_IFMT == cpio::S_IFDIR {
                2
            } else {
                1
            },
            mtime,
            size: size as u32,
            ..Header::default()
        }
    };
    for directory in ["kernel", "kernel/x86", DIRECTORY] {
        archive.entry(&header(directory, cpio::S_IFDIR | 0o755, 0), &[])?;
    }
    for (name, blob) in [("AuthenticAMD", amd), ("GenuineIntel", intel)] {
        if !blob.is_empty() {
            let path = format!("{DIRECTORY}/{name}.bin");
            let header = header(&path, cpio::S_IFREG | 0o644, blob.len());
            archive.aligned_entry(&header, blob, ALIGN)?;
        }
    }
    archive.finish().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_begins_at_a_multiple_of_16() {
        let blob = [7; 100];
        let mut out = Vec::new();
        archive(&blob, &blob, 0, &mut out).unwrap();
        let starts = out.windows(100).enumerate().filter(|(_, w)| *w == blob);
        let starts: Vec<usize> = starts.map(|(at, _)| at % 16).collect();
        assert_eq!(starts, [0, 0]);
        assert!(out.len().is_multiple_of(512));
    }

    #[test]
    fn vendors_are_told_by_content() {
        let mut intel = vec![0; 1024];
        intel[0] = 1;
        intel[20] = 1;
        assert!(matches!(vendor(&intel), Some(Vendor::Intel)));
        assert!(matches!(vendor(b"DMA\0rest"), Some(Vendor::Amd)));
        assert!(vendor(&intel[..1000]).is_none() && vendor(b"DM").is_none());
    }
}
