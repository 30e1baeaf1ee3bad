//! Superblocks as veritysetup writes them, and the tables that follow. (Guests compare tables with
//! those of veritysetup itself.)

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

use super::table::{Below, Devices, mapping};
use super::*;

const HASH: &str = "36e3f740ad502e2c25e2a23d9c7c17bf0fdad2300b7580842d4b7ec1fb0fa263";

fn superblock() -> Vec<u8> {
    let mut bytes = alloc::vec![0; SUPERBLOCK];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, b"verity\0\0\x01\0\0\0\x01\0\0\0");
    put(16, &[0xab; 16]);
    put(32, b"sha256");
    put(64, &4096u32.to_le_bytes());
    put(68, &4096u32.to_le_bytes());
    put(72, &16u64.to_le_bytes());
    put(80, &2u16.to_le_bytes());
    put(88, &[0x0f, 0xf0]);
    bytes
}

#[test]
fn a_superblock_is_read_and_a_bent_one_refused() {
    let read = Superblock::read(&superblock()).unwrap();
    assert_eq!(read.uuid, "abababab-abab-abab-abab-abababababab");
    assert_eq!((read.data_blocks, &*read.salt), (16, &[0x0f, 0xf0][..]));
    for (at, field, why) in [
        (0, &b"x"[..], "holds no superblock of dm-verity"),
        (8, &[2], "holds a superblock of the unknown version 2"),
        (12, &[2], "holds a damaged superblock of dm-verity"),
        (32, &[0xff], "holds a damaged superblock of dm-verity"),
        (32, b"a b", "holds a damaged superblock of dm-verity"),
        (32, &[0; 32], "holds a damaged superblock of dm-verity"),
        (64, &[1], "holds a damaged superblock of dm-verity"),
        (71, &[0x80], "holds a damaged superblock of dm-verity"),
        (72, &[0], "holds a damaged superblock of dm-verity"),
        (80, &[1, 1], "holds a damaged superblock of dm-verity"),
    ] {
        let mut bent = superblock();
        bent[at..at + field.len()].copy_from_slice(field);
        assert_eq!(Superblock::read(&bent).unwrap_err(), why, "{at}");
    }
    for length in 0..SUPERBLOCK {
        let _ = Superblock::read(&superblock()[..length]);
    }
}

/// Options, and the arguments that follow; or why there are none.
fn check(options: &str, with_superblock: bool, expected: &str) {
    let mut volume = Volume::new("root", HASH.as_bytes(), None, None);
    assert_eq!(volume.options.add(options.as_bytes()), None, "{options}");
    let below = |minor, size| Below {
        number: (8, minor),
        size,
    };
    let fec = volume.options.fec.is_some();
    let devices = Devices {
        data: below(1, 65536),
        hash: below(2, 40960),
        fec: fec.then(|| below(if options.contains("vdc") { 3 } else { 2 }, 81920)),
    };
    let read = Superblock::read(&superblock()).unwrap();
    let made = mapping(&volume, with_superblock.then_some(&read), &devices);
    let shown = made.map(|m| {
        assert!(m.read_only && m.targets.len() == 1);
        let target = &m.targets[0];
        let Target {
            sectors, arguments, ..
        } = target;
        let key = m
            .signature
            .map(|s| format!(" [{} {}]", s.description, s.source));
        format!(
            "{} {sectors} {arguments}{}",
            m.uuid,
            key.unwrap_or_default()
        )
    });
    let shown = shown.unwrap_or_else(|why| why).replace(HASH, "HASH");
    assert_eq!(shown, expected, "{options}");
}

use crate::format::dm_init::Target;

#[test]
fn tables_are_what_veritysetup_makes() {
    const OWN: &str = "CRYPT-VERITY-abababababababababababababababab-root 128 1 8:1 8:2 4096 4096 \
                       16 1 sha256 HASH 0ff0";
    check("", true, OWN);
    // What the superblock says is not asked of the options.
    check("data-blocks=7,salt=aa,format=0", true, OWN);
    check(
        "hash-offset=8192",
        true,
        &OWN.replace("16 1 sha", "16 3 sha"),
    );
    check(
        "check-at-most-once,ignore-zero-blocks,restart-on-corruption",
        true,
        &format!("{OWN} 3 restart_on_corruption ignore_zero_blocks check_at_most_once"),
    );
    check(
        "fec-device=/dev/vdc,fec-offset=4096,fec-roots=3",
        true,
        &format!("{OWN} 8 use_fec_from_device 8:3 fec_start 1 fec_blocks 25 fec_roots 3"),
    );
    check(
        "fec-device=/dev/vdb,fec-offset=16384",
        true,
        &format!("{OWN} 8 use_fec_from_device 8:2 fec_start 4 fec_blocks 19 fec_roots 2"),
    );
    let key = "cryptsetup:abababab-abab-abab-abab-abababababab-root";
    check(
        "root-hash-signature=/sig",
        true,
        &format!("{OWN} 2 root_hash_sig_key_desc {key} [{key} /sig]"),
    );
    check(
        "superblock=no,data-blocks=8,data-block-size=1024,hash-offset=4096",
        false,
        "CRYPT-VERITY-root 16 1 8:1 8:2 1024 4096 8 1 sha256 HASH -",
    );
    check(
        "superblock=no,salt=0a,format=0",
        false,
        "CRYPT-VERITY-root 128 0 8:1 8:2 4096 4096 16 0 sha256 HASH 0a",
    );
}

#[test]
fn what_does_not_fit_is_said() {
    check(
        "superblock=no,data-blocks=17",
        false,
        "its data device has 65536 bytes, and not 17 blocks of 4096",
    );
    check(
        "superblock=no,data-blocks=18446744073709551615",
        false,
        "its data device has 65536 bytes, and not 18446744073709551615 blocks of 4096",
    );
    check(
        "superblock=no,hash=sha512",
        false,
        "its root hash has 64 digits, which is no sha512",
    );
    check(
        "fec-device=/dev/vdb,fec-offset=0",
        true,
        "its tree lies at an offset that no device has",
    );
}
