//! What every image starts from: the contents of `rootfs-skel/`, built into this tool.
//!
//! Directories and device nodes stand in `rootfs-skel/tree.list`, in the syntax of the kernel's
//! gen_init_cpio: git keeps neither empty directories nor device nodes.

use crate::host::failure::Failure;
use crate::host::tree::{Node, Tree, What};

const LIST: &str = include_str!("../../rootfs-skel/tree.list");
const FILES: [(&str, &str); 1] = [(
    "rootfs-skel/etc/initrd-release",
    include_str!("../../rootfs-skel/etc/initrd-release"),
)];

pub fn add_to(tree: &mut Tree) -> Result<(), Failure> {
    for line in LIST.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let Some((path, node)) = parse(&words) else {
            return Err(Failure::new(format!("bad line in the skeleton: {line}")));
        };
        tree.insert(path.as_bytes(), node)?;
    }
    Ok(())
}

fn parse<'a>(words: &[&'a str]) -> Option<(&'a str, Node)> {
    let octal = |text: &str| u32::from_str_radix(text, 8).ok();
    let node = |mode, what| Some(Node { mode, what });
    match *words {
        ["dir", path, mode, "0", "0"] => Some((path, node(octal(mode)?, What::Directory)?)),
        ["nod", path, mode, "0", "0", "c", major, minor] => {
            let what = What::CharDevice(major.parse().ok()?, minor.parse().ok()?);
            Some((path, node(octal(mode)?, what)?))
        }
        ["slink", path, target, mode, "0", "0"] => {
            Some((path, node(octal(mode)?, What::Symlink(target.into()))?))
        }
        ["file", path, source, mode, "0", "0"] => {
            let file = FILES.iter().find(|file| file.0 == source)?;
            Some((path, node(octal(mode)?, What::Bytes(file.1.into()))?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_skeleton_is_understood() {
        let mut tree = Tree::default();
        add_to(&mut tree).unwrap();
        let console = &tree.find(b"dev/console").unwrap().what;
        assert!(matches!(console, What::CharDevice(5, 1)));
        assert!(tree.find(b"etc/initrd-release").is_some());
    }

    #[test]
    fn the_readme_says_why_each_entry_is_there() {
        let readme = include_str!("../../rootfs-skel/README.md");
        let mut tree = Tree::default();
        add_to(&mut tree).unwrap();
        for (path, _) in tree.iter() {
            let row = format!("| `/{}` |", String::from_utf8_lossy(path));
            assert!(
                readme.contains(&row),
                "rootfs-skel/README.md has no row {row}"
            );
        }
    }
}
