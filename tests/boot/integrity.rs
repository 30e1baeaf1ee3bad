//! Roots on standalone dm-integrity, made by integritysetup in a guest.

use crate::lab::disks::{self, EXT4};
use crate::lab::guest::Machine;
use crate::lab::workshop::{self, Work};
use landfall::host::qemu::Bus;

#[test]
fn boot_from_dm_integrity() {
    let made = workshop::make(&Work {
        name: "integrity",
        disks: &[80],
        files: &[&disks::file(&EXT4)],
        script: "load dm-mod dm-integrity
                 integritysetup format -q --no-wipe --integrity sha256 $D1
                 integritysetup open --integrity sha256 --integrity-recalculate $D1 sum
                 dd if=$F1 of=/dev/mapper/sum bs=1M status=none
                 sync
                 integritysetup close sum
                 integritysetup open --integrity sha256 $D1 sum
                 echo '== table'
                 dmsetup table sum | by_name
                 echo '== uuid'
                 dmsetup info -c --noheadings -o uuid sum
                 integritysetup close sum",
    });
    let line = "landfall.integritytab=\"sum /dev/vda - integrity-algorithm=sha256\"";
    let outcome = Machine::generic()
        .scratch(&made.disks[0], Bus::Virtio)
        .cmdline(&format!("root=UUID={} ro {line}", EXT4.uuid))
        .boot();
    outcome.assert_reached();
    let mapped = outcome.list("mapped");
    let uuid = made.section("uuid");
    let line = format!("sum {uuid} rw live");
    assert!(mapped.contains(&&*line), "{mapped:#?}");
    let words = |table: &str| {
        table
            .split(' ')
            .skip(4)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let table = mapped.iter().find_map(|line| line.strip_prefix("sum: "));
    assert_eq!(
        words(table.unwrap_or_default()),
        words(made.section("table"))
    );
}
