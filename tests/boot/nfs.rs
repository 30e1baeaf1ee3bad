//! Roots that a server exports by NFS.

use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::outcome::Outcome;
use crate::lab::server::{Berth, server};
use landfall::host::qemu::Bus;

/// The generic kernel, with drivers of network cards and clients of servers in the image.
pub fn networked() -> Machine {
    let kernel = kernel(Flavour::Generic);
    let image = images::image_with(&kernel, "generic-network", &["--network"]);
    Machine::on(kernel).image(image).memory(640)
}

/// The same with the quick kernel: of cards it has virtio's only.
pub fn networked_quickly() -> Machine {
    let kernel = kernel(Flavour::Cloud);
    let image = images::image_with(&kernel, "cloud-network", &["--network"]);
    Machine::on(kernel).image(image).memory(512)
}

/// The options of root's mount, as the kernel tells them.
pub fn options(outcome: &Outcome) -> String {
    let mountinfo = outcome.fact("mountinfo");
    let root = mountinfo.lines().rfind(|line| line.contains(" / / "));
    root.unwrap_or_default().into()
}

pub fn assert_nfs(outcome: &Outcome, berth: &Berth, directory: &str, version: &str) {
    let fstype = if version == "3" { "nfs" } else { "nfs4" };
    let source = format!("{}:{directory}", berth.address());
    outcome.assert_root(&source, fstype, "ro");
    let options = options(outcome);
    let version = format!("vers={version},");
    outcome.check(options.contains(&version), &options);
}

#[test]
fn boot_nfs_4_by_the_kernels_words_with_a_lease() {
    let berth = server().berth();
    berth.run("serve_dhcp; export_nfs /srv/reporter ro");
    let words = format!(
        "root=/dev/nfs nfsroot={}:/srv/reporter ip=dhcp",
        berth.address()
    );
    let outcome = berth.to(networked()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
    // The real system is told of the lease.
    for name in ["pnp", "resolv.conf"] {
        let left = outcome.list("run_landfall");
        let there = left.iter().any(|file| file.contains(name));
        outcome.check(there, name);
    }
    let trace = outcome.fact("trace");
    for file in [
        "/run/net-eth0.conf:DEVICE",
        "/run/systemd/network/69-landfall-eth0.network:",
        "/run/systemd/network/69-landfall-eth0.link:",
        "/run/NetworkManager/system-connections/landfall-eth0.nmconnection:",
    ] {
        outcome.check(trace.contains(file), file);
    }
}

#[test]
fn boot_nfs_3_with_an_address_from_the_command_line() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter ro");
    let (own, server) = (berth.host(77), berth.address());
    let words = format!(
        "root=/dev/nfs nfsroot=/srv/reporter,vers=3 ip={own}:{server}::255.255.255.0:box::off"
    );
    let outcome = berth.to_model(networked(), "e1000e").cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "3");
    outcome.check(options(&outcome).contains("nolock"), "locks need helpers");
}

#[test]
fn boot_nfs_as_the_lease_says() {
    let berth = server().berth();
    let server = berth.address();
    berth.run(&format!(
        "export_nfs /srv/reporter ro; serve_dhcp --dhcp-option=17,{server}:/srv/reporter"
    ));
    let outcome = berth.to(networked()).cmdline("root=/dev/nfs").boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_nfs_over_the_link_that_has_a_carrier() {
    let berth = server().berth();
    berth.run("serve_dhcp; export_nfs /srv/reporter ro");
    let machine = networked().loose_nic("e1000e").loose_nic("virtio-net-pci");
    let words = format!("root=nfs4:{}:/srv/reporter ip=dhcp", berth.address());
    let outcome = berth.to(machine).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_nfs_of_a_server_that_is_known_by_name() {
    let berth = server().berth();
    let server = berth.address();
    berth.run(&format!(
        "export_nfs /srv/reporter ro
         serve_dhcp --port=53 --except-interface=lo --no-resolv --no-hosts \\
           --address=/store.example/{server} --dhcp-option=6,{server} --domain=example"
    ));
    let machine = berth.to(networked());
    let outcome = machine
        .cmdline("root=nfs:store:/srv/reporter ip=dhcp")
        .boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_nfs_over_a_link_whose_cable_is_plugged_in_late() {
    let berth = server().berth();
    berth.run("serve_dhcp; export_nfs /srv/reporter ro");
    let words = format!("root=nfs:{}:/srv/reporter ip=dhcp", berth.address());
    let mut guest = berth.to(networked()).unlinked(0).cmdline(&words).start();
    guest.wait_for("is not there yet");
    guest.link(0, true);
    assert_nfs(&guest.finish(), &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_from_a_disk_leaves_no_network_behind() {
    let berth = server().berth();
    berth.run("serve_dhcp");
    let machine = networked()
        .disk(&EXT4, Bus::Ahci)
        .cmdline("rd.neednet=1 rd.luks=0 ip=dhcp");
    let machine = machine.cmdline(&format!("root=UUID={} ro", EXT4.uuid));
    let outcome = berth.to(machine).boot();
    outcome.assert_root("/dev/sda", "ext4", "ro");
    let trace = outcome.fact("trace");
    let raised = trace.contains(" > configure ") && !trace.contains(" > watch-links 0");
    outcome.check(!raised || trace.contains(" lower=eth0"), "eth0 was left up");
    outcome.check(
        !trace.contains("file=644:/run/net-"),
        "a lease was handed on",
    );
}

#[test]
fn boot_nfs_that_is_not_exported_ends_at_once() {
    let berth = server().berth();
    berth.run("serve_dhcp; export_nfs /srv/reporter ro");
    let words = format!("root=nfs:{}:/srv/nothing ip=dhcp", berth.address());
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_gave_up(&[
        "/srv/nothing was not mounted",
        "the server exports no such directory",
        "by DHCP of",
    ]);
}

#[test]
fn boot_nfs_of_a_server_that_is_not_there_ends_in_time() {
    let berth = server().berth();
    berth.run("serve_dhcp");
    let words = format!(
        "root=nfs:{}:/srv/reporter ip=dhcp rd.timeout=25",
        berth.host(99)
    );
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_gave_up(&["within 25 s", "nobody there answers", "by DHCP of"]);
}

#[test]
fn boot_nfs_of_ganesha_with_a_lease_of_isc_dhcpd() {
    let berth = server().berth();
    let (net, server) = (berth.host(0), berth.address());
    let (first, last) = (berth.host(50), berth.host(60));
    berth.run(&format!(
        "serve_ganesha /srv/reporter
         serve_isc_dhcp 'subnet {net} netmask 255.255.255.0 {{
             range {first} {last}; option root-path \"{server}:/srv/reporter\"; }}'"
    ));
    let outcome = berth.to(networked()).cmdline("root=dhcp").boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_a_lease_without_a_root_path_ends_at_once() {
    let berth = server().berth();
    berth.run("serve_dhcp");
    let outcome = berth.to(networked()).cmdline("root=dhcp ip=dhcp").boot();
    outcome.assert_gave_up(&["the lease on eth0 names no root-path", "by DHCP of"]);
}

#[test]
fn boot_cifs_with_a_password() {
    let berth = server().berth();
    berth.run("serve_dhcp; own_root /berth/root; serve_cifs /berth/root me secret");
    let words = format!("root=cifs://me:secret@{}/share ip=dhcp ro", berth.address());
    let outcome = berth.to(networked()).cmdline(&words).boot();
    let source = format!("//{}/share", berth.address());
    outcome.assert_root(&source, "cifs", "ro");
}
