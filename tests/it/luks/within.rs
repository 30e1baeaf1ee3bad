//! `landfall explain` looks inside: file systems in volumes whose headers are cryptsetup's. What
//! is in them is encrypted here, by IEEE Std 1619-2007; volumes that a kernel filled are in the
//! matrix of stacks.

use super::damage::rewritten;
use super::made::{self, Made, PASSPHRASES, read_bytes};
use crate::small_tree::{Scratch, landfall};
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};
use std::fs;
use std::process::Command;

const ROOT: &str = "5eedf00d-0000-4000-8000-0000000000e1";

fn aes(key: &[u8], block: &mut [u8]) {
    let mut whole = Block::try_from(&*block).unwrap();
    match key.len() {
        16 => Aes128::new_from_slice(key)
            .unwrap()
            .encrypt_block(&mut whole),
        _ => Aes256::new_from_slice(key)
            .unwrap()
            .encrypt_block(&mut whole),
    }
    block.copy_from_slice(&whole);
}

/// XTS; sectors are numbered in units of 512 bytes.
fn encrypt(key: &[u8], size: usize, bytes: &mut [u8]) {
    let (data, tweak) = key.split_at(key.len() / 2);
    for (number, sector) in bytes.chunks_mut(size).enumerate() {
        let mut mask = ((number * size / 512) as u128).to_le_bytes();
        aes(tweak, &mut mask);
        for block in sector.chunks_mut(16) {
            let xor = |block: &mut [u8]| block.iter_mut().zip(mask).for_each(|(a, b)| *a ^= b);
            xor(block);
            aes(data, block);
            xor(block);
            let number = u128::from_le_bytes(mask);
            mask = ((number << 1) ^ ((number >> 127) * 0x87)).to_le_bytes();
        }
    }
}

/// The first blocks of an ext4.
fn root(scratch: &Scratch) -> Vec<u8> {
    let path = scratch.path("ext4");
    fs::File::create(&path).unwrap().set_len(2 << 20).unwrap();
    let mut mke2fs = Command::new("mke2fs");
    mke2fs.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    mke2fs.args(["-q", "-F", "-t", "ext4", "-b", "4096", "-U", ROOT]);
    let made = mke2fs.arg(&path).status();
    assert!(made.expect("tests need e2fsprogs").success());
    let mut bytes = fs::read(path).unwrap();
    bytes.truncate(64 << 10);
    bytes
}

/// The image of this name, with a root file system in it, in `scratch`.
fn filled(scratch: &Scratch, made: &Made, mut bytes: Vec<u8>) -> String {
    let header = read_bytes(&bytes).expect("a good header");
    let segment = header.segment().expect("a segment");
    let size = segment.crypt.as_ref().expect("a cipher").sector_size as usize;
    let mut inside = root(scratch);
    encrypt(&made.key, size, &mut inside);
    let at = usize::try_from(segment.offset).unwrap();
    bytes[at..at + inside.len()].copy_from_slice(&inside);
    scratch.write("disk", bytes);
    scratch.write("key", PASSPHRASES[0]);
    scratch.write("other", PASSPHRASES[1]);
    header.uuid
}

/// How `explain` ends, and what it must say.
fn check(scratch: &Scratch, options: &[&str], status: i32, words: &[&str]) {
    let before = fs::read(scratch.path("disk")).unwrap();
    let wanted = format!("root=UUID={ROOT} rd.timeout=3");
    let args = [&["explain", "--disk", "disk", &wanted], options].concat();
    let output = landfall(&scratch.0, &args);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(status), "{options:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{options:?}: no {word:?} in {text}");
    }
    assert!(before == fs::read(scratch.path("disk")).unwrap());
}

#[test]
fn volumes_are_looked_into() {
    for name in [
        "one",
        "one-xts-plain",
        "two",
        "two-argon2id-2",
        "two-key-256",
        "two-sector-512",
        "two-sector-2048",
        "two-offset",
    ] {
        let (scratch, made) = (Scratch::new(), made::one(name));
        let uuid = filled(&scratch, &made, made.head());
        let end = format!("It would boot: root is mapper/luks-{uuid} as ext4, read-only");
        check(&scratch, &["--key-file", "key"], 0, &[&end]);
        let by_uuid = format!("rd.luks.uuid={uuid}");
        check(&scratch, &[&by_uuid, "--key-file=key"], 0, &[&end]);
    }
}

#[test]
fn a_key_file_is_for_one_volume_if_it_says_so() {
    let (scratch, made) = (Scratch::new(), made::one("two"));
    let uuid = filled(&scratch, &made, made.head());
    for volume in [
        "vda",
        "/dev/vda",
        &uuid,
        &uuid.to_ascii_uppercase(),
        &format!("luks-{uuid}"),
    ] {
        let text = format!("{volume}=key");
        check(&scratch, &["--key-file", &text], 0, &["It would boot"]);
    }
    let closed = [
        "It would give up",
        "none of the files of --key-file opens it",
    ];
    check(&scratch, &["--key-file", "vdb=key"], 3, &closed);
    check(&scratch, &["--key-file", "other"], 3, &closed);
    check(&scratch, &["--key-file=other", "--key-file=key"], 0, &[]);
}

#[test]
fn without_a_key_nothing_is_known_of_what_is_inside() {
    let (scratch, made) = (Scratch::new(), made::one("two"));
    let uuid = filled(&scratch, &made, made.head());
    let asked = format!("asks: Passphrase of luks-{uuid} (vda)");
    let unless = format!("unless it lies in luks-{uuid} (vda): --key-file FILE looks inside");
    check(&scratch, &[], 3, &["It would give up", &asked, &unless]);
}

#[test]
fn a_cipher_that_only_a_kernel_knows_is_named() {
    let (scratch, made) = (Scratch::new(), made::one("two"));
    let serpent = rewritten(&made, |text| {
        let find = r#""encryption":"aes-xts-plain64","sector_size""#;
        assert!(text.contains(find), "{text}");
        text.replacen(
            find,
            r#""encryption":"serpent-xts-plain64","sector_size""#,
            1,
        )
    });
    filled(&scratch, &made, serpent);
    let note = "note: cipher serpent-xts-plain64: the host cannot look inside vda";
    check(
        &scratch,
        &["--key-file", "key"],
        0,
        &[note, "It would boot"],
    );
}

#[test]
fn a_key_file_that_cannot_be_read_is_named() {
    let scratch = Scratch::new();
    scratch.write("disk", [0; 512]);
    scratch.write("empty", "");
    for (file, why) in [
        ("none", "cannot read the key file none"),
        ("empty", "the key file empty is empty"),
    ] {
        let args = [
            "explain",
            "--disk",
            "disk",
            "--key-file",
            file,
            "root=/dev/vda",
        ];
        let output = landfall(&scratch.0, &args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(why), "{said}");
    }
}
