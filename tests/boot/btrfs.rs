//! btrfs over several devices, by the real mkfs.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4};
use crate::lab::guest::Machine;
use crate::lab::workshop::{self, Work};
use landfall::host::qemu::Bus;
use std::path::PathBuf;

const UUID: &str = "5eedf00d-0000-4000-8000-0000000000b0";

/// Devices that hold one file system. `profile`: of data and metadata.
fn pool(name: &str, profile: &str, count: usize) -> Vec<PathBuf> {
    let blank: Vec<u64> = vec![160; count];
    let disks: Vec<String> = (1..=count).map(|n| format!("$D{n}")).collect();
    let script = format!(
        "load btrfs
         mkfs.btrfs -q -U {UUID} -L lagoon -d {profile} -m {profile} {}
         btrfs device scan
         mkdir -p /tmp/from /tmp/to
         mount -t ext4 -o ro $F1 /tmp/from
         mount -t btrfs $D1 /tmp/to
         cp -a /tmp/from/. /tmp/to
         umount /tmp/from /tmp/to",
        disks.join(" ")
    );
    workshop::make(&Work {
        name,
        disks: &blank,
        files: &[&disks::file(&EXT4)],
        script: &script,
    })
    .disks
}

#[test]
fn boot_from_a_btrfs_mirror_by_uuid_in_any_order() {
    let disks = pool("btrfs-mirror", "raid1", 2);
    for order in [[0, 1], [1, 0]] {
        let outcome = Machine::generic()
            .scratch(&disks[order[0]], Bus::Virtio)
            .scratch(&disks[order[1]], Bus::Nvme)
            .cmdline(&format!("root=UUID={UUID} ro"))
            .boot();
        outcome.assert_reached();
        assert!(
            outcome.mount("/").contains(" btrfs ro"),
            "{}",
            outcome.mount("/")
        );
    }
}

/// The name is of one device; the others are found by what they hold.
#[test]
fn boot_from_a_striped_btrfs_by_the_name_of_one_device() {
    let disks = pool("btrfs-striped", "raid0", 3);
    let mut guest = Machine::generic()
        .scratch(&disks[1], Bus::Virtio)
        .disk(&EXT4, Bus::Ahci)
        .scratch(&disks[2], Bus::Nvme)
        .scratch(&disks[0], Bus::Usb)
        .unplugged()
        .cmdline("root=/dev/vda rootwait")
        .start();
    guest.wait_for("has 2 of 3 devices: nvme0n1 and vda; waiting for the others");
    guest.plug(3);
    guest.finish().assert_reached();
}

#[test]
fn boot_says_which_device_of_a_btrfs_is_missing() {
    let disks = pool("btrfs-mirror", "raid1", 2);
    let mut copies = Copies::new();
    let outcome = Machine::generic()
        .file(&copies.file(&disks[1]), Bus::Virtio)
        .cmdline("root=LABEL=lagoon rw rd.timeout=4 landfall.degraded=1")
        .boot();
    let said = format!("btrfs {UUID} has 1 of 2 devices: vda");
    outcome.assert_gave_up(&[&said, "degraded in rootflags="]);
    copies.assert_unchanged();
}

#[test]
fn boot_from_half_a_btrfs_mirror_where_that_was_asked() {
    let disks = pool("btrfs-mirror", "raid1", 2);
    let outcome = Machine::generic()
        .scratch(&disks[1], Bus::Virtio)
        .cmdline("root=LABEL=lagoon ro rootflags=degraded landfall.degraded=2")
        .boot();
    outcome.assert_root("/dev/vda", "btrfs", "ro");
}
