//! Roots that the machine's host shares: no device, only a tag.

use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::roots::{self, Root};
use crate::lab::shares::{self, Virtiofs, plan9};
use landfall::host::arch::Arch;
use landfall::host::qemu::Bus;
use serde_json::json;
use std::path::PathBuf;

fn root() -> PathBuf {
    roots::directory(Root::Reporter, Arch::X86_64)
}

#[test]
fn boot_9p_by_its_tag() {
    let machine = Machine::generic().disk(&EXT4, Bus::Ahci);
    let machine = plan9(machine, &root(), "harbour", "virtio-9p-pci");
    let outcome = machine
        .cmdline("root=harbour rootfstype=9p rootflags=msize=262144 ro")
        .boot();
    outcome.assert_root("harbour", "9p", "ro");
    let mountinfo = outcome.fact("mountinfo");
    for option in ["trans=virtio", "msize=262144"] {
        outcome.check(mountinfo.contains(option), option);
    }
    // Disks are a way out that was not needed.
    let modules = outcome.fact("modules");
    outcome.check(
        !modules.contains("ahci "),
        "the driver of a disk was loaded",
    );
}

#[test]
fn boot_9p_without_pci_where_the_tag_looks_like_a_device() {
    let machine = plan9(
        Machine::generic().microvm(),
        &root(),
        "/dev/root",
        "virtio-9p-device",
    );
    let outcome = machine.cmdline("root=/dev/root rootfstype=9p ro").boot();
    outcome.assert_root("/dev/root", "9p", "ro");
}

#[test]
fn boot_9p_writable_as_dracut_names_it() {
    let (_scratch, copy) = shares::copy(&root());
    let machine = plan9(Machine::generic(), &copy, "harbour", "virtio-9p-pci");
    let outcome = machine.cmdline("root=virtfs:harbour rw").boot();
    outcome.assert_root("harbour", "9p", "rw");
    assert_eq!(outcome.list("writable_root"), ["yes"]);
}

#[test]
fn boot_virtiofs_by_its_tag_among_others() {
    let (_scratch, copy) = shares::copy(&root());
    let (_other, elsewhere) = shares::copy(&root().join("etc"));
    let (daemon, other) = (Virtiofs::serve(&copy), Virtiofs::serve(&elsewhere));
    let machine = shares::shared_memory(Machine::generic());
    let machine = daemon.to(other.to(machine, "other"), "harbour");
    let outcome = machine.cmdline("root=virtiofs:harbour rw").boot();
    outcome.assert_root("harbour", "virtiofs", "rw");
    assert_eq!(outcome.list("writable_root"), ["yes"]);
}

#[test]
fn boot_virtiofs_by_its_type() {
    let daemon = Virtiofs::serve(&root());
    let machine = daemon.to(shares::shared_memory(Machine::cloud()), "harbour");
    let outcome = machine
        .cmdline("root=harbour rootfstype=virtiofs ro")
        .boot();
    outcome.assert_root("harbour", "virtiofs", "ro");
}

#[test]
fn boot_a_share_that_is_plugged_in_late() {
    let (daemon, other) = (Virtiofs::serve(&root()), Virtiofs::serve(&root()));
    let machine = other.to(shares::shared_memory(Machine::generic()), "other");
    let mut guest = daemon
        .later(machine, "late")
        .words(&["-device", "pcie-root-port,id=late-slot"])
        .cmdline("root=harbour rootfstype=virtiofs ro")
        .start();
    guest.wait_for("waiting for");
    guest.device_add(json!({
        "driver": "vhost-user-fs-pci", "bus": "late-slot", "chardev": "late", "tag": "harbour",
    }));
    guest.finish().assert_root("harbour", "virtiofs", "ro");
}

#[test]
fn boot_a_share_with_another_tag_ends_with_the_tags_that_there_are() {
    let machine = plan9(Machine::generic(), &root(), "harbor", "virtio-9p-pci");
    let outcome = machine
        .cmdline("root=harbour rootfstype=9p ro rd.timeout=8")
        .boot();
    outcome.assert_gave_up(&[
        "root=harbour rootfstype=9p",
        "no share of the host with this tag appeared within 8 s",
        "share with the tag harbor (9pnet_virtio)",
        "see the tag that the virtual machine gives the share",
    ]);
}

#[test]
fn boot_a_share_with_an_option_that_it_does_not_take_ends_at_once() {
    let machine = plan9(Machine::generic(), &root(), "harbour", "virtio-9p-pci");
    let outcome = machine
        .cmdline("root=harbour rootfstype=9p rootflags=version=nonsense ro")
        .boot();
    outcome.assert_gave_up(&["mounting it failed", "nonsense"]);
}
