//! Images: what is in them, that every program of the trade reads them, that they repeat.

use crate::inspect::paths;
use crate::kmod::trees;
use crate::small_tree::{Scratch, VERSION, filter, image_args, landfall, landfall_did, make_root};
use std::collections::BTreeSet;
use std::fs;

const UNPACKERS: [(&str, &[&str]); 7] = [
    ("gzip", &["gzip", "-dc"]),
    ("bzip2", &["bzip2", "-dc"]),
    ("lzma", &["xz", "--format=lzma", "-dc"]),
    ("xz", &["xz", "--format=xz", "-dc"]),
    ("lzo", &["lzop", "-dc"]),
    ("lz4", &["lz4", "-dc"]),
    ("zstd", &["zstd", "-dc"]),
];

/// Bytes that repeat within LZO's short reach.
fn pattern(words: u32) -> Vec<u8> {
    let word = |n: u32| (n % 9000 * (n % 9000)).to_le_bytes();
    (0..words).flat_map(word).collect()
}

#[test]
fn every_unpacker_gives_back_the_same_archive() {
    let scratch = Scratch::new();
    make_root(&scratch);
    // More than one block of every format that has blocks, except lz4's.
    scratch.write("pattern", pattern(150_000));
    let build = |method: &str| {
        let more = [
            "--add",
            "disk",
            "--add-file",
            "pattern:/pattern",
            "--compress",
            method,
        ];
        landfall_did(&scratch.0, &image_args("out", &more));
        fs::read(scratch.path("out")).unwrap()
    };
    let plain = build("none");
    let list = landfall_did(&scratch.0, &["inspect", "out"]);
    let entries = |list: &[u8]| -> Vec<String> {
        let text = String::from_utf8(list.to_vec()).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    };
    for (method, unpacker) in UNPACKERS {
        let packed = build(method);
        assert!(packed.len() < plain.len(), "{method}");
        let unpacked = filter(unpacker, &packed, &scratch.0);
        assert!(unpacked == plain, "{method}: another archive came back");
        let again = landfall_did(&scratch.0, &["inspect", "out"]);
        assert_eq!(entries(&again), entries(&list), "{method}");
    }
}

#[test]
fn lz4_goes_on_after_its_first_8_mib() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let pattern = pattern(2_300_000);
    scratch.write("pattern", &pattern);
    let more = [
        "--no-modules",
        "--add-file",
        "pattern:/pattern",
        "--compress",
        "lz4",
    ];
    landfall_did(&scratch.0, &image_args("out", &more));
    let packed = fs::read(scratch.path("out")).unwrap();
    let unpacked = filter(&["lz4", "-dc"], &packed, &scratch.0);
    assert!(
        unpacked
            .windows(64)
            .any(|w| w == &pattern[pattern.len() - 64..])
    );
    assert!(landfall_did(&scratch.0, &["inspect", "out", "--cat", "pattern"]) == pattern);
}

#[test]
fn cpio_lists_the_same_entries() {
    let scratch = Scratch::new();
    make_root(&scratch);
    scratch.write("odd/a name with blanks", "x");
    landfall_did(
        &scratch.0,
        &image_args(
            "out",
            &[
                "--compress",
                "none",
                "--add",
                "disk",
                "--add-file",
                "odd:/odd",
            ],
        ),
    );
    let image = fs::read(scratch.path("out")).unwrap();
    let list = filter(&["cpio", "-it", "--quiet"], &image, &scratch.0);
    let list: BTreeSet<String> = String::from_utf8(list)
        .unwrap()
        .lines()
        .map(Into::into)
        .collect();
    assert_eq!(list, paths(&scratch, "out"));
    let long = filter(&["cpio", "-itvn", "--quiet"], &image, &scratch.0);
    let long = String::from_utf8(long).unwrap();
    let line = |name: &str| long.lines().find(|l| l.ends_with(name)).unwrap();
    assert!(line(" dev/console").starts_with("crw-------   1 0        0          5,   1"));
    assert!(line(" init").starts_with("-rwxr-xr-x   1 0        0              12"));
    assert!(line(" tmp").starts_with("drwxrwxrwt   2 0        0               0"));
}

#[test]
fn a_name_brings_all_that_it_needs() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let all = ["bus-core", "disk", "sum_fast", "sum_generic", "weak"];
    for (name, expected) in [
        ("disk", &all[..]),
        ("diskfs", &all),
        ("pci:v00001AF4d00001001sv0sd0bc01sc00i00", &all),
        ("crypto-sum", &["sum_fast", "sum_generic"]),
        ("other", &["bus-core", "other"]),
        ("inside", &[]),
        ("fs-inside", &[]),
    ] {
        landfall_did(&scratch.0, &image_args("out", &["--add", name]));
        let modules: Vec<String> = paths(&scratch, "out")
            .iter()
            .filter_map(|p| p.rsplit('/').next()?.strip_suffix(".ko").map(str::to_owned))
            .collect();
        assert_eq!(modules, expected, "{name}");
    }
}

