//! An image as a list: the text that the kernel's build takes as `CONFIG_INITRAMFS_SOURCE`, with
//! the files it names in a directory beside it.
//!
//! Paths of files are absolute, because the kernel's build runs elsewhere. Names with blanks have
//! no place in the syntax and are refused.
//!
//! Source: the usage text of usr/gen_init_cpio.c (Linux 6.12).

use crate::base::text::Text;
use crate::host::atomic::{AtomicFile, beside};
use crate::host::failure::{Failure, Tried};
use crate::host::tree::{Node, Tree, What};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Writes `list` and the directory `list`.files.
pub fn write(tree: &Tree, list: &Path) -> Result<(), Failure> {
    let mut out = AtomicFile::create(list)?;
    let files = Files::create(list)?;
    let mut links: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for (path, node) in tree.iter() {
        if let What::HardLink(first) = &node.what {
            links.entry(first).or_default().push(path);
        }
    }
    for (path, node) in tree.iter() {
        let Some(mut line) = line(&files, path, node)? else {
            continue;
        };
        for link in links.get(path).into_iter().flatten() {
            line.extend(b" /");
            line.extend(word(link)?);
        }
        line.push(b'\n');
        let written = out.write_all(&line);
        written.or_cannot(|| format!("write {}", list.display()))?;
    }
    files.commit(list)?;
    out.commit().map(drop)
}

/// One entry without its line break; `None` for what stands in another entry's line.
fn line(files: &Files, path: &[u8], node: &Node) -> Result<Option<Vec<u8>>, Failure> {
    let name = word(path)?;
    let mode = format!("{:04o} 0 0", node.mode);
    let mut line = Vec::new();
    match &node.what {
        What::HardLink(_) => return Ok(None),
        What::Directory => line.extend([b"dir /", name, b" ", mode.as_bytes()].concat()),
        What::Symlink(target) => {
            let target = word(target)?;
            line.extend([b"slink /", name, b" ", target, b" ", mode.as_bytes()].concat());
        }
        What::CharDevice(major, minor) => {
            let device = format!(" {mode} c {major} {minor}");
            line.extend([b"nod /", name, device.as_bytes()].concat());
        }
        What::Bytes(_) | What::File(_) | What::Unpacked(_) => {
            let place = files.put(path, &node.body()?)?;
            let place = word(place.as_os_str().as_bytes())?.to_vec();
            line.extend([b"file /", name, b" ", &place, b" ", mode.as_bytes()].concat());
        }
    }
    Ok(Some(line))
}

/// What the syntax can hold as one word; `${` would be replaced by the environment.
fn word(text: &[u8]) -> Result<&[u8], Failure> {
    let odd = text.iter().any(u8::is_ascii_whitespace) || text.windows(2).any(|w| w == b"${");
    if odd || text.is_empty() {
        let shown = Text::from(text);
        return Err(Failure::new(format!(
            "cannot write '{shown}' into a list: the syntax has no way to say it"
        )));
    }
    Ok(text)
}

/// The directory of files: filled under another name, then given its own.
struct Files {
    temporary: PathBuf,
    target: PathBuf,
}

impl Files {
    fn create(list: &Path) -> Result<Self, Failure> {
        let absolute =
            std::path::absolute(list).or_cannot(|| format!("write {}", list.display()))?;
        let mut target = absolute.into_os_string();
        target.push(".files");
        let target = PathBuf::from(target);
        if target.exists() && !list.exists() {
            return Err(Failure::new(format!(
                "{} exists, but no list {} beside it: it is not replaced",
                target.display(),
                list.display()
            )));
        }
        let temporary = beside(&target).unwrap_or_else(|| target.with_extension("part"));
        let made = fs::create_dir(&temporary);
        made.or_cannot(|| format!("make {}", target.display()))?;
        Ok(Self { temporary, target })
    }

    /// Returns where the file will be.
    fn put(&self, path: &[u8], body: &[u8]) -> Result<PathBuf, Failure> {
        let path = OsStr::from_bytes(path);
        let file = self.temporary.join(path);
        let shown = || format!("write {}", file.display());
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).or_cannot(shown)?;
        }
        fs::write(&file, body).or_cannot(shown)?;
        Ok(self.target.join(path))
    }

    fn commit(self, list: &Path) -> Result<(), Failure> {
        let shown = || format!("replace {}", self.target.display());
        let mut old = OsString::from(&self.temporary);
        old.push(".old");
        let replaces = list.exists() && self.target.exists();
        if replaces {
            fs::rename(&self.target, &old).or_cannot(shown)?;
        }
        fs::rename(&self.temporary, &self.target).or_cannot(shown)?;
        if replaces {
            fs::remove_dir_all(&old).or_cannot(shown)?;
        }
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Gone already when it was committed.
        let _ = fs::remove_dir_all(&self.temporary);
    }
}
