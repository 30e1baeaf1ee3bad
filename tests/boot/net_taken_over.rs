//! A Debian behind a network: its systemd-networkd takes the link over, with the address that it
//! has, and root goes on.

use super::nfs::networked_quickly;
use crate::lab::disks::{self, DEBIAN};
use crate::lab::server::server;

/// Run by systemd. What follows is read from root for the first time.
const REPORT: &str = "systemctl start dbus systemd-networkd; \
    /lib/systemd/systemd-networkd-wait-online --any --timeout=120; \
    (grep leased /run/landfall/trace; SYSTEMD_COLORS=0 networkctl --no-pager --full status eth0; \
    echo == end; cat /etc/os-release) > /dev/ttyS1 2>&1; sleep 2";

#[test]
fn boot_debian_whose_networkd_keeps_the_address() {
    let disk = server().disk(&disks::file(&DEBIAN));
    let berth = server().berth();
    berth.run(&format!(
        "serve_dhcp; serve_nbd {disk} debian 10809 --read-only"
    ));
    let words = format!("root=nbd:{}:debian ro ip=dhcp", berth.address());
    let outcome = berth
        .to(networked_quickly())
        .cmdline(&words)
        .cmdline(&format!("systemd.run=\"/bin/sh -c '{REPORT}'\""))
        .memory(1024)
        .patience(900)
        .boot();
    let report = &outcome.report;
    outcome.check(report.contains("\nPRETTY_NAME="), report);
    // `TIME < leased TICKET ADDRESS/PREFIX …`
    let leased = report.lines().find(|line| line.contains(" < leased "));
    let address = leased.and_then(|line| line.split(' ').nth(4)?.split('/').next());
    let address = address.unwrap_or_else(|| outcome.fail(report));
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
    let log = berth.log("dhcp");
    let others = log
        .lines()
        .filter(|line| line.contains("DHCPACK") && !line.contains(address));
    assert_eq!(others.count(), 0, "{log}");
}
