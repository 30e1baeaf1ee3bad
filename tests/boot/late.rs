//! Disks that come late, and disks that go while they are waited for.

use crate::lab::disks::{EXT4, XFS};
use crate::lab::guest::Machine;
use landfall::host::qemu::Bus;

/// Said when everything that was there at the start has been looked at.
const WAITING: &str = "landfall: root=LABEL=harbour is not there yet";

fn late(bus: Bus) {
    let mut guest = Machine::generic()
        .later(&EXT4, bus)
        .disk(&XFS, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro rd.timeout=200")
        .start();
    guest.wait_for(WAITING);
    guest.plug(0);
    let outcome = guest.finish();
    outcome.assert_root("/dev/sda", "ext4", "ro");
}

#[test]
fn boot_takes_a_scsi_disk_that_appears_late() {
    late(Bus::Scsi);
}

#[test]
fn boot_takes_a_usb_disk_that_appears_late() {
    late(Bus::Usb);
}

/// The wrong disk comes, goes, and comes again; then the right one comes.
#[test]
fn boot_survives_a_disk_pulled_while_waiting() {
    let mut guest = Machine::generic()
        .disk(&XFS, Bus::Scsi)
        .later(&EXT4, Bus::Scsi)
        .cmdline("root=LABEL=harbour ro rd.timeout=200")
        .start();
    guest.wait_for(WAITING);
    guest.unplug(0);
    guest.wait_for("Synchronizing SCSI cache");
    guest.plug(1);
    let outcome = guest.finish();
    outcome.assert_reached();
    let root = outcome.mount("/");
    outcome.check(root.ends_with(" ext4 ro"), &root);
}

/// A disk is pulled and nothing else comes: the page does not list what is gone.
#[test]
fn boot_does_not_list_a_disk_that_is_gone() {
    let mut guest = Machine::generic()
        .disk(&XFS, Bus::Scsi)
        .cmdline("root=LABEL=harbour ro rd.timeout=15")
        .start();
    guest.wait_for(WAITING);
    guest.unplug(0);
    let outcome = guest.finish();
    outcome.assert_gave_up(&["no block device at all"]);
}
