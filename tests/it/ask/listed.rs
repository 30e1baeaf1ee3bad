//! `landfall modules` against `modprobe --show-depends`.

use super::{run, stderr, stdout, tool};
use crate::kmod::trees::{self, Tree};
use crate::small_tree::{Scratch, VERSION, image_args, landfall, landfall_did, make_root};
use std::collections::BTreeSet;
use std::path::Path;

/// modprobe's lines, none twice.
fn modprobe(root: &Path, version: &str, name: &str) -> Vec<String> {
    let mut command = tool("modprobe");
    command.arg("-d").arg(root).args(["-S", version]);
    command.arg("-C").arg(root.join("etc/modprobe.d"));
    let output = run(command.args(["-q", "--show-depends", name]));
    let mut seen = BTreeSet::new();
    let text = stdout(&output);
    let lines = text.lines().filter(|line| seen.insert(line.to_string()));
    lines.map(str::to_string).collect()
}

/// Our lines, without what is said beside them; and whether the name was known.
fn ours(root: &Path, version: &str, name: &str) -> (Vec<String>, bool) {
    let tree = root.to_str().unwrap();
    let args = ["modules", "--tree", tree, "--kernel", version, name];
    let output = landfall(Path::new("."), &args);
    let text = stdout(&output);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let known = output.status.success();
    (lines.map(str::to_string).collect(), known)
}

/// Names, aliases, and modaliases of what QEMU can emulate.
const QUERIES: [&str; 40] = [
    "ext4",
    "xfs",
    "btrfs",
    "vfat",
    "overlay",
    "virtio_blk",
    "virtio-blk",
    "virtio_scsi",
    "virtio_pci",
    "nvme",
    "ahci",
    "usb-storage",
    "uas",
    "loop",
    "dm_mod",
    "dm-crypt",
    "raid1",
    "sd_mod",
    "sr_mod",
    "nls_utf8",
    "ext4.ko",
    "no_such_module",
    "fs-ext4",
    "fs-xfs",
    "fs-btrfs",
    "fs-vfat",
    "fs-iso9660",
    "fs-nothing",
    "scsi:t-0x00",
    "scsi:t-0x05",
    "virtio:d00000002v00001AF4",
    "virtio:d00000008v00001AF4",
    "virtio:d00000001v00001AF4",
    "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00",
    "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01",
    "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02",
    "pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00",
    "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
    "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00",
    "acpi:PNP0303:",
];

fn compare(tree: &Tree, query: &str) -> Option<String> {
    let mut theirs = modprobe(&tree.root, &tree.version, query);
    let (mut lines, known) = ours(&tree.root, &tree.version, query);
    // Which of the kernel's own parts answers, and those among dependencies, are not told apart.
    let builtin = |lines: &mut Vec<String>| {
        let before = lines.len();
        lines.retain(|line| !line.starts_with("builtin "));
        before != lines.len()
    };
    let (ours_in, theirs_in) = (builtin(&mut lines), builtin(&mut theirs));
    let anything = !theirs.is_empty() || theirs_in;
    // The last one is what was asked for; before it, we put the faster of two providers first.
    let last = |lines: &[String]| lines.last().cloned();
    let same_end = last(&lines) == last(&theirs) || query.contains(':');
    let (mut sorted, mut expected) = (lines.clone(), theirs.clone());
    sorted.sort();
    expected.sort();
    let same = sorted == expected && same_end && known == anything;
    let same = same && (!lines.is_empty() || ours_in == theirs_in);
    (!same).then(|| format!("{query}: we {lines:#?}, modprobe {theirs:#?}"))
}

#[test]
fn trees_are_listed_as_modprobe_shows_them() {
    for tree in trees::all() {
        let wrong: Vec<String> = QUERIES.iter().filter_map(|q| compare(&tree, q)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn trees_are_listed_with_what_is_needed_first() {
    let mut modular = 0;
    for tree in trees::all() {
        let (lines, _) = ours(&tree.root, &tree.version, "virtio_blk");
        let at = |name: &str| {
            lines
                .iter()
                .position(|l| l.contains(&format!("/{name}.ko")))
        };
        let order = [at("virtio_ring"), at("virtio"), at("virtio_blk")];
        // What is built in is not listed.
        assert!(order.is_sorted() && order[2].is_some(), "{lines:#?}");
        modular += usize::from(order[0].is_some());
    }
    assert!(modular > 0, "no tree has virtio_ring as a module");
}

/// A small tree with its binary indexes, and what modprobe.d says about it.
fn configured() -> Scratch {
    let scratch = Scratch::new();
    let root = make_root(&scratch);
    scratch.write(
        "root/etc/modprobe.d/a.conf",
        "options bus-core speed=9  name=\"x y\"\nblacklist other\ninstall weak /bin/true\n\
         install sum_fast echo not run\n",
    );
    let mut depmod = tool("depmod");
    depmod.arg("-b").arg(&root).arg(VERSION);
    assert!(run(&mut depmod).status.success());
    scratch
}

#[test]
fn options_blacklists_and_install_lines_are_said() {
    let scratch = configured();
    let args = ["modules", "--tree", "root"];
    let ask = |name: &str| landfall(&scratch.0, &[&args[..], &[name]].concat());
    let bus = stdout(&ask("bus_core"));
    let theirs = modprobe(&scratch.path("root"), VERSION, "bus_core");
    assert_eq!(bus.lines().collect::<Vec<_>>(), theirs);
    assert!(
        bus.contains("bus-core.ko.zst speed=9  name=\"x y\""),
        "{bus}"
    );
    let weak = stdout(&ask("weak"));
    assert!(
        weak.starts_with("# weak is not loaded: an install line"),
        "{weak}"
    );
    assert!(stderr(&ask("sum_fast")).contains("is not run"));
    assert_eq!(ask("inside").status.code(), Some(0));
    assert_eq!(stdout(&ask("inside")), "builtin inside\n");
    let gone = ask("gone");
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("answers 'gone'"));
}

#[test]
fn an_image_is_asked_like_a_tree() {
    let scratch = configured();
    landfall_did(&scratch.0, &image_args("image", &["--add", "disk"]));
    let text = landfall_did(&scratch.0, &["modules", "--image", "image", "disk"]);
    let text = String::from_utf8(text).unwrap();
    let place = format!("insmod /lib/modules/{VERSION}/kernel/disk.ko");
    assert!(text.contains(&place), "{text}");
    let not_in_it = landfall(&scratch.0, &["modules", "--image", "image", "other"]);
    assert_eq!(not_in_it.status.code(), Some(1));
}
