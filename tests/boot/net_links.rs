//! Links that are made of others, renamed, or picked by a word, and two that both serve: root is
//! over the one that is meant, and the real system finds no address on any other.

use super::nfs::{assert_nfs, networked_quickly};
use crate::lab::server::living::{addresses_of, assert_root_of, by_shell, is_up, told};
use crate::lab::server::server;

/// Two cards on the berth's network.
const TWO: [&str; 2] = ["virtio-net-pci"; 2];

#[test]
fn boot_over_a_vlan_with_a_lease() {
    let berth = server().berth();
    let (root, n) = (berth.busybox_root(), berth.number());
    // Below the VLAN the server has no address.
    berth.run(&format!(
        "export_nfs {root}
         ip link add link $IF name $IF.5 type vlan id 5
         ip address flush dev $IF
         ip address add 10.67.$N.1/24 dev $IF.5
         ip link set $IF.5 up
         IF=$IF.5 serve_dhcp --dhcp-range=10.67.$N.50,10.67.$N.59,1h"
    ));
    let words = format!("root=nfs:10.67.{n}.1:{root} vlan=eth0.5:eth0 ip=eth0.5:dhcp");
    let machine = berth.to(networked_quickly()).cmdline(&words);
    let outcome = machine.cmdline(&by_shell("links;")).boot();
    assert_root_of(&outcome, &format!("10.67.{n}.1:{root}"), "nfs4");
    let own = format!("10.67.{n}.5");
    let of_vlan = addresses_of(&outcome, "eth0.5");
    outcome.check(
        matches!(of_vlan[..], [address] if address.starts_with(&own)),
        "the VLAN has no address",
    );
    assert_eq!(addresses_of(&outcome, "eth0"), [""; 0]);
    outcome.check(is_up(&outcome, "eth0"), "the link below was lowered");
}

#[test]
fn boot_over_a_bond_that_has_one_carrier() {
    let berth = server().berth();
    let root = berth.busybox_root();
    berth.run(&format!("export_nfs {root}; serve_dhcp"));
    let words = format!(
        "root=nfs:{}:{root} ip=bond0:dhcp bond=bond0:eth0,eth1:mode=active-backup,miimon=100",
        berth.address()
    );
    let machine = networked_quickly().loose_nic("virtio-net-pci");
    let machine = berth.to(machine).cmdline(&words);
    let script = by_shell("links; tell bond cat /proc/net/bonding/bond0;");
    let outcome = machine.cmdline(&script).boot();
    assert_root_of(&outcome, &format!("{}:{root}", berth.address()), "nfs4");
    let bond = told(&outcome, "bond");
    for said in [
        "Bonding Mode: fault-tolerance (active-backup)",
        "Currently Active Slave: eth1",
        "MII Polling Interval (ms): 100",
        "Slave Interface: eth0\nMII Status: down",
        "Slave Interface: eth1\nMII Status: up",
    ] {
        outcome.check(bond.contains(said), &format!("no {said:?} in {bond}"));
    }
    assert_eq!(addresses_of(&outcome, "bond0").len(), 1);
    for port in ["eth0", "eth1"] {
        assert_eq!(addresses_of(&outcome, port), [""; 0]);
    }
}

/// Nobody is asked for anything.
#[test]
fn boot_over_a_vlan_on_a_bond_with_an_address() {
    let berth = server().berth();
    let n = berth.number();
    berth.run(
        "export_nfs /srv/reporter
         ip link add link $IF name $IF.7 type vlan id 7
         ip address flush dev $IF
         ip address add 10.67.$N.1/24 dev $IF.7
         ip link set $IF.7 up",
    );
    let words = format!(
        "root=nfs:10.67.{n}.1:/srv/reporter bond=bond3:eth0,eth1:mode=active-backup,miimon=50:1400 \
         vlan=bond3.0007:bond3 ip=10.67.{n}.9::::box:bond3.0007:off:1396"
    );
    let machine = berth.to_models(networked_quickly(), &TWO);
    let outcome = machine.cmdline(&words).boot();
    outcome.assert_root(&format!("10.67.{n}.1:/srv/reporter"), "nfs4", "ro");
    let trace = outcome.fact("trace");
    let asked = trace.contains(" > lease ");
    outcome.check(!asked, "a lease was asked for");
    for (link, mtu) in [("bond3", 1400), ("bond3.0007", 1396)] {
        let heard = trace.lines().any(|line| {
            line.contains(&format!(" {link} kind=1 ")) && line.contains(&format!(" mtu={mtu} "))
        });
        outcome.check(heard, &format!("{link} never had an MTU of {mtu}"));
    }
}

