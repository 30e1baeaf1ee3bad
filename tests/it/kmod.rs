//! Kernel modules against the real modprobe(8), over whole module trees of real kernels.
//!
//! Trees are given as `LANDFALL_TEST_TREES=ROOT@VERSION[:ROOT@VERSION…]`, or lie below
//! `target/lab/kernels/`. Tests whose names begin with `trees_` need one and belong to the full
//! run. Both forms of the indexes, binary and text, are asked everything and must agree.

mod oracle;
mod queries;
pub mod trees;

use landfall::format::kmod::{Catalog, modinfo};
use oracle::Modprobe;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use trees::Tree;

const SEED: u64 = 0x6c61_6e64;

/// Asks both of our catalogs and modprobe; fails with all differences.
fn compare(tree: &Tree, config: &str, queries: &[String]) {
    let modprobe = Modprobe::new(tree, config);
    let (binary, text) = (tree.catalog(true, config), tree.catalog(false, config));
    let mut broken = Vec::new();
    for (query, theirs) in queries.iter().zip(modprobe.show_depends(queries)) {
        let ours = binary.resolve(query.as_bytes());
        if text.resolve(query.as_bytes()) != ours {
            broken.push(format!("{query}: the text index answers otherwise"));
        }
        if let Err(why) = oracle::agree(&binary, &ours, &theirs) {
            broken.push(format!("{query}: {why}"));
        }
    }
    let some = &broken[..broken.len().min(20)];
    let (bad, all) = (broken.len(), queries.len());
    assert!(
        broken.is_empty(),
        "{bad} of {all} differ:\n{}",
        some.join("\n")
    );
}

#[test]
fn trees_resolve_every_module_name_as_modprobe_does() {
    for tree in trees::all() {
        let mut names = queries::module_names(&tree);
        assert!(
            names.len() > 100,
            "{}: hardly a module in it",
            tree.dir.display()
        );
        names.extend(["no_such_module", "", "ext4.ko", "a:b"].map(String::from));
        compare(&tree, "", &names);
    }
}

#[test]
fn trees_resolve_modaliases_as_modprobe_does() {
    for tree in trees::all() {
        let queries = queries::aliases(&tree, 2000, SEED);
        assert!(
            queries.len() >= 500,
            "{}: too few aliases",
            tree.dir.display()
        );
        compare(&tree, "", &queries);
    }
}

#[test]
fn trees_resolve_nodes_of_device_trees_as_modprobe_does() {
    for tree in trees::all() {
        let mut queries = queries::nodes(&tree, 1500, SEED);
        // What QEMU's virt board has.
        for compatible in [
            "virtio,mmio",
            "pci-host-ecam-generic",
            "arm,pl061Carm,primecell",
        ] {
            queries.push(format!("of:NnodeT(null)C{compatible}"));
        }
        compare(&tree, "", &queries);
    }
}

/// What the kernel calls the devices that QEMU can emulate, as real guests have shown it
/// (`cargo run --release --features host --example modaliases` writes the list anew).
#[test]
fn trees_resolve_every_device_of_qemu_as_modprobe_does() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/kmod/qemu.txt");
    let list = fs::read_to_string(list).expect("the list of modaliases");
    let devices: Vec<String> = list.lines().map(String::from).collect();
    let buses: BTreeSet<&str> = devices.iter().filter_map(|d| d.split(':').next()).collect();
    for bus in [
        "pci", "virtio", "usb", "scsi", "acpi", "platform", "cpu", "serio", "hid",
    ] {
        assert!(buses.contains(bus), "no device of bus {bus} in the list");
    }
    for tree in trees::all() {
        compare(&tree, "", &devices);
        for seed in 0..4 {
            compare(&tree, &queries::config(&tree, SEED + seed), &devices);
        }
    }
}

#[test]
fn trees_give_several_answers_in_the_order_of_modprobe_portable_ones_last() {
    for tree in trees::all() {
        let queries = queries::aliases(&tree, 4000, SEED);
        let (modprobe, catalog) = (Modprobe::new(&tree, ""), tree.catalog(true, ""));
        let mut several = 0;
        for (query, theirs) in queries.iter().zip(modprobe.names(&queries)) {
            let ours = catalog.resolve(query.as_bytes()).answers;
            let mut theirs: Vec<String> = theirs
                .into_iter()
                .filter(|n| catalog.has(n.as_bytes()))
                .collect();
            let mut seen = BTreeSet::new();
            theirs.retain(|name| seen.insert(name.clone()));
            theirs.sort_by_key(|name| name.ends_with("_generic"));
            assert_eq!(ours, theirs, "{query}");
            several += usize::from(ours.len() > 1);
        }
        assert!(several >= 20, "only {several} queries have several answers");
    }
}

#[test]
fn trees_obey_modprobe_d_as_modprobe_does() {
    for tree in trees::all() {
        for seed in 0..8 {
            let config = queries::config(&tree, SEED + seed);
            let mut names = queries::words_of(&config);
            names.extend(queries::aliases(&tree, 300, SEED + seed));
            names.truncate(1500);
            compare(&tree, &config, &names);
        }
    }
}

#[test]
fn trees_hold_modules_that_say_what_modinfo_says() {
    let mut compared = 0;
    for tree in trees::all() {
        let catalog = tree.catalog(true, "");
        for name in queries::module_names(&tree).iter().step_by(97) {
            let Some(path) = catalog.path_of(name).filter(|path| path.ends_with(".ko")) else {
                continue;
            };
            let bytes = fs::read(&path).unwrap();
            let fields = modinfo(&bytes).unwrap();
            for key in [
                "alias", "firmware", "depends", "vermagic", "name", "softdep", "license",
            ] {
                let ours: Vec<_> = fields.all(key.as_bytes()).collect();
                let theirs = modinfo_of(key, Path::new(&path));
                let theirs: Vec<&[u8]> = theirs.split_terminator('\n').map(str::as_bytes).collect();
                assert_eq!(ours, theirs, "{key} of {path}");
            }
            compared += 1;
        }
    }
    assert!(compared > 10, "only {compared} modules are not compressed");
}

fn modinfo_of(key: &str, path: &Path) -> String {
    let out = Command::new("modinfo").args(["-F", key]).arg(path).output();
    String::from_utf8(out.expect("modinfo (package kmod) runs").stdout).unwrap()
}

/// What the closure of every module promises: nothing is named that is not described.
#[test]
fn trees_closures_are_complete() {
    for tree in trees::all() {
        let catalog: Catalog = tree.catalog(false, "");
        for name in queries::module_names(&tree) {
            let found = catalog.resolve(name.as_bytes());
            let known = |name: &String| found.modules.iter().any(|m| m.name == *name);
            for module in &found.modules {
                let soft = module.before.iter().chain(&module.after).flatten();
                assert!(
                    module.needs.iter().chain(soft).all(known),
                    "{name}: {}",
                    module.name
                );
            }
        }
    }
}
