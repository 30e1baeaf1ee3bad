//! Images: what is in them, that every program of the trade reads them, that they repeat.

use crate::small_tree::{Scratch, VERSION, filter, image_args, landfall, landfall_did, make_root};
use landfall::host::cpio::{Header, S_IFDIR, S_IFLNK, S_IFREG, Writer};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

const UNPACKERS: [(&str, &[&str]); 7] = [
    ("gzip", &["gzip", "-dc"]),
    ("bzip2", &["bzip2", "-dc"]),
    ("lzma", &["xz", "--format=lzma", "-dc"]),
    ("xz", &["xz", "--format=xz", "-dc"]),
    ("lzo", &["lzop", "-dc"]),
    ("lz4", &["lz4", "-dc"]),
    ("zstd", &["zstd", "-dc"]),
];

/// The paths of an image's entries.
fn paths(scratch: &Scratch, image: &str) -> BTreeSet<String> {
    let lines = landfall_did(&scratch.0, &["inspect", image, "--json"]);
    let lines = String::from_utf8(lines).unwrap();
    let path = |line: &str| -> String {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["path"].as_str().unwrap().to_owned()
    };
    lines.lines().map(path).collect()
}

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
fn what_other_packers_made_is_read() {
    let scratch = Scratch::new();
    make_root(&scratch);
    landfall_did(
        &scratch.0,
        &image_args("plain", &["--compress", "none", "--add", "disk"]),
    );
    let plain = fs::read(scratch.path("plain")).unwrap();
    let packers: [&[&str]; 12] = [
        &["gzip", "-1c"],
        &["bzip2", "-1c"],
        &["xz", "--format=lzma", "-c"],
        &["xz", "-9c"],
        &["xz", "--check=crc32", "--x86", "--lzma2=dict=1MiB", "-c"],
        &["lzop", "-1c"],
        &["lzop", "-9c"],
        &["lzop", "--crc32", "-c"],
        &["lzop", "-F", "-c"],
        &["lz4", "-lc"],
        &["zstd", "-qc"],
        &["zstd", "-q", "--ultra", "-22", "--long=27", "-c"],
    ];
    for packer in packers {
        scratch.write("packed", filter(packer, &plain, &scratch.0));
        assert_eq!(
            paths(&scratch, "packed"),
            paths(&scratch, "plain"),
            "{packer:?}"
        );
    }
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

#[test]
fn links_come_out_as_they_went_in() {
    let scratch = Scratch::new();
    make_root(&scratch);
    scratch.write("tools/one", "busy");
    fs::hard_link(scratch.path("tools/one"), scratch.path("tools/a-two")).unwrap();
    std::os::unix::fs::symlink("one", scratch.path("tools/three")).unwrap();
    let more = [
        "--no-modules",
        "--add-file",
        "tools:/bin",
        "--compress",
        "none",
    ];
    landfall_did(&scratch.0, &image_args("out", &more));
    landfall_did(&scratch.0, &["inspect", "out", "--unpack", "new"]);
    let image = fs::read(scratch.path("out")).unwrap();
    fs::create_dir(scratch.path("gnu")).unwrap();
    // Neither is root in this: device nodes are left out on both sides.
    filter(
        &["cpio", "-i", "--quiet", "bin*"],
        &image,
        &scratch.path("gnu"),
    );
    for by in ["new", "gnu"] {
        let file = |name: &str| scratch.path(&format!("{by}/bin/{name}"));
        let ino = |name: &str| fs::metadata(file(name)).unwrap().ino();
        assert_eq!(fs::read(file("a-two")).unwrap(), b"busy", "{by}");
        assert_eq!(ino("one"), ino("a-two"), "{by}");
        assert_eq!(
            fs::read_link(file("three")).unwrap().to_str(),
            Some("one"),
            "{by}"
        );
    }
    let cat = |path: &str| landfall_did(&scratch.0, &["inspect", "out", "--cat", path]);
    assert_eq!(
        (cat("bin/one"), cat("bin/a-two")),
        (b"busy".to_vec(), b"busy".to_vec())
    );
}

#[test]
fn archives_of_cpio_are_read_with_hard_links_and_several_segments() {
    let scratch = Scratch::new();
    scratch.write("in/kernel/one", "1");
    scratch.write("in/two", "2 and 3");
    fs::hard_link(scratch.path("in/two"), scratch.path("in/zwei")).unwrap();
    let archive = |names: &str| {
        let command = format!("printf '{names}' | cpio -o --quiet -H newc");
        filter(&["sh", "-c", &command], b"", &scratch.path("in"))
    };
    let early = archive("kernel\\nkernel/one\\n");
    let main = archive("two\\nzwei\\n");
    let packed = filter(
        &["gzip", "-c"],
        &[&main[..], &[0; 512], &main].concat(),
        &scratch.0,
    );
    scratch.write("out", [&early[..], &early, &[0; 1024], &packed].concat());
    let list = String::from_utf8(landfall_did(&scratch.0, &["inspect", "out"])).unwrap();
    assert_eq!(
        list.lines().filter(|l| l.starts_with('#')).count(),
        3,
        "{list}"
    );
    assert_eq!(
        landfall_did(&scratch.0, &["inspect", "out", "--cat", "./two"]),
        b"2 and 3"
    );
    landfall_did(&scratch.0, &["inspect", "out", "--unpack", "new"]);
    assert_eq!(fs::read(scratch.path("new/zwei")).unwrap(), b"2 and 3");
    assert_eq!(fs::metadata(scratch.path("new/two")).unwrap().nlink(), 2);
    let again = landfall(&scratch.0, &["inspect", "out", "--unpack", "new"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"));
}

#[test]
fn nothing_is_unpacked_outside_of_the_directory() {
    let scratch = Scratch::new();
    scratch.write("outside/keep", "kept");
    let outside = scratch.path("outside").to_str().unwrap().to_owned();
    let entry = |path: &str, mode: u32, body: &[u8]| -> (Header, Vec<u8>) {
        let header = Header {
            path: path.into(),
            mode,
            nlink: 1,
            size: body.len() as u32,
            ..Header::default()
        };
        (header, body.to_vec())
    };
    let file = |path: &str| entry(path, S_IFREG | 0o644, b"evil");
    let link = |path: &str, to: &str| entry(path, S_IFLNK | 0o777, to.as_bytes());
    let keep = format!("{outside}/keep");
    let cases = [
        vec![file("../outside/keep")],
        vec![file("a/../../outside/keep")],
        vec![file(&keep)],
        vec![link("door", &outside), file("door/keep")],
        vec![link("door", "../outside"), file("door/keep")],
        vec![link("keep", &keep), file("keep")],
        vec![
            link("door", "../outside"),
            entry("door", S_IFDIR | 0o700, b""),
        ],
    ];
    for (number, case) in cases.iter().enumerate() {
        let mut archive = Writer::new(Vec::new());
        for (header, body) in case {
            archive.entry(header, body).unwrap();
        }
        scratch.write("evil", archive.finish().unwrap());
        let into = format!("new{number}");
        let output = landfall(&scratch.0, &["inspect", "evil", "--unpack", &into]);
        assert!(matches!(output.status.code(), Some(0 | 1)));
        let kept = fs::read(scratch.path("outside/keep")).unwrap();
        assert_eq!(kept, b"kept", "case {number}");
        assert_eq!(
            fs::read_dir(scratch.path("outside")).unwrap().count(),
            1,
            "case {number}"
        );
        assert_ne!(
            fs::metadata(scratch.path("outside")).unwrap().mode() & 0o777,
            0o700
        );
    }
}
