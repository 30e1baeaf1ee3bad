//! Disks of servers are disks like any others: what lies on them is unlocked, assembled, checked.

use super::nfs::networked_quickly;
use crate::lab::outcome::Outcome;
use crate::lab::server::server;
use crate::lab::stacks::{self, Group, PASSPHRASE, Stack};

/// A row of the matrix of stacks, with one disk.
fn stack(group: &'static Group, name: &str) -> Stack {
    let mut stacks = stacks::made(group).into_iter();
    let found = stacks.find(|stack| stack.row.name == name);
    found.unwrap_or_else(|| panic!("there is no stack {name}"))
}

#[track_caller]
fn assert_below(outcome: &Outcome, stack: &Stack, below: &str) {
    outcome.assert_reached();
    let (below, found) = (stack.filled(below), outcome.fact("below_root"));
    outcome.check(
        found == below,
        &format!("root lies on {found}, not {below}"),
    );
}

#[test]
fn boot_luks_on_iscsi_with_a_passphrase() {
    let stack = stack(&stacks::luks::GROUP, "luks2-pbkdf2");
    let disk = server().disk(stack.disk(1));
    let berth = server().berth();
    let iqn = format!("iqn.2026-01.example:luks{}", berth.number());
    berth.run(&format!(
        "serve_dhcp; own_disk /berth/disk {disk}; serve_iscsi /berth/disk {iqn}"
    ));
    let words = format!(
        "root=UUID={{root}} rd.luks.uuid={{luks1}} netroot=iscsi:{}::::{iqn} ip=dhcp",
        berth.address()
    );
    let machine = berth.to(networked_quickly()).cmdline(&stack.filled(&words));
    let mut guest = machine.start();
    guest.wait_for(&stack.filled("Passphrase of luks-{luks1} (sda)"));
    guest.press(&format!("{PASSPHRASE}\r"));
    let outcome = guest.finish();
    assert_below(&outcome, &stack, "luks-{luks1}(sda)");
}

#[test]
fn boot_lvm_on_nbd() {
    let stack = stack(&stacks::lvm::GROUP, "lvm-names-with-dashes");
    let disk = server().disk(stack.disk(1));
    let berth = server().berth();
    berth.run(&format!(
        "serve_dhcp; serve_nbd {disk} pv 10809 --read-only"
    ));
    let words = format!(
        "root=/dev/my-vg/ro-ot_1 netroot=nbd:{}:pv ip=dhcp",
        berth.address()
    );
    let outcome = berth.to(networked_quickly()).cmdline(&words).boot();
    assert_below(&outcome, &stack, "my--vg-ro--ot_1(nbd0)");
}

#[test]
fn boot_verity_on_nvme_over_tcp() {
    let stack = stack(&stacks::verity::GROUP, "verity-by-discovery");
    let disk = server().disk(stack.disk(1));
    let berth = server().berth();
    let nqn = format!("nqn.2026-01.example:verity{}", berth.number());
    berth.run(&format!(
        "serve_dhcp; own_disk /berth/disk {disk}
         modprobe loop; disk=$(losetup --find --show /berth/disk); after losetup --detach $disk
         serve_nvme $disk {nqn}"
    ));
    let words = format!(
        "roothash={{roothash}} rd.nvmf.discover=tcp,{},,4420 ip=dhcp",
        berth.address()
    );
    let machine = berth.to(networked_quickly()).cmdline(&stack.filled(&words));
    let outcome = machine.boot();
    assert_below(&outcome, &stack, "root(nvme0n1/1,nvme0n1/2)");
}

/// Hours may pass until somebody types it.
#[test]
fn boot_with_a_lease_that_is_shorter_than_the_wait_for_a_passphrase() {
    let stack = stack(&stacks::luks::GROUP, "luks2-pbkdf2");
    let disk = server().disk(stack.disk(1));
    let berth = server().berth();
    let (net, first, last) = (berth.host(0), berth.host(50), berth.host(99));
    berth.run(&format!(
        "serve_nbd {disk} locked 10809 --read-only
         serve_isc_dhcp 'min-lease-time 10; default-lease-time 10; max-lease-time 10;
             subnet {net} netmask 255.255.255.0 {{ range {first} {last}; }}'"
    ));
    let words = format!(
        "root=UUID={{root}} rd.luks.uuid={{luks1}} netroot=nbd:{}:locked ip=dhcp",
        berth.address()
    );
    let machine = berth.to(networked_quickly()).cmdline(&stack.filled(&words));
    let mut guest = machine.start();
    guest.wait_for(&stack.filled("Passphrase of luks-{luks1} (nbd0)"));
    // More of the lease was asked for, and given, and asked for again.
    berth.run(
        "extended() { [ $(grep -c 'DHCPREQUEST for' $LOG/dhcp) -gt 2 ]; }; wait_until extended",
    );
    guest.press(&format!("{PASSPHRASE}\r"));
    let outcome = guest.finish();
    assert_below(&outcome, &stack, "luks-{luks1}(nbd0)");
}
