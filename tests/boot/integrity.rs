//! Roots on standalone dm-integrity, made by integritysetup in a guest.

use crate::lab::disks::{self, EXT4};
use crate::lab::guest::Machine;
use crate::lab::images::image_with;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::workshop::{self, Made, Work};
use crate::stacks::text;
use landfall::host::qemu::Bus;
use std::path::PathBuf;

/// Two volumes with the same file system; the second is keyed.
fn made() -> Made {
    workshop::make(&Work {
        name: "integrity",
        disks: &[80, 80],
        files: &[&disks::file(&EXT4)],
        script: "load dm-mod dm-integrity
                 integritysetup format -q --no-wipe --integrity sha256 $D1
                 integritysetup open --integrity sha256 --integrity-recalculate $D1 sum
                 dd if=$F1 of=/dev/mapper/sum bs=1M status=none
                 sync
                 integritysetup close sum
                 show() {
                   local name=$1 device=$2; shift 2
                   integritysetup open \"$@\" $device $name
                   echo \"== table of $name\"
                   dmsetup table --showkeys $name | by_name
                   echo \"== uuid of $name\"
                   dmsetup info -c --noheadings -o uuid $name
                   integritysetup close $name
                 }
                 show sum $D1 --integrity sha256
                 printf 'thirty-two bytes that nobody sees' | head -c 32 > /tmp/key
                 keyed='--integrity hmac-sha256 --integrity-key-size 32
                        --integrity-key-file /tmp/key'
                 integritysetup format -q $keyed $D2
                 integritysetup open $keyed $D2 safe
                 dd if=$F1 of=/dev/mapper/safe bs=1M status=none
                 sync
                 integritysetup close safe
                 show safe $D2 $keyed",
    })
}

/// Boots from this volume, by this line of integritytab(5); it is made as integritysetup made it.
fn check(made: &Made, disk: usize, line: &str, image: Option<PathBuf>) {
    let mut machine = Machine::generic()
        .scratch(&made.disks[disk], Bus::Virtio)
        .cmdline(&format!(
            "root=UUID={} ro landfall.integritytab=\"{line}\"",
            EXT4.uuid
        ));
    if let Some(image) = image {
        machine = machine.image(image);
    }
    let outcome = machine.boot();
    outcome.assert_reached();
    let name = line.split(' ').next().unwrap_or_default();
    let mapped = outcome.list("mapped");
    let uuid = made.section(&format!("uuid of {name}"));
    let live = format!("{name} {uuid} rw live");
    assert!(mapped.contains(&&*live), "{mapped:#?}");
    let words = |table: &str| {
        table
            .split(' ')
            .skip(4)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let own = format!("{name}: ");
    let table = mapped.iter().find_map(|line| line.strip_prefix(&own));
    let theirs = made.section(&format!("table of {name}"));
    assert_eq!(words(table.unwrap_or_default()), words(theirs));
}

#[test]
fn boot_from_dm_integrity() {
    let line = "sum /dev/vda - integrity-algorithm=sha256";
    check(&made(), 0, line, None);
}

/// The key is the one of the workshop's script.
#[test]
fn boot_from_keyed_dm_integrity() {
    let key = text(&"thirty-two bytes that nobody sees"[..32]);
    let add = format!("--add-file={}:/etc/integrity.key", key.display());
    let image = image_with(&kernel(Flavour::Generic), "integrity-key", &[&add]);
    let line = "safe /dev/vda /etc/integrity.key";
    check(&made(), 1, line, Some(image));
}
