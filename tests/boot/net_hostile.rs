//! Servers of DHCP that lie: odd options, addresses that somebody has, offers that are not kept.

use super::nfs::{assert_nfs, networked_quickly};
use crate::lab::server::living::{addresses_of, assert_root_of, by_shell, told};
use crate::lab::server::{Berth, server};

fn option(code: u8, value: &[u8]) -> String {
    let length = u8::try_from(value.len()).expect("a short value");
    let bytes = [&[code, length], value].concat();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What no server should say, each of it in the form that the option has.
fn odd_options(berth: &Berth) -> String {
    let route = [
        // A prefix of 33 bits ends the list; what stands before it holds.
        &[32, 198, 51, 100, 1, 10, 66, 254, 254][..],
        &[24, 203, 0, 113, 192, 0, 2, 99],
        &[33, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ];
    let own = berth.address().octets();
    [
        option(26, &68u16.to_be_bytes()),
        option(12, b"a'$(echo owned > /dev/ttyS1)'"),
        option(15, b"example\nnameserver 6.6.6.6"),
        option(17, b"\x1b[2J'\n$(echo owned > /dev/ttyS1)"),
        // Names that point at themselves and out of the option, and no end.
        option(119, b"\xc0\x00\xc0\x02\x03abc\xc0\xff\x3f"),
        option(121, &route.concat()),
        option(3, &[255, 255, 255, 255]),
        option(6, &[&own[..], &[127, 0, 0, 1, 9]].concat()),
        option(67, &[0xff; 40]),
        // Longer than what is left.
        "2bff41".into(),
    ]
    .concat()
}

#[test]
fn boot_with_a_lease_full_of_nonsense() {
    let berth = server().berth();
    let (root, own) = (berth.busybox_root(), berth.host(50));
    berth.run(&format!(
        "export_nfs {root}; serve_hostile_dhcp $NET.1 {own} ack {}",
        odd_options(&berth)
    ));
    let words = format!("root=nfs:{}:{root} ip=dhcp", berth.address());
    let script = by_shell(
        "links; . /run/net-eth0.conf; tell conf echo host=$HOSTNAME mtu=$IPV4ADDR;
         tell resolv cat /run/landfall/resolv.conf;",
    );
    let machine = berth.to(networked_quickly()).cmdline(&words);
    let outcome = machine.cmdline(&script).boot();
    assert_root_of(&outcome, &format!("{}:{root}", berth.address()), "nfs4");
    assert_eq!(addresses_of(&outcome, "eth0"), [format!("{own}/24")]);
    let executed = outcome.report.lines().any(|line| line == "owned");
    outcome.check(!executed, "a name in the lease was executed");
    let links = told(&outcome, "links");
    outcome.check(!links.contains(" mtu 68 "), links);
    let resolv = told(&outcome, "resolv");
    outcome.check(!resolv.contains("6.6.6.6"), resolv);
    let own_server = format!("nameserver {}", berth.address());
    outcome.check(resolv.contains(&own_server), resolv);
    let cleared = outcome.lines.iter().any(|line| line.contains("\x1b[2J"));
    outcome.check(!cleared, "the root-path went to the terminal as it was");
}

/// Somebody has the address that the server has for this machine.
#[test]
fn boot_with_another_address_than_the_one_that_is_taken() {
    let berth = server().berth();
    let taken = berth.host(50);
    berth.run(&format!(
        "export_nfs /srv/reporter
         neighbour {taken}
         serve_dhcp --dhcp-range=$NET.60,$NET.69,1h --dhcp-host={},{taken}",
        berth.mac(0)
    ));
    let words = format!("root=nfs:{}:/srv/reporter ip=dhcp", berth.address());
    let outcome = berth.to(networked_quickly()).cmdline(&words).boot();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
    let log = berth.log("dhcp");
    let declined = format!("DHCPDECLINE(eth0) {taken} ");
    outcome.check(log.contains(&declined), &log);
    let trace = outcome.fact("trace");
    outcome.check(
        !trace.contains(&format!(" address {taken}/")),
        "the address that is taken was used",
    );
    outcome.check(
        trace.contains(&format!(" address {}", berth.host(6))),
        "no other address",
    );
}

/// The first server offers what it refuses then, again and again; the other one is slow.
#[test]
fn boot_with_the_lease_of_the_server_that_keeps_its_word() {
    check_liar("nak", "wait_until grep -q 'said 6' $LOG/hostile");
}

/// The same with one that offers and says nothing more.
#[test]
fn boot_with_the_lease_of_the_server_that_goes_on_speaking() {
    check_liar("mute", "wait_until grep -q 'heard 3' $LOG/hostile");
}

fn check_liar(verdict: &str, lied: &str) {
    let berth = server().berth();
    let liar = berth.host(66);
    berth.run(&format!(
        "export_nfs /srv/reporter; serve_dhcp; pause dhcp
         serve_hostile_dhcp {liar} 192.168.77.5 {verdict}"
    ));
    let words = format!("root=nfs:{}:/srv/reporter ip=dhcp", berth.address());
    let guest = berth.to(networked_quickly()).cmdline(&words).start();
    berth.run(&format!("{lied}; resume dhcp"));
    let outcome = guest.finish();
    assert_nfs(&outcome, &berth, "/srv/reporter", "4.2");
    let trace = outcome.fact("trace");
    outcome.check(!trace.contains(" address 192.168.77.5"), "the lie was used");
}