#[test]
fn boot_over_a_bridge() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp");
    let words = format!(
        "root=nfs:{}:/srv/reporter bridge=br0:eth0 ip=br0:dhcp",
        berth.address()
    );
    let outcome = berth.to(networked_quickly()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
    let trace = outcome.fact("trace");
    let leases: Vec<&str> = trace.lines().filter(|l| l.contains(" > lease ")).collect();
    outcome.check(
        matches!(leases[..], [one] if one.contains(" br0 ")),
        "a lease was asked for elsewhere",
    );
}

#[test]
fn boot_over_the_link_of_the_boot_loader() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp");
    let words = format!(
        "root=nfs:{}:/srv/reporter BOOTIF=01-{}",
        berth.address(),
        berth.mac(1).replace(':', "-")
    );
    let machine = berth.to_models(networked_quickly(), &TWO);
    let outcome = machine.cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
    let log = berth.log("dhcp");
    let (booted, other) = (berth.mac(1), berth.mac(0));
    outcome.check(log.contains(&booted) && !log.contains(&other), &log);
}

/// Other words say the new name.
#[test]
fn boot_over_a_link_that_gets_its_name() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp");
    let words = format!(
        "root=nfs:{}:/srv/reporter ifname=net0:{} bootdev=net0 ip=net0:dhcp",
        berth.address(),
        berth.mac(1)
    );
    let machine = berth.to_models(networked_quickly(), &TWO);
    let outcome = machine.cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
    let (log, trace) = (berth.log("dhcp"), outcome.fact("trace"));
    outcome.check(!log.contains(&berth.mac(0)), &log);
    let renamed = trace.contains(&format!(" net0 kind=1 mac={} ", berth.mac(1)));
    outcome.check(renamed, "no link was renamed");
    outcome.check(trace.contains(":/run/net-net0.conf:"), "not handed on");
}

/// The server is not where its lease leads.
#[test]
fn boot_over_a_route_to_a_server_behind_another() {
    let berth = server().berth();
    let n = berth.number();
    // Without a router of its own in the lease.
    berth.run(
        "export_nfs /srv/reporter
         ip address add 192.0.2.$N/32 dev $IF
         serve_dhcp --dhcp-option=3",
    );
    let words = format!(
        "root=nfs:192.0.2.{n}:/srv/reporter ip={}:dhcp:1400 rd.route=192.0.2.0/24:{}",
        berth.mac(0).replace(':', "-"),
        berth.address()
    );
    let machine = berth.to_models(networked_quickly(), &TWO);
    let outcome = machine.cmdline(&words).boot();
    outcome.assert_root(&format!("192.0.2.{n}:/srv/reporter"), "nfs4", "ro");
    let log = berth.log("dhcp");
    outcome.check(!log.contains(&berth.mac(1)), &log);
    let heard = format!(" mac={} up carrier mtu=1400", berth.mac(0));
    outcome.check(outcome.fact("trace").contains(&heard), "the MTU is another");
}

/// Root is asked for over the first that has an address, in vain, and then over the other.
#[test]
fn boot_over_the_one_of_two_networks_that_serves() {
    let mut berths = server().berths(2);
    let (first, second) = (berths.pop().expect("two"), berths.pop().expect("two"));
    let root = second.busybox_root();
    first.run("serve_dhcp");
    second.run(&format!("export_nfs {root}; serve_dhcp; pause dhcp"));
    let words = format!("root=nfs:{}:{root} ip=dhcp", second.address());
    let machine = second.to(first.to(networked_quickly())).cmdline(&words);
    let guest = machine.cmdline(&by_shell("links;")).start();
    first.run("wait_until grep -q DHCPACK $LOG/dhcp");
    second.run("resume dhcp");
    let outcome = guest.finish();
    assert_root_of(&outcome, &format!("{}:{root}", second.address()), "nfs4");
    assert_eq!(addresses_of(&outcome, "eth1").len(), 1);
    assert_eq!(addresses_of(&outcome, "eth0"), [""; 0]);
    outcome.check(!is_up(&outcome, "eth0"), "eth0 was left up");
    let routes = told(&outcome, "routes");
    outcome.check(!routes.contains("eth0"), routes);
}
