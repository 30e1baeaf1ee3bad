//! `landfall identify` against `blkid -p -o export`, byte by byte.

use super::{make, make_disk, run, stderr, stdout, tool};
use crate::small_tree::{Scratch, landfall};
use serde_json::Value;
use std::path::Path;

/// Words of blkid that need more than a boot ever wants to know.
const ONLY_BLKID: [&str; 8] = [
    "SEC_TYPE=",
    "LABEL_FATBOOT=",
    "SYSTEM_ID=",
    "APPLICATION_ID=",
    "VOLUME_ID=",
    "VOLUME_SET_ID=",
    "LOGICAL_VOLUME_ID=",
    "LOGUUID=",
];

/// blkid's lines for a device or a piece of it, without its name.
fn blkid(path: &Path, piece: &[String]) -> Vec<String> {
    let output = run(tool("blkid")
        .args(["-p", "-o", "export"])
        .args(piece)
        .arg(path));
    let lines = stdout(&output);
    let lines = lines.lines().filter(|l| !l.starts_with("DEVNAME="));
    let known = |l: &&str| !ONLY_BLKID.iter().any(|only| l.starts_with(only));
    lines.filter(known).map(str::to_string).collect()
}

const IMAGES: [(&str, u64, &str); 8] = [
    ("ext4", 16, "mkfs.ext4 -q -L 'a b\"c$=\\x é' $F"),
    ("xfs", 320, "mkfs.xfs -q -L xl $F"),
    ("btrfs", 128, "mkfs.btrfs -q -L bt $F"),
    ("vfat", 40, "mkfs.vfat -n 'A B' $F"),
    ("swap", 16, "mkswap -q -L sw $F"),
    (
        "luks",
        20,
        "printf x | cryptsetup luksFormat -q --label L --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $F -",
    ),
    (
        "gpt",
        16,
        "printf 'label: gpt\nsize=1M, name=x, attrs=GUID:63\n' | sfdisk -q $F",
    ),
    (
        "dos",
        16,
        "printf 'label: dos\nsize=1M,bootable\nsize=8M,type=5\nsize=1M\nsize=1M\n' | sfdisk -q $F",
    ),
];

#[test]
fn identify_says_what_blkid_says() {
    let scratch = Scratch::new();
    for (name, mib, script) in IMAGES {
        make(&scratch.0, name, mib, script);
        let output = landfall(&scratch.0, &["identify", name]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        let text = stdout(&output);
        let mut blocks = text.split("\n\n");
        let mut first = blocks.next().unwrap().lines();
        assert_eq!(first.next(), Some(&*format!("DEVNAME={name}")));
        let expected = blkid(&scratch.path(name), &[]);
        assert_eq!(first.collect::<Vec<_>>(), expected, "{name}");
        let table = expected.iter().any(|l| l.starts_with("PTTYPE="));
        assert_eq!(blocks.count() > 0, table, "{name}");
    }
}

#[test]
fn identify_says_what_blkid_says_of_each_partition() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    let text = stdout(&landfall(&scratch.0, &["identify", "disk.img"]));
    let blocks: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(blocks.len(), 3, "{text}");
    for (number, block) in blocks.iter().enumerate().skip(1) {
        let value = |key: &str| block.lines().find_map(|l| l.strip_prefix(key));
        let bytes = |key: &str| value(key).unwrap().parse::<u64>().unwrap() * 512;
        let offset = bytes("PART_ENTRY_OFFSET=");
        let piece = [
            "-O",
            &offset.to_string(),
            "-S",
            &bytes("PART_ENTRY_SIZE=").to_string(),
        ];
        let expected = blkid(&scratch.path("disk.img"), &piece.map(String::from));
        let inside = block.lines().filter(|l| !l.starts_with("PART_ENTRY_"));
        let inside: Vec<&str> = inside.skip(1).collect();
        assert_eq!(inside, expected, "{block}");
        assert_eq!(value("DEVNAME=disk.img#"), Some(&*number.to_string()));
        assert_eq!(value("PART_ENTRY_NUMBER="), Some(&*number.to_string()));
    }
    assert!(
        blocks[1].contains("PART_ENTRY_NAME=boot\\ \\<1\\>\n"),
        "{text}"
    );
    assert!(blocks[2].contains("LABEL=home\\ sweet\n"), "{text}");
}

/// Swap and ext4 on one device. The checksum of ext4 is left out: it does not cover the header of
/// swap, which begins inside of it.
const BOTH: &str = "mkfs.ext4 -q -O ^metadata_csum $F; \
    printf SWAPSPACE2 | dd of=$F bs=1 seek=4086 conv=notrunc status=none; \
    printf '\\001\\000\\000\\000\\377\\003\\000\\000' | \
    dd of=$F bs=1 seek=1024 conv=notrunc status=none";

#[test]
fn identify_ends_with_the_status_of_blkid() {
    let scratch = Scratch::new();
    make(&scratch.0, "good", 16, "mkfs.ext4 -q $F");
    make(&scratch.0, "empty", 16, ":");
    make(&scratch.0, "both", 16, BOTH);
    for (name, said) in [
        ("good", ""),
        ("empty", "nothing that is known"),
        ("both", "it carries swap and ext4"),
    ] {
        let theirs = run(tool("blkid").arg("-p").arg(scratch.path(name)));
        let ours = landfall(&scratch.0, &["identify", name]);
        assert_eq!(ours.status.code(), theirs.status.code(), "{name}");
        assert!(stderr(&ours).contains(said), "{name}: {}", stderr(&ours));
    }
    let both = stdout(&landfall(&scratch.0, &["identify", "both"]));
    assert_eq!(both, "DEVNAME=both\nAMBIVALENT=swap\\ ext4\n");
    let gone = landfall(&scratch.0, &["identify", "gone", "good"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("cannot read gone"));
    assert!(stdout(&gone).contains("TYPE=ext4"));
}

#[test]
fn identify_has_all_of_it_as_json() {
    let scratch = Scratch::new();
    make_disk(&scratch.0);
    let text = stdout(&landfall(
        &scratch.0,
        &["identify", "--json", "disk.img", "fs.img"],
    ));
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let disk = &json[0];
    assert_eq!(disk["device"], "disk.img");
    assert_eq!(disk["table"]["type"], "gpt");
    let root = &disk["table"]["partitions"][1];
    assert_eq!(root["number"], 2);
    assert_eq!(root["partlabel"], "root");
    assert_eq!(root["label"], "home sweet");
    for (key, value) in json[1].as_object().unwrap() {
        if key != "device" {
            assert_eq!(&root[key], value, "{key}");
        }
    }
}
