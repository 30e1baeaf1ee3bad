//! Partition tables made by sfdisk and sgdisk, compared with blkid and, entry by entry, partx.

use super::disk::Disk;
use super::oracle::{Workshop, compare, compare_partitions};
use landfall::format::identity::Finding;
use std::os::unix::fs::FileExt;

/// Feeds `script` to sfdisk on an image of 64 MiB.
fn sfdisk(workshop: &Workshop, name: &str, script: &str) -> Finding {
    let script = format!("sfdisk -q $F <<'END'\n{script}\nEND");
    compare(&workshop.make(name, 65536, &script))
}

fn numbers(finding: &Finding) -> Vec<u32> {
    let table = finding.table.as_ref().expect("a table");
    table.partitions.iter().map(|p| p.number).collect()
}

#[test]
fn dos_tables() {
    let workshop = Workshop::new("dos");
    let check = |name: &str, script: &str, expected: &[u32]| {
        let finding = sfdisk(&workshop, name, &format!("label: dos\n{script}"));
        assert_eq!(numbers(&finding), expected, "{name}");
    };
    check("empty", "", &[]);
    check(
        "primary",
        "label-id: 0xdeadbeef\n,8M,L,*\n,8M,S\n,,c",
        &[1, 2, 3],
    );
    check("holes", "p2: size=8M\np4: size=8M,type=83", &[2, 4]);
    check("logical", ",8M\n,,E\n,4M\n,4M,S\n,4M,8e", &[1, 2, 5, 6, 7]);
    check("logical-only", ",,Ex\n,4M\n,4M", &[1, 5, 6]);
    check("linux-extended", ",8M\n,,85\n,4M\n,4M", &[1, 2, 5, 6]);
    let many = ",1M\n".repeat(30);
    let all: Vec<u32> = [1].into_iter().chain(5..35).collect();
    check("many", &format!(",,E\n{many}"), &all);
    let no_id = "label-id: 0x00000000\n,8M\n,8M";
    check("no-signature", no_id, &[1, 2]);
    let dangling = ",8M\n,,E";
    check("no-logical", dangling, &[1, 2]);
}

#[test]
fn logical_partitions_out_of_order() {
    let workshop = Workshop::new("dos-order");
    let script = "printf 'label: dos\n,,E\n,4M\n,4M\n,4M\n' | sfdisk -q $F; \
        sfdisk -q --delete $F 6; echo 'start=4096,size=2M' | sfdisk -q -a $F || true";
    let finding = compare(&workshop.make("order", 65536, script));
    assert!(numbers(&finding).starts_with(&[1, 5, 6]));
}

#[test]
fn gpt_tables() {
    let workshop = Workshop::new("gpt");
    let check = |name: &str, script: &str, expected: &[u32]| {
        let finding = sfdisk(&workshop, name, &format!("label: gpt\n{script}"));
        assert_eq!(numbers(&finding), expected, "{name}");
    };
    check("empty", "", &[]);
    check("plain", ",8M\n,8M,S\n,,U", &[1, 2, 3]);
    check(
        "named",
        "size=8M,name=root\nsize=8M,name=\"größe ☃\"\nname=\"  x \"",
        &[1, 2, 3],
    );
    check(
        "attributes",
        "size=8M,attrs=\"LegacyBIOSBootable GUID:60\"",
        &[1],
    );
    check(
        "holes",
        "p3: size=8M\np7: size=8M\np128: size=8M",
        &[3, 7, 128],
    );
    check("longer", "table-length: 200\np200: size=8M", &[200]);
    check("shorter", "table-length: 4\n,8M\np4: size=8M", &[1, 4]);
    check(
        "named-disk",
        "label-id: 01234567-89AB-CDEF-0123-456789ABCDEF\n,8M",
        &[1],
    );
    let hybrid = "printf 'label: gpt\n,8M\n,8M\n' | sfdisk -q $F; sgdisk -h 1:EE $F >/dev/null";
    let finding = compare(&workshop.make("hybrid", 65536, hybrid));
    assert_eq!(numbers(&finding), [1, 2]);
}

/// Each damage, and whether the table is still found.
#[test]
fn damaged_gpt() {
    let workshop = Workshop::new("gpt-damaged");
    const SIZE: u64 = 65536 * 1024;
    let check = |name: &str, damage: &[u64], found: bool| {
        let script = "printf 'label: gpt\nsize=8M,name=one\n,8M\n' | sfdisk -q $F";
        let path = workshop.make(name, SIZE / 1024, script);
        let mut how = std::fs::File::options();
        let file = how.read(true).write(true).open(&path);
        let file = file.expect("open image");
        for at in damage {
            // Some of these bytes are random: another one is another one, whatever it was.
            let mut byte = [0];
            file.read_exact_at(&mut byte, *at).expect("read image");
            let [byte] = byte;
            file.write_all_at(&[!byte], *at).expect("damage image");
        }
        let table = compare(&path).table;
        assert_eq!(table.is_some_and(|t| t.kind == "gpt"), found, "{name}");
    };
    check("primary-header", &[512 + 60], true);
    check("primary-entries", &[1024 + 20], true);
    check("primary-magic", &[512], true);
    check("backup-header", &[SIZE - 512 + 60], true);
    check("both-headers", &[512 + 60, SIZE - 512 + 60], false);
    check("both-entries", &[1024 + 20, SIZE - 33 * 512 + 20], false);
    check("protective-mbr", &[446 + 4], false);
    check("boot-signature", &[510], false);
}

#[test]
fn gpt_with_large_sectors() {
    let workshop = Workshop::new("gpt-4k");
    let script = "printf 'g\nn\n\n\n+8M\nn\n5\n\n+8M\nw\n' | fdisk -w never -b 4096 $F >/dev/null";
    let path = workshop.make("gpt", 65536, script);
    let finding = Disk::of_file(&path, 4096).identify();
    assert_eq!(numbers(&finding), [1, 5]);
    compare_partitions(&path, finding.table.as_ref().expect("a table"), 4096);
}

#[test]
fn dos_with_large_sectors() {
    let workshop = Workshop::new("dos-4k");
    let script = "printf 'o\nn\np\n1\n\n+8M\nn\ne\n2\n\n\nn\n\n+4M\nn\n\n+4M\nw\n' | \
        fdisk -w never -b 4096 $F >/dev/null";
    let path = workshop.make("dos", 65536, script);
    let finding = Disk::of_file(&path, 4096).identify();
    assert_eq!(numbers(&finding), [1, 2, 5, 6]);
    compare_partitions(&path, finding.table.as_ref().expect("a table"), 4096);
}
