//! The floor: a C program with the answer compiled in, packed with just the modules it names.

use super::setting::{DEVICE, FILE_SYSTEM, Module, Setting};
use crate::host::failure::Failure;
use crate::host::tree::{Node, Tree, What};
use std::fmt::Write;

const SOURCE: &str = include_str!("floor.c");

/// How a floor loads its modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loads {
    InOrder,
    /// Each chain by a process of its own.
    Parallel,
    /// In order, after the module that makes checking the others faster.
    Accelerated,
}

/// What lies in the image of this floor.
pub fn tree(setting: &Setting, loads: Loads) -> Result<Tree, Failure> {
    let mut chains: Vec<&[Module]> = setting.chains.iter().map(Vec::as_slice).collect();
    if loads == Loads::Accelerated {
        chains.insert(0, &setting.accelerators);
    }
    let defines: &[&str] = match loads {
        Loads::Parallel => &["-DPARALLEL"],
        _ => &[],
    };
    let program = setting.work.join(format!("floor-{loads:?}"));
    let program = setting
        .compiler
        .compile(&source(&chains), &program, defines)?;
    let mut tree = base()?;
    let what = What::File(program);
    tree.insert(b"init", Node { mode: 0o755, what })?;
    for module in chains.iter().copied().flatten() {
        let what = What::Unpacked(module.file.clone());
        tree.insert(place(module).as_bytes(), Node { mode: 0o644, what })?;
    }
    Ok(tree)
}

/// The least that a hand-made image holds: mount points, and a console to start with.
pub fn base() -> Result<Tree, Failure> {
    let mut tree = Tree::default();
    for name in ["dev", "proc", "root", "sys", "run", "tmp"] {
        let what = What::Directory;
        tree.insert(name.as_bytes(), Node { mode: 0o755, what })?;
    }
    let what = What::CharDevice(5, 1);
    tree.insert(b"dev/console", Node { mode: 0o600, what })?;
    Ok(tree)
}

/// Where a module lies in a hand-made image.
pub fn place(module: &Module) -> String {
    format!("/{}.ko", module.name)
}

fn source(chains: &[&[Module]]) -> String {
    let mut modules = String::new();
    for chain in chains {
        for module in *chain {
            let _ = writeln!(modules, "\t\"{}\",", place(module));
        }
        modules.push_str("\t0,\n");
    }
    SOURCE
        .replace("@MODULES@", modules.trim_end())
        .replace("@DEVICE@", DEVICE)
        .replace("@TYPE@", FILE_SYSTEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chain_ends_and_nothing_is_left_to_fill_in() {
        let module = |name: &str| Module {
            name: name.into(),
            file: "x".into(),
        };
        let (bus, disk) = ([module("a"), module("b")], [module("c")]);
        let source = source(&[&bus, &disk]);
        let list = "modules[] = {\n\t\"/a.ko\",\n\t\"/b.ko\",\n\t0,\n\t\"/c.ko\",\n\t0,\n};";
        assert!(source.contains(list), "{source}");
        assert!(source.contains("mount(\"/dev/vda\", \"/root\", \"ext4\""));
        assert!(!source.replace("between @ signs", "").contains('@'));
    }
}
