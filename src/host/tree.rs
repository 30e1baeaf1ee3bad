//! What lies in an image: a tree of names, sorted, and how it becomes an archive.
//!
//! The archive depends on nothing but the tree and the time given: inode numbers count the
//! entries, everything belongs to 0:0. Device nodes are only entries here, so nobody needs to be
//! allowed to make them.

use crate::base::text::Text;
use crate::host::cpio::{self, Header, Writer};
use crate::host::decompress;
use crate::host::failure::{Failure, Tried};
use crate::host::progress::Progress;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// One module or firmware file, unpacked. The largest known are below 100 MiB.
const MAX_UNPACKED: u64 = 512 << 20;
/// Directories below one another in `--add-file`.
const MAX_DEPTH: usize = 64;

#[derive(Clone, Debug)]
pub enum What {
    Directory,
    /// Contents made by this tool.
    Bytes(Vec<u8>),
    /// A file of this machine, as it is.
    File(PathBuf),
    /// A file of this machine, unpacked if its name ends in `.gz`, `.xz` or `.zst`.
    Unpacked(PathBuf),
    Symlink(Vec<u8>),
    /// Another name of the file that stands in the tree under this one.
    HardLink(Vec<u8>),
    CharDevice(u32, u32),
}

#[derive(Clone, Debug)]
pub struct Node {
    /// Permissions, without the type.
    pub mode: u32,
    pub what: What,
}

/// Names are paths without `/` in front.
#[derive(Default)]
pub struct Tree {
    nodes: BTreeMap<Vec<u8>, Node>,
}

impl Tree {
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Node)> {
        self.nodes
            .iter()
            .map(|(path, node)| (path.as_slice(), node))
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn find(&self, path: &[u8]) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Takes away what is no directory.
    pub fn remove(&mut self, path: &[u8]) {
        self.nodes.remove(path);
    }

    /// Puts `node` at `path`, with the directories above it. What stood there before is replaced.
    pub fn insert(&mut self, path: &[u8], node: Node) -> Result<(), Failure> {
        let parts: Vec<&[u8]> = path
            .split(|&b| b == b'/')
            .filter(|part| !part.is_empty() && *part != b".")
            .collect();
        let refuse = |why: &str| {
            let shown = Text::from(path);
            Err(Failure::new(format!(
                "cannot put '{shown}' into the image: {why}"
            )))
        };
        if parts.is_empty() || parts.contains(&&b".."[..]) || path.contains(&0) {
            return refuse("it names no place below the root");
        }
        let path = parts.join(&b'/');
        for (at, _) in path.iter().enumerate().filter(|(_, b)| **b == b'/') {
            let parent = path.get(..at).unwrap_or_default();
            let there = self.nodes.entry(parent.to_vec()).or_insert_with(directory);
            if !matches!(there.what, What::Directory) {
                return refuse("what stands above it is not a directory");
            }
        }
        let old = self.nodes.get(&path).map(|old| &old.what);
        let was_directory = matches!(old, Some(What::Directory));
        if was_directory && !matches!(node.what, What::Directory) {
            return refuse("a directory stands there");
        }
        self.nodes.insert(path, node);
        Ok(())
    }

    pub fn insert_bytes(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), Failure> {
        let node = Node {
            mode: 0o644,
            what: What::Bytes(bytes),
        };
        self.insert(path.as_bytes(), node)
    }

    /// Copies a file, a symbolic link or a directory with all below it from this machine.
    pub fn insert_from(&mut self, source: &Path, at: &[u8]) -> Result<(), Failure> {
        let mut links = BTreeMap::new();
        // What the user names is followed; what lies below it is taken as it is.
        let meta = fs::metadata(source).or_cannot(|| format!("add {}", source.display()))?;
        self.copy(source, at, &meta, &mut links, 0)
    }

    fn copy(
        &mut self,
        source: &Path,
        at: &[u8],
        meta: &fs::Metadata,
        links: &mut BTreeMap<(u64, u64), Vec<u8>>,
        depth: usize,
    ) -> Result<(), Failure> {
        let shown = || format!("add {}", source.display());
        let kind = meta.file_type();
        let what = if kind.is_dir() {
            What::Directory
        } else if kind.is_symlink() {
            let target = fs::read_link(source).or_cannot(shown)?;
            What::Symlink(target.as_os_str().as_bytes().to_vec())
        } else if kind.is_file() {
            let key = (meta.dev(), meta.ino());
            match links.get(&key) {
                Some(first) => What::HardLink(first.clone()),
                None => {
                    if meta.nlink() > 1 {
                        links.insert(key, plain(at));
                    }
                    What::File(source.to_path_buf())
                }
            }
        } else {
            let text = format!("cannot {}: not a file, link or directory", shown());
            return Err(Failure::new(text));
        };
        let mode = meta.permissions().mode() & 0o7777;
        // `--add-file DIR:/` adds what is in DIR; the root itself is no entry.
        if !plain(at).is_empty() {
            self.insert(at, Node { mode, what })?;
        }
        if !kind.is_dir() {
            return Ok(());
        }
        if depth == MAX_DEPTH {
            let text = format!("cannot {}: more than {MAX_DEPTH} directories deep", shown());
            return Err(Failure::new(text));
        }
        for entry in fs::read_dir(source).or_cannot(shown)? {
            let entry = entry.or_cannot(shown)?;
            let below = [at, entry.file_name().as_bytes()].join(&b'/');
            let meta = entry.metadata().or_cannot(shown)?;
            self.copy(&entry.path(), &below, &meta, links, depth + 1)?;
        }
        Ok(())
    }

    /// Writes the tree as one archive. `mtime`: of every entry.
    pub fn write(
        &self,
        out: &mut dyn Write,
        mtime: u32,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let inodes = self.inodes();
        let mut archive = Writer::new(out);
        for (number, (path, node)) in self.nodes.iter().enumerate() {
            let body = node.body()?;
            let real = match &node.what {
                What::HardLink(first) => first,
                _ => path,
            };
            let (ino, nlink) = inodes.get(real).copied().unwrap_or((0, 1));
            let header = Header {
                path: path.clone(),
                ino,
                mode: node.mode | node.kind(),
                nlink,
                mtime,
                size: u32::try_from(body.len()).map_err(|_| too_large(path))?,
                rdev: node.device(),
                ..Header::default()
            };
            let written = archive.entry(&header, &body);
            written.or_cannot(|| "write the image".into())?;
            progress.within(|| format!("packing {} of {}", number + 1, self.nodes.len()));
        }
        archive.finish().or_cannot(|| "write the image".into())?;
        Ok(())
    }

    /// For each file: its inode number and how many names it has. Directories have two, as on a
    /// real file system without subdirectories: the kernel does not care.
    fn inodes(&self) -> BTreeMap<&Vec<u8>, (u32, u32)> {
        let mut inodes = BTreeMap::new();
        let mut ino = 0;
        for (path, node) in &self.nodes {
            if !matches!(node.what, What::HardLink(_)) {
                ino += 1;
                let names = if matches!(node.what, What::Directory) {
                    2
                } else {
                    1
                };
                inodes.insert(path, (ino, names));
            }
        }
        for node in self.nodes.values() {
            if let What::HardLink(first) = &node.what
                && let Some((_, names)) = inodes.get_mut(first)
            {
                *names += 1;
            }
        }
        inodes
    }
}

