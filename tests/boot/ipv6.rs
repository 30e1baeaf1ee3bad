//! Roots behind networks of IPv6: routers, servers of DHCPv6, addresses of the command line.

use super::nfs::{networked, options};
use crate::lab::outcome::Outcome;
use crate::lab::server::{Berth, server};

/// What is to be given: the root that the server exports, by its address of IPv6.
fn export(berth: &Berth) -> String {
    format!("[{}]:/srv/reporter", berth.address6())
}

fn assert_nfs(outcome: &Outcome, berth: &Berth, version: &str) {
    let fstype = if version == "3" { "nfs" } else { "nfs4" };
    outcome.assert_root(&export(berth), fstype, "ro");
    let options = options(outcome);
    let version = format!("vers={version},");
    outcome.check(options.contains(&version), &options);
}

fn assert_traced(outcome: &Outcome, words: &[&str]) {
    let trace = outcome.fact("trace");
    for word in words {
        outcome.check(trace.contains(word), word);
    }
}

#[test]
fn boot_nfs_by_router_advertisements_alone() {
    let berth = server().berth();
    berth.run("serve_dhcp6 --dhcp-range=$NET6:,ra-only; export_nfs /srv/reporter ro");
    let words = format!("root=nfs:{} ip=auto6", export(&berth));
    let outcome = berth.to(networked()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "4.2");
    let trace = outcome.fact("trace");
    outcome.check(!trace.contains(" > lease "), "nobody was to be asked");
    assert_traced(&outcome, &["IPv6AcceptRA", "addr-gen-mode"]);
}

#[test]
fn boot_nfs_with_a_lease_of_dhcp6() {
    let berth = server().berth();
    berth.run("serve_dhcp6; export_nfs /srv/reporter ro");
    let words = format!("root=nfs:{} ip=dhcp6", export(&berth));
    let outcome = berth.to(networked()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "4.2");
    let duid = format!("client-id=00030001{}", berth.mac(0).replace(':', ""));
    assert_traced(
        &outcome,
        &[" > lease ", "/128 fe80::", &duid, "DUIDRawData", "dhcp6'"],
    );
    let log = berth.log("dhcp6");
    assert!(log.contains("DHCPSOLICIT"), "{log}");
}

#[test]
fn boot_nfs_as_routers_say_without_a_word_about_addresses() {
    let berth = server().berth();
    berth.run("serve_dhcp6; export_nfs /srv/reporter ro");
    let words = format!("root=nfs:{}", export(&berth));
    let machine = berth.to_model(networked(), "e1000e");
    let outcome = machine.cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "4.2");
    assert_traced(
        &outcome,
        &["managed other heard", " dhcp6\n", "/128 fe80::"],
    );
}

#[test]
fn boot_nfs_of_a_name_that_a_router_tells_whom_to_ask_for() {
    let berth = server().berth();
    berth.run(
        "export_nfs /srv/reporter ro
         serve_dhcp6 --port=53 --except-interface=lo --no-resolv --no-hosts \\
           --address=/store.example/$NET6:1 --dhcp-range=$NET6:,ra-only \\
           --dhcp-option=option6:dns-server,[$NET6:1]",
    );
    let words = "root=nfs:store.example:/srv/reporter ip=auto6";
    let outcome = berth.to(networked()).cmdline(words).boot();
    assert_nfs(&outcome, &berth, "4.2");
    assert_traced(
        &outcome,
        &[
            "resolv.conf:",
            &format!("nameserver\\x20{}", berth.address6()),
        ],
    );
}

#[test]
fn boot_nfs_of_a_name_that_dhcp6_tells_whom_to_ask_for() {
    let berth = server().berth();
    berth.run(
        "export_nfs /srv/reporter ro
         serve_dhcp6 --port=53 --except-interface=lo --no-resolv --no-hosts \\
           --address=/store.example/$NET6:1 --dhcp-range=$NET6:,ra-stateless \\
           --dhcp-option=option6:domain-search,example",
    );
    let words = "root=nfs:store:/srv/reporter ip=either6";
    let outcome = berth.to(networked()).cmdline(words).boot();
    assert_nfs(&outcome, &berth, "4.2");
    assert_traced(
        &outcome,
        &[" information\n", " none fe80::", "search=example"],
    );
}

#[test]
fn boot_nfs_as_the_lease_of_dhcp6_says() {
    let berth = server().berth();
    berth.run(
        "export_nfs /srv/reporter ro
         serve_dhcp6 \"--dhcp-option=option6:59,nfs://[$NET6:1]/srv/reporter\"",
    );
    let outcome = berth.to(networked()).cmdline("root=dhcp6").boot();
    assert_nfs(&outcome, &berth, "4.2");
}

#[test]
fn boot_nfs_with_a_lease_of_isc_dhcpd_and_a_router_beside_it() {
    let berth = server().berth();
    berth.run(
        "export_nfs /srv/reporter ro
         serve_dhcp6 --dhcp-range=$NET6:,ra-only
         serve_isc_dhcp6 \"subnet6 $NET6:/64 { range6 $NET6:50 $NET6:99; }\"",
    );
    let words = format!("root=nfs:{} ip=dhcp6", export(&berth));
    let outcome = berth.to(networked()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "4.2");
    let log = berth.log("isc6");
    assert!(log.contains("Request message from"), "{log}");
}

#[test]
fn boot_nfs_3_with_an_address_of_ipv6_from_the_command_line() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter ro");
    let network = berth.address6().to_string();
    let own = format!("{}77", network.strip_suffix('1').expect("an address"));
    let words = format!(
        "root=/dev/nfs nfsroot=[{network}]:/srv/reporter,vers=3 ip=[{own}]:::64:box:eth0:none"
    );
    let outcome = berth.to(networked()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "3");
}

#[test]
fn boot_nfs_where_no_router_and_no_server_of_dhcp6_is_ends_in_time() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter ro");
    let words = format!("root=nfs:{} ip=either6 rd.timeout=25", export(&berth));
    let outcome = berth.to(networked()).cmdline(&words).boot();
    outcome.assert_gave_up(&["within 25 s", "no DHCPv6 server answered"]);
}