#[test]
fn modules_and_firmware_lie_unpacked() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let output = landfall(&scratch.0, &image_args("out", &["--add", "disk"]));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("gone.fw (disk)"), "{said}");
    let cat = |path: &str| landfall_did(&scratch.0, &["inspect", "out", "--cat", path]);
    let dir = format!("/lib/modules/{VERSION}");
    for name in ["disk", "bus-core", "sum_fast", "sum_generic"] {
        let module = cat(&format!("{dir}/kernel/{name}.ko"));
        assert!(module.starts_with(b"\x7fELF"), "{name}");
    }
    assert_eq!(cat("lib/firmware/chip/one.fw"), b"new");
    assert_eq!(cat("lib/firmware/chip/a.cfg"), b"a");
    assert_eq!(cat("lib/firmware/chip/b.cfg"), b"b");
    let dep = String::from_utf8(cat(&format!("{dir}/modules.dep"))).unwrap();
    assert_eq!(
        dep.lines().next(),
        Some("kernel/disk.ko: kernel/bus-core.ko")
    );
    assert!(!dep.contains("other"));
    let alias = String::from_utf8(cat(&format!("{dir}/modules.alias"))).unwrap();
    assert!(alias.contains("fs-diskfs") && !alias.contains("1111"));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let more = [
        "--add",
        "disk",
        "--add-file",
        "root/lib/firmware:/fw",
        "--compress",
    ];
    for (method, _) in UNPACKERS {
        let more = [&more[..], &[method]].concat();
        landfall_did(&scratch.0, &image_args("one", &more));
        // Another time stamp on every source, another place for the result.
        filter(
            &[
                "find",
                "root",
                "init",
                "-exec",
                "touch",
                "-d",
                "2001-02-03",
                "{}",
                "+",
            ],
            b"",
            &scratch.0,
        );
        fs::create_dir_all(scratch.path("elsewhere")).unwrap();
        landfall_did(&scratch.0, &image_args("elsewhere/two", &more));
        let read = |name| fs::read(scratch.path(name)).unwrap();
        assert!(read("one") == read("elsewhere/two"), "{method}");
    }
}

#[test]
fn microcode_stands_in_front_and_is_a_segment_of_its_own() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let mut intel = vec![0xaa; 2048];
    intel[..24].copy_from_slice(&[
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    ]);
    scratch.write("ucode/06-01-02", &intel);
    let amd = [b"DMA\0", &[0xbb; 99][..]].concat();
    scratch.write("amd.bin", &amd);
    let more = [
        "--no-modules",
        "--microcode",
        "ucode",
        "--microcode",
        "amd.bin",
    ];
    landfall_did(&scratch.0, &image_args("out", &more));
    let image = fs::read(scratch.path("out")).unwrap();
    assert!(image.starts_with(b"070701"));
    let at = image.windows(intel.len()).position(|w| w == intel).unwrap();
    assert_eq!(at % 16, 0);
    let list = String::from_utf8(landfall_did(&scratch.0, &["inspect", "out"])).unwrap();
    let segments: Vec<&str> = list.lines().filter(|l| l.starts_with('#')).collect();
    assert_eq!(segments[0], "# segment 0 from byte 0: not compressed");
    assert!(segments[1].ends_with(": zstd") && segments.len() == 2);
    let cat = |name: &str| {
        let path = format!("kernel/x86/microcode/{name}.bin");
        landfall_did(&scratch.0, &["inspect", "out", "--cat", &path])
    };
    assert_eq!(cat("GenuineIntel"), intel);
    assert_eq!(cat("AuthenticAMD"), amd);
}

#[test]
fn the_list_form_says_the_same_as_the_archive() {
    let scratch = Scratch::new();
    make_root(&scratch);
    scratch.write("tools/one", "busy");
    fs::hard_link(scratch.path("tools/one"), scratch.path("tools/two")).unwrap();
    std::os::unix::fs::symlink("one", scratch.path("tools/three")).unwrap();
    let more = [
        "--add",
        "disk",
        "--add-file",
        "tools:/bin",
        "--list",
        "list",
    ];
    for _ in 0..2 {
        landfall_did(&scratch.0, &image_args("out", &more));
    }
    let list = fs::read_to_string(scratch.path("list")).unwrap();
    let mut names = BTreeSet::new();
    for line in list.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        names.insert(words[1][1..].to_owned());
        if words[0] == "file" {
            let body = fs::read(words[2]).unwrap();
            let cat = landfall_did(&scratch.0, &["inspect", "out", "--cat", words[1]]);
            assert!(body == cat, "{line}");
            names.extend(words[6..].iter().map(|link| link[1..].to_owned()));
        }
    }
    assert_eq!(names, paths(&scratch, "out"));
    assert!(list.contains("\nnod /dev/console 0600 0 0 c 5 1\n"));
    assert!(list.contains("\nslink /bin/three one 0777 0 0\n"));
    let left = scratch.names().into_iter().filter(|n| n.starts_with('.'));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
}

