//! Looking into images, whoever made them: everything is found, and nothing gets out.

use crate::small_tree::{Scratch, filter, image_args, landfall, landfall_did, make_root};
use landfall::host::cpio::{Header, S_IFDIR, S_IFLNK, S_IFREG, Writer};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// The paths of an image's entries.
pub fn paths(scratch: &Scratch, image: &str) -> BTreeSet<String> {
    let lines = landfall_did(&scratch.0, &["inspect", image, "--json"]);
    let lines = String::from_utf8(lines).unwrap();
    let path = |line: &str| -> String {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["path"].as_str().unwrap().to_owned()
    };
    lines.lines().map(path).collect()
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
