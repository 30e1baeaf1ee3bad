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

/// An image with an init of its own is the system, and no preparation for one: initrd-release(5)
/// would tell that init the opposite. One that was added stays.
pub fn leave_what_it_is_to(tree: &mut Tree) {
    const INITS: [&str; 5] = [
        "sbin/init",
        "etc/init",
        "bin/init",
        "usr/sbin/init",
        "usr/bin/init",
    ];
    let ours = tree.find(b"etc/initrd-release");
    let ours = ours.is_some_and(|node| matches!(node.what, What::Bytes(_)));
    if ours
        && INITS
            .iter()
            .any(|path| tree.find(path.as_bytes()).is_some())
    {
        tree.remove(b"etc/initrd-release");
    }
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
    fn an_image_with_an_init_is_not_called_an_initrd() {
        for path in ["usr/sbin/init", "sbin/init.d"] {
            let mut tree = Tree::default();
            add_to(&mut tree).unwrap();
            tree.insert_bytes(path, Vec::new()).unwrap();
            leave_what_it_is_to(&mut tree);
            let is_initrd = tree.find(b"etc/initrd-release").is_some();
            assert_eq!(is_initrd, path == "sbin/init.d");
        }
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