/// The indexes in an image are those that depmod(8) would write for the modules in it. Only where
/// depmod itself has no reason to prefer an order (dependencies independent of each other) may
/// it choose another.
#[test]
fn trees_indexes_are_those_of_depmod() {
    for tree in trees::all() {
        let scratch = Scratch::new();
        scratch.write("init", b"#!/bin/true\n");
        let root = tree.root.to_str().unwrap();
        let more = [
            "--modules-root",
            root,
            "--kernel",
            &tree.version,
            "--compress",
            "lz4",
        ];
        landfall_did(&scratch.0, &image_args("out", &more));
        landfall_did(&scratch.0, &["inspect", "out", "--unpack", "new"]);
        let dir = scratch.path(&format!("new/lib/modules/{}", tree.version));
        let read = |name: &str| fs::read(dir.join(name)).unwrap();
        let dep = String::from_utf8(read("modules.dep")).unwrap();
        let names: Vec<&str> = dep.lines().filter_map(|l| l.split(':').next()).collect();
        assert!(
            names.len() > 20,
            "{}: {} modules",
            tree.version,
            names.len()
        );

        let ours = show_depends(&scratch, "new", &tree.version, &names);
        let theirs = show_depends(&scratch, root, &tree.version, &names);
        assert_eq!(ours, theirs);

        let alike = [
            "modules.alias",
            "modules.alias.bin",
            "modules.builtin.bin",
            "modules.builtin.alias.bin",
            "modules.softdep",
            "modules.devname",
        ];
        let before: Vec<Vec<u8>> = alike.iter().map(|name| read(name)).collect();
        // By this file depmod ranks modules.
        fs::write(dir.join("modules.order"), names.join("\n") + "\n").unwrap();
        filter(
            &["/sbin/depmod", "-b", "new", &tree.version],
            b"",
            &scratch.0,
        );
        for (name, before) in alike.iter().zip(before) {
            assert!(
                read(name) == before,
                "{}: depmod writes another {name}",
                tree.version
            );
        }
        let again = String::from_utf8(read("modules.dep")).unwrap();
        assert_eq!(without_order(&dep), without_order(&again));
    }
}

/// What modprobe(8) says that loading each of `modules` takes, paths relative to `root`.
fn show_depends(scratch: &Scratch, root: &str, version: &str, modules: &[&str]) -> String {
    fs::create_dir_all(scratch.path("no-config")).unwrap();
    let mut command = vec![
        "/sbin/modprobe",
        "-a",
        "-C",
        "no-config",
        "-d",
        root,
        "-S",
        version,
    ];
    command.push("--show-depends");
    let names = modules.iter().filter_map(|path| path.rsplit('/').next());
    command.extend(names.filter_map(|file| file.split('.').next()));
    let output = filter(&command, b"", &scratch.0);
    let text = String::from_utf8(output).unwrap();
    let relative = |line: &str| {
        let from = line.find("/kernel/").unwrap_or(0);
        let line = line[from..].trim_end().to_owned();
        let packed = [".xz", ".gz", ".zst"]
            .iter()
            .find_map(|s| line.strip_suffix(s));
        packed.map_or(line.clone(), str::to_owned)
    };
    text.lines().map(|line| relative(line) + "\n").collect()
}

fn without_order(dep: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let line = |line: &str| {
        let (path, needs) = line.split_once(':').unwrap();
        let needs = needs.split_whitespace().map(str::to_owned);
        (path.to_owned(), needs.collect())
    };
    dep.lines().map(line).collect()
}

