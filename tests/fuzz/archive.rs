//! Archives that hold anything.

use landfall::format::archive::{Kind, Reader};
use std::process::Command;

/// Kinds of entries, and what stands in front of some.
pub const WORDS: &[&[u8]] = &[
    b"070701",
    b"TRAILER!!!",
    b"ustar\x0000",
    b"ustar  \0",
    b"19 linkpath=/a/b/c\n",
    b"12 size=99\n",
    b"\x80\0\0\0\0\0\0\x01",
    b"0100644\0",
];

/// Each entry costs at least a header of its own, and no body is larger than the archive.
pub fn run(input: &[u8]) {
    let summed = with_sums(input);
    let Some(mut reader) = Reader::new(&summed) else {
        return;
    };
    let mut count = 0;
    while let Ok(Some(entry)) = reader.entry() {
        count += 1;
        assert!(count <= input.len() / 110);
        assert!(entry.path.len() <= 4096 && entry.mode <= 0o7777);
        if let Kind::File(data) | Kind::Same(_, data) = entry.kind {
            assert!(data.len() < input.len());
        }
    }
}

/// A fuzzer cannot add up: every block of tar gets its right sum.
fn with_sums(input: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        if block.get(257..262) == Some(b"ustar") {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    bytes
}

/// The same small tree in every form.
pub fn seeds() -> Vec<Vec<u8>> {
    let tree = "d=$(mktemp -d) && cd $d && mkdir a && echo x > a/f && ln a/f g && ln -s a l && ";
    let packs = [
        "tar -c --format=gnu . ",
        "tar -c --format=pax . ",
        "tar -c --format=ustar . ",
        "(find . | cpio --quiet -o -H newc) ",
    ];
    let pack = |pack: &&str| {
        let script = format!("{tree} {pack} && rm -r $d");
        let made = Command::new("sh").args(["-c", &script]).output();
        made.map(|out| out.stdout).unwrap_or_default()
    };
    packs.iter().map(pack).collect()
}
