//! Roots that a server exports by NFS.

use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::{Flavour, kernel};
use crate::lab::outcome::Outcome;
use crate::lab::server::{Berth, server};

/// The generic kernel, with drivers of network cards and clients of servers in the image.
pub fn networked() -> Machine {
    let kernel = kernel(Flavour::Generic);
    let image = images::image_with(&kernel, "generic-network", &["--network"]);
    Machine::on(kernel).image(image).memory(640)
}

/// The options of root's mount, as the kernel tells them.
fn options(outcome: &Outcome) -> String {
    let mountinfo = outcome.fact("mountinfo");
    let root = mountinfo.lines().rfind(|line| line.contains(" / / "));
    root.unwrap_or_default().into()
}

fn assert_nfs(outcome: &Outcome, berth: &Berth, directory: &str, version: &str) {
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