#[test]
fn a_bootconfig_stands_behind_the_image_and_is_read_back() {
    let scratch = Scratch::new();
    make_root(&scratch);
    let text = "kernel {\n  root = \"LABEL=my root\" # of the harbour\n  quiet\n}\ninit.x = 1, 2\n";
    scratch.write("words.conf", text);
    let build = |more: &[&str]| landfall_did(&scratch.0, &image_args("out", more));
    for method in ["none", "zstd", "gzip"] {
        build(&["--no-modules", "--compress", method]);
        let plain = fs::read(scratch.path("out")).unwrap();
        build(&[
            "--no-modules",
            "--compress",
            method,
            "--bootconfig",
            "words.conf",
        ]);
        let image = fs::read(scratch.path("out")).unwrap();
        assert!(image.starts_with(&plain) && image.len().is_multiple_of(4));
        assert!(image.ends_with(b"#BOOTCONFIG\n"));
        let back = landfall_did(&scratch.0, &["inspect", "out", "--bootconfig"]);
        assert_eq!(String::from_utf8(back).unwrap(), text);
        let listed = String::from_utf8(landfall_did(&scratch.0, &["inspect", "out"])).unwrap();
        let end = format!(
            "# bootconfig from byte {}\nkernel.root = \"LABEL=my root\"\nkernel.quiet = \"\"\n\
             init.x = \"1\", \"2\"\n",
            plain.len()
        );
        assert!(listed.ends_with(&end), "{listed}");
        // The kernel would refuse it.
        let mut bent = image;
        bent[plain.len()] ^= 1;
        scratch.write("out", bent);
        assert!(!landfall(&scratch.0, &["inspect", "out"]).status.success());
    }
    scratch.write("words.conf", "kernel.root = a\nkernel.root = b\n");
    let refused = landfall(
        &scratch.0,
        &image_args("new", &["--no-modules", "--bootconfig", "words.conf"]),
    );
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    let expected = "words.conf is no bootconfig: line 2: a value is given twice";
    assert!(said.contains(expected), "{said}");
    assert!(!scratch.path("new").exists());
}

/// By modalias (or name, where a bus has none): what disks and keyboards hang on.
const WANTED: &[&str] = &[
    // NVDIMM, virtio-pmem, virtio-mmio by ACPI; what its partitions and mirrors are.
    "acpi:ACPI0012:",
    "virtio:d0000001Bv00001AF4",
    "acpi:LNRO0005:",
    "nd:t4",
    "nd:t5",
    // SD: host by class, card; a reader on PCI and one on USB.
    "pci:v00001B36d00000007sv00001AF4sd00001100bc08sc05i01",
    "mmc:block",
    "pci:v000010ECd00005227sv00000000sd00000000bcFFsc00i00",
    // SATA, IDE, NVMe, VMD; SAS and SCSI controllers; FireWire.
    "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01",
    "pci:v00008086d00007010sv00001AF4sd00001100bc01sc01i80",
    "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02",
    "pci:v00008086d0000467Fsv00008086sd00000000bc01sc04i00",
    "pci:v00001000d00000079sv00001000sd00009261bc01sc04i00",
    "pci:v00001000d00000012sv00000000sd00001000bc01sc00i00",
    "pci:v000015ADd000007C0sv000015ADsd000007C0bc01sc07i00",
    "pci:v00001022d00002020sv00000000sd00000000bc01sc00i00",
    "pci:v00001000d00000054sv00001000sd00008000bc01sc00i00",
    "pci:v0000104Cd00008023sv00000000sd00000000bc0Csc00i10",
    "scsi:t-0x00",
    "scsi:t-0x05",
    // USB hosts, sticks, UAS.
    "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
    "pci:v00008086d0000293Asv00001AF4sd00001100bc0Csc03i20",
    "pci:v0000106Bd0000003Fsv00001AF4sd00001100bc0Csc03i10",
    "pci:v00008086d00007020sv00001AF4sd00001100bc0Csc03i00",
    "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00",
    "usb:v46F4p0003d0000dc00dsc00dp00ic08isc06ip62in00",
    // Keyboards: USB, any HID, one that needs its own driver, virtio, I2C of a laptop.
    "usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00",
    "hid:b0003g0001v00000627p00000001",
    "hid:b0003g0001v000004F2p00000418",
    "virtio:d00000012v00001AF4",
    "acpi:PNP0C50:",
    "pci:v00008086d00009D60sv00001028sd00000704bc11sc80i00",
    "fs-iso9660",
    "fs-squashfs",
];

#[test]
fn trees_generic_images_hold_what_disks_and_keyboards_hang_on() {
    use landfall::host::closure::{Needs, close};
    use landfall::host::module_tree::ModuleTree;
    let mut served = BTreeSet::new();
    for tree in trees::all() {
        let modules = ModuleTree::open(&tree.root, Some(&tree.version)).unwrap();
        let generic = true;
        let named = Vec::new();
        let chosen = close(
            &modules,
            &Needs {
                generic,
                named,
                network: false,
            },
        )
        .unwrap();
        for alias in WANTED {
            let found = modules.catalog().resolve(alias.as_bytes());
            let missing = found.answers.iter().find(|name| !chosen.contains(*name));
            let version = &tree.version;
            assert!(missing.is_none(), "{version}: {alias} needs {missing:?}");
            if found.builtin || !found.answers.is_empty() {
                served.insert(alias);
            }
        }
    }
    let unserved = WANTED.iter().find(|alias| !served.contains(alias));
    assert_eq!(unserved, None, "no tree has a driver for it");
}
