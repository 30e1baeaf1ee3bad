//! A Debian behind a network whose networkd, NetworkManager or ifupdown goes on with the link: with
//! the address that it has, and with root.

use super::nfs::networked_quickly;
use crate::lab::disks::{self, DEBIAN_NET};
use crate::lab::outcome::Outcome;
use crate::lab::server::{Berth, server};

/// Words for the kernel: systemd starts `daemon` and tells what there is then. At last something is
/// read from root, which nothing keeps in memory.
fn told_after(daemon: &str, tell: &str) -> String {
    let script = format!(
        "{daemon}; echo 3 > /proc/sys/vm/drop_caches; (grep leased /run/landfall/trace; {tell}; \
         ip -4 -oneline address show dev eth0; head -1 /usr/share/common-licenses/BSD) \
         > /dev/ttyS1 2>&1; sleep 2"
    );
    format!("systemd.run=\"/bin/sh -c '{script}'\"")
}

fn boot(berth: &Berth, ip: &str, run: &str) -> Outcome {
    let disk = server().disk(&disks::file(&DEBIAN_NET));
    berth.run(&format!(
        "serve_dhcp; serve_nbd {disk} debian 10809 --snapshot"
    ));
    let words = format!("root=nbd:{}:debian rw {ip}", berth.address());
    let machine = berth.to(networked_quickly()).memory(1024).patience(900);
    let outcome = machine.cmdline(&words).cmdline(run).boot();
    outcome.check(
        outcome.ended,
        "Debian did not switch off: is root still there?",
    );
    let report = &outcome.report;
    outcome.check(report.contains("Regents of the University"), report);
    outcome
}

/// The address that landfall was leased. `TIME < leased TICKET ADDRESS/PREFIX …`
#[track_caller]
fn leased(outcome: &Outcome) -> &str {
    let line = outcome.report.lines().find(|l| l.contains(" < leased "));
    let address = line.and_then(|line| line.split(' ').nth(4));
    address.unwrap_or_else(|| outcome.fail(&outcome.report))
}

/// What `ip` tells of the link's addresses, a line each.
fn addresses(outcome: &Outcome) -> Vec<&str> {
    let all = outcome.report.lines();
    all.filter(|line| line.contains(" scope global ")).collect()
}

/// The link has this address alone.
#[track_caller]
fn assert_address(outcome: &Outcome, address: &str) {
    let all = addresses(outcome);
    let right = matches!(all[..], [one] if one.contains(&format!(" inet {address} ")));
    outcome.check(right, &outcome.report);
}

/// How often the server gave the address; it gave no other.
#[track_caller]
fn times_given(berth: &Berth, address: &str) -> usize {
    let log = berth.log("dhcp");
    let address = address.split('/').next().unwrap_or_default();
    let given = log.lines().filter(|line| line.contains("DHCPACK"));
    let (own, other): (Vec<_>, Vec<_>) =
        given.partition(|line| line.contains(&format!(" {address} ")));
    assert!(other.is_empty(), "{log}");
    own.len()
}

const NETWORKD: &str = "systemctl start dbus systemd-networkd; \
    /lib/systemd/systemd-networkd-wait-online --any --timeout=120";
const STATUS: &str = "SYSTEMD_COLORS=0 networkctl --no-pager --full status eth0";

#[test]
fn boot_debian_whose_networkd_keeps_the_address() {
    let berth = server().berth();
    let outcome = boot(&berth, "ip=dhcp", &told_after(NETWORKD, STATUS));
    let (report, address) = (&outcome.report, leased(&outcome));
    assert_address(&outcome, address);
    let address = address.split('/').next().unwrap_or_default();
    for said in [
        "69-landfall-eth0.link",
        "69-landfall-eth0.network",
        "Alternative Names: enp0s",
        "routable (configured)",
        &format!("Address: {address} (DHCP4 via {})", berth.address()),
    ] {
        outcome.check(report.contains(said), &format!("no {said:?} in {report}"));
    }
    // It asked for that address, and has not been given another.
    times_given(&berth, address);
}

const MANAGER: &str = "systemctl start NetworkManager; nm-online -s -q -t 120";
const CONNECTIONS: &str = "nmcli -c no -t -f DEVICE,STATE,CONNECTION device";

#[test]
fn boot_debian_whose_networkmanager_renews_the_lease() {
    let berth = server().berth();
    let outcome = boot(&berth, "ip=dhcp", &told_after(MANAGER, CONNECTIONS));
    let report = &outcome.report;
    outcome.check(report.contains("eth0:connected:landfall eth0\n"), report);
    let address = leased(&outcome);
    assert_address(&outcome, address);
    assert_eq!(times_given(&berth, address), 2, "{}", berth.log("dhcp"));
}

#[test]
fn boot_debian_whose_networkmanager_keeps_an_address_of_the_command_line() {
    let berth = server().berth();
    let (own, router) = (berth.host(7), berth.address());
    let ip = format!("ip={own}::{router}:255.255.255.0::eth0:none");
    let outcome = boot(&berth, &ip, &told_after(MANAGER, CONNECTIONS));
    let report = &outcome.report;
    outcome.check(report.contains("eth0:connected:landfall eth0\n"), report);
    assert_address(&outcome, &format!("{own}/24"));
}

/// networking.service with this method for the link. When the machine is switched off ifupdown
/// would take the link away from below root, if it were not told.
fn boot_with_ifupdown(berth: &Berth, method: &[&str]) -> Outcome {
    let write = |line: &&str| format!("echo {line} >> /etc/network/interfaces; ");
    let lines = ["auto eth0", "no-auto-down eth0"].iter().chain(method);
    let lines: String = lines.map(write).collect();
    let start = format!("{lines}systemctl start networking");
    let tell = "systemctl is-active networking; ifquery --state eth0";
    let outcome = boot(berth, "ip=dhcp", &told_after(&start, tell));
    let report = &outcome.report;
    outcome.check(report.contains("\nactive\neth0=eth0\n"), report);
    outcome
}

#[test]
fn boot_debian_whose_ifupdown_leaves_the_link_alone() {
    let berth = server().berth();
    let outcome = boot_with_ifupdown(&berth, &["iface eth0 inet manual"]);
    let address = leased(&outcome);
    assert_address(&outcome, address);
    assert_eq!(times_given(&berth, address), 1, "{}", berth.log("dhcp"));
}

/// Without `client no` dhclient says that this is another machine, and is given a second address.
#[test]
fn boot_debian_whose_ifupdown_renews_the_lease() {
    let berth = server().berth();
    let outcome = boot_with_ifupdown(&berth, &["iface eth0 inet dhcp", "client no"]);
    let address = leased(&outcome);
    assert_address(&outcome, address);
    assert_eq!(times_given(&berth, address), 2, "{}", berth.log("dhcp"));
}
