//! What the firmware left of its own boot: roots that the iSCSI and the NVMe boot table name, made
//! for the machine and given to it as firmware would.

use super::nfs::networked;
use crate::lab::disks::EXT4;
use crate::lab::firmware::{Ibft, Link, Nbft, Subsystem};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::server::{Berth, server};
use crate::lab::shelf::Scratch;
use std::fs;

/// Boots a machine whose firmware left this table.
fn boot_with(machine: Machine, table: &[u8]) -> Outcome {
    let scratch = Scratch::new();
    let file = scratch.0.join("table");
    fs::write(&file, table).expect("a scratch file");
    let word = format!("file={}", file.display());
    machine.words(&["-acpitable", &word]).boot()
}

/// The client's link, with this address in the berth's network.
fn link(berth: &Berth, host: u8) -> Link {
    let number = u8::try_from(berth.number()).expect("few berths");
    let mac = [0x52, 0x54, 0, 0x66, number, 2];
    Link::at(mac, &berth.host(host).to_string(), 24)
}

/// A subsystem on the berth's server, with a disk that holds a root.
fn subsystem(berth: &Berth) -> Subsystem {
    let nqn = format!("nqn.2026-01.example:firmware{}", berth.number());
    // A file alone would have blocks of 4 KiB, which the file system on it has not.
    berth.run(&format!(
        "own_disk /berth/disk
         modprobe loop; disk=$(losetup --find --show /berth/disk); after losetup --detach $disk
         serve_nvme $disk {nqn}"
    ));
    Subsystem::at(&berth.address().to_string(), 4420, &nqn)
}

fn nbft(link: Link, subsystem: Subsystem) -> Nbft {
    Nbft {
        host_nqn: "nqn.2026-01.example:firmware".into(),
        host_id: [0x5a; 16],
        links: vec![link],
        subsystems: vec![subsystem],
        ..Nbft::default()
    }
}

#[test]
fn boot_nvme_that_the_firmware_booted_from_on_a_vlan() {
    let berth = server().berth();
    let subsystem = Subsystem {
        digests: 0b111,
        ..subsystem(&berth)
    };
    // Nobody is asked: the table has the address.
    berth.run(
        "ip link add link $IF name vlan5 type vlan id 5
         ip address del $NET.1/24 dev $IF; ip address add $NET.1/24 dev vlan5
         ip link set vlan5 up",
    );
    let link = Link {
        vlan: 5,
        ..link(&berth, 60)
    };
    let words = format!("root=UUID={} ro", EXT4.uuid);
    let machine = berth.to(networked()).cmdline(&words);
    let outcome = boot_with(machine, &nbft(link, subsystem).bytes());
    outcome.assert_root("/dev/nvme0n1", "ext4", "ro");
}

#[test]
fn boot_nvme_by_the_discovery_controller_of_the_firmware() {
    let berth = server().berth();
    berth.run("serve_dhcp");
    let server = berth.address();
    let unfound = Subsystem {
        nqn: "nqn.2014-08.org.nvmexpress.discovery".into(),
        discovery: 1,
        ..subsystem(&berth)
    };
    let table = Nbft {
        discovery: vec![(1, format!("nvme+tcp://{server}:4420/"))],
        ..nbft(link(&berth, 60).leased(&server.to_string()), unfound)
    };
    let words = format!("root=UUID={} ro", EXT4.uuid);
    let machine = berth.to(networked()).cmdline(&words);
    let outcome = boot_with(machine, &table.bytes());
    outcome.assert_root("/dev/nvme0n1", "ext4", "ro");
}

/// A target on the berth's server, which asks who somebody is, and proves who it is.
fn ibft(berth: &Berth, link: Link) -> Ibft {
    let iqn = format!("iqn.2026-01.example:firmware{}", berth.number());
    let (mine, its) = ("twelveletters", "otherletters");
    berth.run(&format!(
        "own_disk /berth/disk; serve_iscsi /berth/disk {iqn} iqn.2026-01.example:me {mine}
         cd /sys/kernel/config/target/iscsi/{iqn}/tpgt_1/auth
         echo -n it > userid_mutual; echo -n {its} > password_mutual"
    ));
    let proof = |name: &str, password: &str| Some([name.to_string(), password.to_string()]);
    Ibft {
        initiator: "iqn.2026-01.example:firmware".into(),
        links: vec![link],
        address: Some(berth.address().into()),
        port: 3260,
        lun: 0,
        target: iqn,
        proof: proof("iqn.2026-01.example:me", mine),
        proof_in: proof("it", its),
    }
}

fn assert_silent(outcome: &Outcome) {
    let trace = outcome.fact("trace");
    let read = trace.contains(" < firmware-read ");
    outcome.check(read, "the table is not in the trace");
    for password in ["twelveletters", "otherletters"] {
        outcome.check(!trace.contains(password), "a password is in the trace");
    }
}

#[test]
fn boot_iscsi_that_the_firmware_booted_from_with_its_address_and_passwords() {
    let berth = server().berth();
    let table = ibft(&berth, link(&berth, 60)).bytes();
    let words = format!("root=LABEL={} ro rd.iscsi.firmware=1", EXT4.label);
    let machine = berth.to(networked()).cmdline(&words);
    let outcome = boot_with(machine, &table);
    outcome.assert_root("/dev/sda", "ext4", "ro");
    assert_silent(&outcome);
}

#[test]
fn boot_iscsi_that_the_firmware_booted_from_with_a_lease() {
    let berth = server().berth();
    berth.run("serve_dhcp");
    let server = berth.address().to_string();
    let table = ibft(&berth, link(&berth, 60).leased(&server)).bytes();
    let machine = berth.to(networked());
    // Root is the disk itself.
    let outcome = boot_with(machine.cmdline("ro netroot=iscsi ip=ibft"), &table);
    outcome.assert_root("/dev/sda", "ext4", "ro");
    assert_silent(&outcome);
}

#[test]
fn boot_iscsi_of_firmware_that_left_nothing_ends_with_that() {
    let berth = server().berth();
    let machine = berth.to(networked()).cmdline("root=iscsi");
    machine
        .boot()
        .assert_gave_up(&["the firmware left no iSCSI table (iBFT) with a target in it"]);
}
