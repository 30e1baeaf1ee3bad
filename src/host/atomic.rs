//! A file that appears whole or not at all.
//!
//! Written without a name where the file system can do that (`O_TMPFILE`), so that even a killed
//! tool leaves nothing behind; elsewhere beside its final name. Then synced and renamed. On any
//! error whatever stood under the final name before is untouched.

use crate::host::failure::{Failure, Tried};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

pub struct AtomicFile {
    out: BufWriter<File>,
    temporary: PathBuf,
    target: PathBuf,
    /// The temporary file has a name, which must not stay.
    named: bool,
}

impl AtomicFile {
    /// Opens the temporary file. `target` must be a plain file or not exist: renaming over a
    /// device such as `/dev/null` would replace it.
    pub fn create(target: &Path) -> Result<Self, Failure> {
        if let Ok(meta) = std::fs::metadata(target)
            && !meta.is_file()
        {
            let text = format!("cannot write {}: it is not a plain file", target.display());
            return Err(Failure::new(text));
        }
        let Some(temporary) = beside(target) else {
            let text = format!("cannot write {}: it names no file", target.display());
            return Err(Failure::new(text));
        };
        let unnamed = unnamed_beside(target);
        let out = match unnamed {
            Some(file) => Ok((file, false)),
            None => {
                let mut options = File::options();
                let named = options.write(true).create_new(true).open(&temporary);
                named.map(|file| (file, true))
            }
        };
        let (out, named) = out.or_cannot(|| {
            format!(
                "write {} (its directory must exist and be writable)",
                target.display()
            )
        })?;
        Ok(Self {
            out: BufWriter::with_capacity(1 << 16, out),
            temporary,
            target: target.to_path_buf(),
            named,
        })
    }

    /// Bytes written so far.
    pub fn length(&mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.out.get_ref().metadata()?.len())
    }

    /// Gives the file its name. Returns its length in bytes.
    pub fn commit(mut self) -> Result<u64, Failure> {
        let length = self.settle();
        let target = self.target.clone();
        length.or_cannot(|| format!("write {}", target.display()))
    }

    fn settle(&mut self) -> io::Result<u64> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        let length = self.out.get_ref().metadata()?.len();
        if !self.named {
            let unnamed = format!("/proc/self/fd/{}", self.out.get_ref().as_raw_fd());
            linkat(CWD, unnamed, CWD, &self.temporary, AtFlags::SYMLINK_FOLLOW)?;
            self.named = true;
        }
        std::fs::rename(&self.temporary, &self.target)?;
        self.named = false;
        if let Some(parent) = self.target.parent()
            && let Ok(directory) = File::open(parent)
        {
            // The rename is done; a file system that cannot sync directories is no reason to fail.
            let _ = directory.sync_all();
        }
        Ok(length)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if self.named {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// A file in the directory of `target` that has no name yet. `None` where that is not possible,
/// for whatever reason: trying with a name finds out.
fn unnamed_beside(target: &Path) -> Option<File> {
    let directory = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = open(directory, flags, Mode::from_raw_mode(0o666)).ok()?;
    // Without /proc it could never be given a name.
    Path::new("/proc/self/fd").is_dir().then(|| file.into())
}

/// `dir/.name.PID.part`: in the same directory, so that the rename cannot cross file systems.
pub fn beside(target: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name()?);
    name.push(format!(".{}.part", std::process::id()));
    Some(target.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let list = std::fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = list
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_unfinished_file_leaves_the_old_one_alone() {
        let directory =
            std::env::temp_dir().join(format!("landfall-atomic-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let target = directory.join("out");
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"one").unwrap();
        assert_eq!(file.commit().unwrap(), 3);
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"two").unwrap();
        drop(file);
        assert_eq!(names(&directory), ["out"]);
        assert_eq!(std::fs::read(&target).unwrap(), b"one");
        assert!(AtomicFile::create(Path::new("/dev/null")).is_err());
        assert!(AtomicFile::create(Path::new("/")).is_err());
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
