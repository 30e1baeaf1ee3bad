//! Roots that outlive their server's restart: nobody of the initramfs is left to help, so whatever
//! has to be connected again the kernel does alone.

use super::nfs::networked_quickly;
use crate::lab::disks::{self, BUSYBOX};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::server::living::{assert_root_of, by_shell, told};
use crate::lab::server::{Berth, server};

/// Reads before and after; what was read before is not kept in memory.
const READS: &str = "links; echo up-$((1+1)); read line; echo asks-$((1+1));
    echo 3 > /proc/sys/vm/drop_caches; tell start cat /etc/start;";

/// Stops the server once the real init lives, and starts it again after that has asked for a file.
fn check(berth: &Berth, machine: Machine, words: &str, stop: &str, start: &str) -> Outcome {
    let machine = berth.to(machine).cmdline(words).cmdline(&by_shell(READS));
    let mut guest = machine.start();
    guest.wait_for("up-2");
    berth.run(stop);
    guest.press("\n");
    guest.wait_for("asks-2");
    berth.run(start);
    let outcome = guest.finish();
    let read = told(&outcome, "start");
    outcome.check(read.contains("poweroff -f"), read);
    outcome
}

#[test]
fn boot_nfs_that_outlives_its_kernels_server() {
    let berth = server().berth();
    let root = berth.busybox_root();
    berth.run(&format!("export_nfs {root}; serve_dhcp"));
    let source = format!("{}:{root}", berth.address());
    let outcome = check(
        &berth,
        networked_quickly(),
        &format!("root=nfs:{source} ip=dhcp"),
        "rpc.nfsd 0",
        "rpc.nfsd --lease-time 10 --grace-time 10 4",
    );
    assert_root_of(&outcome, &source, "nfs4");
}

#[test]
fn boot_nfs_3_that_outlives_ganesha() {
    let berth = server().berth();
    let root = berth.busybox_root();
    berth.run(&format!("serve_ganesha {root}; serve_dhcp"));
    let source = format!("{}:{root}", berth.address());
    let outcome = check(
        &berth,
        networked_quickly(),
        &format!("root=nfs:{source}:vers=3 ip=dhcp"),
        "stop ganesha",
        "restart ganesha; ready ganesha t 2049",
    );
    assert_root_of(&outcome, &source, "nfs");
}

#[test]
fn boot_nvme_that_outlives_its_port() {
    let berth = server().berth();
    let nqn = format!("nqn.2026-01.example:lasting{}", berth.number());
    let disk = server().disk(&disks::file(&BUSYBOX));
    berth.run(&format!(
        "serve_dhcp; own_disk /berth/disk {disk}
         modprobe loop; disk=$(losetup --find --show /berth/disk); after losetup --detach $disk
         serve_nvme $disk {nqn}"
    ));
    let words = format!(
        "root=UUID={} ro rd.nvmf.discover=tcp,{},,4420 ip=dhcp",
        BUSYBOX.uuid,
        berth.address()
    );
    let port = "top=/sys/kernel/config/nvmet; at=$top/ports/$((N * 10000 + 4420))/subsystems";
    let outcome = check(
        &berth,
        networked_quickly(),
        &words,
        &format!("{port}; rm $at/{nqn}; ! listens t 4420"),
        &format!("{port}; ln -s $top/subsystems/{nqn} $at/{nqn}"),
    );
    assert_root_of(&outcome, "/dev/nvme0n1", "ext4");
}
