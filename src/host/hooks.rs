//! `landfall image --hook`: a program of the user's own, at its place in the image with what it
//! needs to run there.
//!
//! The libraries of a program are those that its own loader finds for it (`--list`, which glibc's
//! and musl's know: ld.so(8)); the program itself is not run.

use crate::base::bytes::slice;
use crate::format::hook::{Hook, Place};
use crate::format::program::{self, Program};
use crate::host::failure::{Failure, Tried};
use crate::host::tree::{Node, Tree, What};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of this machine, and its name below `/usr/lib/landfall/hooks`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFile {
    file: PathBuf,
    name: String,
}

impl HookFile {
    /// Reads `PLACE=FILE[:SECONDS]`.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            let places = Place::ALL.map(|(_, word)| word).join(", ");
            Failure::usage(format!(
                "--hook takes PLACE=FILE[:SECONDS] with PLACE one of {places}, not '{text}'"
            ))
        };
        let (place, file) = text.split_once('=').ok_or_else(wrong)?;
        let (file, seconds) = match file.rsplit_once(':') {
            Some((file, seconds)) if seconds.parse::<u32>().is_ok() => (file, Some(seconds)),
            _ => (file, None),
        };
        let file = PathBuf::from(file);
        let own = file.file_name().and_then(|name| name.to_str());
        let mut name = format!("{place}/{}", own.ok_or_else(wrong)?);
        if let Some(seconds) = seconds {
            name.push('.');
            name.push_str(seconds);
        }
        match Hook::read(&name) {
            Some(_) => Ok(Self { file, name }),
            None => Err(wrong()),
        }
    }

    /// Call when all else is in the tree: a script's interpreter is looked for there.
    pub fn add_to(&self, tree: &mut Tree) -> Result<(), Failure> {
        let shown = self.file.display();
        let bytes = fs::read(&self.file).or_cannot(|| format!("read the hook {shown}"))?;
        match program::identify(&bytes) {
            Program::Elf(_) => add_libraries(&self.file, &bytes, tree)?,
            Program::Script(with) => {
                let path = with.as_bytes();
                if tree.find(path.strip_prefix(b"/").unwrap_or(path)).is_none() {
                    return Err(Failure::new(format!(
                        "the hook {shown} needs {with}, which is not in the image: add it with \
                         --add-file, or write the hook as a static program"
                    )));
                }
            }
            Program::Other => {
                let text = format!("the hook {shown} is neither a program nor a script with '#!'");
                return Err(Failure::new(text));
            }
        }
        let node = Node {
            mode: 0o755,
            what: What::File(self.file.clone()),
        };
        let place = format!("usr/lib/landfall/hooks/{}", self.name);
        tree.insert(place.as_bytes(), node)
    }
}

/// Adds what a dynamic program needs to be started.
pub fn add_libraries(file: &Path, bytes: &[u8], tree: &mut Tree) -> Result<(), Failure> {
    let Program::Elf(elf) = program::identify(bytes) else {
        return Ok(());
    };
    let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let table = slice(bytes, place(elf.table), place(elf.table_length));
    let loader = table.and_then(|table| elf.interpreter(table));
    let name = loader.and_then(|(at, len)| slice(bytes, place(at), place(len)));
    let Some(name) = name else {
        return Ok(());
    };
    let name = name.split(|&b| b == 0).next().unwrap_or_default();
    let loader = Path::new(std::ffi::OsStr::from_bytes(name));
    for library in libraries(loader, file)? {
        tree.insert_from(&library, library.as_os_str().as_bytes())?;
    }
    Ok(())
}

/// The loader, and every library that it finds for the program.
fn libraries(loader: &Path, file: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (by, of) = (loader.display(), file.display());
    let whole = fs::canonicalize(file).or_cannot(|| format!("find {of}"))?;
    let told = Command::new(loader).arg("--list").arg(whole).output();
    let told = told.or_cannot(|| format!("list the libraries of {of} with {by}"))?;
    let text = String::from_utf8_lossy(&told.stdout);
    if !told.status.success() || text.contains("not found") {
        return Err(Failure::new(format!(
            "not all libraries of {of} are on this machine: {text}{}",
            String::from_utf8_lossy(&told.stderr)
        )));
    }
    let paths = text.split_whitespace().filter(|word| word.starts_with('/'));
    let paths = paths.map(PathBuf::from);
    Ok(paths.chain([loader.to_owned()]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        HookFile::parse(text).ok().map(|hook| hook.name)
    }

    #[test]
    fn a_hook_has_its_place_its_name_and_its_deadline() {
        for (text, expected) in [
            ("early=/a/clock", Some("early/clock")),
            ("mounted=b.needed:5", Some("mounted/b.needed.5")),
            ("failed=a:b", Some("failed/a:b")),
            ("failed=/a:b/c:0", Some("failed/c.0")),
            ("late=/a", None),
            ("early=", None),
            ("/a/clock", None),
        ] {
            assert_eq!(name(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn what_a_hook_needs_comes_along_or_is_named() {
        let mut tree = Tree::default();
        let hook = HookFile::parse("early=/bin/ls:3").unwrap();
        hook.add_to(&mut tree).unwrap();
        let there = tree.find(b"usr/lib/landfall/hooks/early/ls.3");
        assert_eq!(there.map(|node| node.mode), Some(0o755));
        let is_libc = |(path, _): (&[u8], &Node)| path.ends_with(b"/libc.so.6");
        assert!(tree.iter().any(is_libc));
        let script = std::env::temp_dir().join(format!("landfall-hook-{}", std::process::id()));
        fs::write(&script, "#!/bin/nonesuch -e\n").unwrap();
        let hook = HookFile::parse(&format!("early={}", script.display())).unwrap();
        let failure = hook.add_to(&mut tree).err().map(|f| f.to_string());
        fs::remove_file(&script).unwrap();
        assert!(failure.is_some_and(|text| text.contains("needs /bin/nonesuch")));
    }
}