impl Node {
    pub fn kind(&self) -> u32 {
        match self.what {
            What::Directory => cpio::S_IFDIR,
            What::Symlink(_) => cpio::S_IFLNK,
            What::CharDevice(..) => cpio::S_IFCHR,
            _ => cpio::S_IFREG,
        }
    }

    fn device(&self) -> (u32, u32) {
        match self.what {
            What::CharDevice(major, minor) => (major, minor),
            _ => (0, 0),
        }
    }

    /// What stands in the archive behind the name.
    pub fn body(&self) -> Result<Vec<u8>, Failure> {
        match &self.what {
            What::Directory | What::HardLink(_) | What::CharDevice(..) => Ok(Vec::new()),
            What::Bytes(bytes) => Ok(bytes.clone()),
            What::Symlink(target) => Ok(target.clone()),
            What::File(path) => fs::read(path).or_cannot(|| format!("read {}", path.display())),
            What::Unpacked(path) => read_unpacked(path),
        }
    }
}

/// A file that may be packed (`.gz`, `.xz`, `.zst`), unpacked.
pub fn read_unpacked(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = fs::read(path).or_cannot(|| format!("read {}", path.display()))?;
    let name = path.as_os_str().as_bytes();
    decompress::by_suffix(name, bytes, MAX_UNPACKED)
        .or_cannot(|| format!("unpack {}", path.display()))
}

fn directory() -> Node {
    Node {
        mode: 0o755,
        what: What::Directory,
    }
}

/// As `insert` stores it.
fn plain(path: &[u8]) -> Vec<u8> {
    let parts = path.split(|&b| b == b'/');
    let parts: Vec<&[u8]> = parts.filter(|p| !p.is_empty() && *p != b".").collect();
    parts.join(&b'/')
}

fn too_large(path: &[u8]) -> Failure {
    let path = Text::from(path);
    Failure::new(format!("cannot pack {path}: cpio holds files below 4 GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symlink() -> Node {
        Node {
            mode: 0o777,
            what: What::Symlink(b"x".to_vec()),
        }
    }

    #[test]
    fn parents_come_by_themselves_and_before_their_children() {
        let mut tree = Tree::default();
        tree.insert_bytes("/a/b/c", vec![]).unwrap();
        tree.insert_bytes("a-b", vec![]).unwrap();
        let names: Vec<_> = tree.iter().map(|(path, _)| path.to_vec()).collect();
        assert_eq!(names, [&b"a"[..], b"a-b", b"a/b", b"a/b/c"]);
    }

    #[test]
    fn impossible_places_are_refused() {
        let mut tree = Tree::default();
        tree.insert(b"link", symlink()).unwrap();
        tree.insert(b"dir/x", symlink()).unwrap();
        for path in ["", "/", "..", "a/../b", "link/below", "dir", "a\0b"] {
            assert!(tree.insert(path.as_bytes(), symlink()).is_err(), "{path:?}");
        }
    }
}
