//! Networks that answer late or never: the boot waits as long as there is hope, and no longer than
//! it may, and the page names who is silent.

use super::nfs::{assert_nfs, networked_quickly};
use crate::lab::server::server;

/// Returns when so many packets for this port have come.
fn heard(port: &str, packets: u32) -> String {
    format!("timeout 120 tcpdump -p -n -i $IF -c {packets} {port}")
}

/// The link goes while a lease is asked for, and what the server then says is lost.
#[test]
fn boot_with_a_lease_that_comes_after_the_link_was_lost() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp; pause dhcp");
    let words = format!("root=nfs:{}:/srv/reporter ip=dhcp", berth.address());
    let mut guest = berth.to(networked_quickly()).cmdline(&words).start();
    berth.run(&heard("udp dst port 67", 2));
    guest.link(0, false);
    guest.wait_for("eth0 has lost its carrier");
    berth.run("resume dhcp; wait_until grep -q DHCPOFFER $LOG/dhcp");
    guest.link(0, true);
    assert_nfs(&guest.finish(), &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_over_a_link_that_was_lost_while_the_server_was_silent() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp; silence tcp 2049");
    let words = format!("root=nfs:{}:/srv/reporter ip=dhcp", berth.address());
    let mut guest = berth.to(networked_quickly()).cmdline(&words).start();
    guest.wait_for("is not there yet");
    guest.link(0, false);
    guest.wait_for("eth0 has lost its carrier");
    berth.run("speak");
    guest.link(0, true);
    assert_nfs(&guest.finish(), &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_of_a_server_that_is_silent_at_first() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp; silence tcp 2049");
    let words = format!("root=nfs:{}:/srv/reporter ip=dhcp", berth.address());
    let mut guest = berth.to(networked_quickly()).cmdline(&words).start();
    guest.wait_for("is not there yet");
    berth.run("speak");
    assert_nfs(&guest.finish(), &berth, "/srv/reporter", "4.2");
}

#[test]
fn boot_where_nobody_gives_leases_ends_in_time() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter");
    let words = format!(
        "root=nfs:{}:/srv/reporter ip=dhcp rd.timeout=6",
        berth.address()
    );
    let outcome = berth.to(networked_quickly()).cmdline(&words).boot();
    outcome.assert_gave_up(&["within 6 s", "eth0", "no DHCP server answered"]);
}

#[test]
fn boot_of_a_server_whose_name_nobody_knows_ends_in_time() {
    let berth = server().berth();
    let server = berth.address();
    berth.run(&format!(
        "export_nfs /srv/reporter
         serve_dhcp --port=53 --except-interface=lo --no-resolv --no-hosts --local=/example/ \\
           --address=/store.example/{server} --dhcp-option=6,{server} --domain=example"
    ));
    let machine = berth.to(networked_quickly());
    let words = "root=nfs:stove:/srv/reporter ip=dhcp rd.timeout=10";
    let outcome = machine.cmdline(words).boot();
    outcome.assert_gave_up(&[
        "within 10 s",
        "no address for stove",
        &format!("there is no stove.example, says {server}"),
    ]);
}

#[test]
fn boot_over_a_link_that_stays_lost_names_it() {
    let berth = server().berth();
    berth.run("export_nfs /srv/reporter; serve_dhcp; silence tcp 2049");
    let words = format!(
        "root=nfs:{}:/srv/reporter ip=dhcp rd.timeout=20",
        berth.address()
    );
    let mut guest = berth.to(networked_quickly()).cmdline(&words).start();
    guest.wait_for("is not there yet");
    guest.link(0, false);
    let outcome = guest.finish();
    outcome.assert_gave_up(&["within 20 s", "the carrier was lost"]);
}
