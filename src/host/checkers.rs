//! `landfall image --fsck`: this machine's checkers of file systems, with what they need to run in
//! the image. What `/init` does with them is in `plan::check`.

use crate::format::check;
use crate::host::failure::{Failure, Tried};
use crate::host::hooks::add_libraries;
use crate::host::tree::Tree;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Where Debian's packages, and others, have them.
const PLACES: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/// Types that have a checker, and Debian's package of it.
const PACKAGES: [(&str, &str); 7] = [
    ("ext4", "e2fsprogs"),
    ("ext3", "e2fsprogs"),
    ("ext2", "e2fsprogs"),
    ("f2fs", "f2fs-tools"),
    ("vfat", "dosfstools"),
    ("exfat", "exfatprogs"),
    ("jfs", "jfsutils"),
];

/// Reads `TYPE[,TYPE…]`, or `all`: those that are installed.
pub fn parse(text: &str) -> Result<Vec<String>, Failure> {
    let known = |kind: &str| PACKAGES.iter().any(|(known, _)| *known == kind);
    let mut kinds = Vec::new();
    for kind in text.split(',') {
        match kind {
            "all" => {
                let all = PACKAGES.iter().map(|(kind, _)| *kind);
                let there = all.filter(|kind| installed(kind).is_some());
                kinds.extend(there.map(str::to_owned));
            }
            kind if known(kind) => kinds.push(kind.to_owned()),
            _ => {
                let known: Vec<&str> = PACKAGES.iter().map(|(kind, _)| *kind).collect();
                return Err(Failure::usage(format!(
                    "--fsck takes 'all' or types of {}, not '{kind}'; others are not checked \
                     before they are mounted",
                    known.join(", ")
                )));
            }
        }
    }
    Ok(kinds)
}

/// The checker of this type on this machine.
fn installed(kind: &str) -> Option<PathBuf> {
    let names = check::programs_of(kind).iter();
    let paths = names.flat_map(|name| PLACES.iter().map(move |at| format!("{at}/{name}")));
    paths.map(PathBuf::from).find(|path| path.is_file())
}

/// Puts the checker of one type into the image.
pub fn add_to(kind: &str, tree: &mut Tree) -> Result<(), Failure> {
    let Some(path) = installed(kind) else {
        let package = PACKAGES.iter().find(|(known, _)| *known == kind);
        let package = package.map_or("", |(_, package)| package);
        return Err(Failure::new(format!(
            "this machine has no checker for {kind}: install one (Debian's package {package}), or \
             leave {kind} out of --fsck"
        )));
    };
    let shown = path.display();
    let file = fs::canonicalize(&path).or_cannot(|| format!("find {shown}"))?;
    let bytes = fs::read(&file).or_cannot(|| format!("read {shown}"))?;
    add_libraries(&file, &bytes, tree)?;
    tree.insert_from(&file, path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_or_refused() {
        assert_eq!(parse("ext4,f2fs").ok().unwrap(), ["ext4", "f2fs"]);
        for odd in ["xfs", "", "ext4,", "btrfs,ext4"] {
            let failure = parse(odd).err().map(|failure| failure.to_string());
            assert!(failure.is_some_and(|text| text.contains("ext4")), "{odd}");
        }
    }

    #[test]
    fn every_type_with_a_checker_has_a_package() {
        for (kind, _) in PACKAGES {
            assert!(!check::programs_of(kind).is_empty(), "{kind}");
        }
        assert!(check::programs_of("xfs").is_empty());
    }

    #[test]
    fn a_checker_comes_with_its_libraries() {
        let mut tree = Tree::default();
        add_to("ext4", &mut tree).unwrap();
        let named = |name: &[u8]| tree.iter().any(|(path, _)| path.ends_with(name));
        assert!(named(b"/e2fsck") && named(b"/libc.so.6"));
    }
}
