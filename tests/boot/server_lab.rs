//! The laboratory's servers without landfall: scripts run, berths are apart, and the usual client
//! of each protocol is served.

use crate::lab::disks::{EXT4, XFS, file};
use crate::lab::server::{client, server};

#[test]
fn lab_server_runs_scripts() {
    let server = server();
    assert_eq!(server.run("echo one; echo two >&2"), "one\ntwo\n");
    let long = server.run("seq 100000");
    assert_eq!(long.lines().count(), 100_000);
    assert!(long.ends_with("\n100000\n"));
    let failed = std::panic::catch_unwind(|| server.run("echo before; false; echo after"));
    let said = failed.expect_err("a failure ends the test");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(
        said.contains("\nbefore\n") && !said.contains("\nafter\n"),
        "{said}"
    );
}

#[test]
fn lab_disks_are_plugged_into_the_server() {
    let server = server();
    let [xfs, ext4] = [&XFS, &EXT4].map(|disk| server.disk(&file(disk)));
    assert_eq!(server.disk(&file(&XFS)), xfs);
    for (disk, name) in [(&XFS, xfs), (&EXT4, ext4)] {
        let said = server.run(&format!("blkid -o value -s UUID {name}"));
        assert_eq!(said.trim(), disk.uuid);
    }
}

#[test]
fn lab_berths_are_apart_and_left_empty() {
    let mut berths = server().berths(2);
    let started = "own_disk /berth/disk
        serve_dhcp
        serve_nvme /berth/disk nqn.2026-01.landfall:apart$N
        export_nfs /srv/reporter
        ip link add link $IF name vlan5 type vlan id 5";
    berths.iter().for_each(|berth| _ = berth.run(started));
    let second = berths.pop().expect("two");
    let first = berths.pop().expect("two");
    let number = first.number();
    drop(first);
    let look = "ss -H -ltun; ls /sys/class/net /berth /sys/kernel/config/nvmet/subsystems";
    let said = second.run(look);
    for there in [":67 ", ":2049 ", ":4420 ", "vlan5", "disk\n"] {
        assert!(said.contains(there), "{there}: {said}");
    }
    assert!(!said.contains(&format!("apart{number}")), "{said}");
    drop(second);
    // Whatever berths these are: they are as new.
    for berth in server().berths(2) {
        let said =
            berth.run("ss -H -ltun; ls /sys/class/net /berth /run/started; nft list ruleset");
        assert_eq!(said.split_whitespace().count(), 5, "{said}");
    }
}

#[test]
fn lab_files_are_served_to_the_usual_clients() {
    let berth = server().berth();
    berth.run(
        "serve_dhcp --dhcp-option=option:root-path,a-root
         own_root /berth/root
         export_nfs /srv/reporter ro
         export_nfs /berth/root rw
         serve_cifs /berth/root porter secret",
    );
    let address = berth.address();
    let script = format!(
        "dhclient -1 -v eth0
         ip -4 -br address show dev eth0
         modprobe -a nfs nfsv3 nfsv4 cifs
         mount -t nfs4 {address}:/srv/reporter /mnt; test -e /mnt/sbin/init; umount /mnt
         mount -t nfs -o vers=3,nolock {address}:/berth/root /mnt; touch /mnt/by-nfs; umount /mnt
         mount -t cifs -o username=porter,password=secret //{address}/share /mnt
         touch /mnt/by-cifs"
    );
    let said = client::run(&script, |machine| berth.to(machine));
    assert!(
        said.contains(&format!("10.66.{}.", berth.number())),
        "{said}"
    );
    let made = berth.run("ls /berth/root");
    assert!(
        made.contains("by-nfs") && made.contains("by-cifs"),
        "{made}"
    );
    assert!(berth.log("dhcp").contains("DHCPACK"));
}

#[test]
fn lab_blocks_are_served_to_the_usual_clients() {
    let berth = server().berth();
    berth.run(
        "for each in nbd nvme iscsi aoe; do own_disk /berth/$each; done
         serve_nbd /berth/nbd root
         serve_nbdkit 10810 file /srv/reporter.disk
         serve_nvme /berth/nvme nqn.2026-01.landfall:blocks$N
         serve_iscsi /berth/iscsi iqn.2026-01.landfall:blocks$N porter secret-of-twelve
         serve_aoe /berth/aoe 1 2
         pause nbd; resume nbd; restart nbdkit; ready nbdkit t 10810
         silence tcp 4420; speak",
    );
    let (address, n) = (berth.address(), berth.number());
    let host = berth.host(2);
    let script = format!(
        "ip address add {host}/24 dev eth0; ip link set eth0 up
         modprobe -a nbd nvme_tcp iscsi_tcp sd_mod
         nbd-client {address} -N root /dev/nbd0; blkid -p /dev/nbd0
         nbd-client {address} 10810 -N '' /dev/nbd1; blkid -p /dev/nbd1
         nvme connect -t tcp -a {address} -s 4420 -n nqn.2026-01.landfall:blocks{n}
         wait_until() {{ until \"$@\"; do sleep 0.2; done; }}
         wait_until test -e /dev/nvme1n1; blkid -p /dev/nvme1n1
         iscsistart -i iqn.2026-01.landfall:client -g 1 -a {address} \
            -t iqn.2026-01.landfall:blocks{n} -u porter -w secret-of-twelve
         wait_until test -e /dev/sda; blkid -p /dev/sda
         modprobe aoe
         wait_until test -e /dev/etherd/e1.2; blkid -p /dev/etherd/e1.2"
    );
    let said = client::run(&script, |machine| berth.to(machine));
    assert_eq!(
        said.matches(&format!(": LABEL=\"{}\"", EXT4.label)).count(),
        5,
        "{said}"
    );
}

/// Several NICs on one network, one with no cable; and clients one after the other.
#[test]
fn lab_clients_come_and_go() {
    let berth = server().berth();
    let address = berth.address();
    let script = format!(
        "ip address add {}/24 dev eth0
         for link in /sys/class/net/eth*; do ip link set ${{link##*/}} up; done
         ping -c 3 {address}
         sleep 3
         cat /sys/class/net/eth*/carrier",
        berth.host(2)
    );
    for _ in 0..2 {
        let models = ["virtio-net-pci", "virtio-net-pci"];
        let said = client::run(&script, |machine| {
            berth
                .to_models(machine, &models)
                .loose_nic("virtio-net-pci")
        });
        assert!(said.contains("\n1\n1\n0\n"), "{said}");
    }
}
