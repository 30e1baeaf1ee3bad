//! Roots on disks that a server gives: NBD, NVMe over TCP, ATA over Ethernet, iSCSI.

use super::nfs::networked;
use super::shell::{PROMPT, ask};
use crate::lab::disks::{self, BUSYBOX, EXT4};
use crate::lab::server::server;

#[test]
fn boot_nbd_by_the_name_of_its_export() {
    let berth = server().berth();
    berth.run("serve_dhcp; serve_nbd /srv/reporter.disk root 10809 --read-only");
    let words = format!("root=nbd:{}:root ip=dhcp", berth.address());
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_root("/dev/nbd0", "ext4", "ro");
}

#[test]
fn boot_nbd_by_label_with_netroot() {
    let berth = server().berth();
    berth.run("serve_dhcp; own_disk /berth/disk; serve_nbdkit 4000 file /berth/disk");
    let words = format!(
        "root=LABEL={} rw netroot=nbd://{}:4000 ip=dhcp",
        EXT4.label,
        berth.address()
    );
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_root("/dev/nbd0", "ext4", "rw");
}

#[test]
fn boot_nbd_without_that_export_ends_with_those_that_there_are() {
    let berth = server().berth();
    berth.run("serve_dhcp; serve_nbd /srv/reporter.disk root 10809 --read-only");
    let words = format!("root=nbd:{}:roof ip=dhcp", berth.address());
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_gave_up(&["the disk of a server was not mounted", "roof", "root"]);
}

/// The root of a running system, on a server that starts again: what was not read yet comes then.
#[test]
fn boot_nbd_outlives_a_restart_of_its_server() {
    let berth = server().berth();
    let disk = server().disk(&disks::file(&BUSYBOX));
    berth.run(&format!(
        "serve_dhcp; serve_nbd {disk} root 10809 --read-only"
    ));
    let words = format!("root=nbd:{}:root ip=dhcp init=/bin/sh", berth.address());
    let mut guest = berth.to(networked()).cmdline(&words).start();
    guest.wait_for(PROMPT);
    ask(
        &mut guest,
        "busybox ps | busybox grep [@]",
        "@landfall nbd0",
    );
    berth.run("stop nbd");
    guest.wait_for("nbd0: connection lost");
    berth.run("restart nbd");
    guest.wait_for("nbd0 is connected again");
    let look = "echo 3 > /proc/sys/vm/drop_caches; cat /bin/busybox > /dev/null && echo rea''d";
    ask(&mut guest, look, "read");
    guest.press("busybox poweroff -f\n");
    let outcome = guest.finish();
    outcome.check(outcome.ended, "it was not switched off");
}

#[test]
fn boot_nvme_over_tcp_that_is_discovered() {
    let berth = server().berth();
    let nqn = format!("nqn.2026-01.example:root{}", berth.number());
    // A file alone would have blocks of 4 KiB, which the file system on it has not.
    berth.run(&format!(
        "serve_dhcp; own_disk /berth/disk
         modprobe loop; disk=$(losetup --find --show /berth/disk); after losetup --detach $disk
         serve_nvme $disk {nqn}"
    ));
    let words = format!(
        "root=UUID={} ro rd.nvmf.discover=tcp,{},,4420 ip=dhcp",
        EXT4.uuid,
        berth.address()
    );
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_root("/dev/nvme0n1", "ext4", "ro");
}

#[test]
fn boot_ata_over_ethernet_without_an_address() {
    let berth = server().berth();
    berth.run("own_disk /berth/disk; serve_aoe /berth/disk 0 1");
    let machine = berth.to(networked()).cmdline("root=/dev/etherd/e0.1 ro");
    let outcome = machine.boot();
    outcome.assert_root("/dev/etherd/e0.1", "ext4", "ro");
}

#[test]
fn boot_iscsi_with_chap() {
    let berth = server().berth();
    let iqn = format!("iqn.2026-01.example:root{}", berth.number());
    berth.run(&format!(
        "serve_dhcp; own_disk /berth/disk; serve_iscsi /berth/disk {iqn} me twelveletters"
    ));
    let words = format!(
        "netroot=iscsi:me:twelveletters@{}::::{iqn} ip=dhcp",
        berth.address()
    );
    let machine = networked().cmdline(&format!("root=LABEL={} ro", EXT4.label));
    let outcome = berth.to(machine).cmdline(&words).boot();
    outcome.assert_root("/dev/sda", "ext4", "ro");
    let trace = outcome.fact("trace");
    let connect = trace.lines().find(|line| line.contains(" > connect "));
    let connect = connect.unwrap_or_default();
    let shown = !connect.is_empty() && !connect.contains("twelveletters");
    outcome.check(shown, "the password is in the line of the connection");
}

#[test]
fn boot_iscsi_as_the_lease_says() {
    let berth = server().berth();
    let iqn = format!("iqn.2026-01.example:lease{}", berth.number());
    berth.run(&format!(
        "own_disk /berth/disk; serve_iscsi /berth/disk {iqn}
         serve_dhcp --dhcp-option=17,iscsi:::::{iqn}"
    ));
    let outcome = berth.to(networked()).cmdline("root=dhcp ip=dhcp").boot();
    outcome.assert_root("/dev/sda", "ext4", "ro");
}
