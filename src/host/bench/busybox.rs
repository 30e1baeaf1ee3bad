//! An /init as people write it by hand: a shell script, and busybox for everything it calls.

use super::floor;
use super::setting::Setting;
use crate::host::arch::Arch;
use crate::host::failure::Failure;
use crate::host::image::is_static_elf;
use crate::host::kmod_files::{plain_name, prune};
use crate::host::module_tree::ModuleTree;
use crate::host::tree::{Node, Tree, What};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const SCRIPT: &str = include_str!("busybox.sh");
/// What the script calls, and what the kernel calls. Everything is found in `/bin`.
const APPLETS: [&str; 10] = [
    "cat",
    "find",
    "findfs",
    "modprobe",
    "mount",
    "sh",
    "sleep",
    "sort",
    "switch_root",
    "xargs",
];

/// A busybox that runs without libraries: in the private Debian, or of this machine.
pub fn find(debian: Option<&Path>) -> Option<PathBuf> {
    let roots = debian.into_iter().chain([Path::new("/")]);
    let places = roots.flat_map(|root| ["bin", "usr/bin"].map(|bin| root.join(bin)));
    let mut programs = places.map(|bin| bin.join("busybox"));
    programs.find(|program| is_static_elf(program, Arch::X86_64))
}

/// What lies in its image: the modules of this disk with the indexes that modprobe reads.
pub fn tree(setting: &Setting, busybox: &Path) -> Result<Tree, Failure> {
    let mut tree = floor::base()?;
    let executable = |what| Node { mode: 0o755, what };
    tree.insert(b"init", executable(What::Bytes(SCRIPT.into())))?;
    tree.insert(b"bin/busybox", executable(What::File(busybox.into())))?;
    for applet in APPLETS {
        let link = What::Symlink(b"busybox".to_vec());
        tree.insert(format!("bin/{applet}").as_bytes(), executable(link))?;
    }
    let link = What::Symlink(b"../bin/busybox".to_vec());
    tree.insert(b"sbin/modprobe", executable(link))?;
    let modules = ModuleTree::open(&setting.modules_root, Some(&setting.version))?;
    let chosen = setting.chains.iter().flatten();
    let chosen: BTreeSet<String> = chosen.map(|module| module.name.clone()).collect();
    let base = format!("lib/modules/{}", setting.version);
    for module in modules.dependencies() {
        if chosen.contains(&module.name) {
            let place = [base.as_bytes(), b"/", plain_name(module.path)].concat();
            let what = What::Unpacked(modules.file(module.path));
            tree.insert(&place, Node { mode: 0o644, what })?;
        }
    }
    for (name, bytes) in prune(&modules, &chosen)? {
        tree.insert_bytes(&format!("{base}/{name}"), bytes)?;
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_holds_what_the_script_calls() {
        let builtin = ["case", "esac", "for", "do", "done", "until", "exec", "in"];
        let words = SCRIPT.lines().filter(|line| !line.trim().starts_with('#'));
        let first = words.flat_map(|line| line.split(['|', '(', ';', '{']));
        let first = first.filter_map(|part| part.split_whitespace().next());
        for word in first.filter(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            let known = builtin.contains(&word) || word == "coldplug" || APPLETS.contains(&word);
            assert!(known, "{word}");
        }
    }
}
