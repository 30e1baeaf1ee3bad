//! Volumes and arrays on the way to root: seen through, started, mounted.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::workshop::{self, Made, Work};
use landfall::host::qemu::Bus;

/// Root's file system goes where `$ROOT` is.
fn made(name: &str, disks: &[u64], script: &str) -> Made {
    workshop::make(&Work {
        name,
        disks,
        files: &[&disks::file(&EXT4)],
        script: &format!("{script}\ndd if=$F1 of=$ROOT bs=1M conv=fsync status=none\nsync\n"),
    })
}

fn boots(made: &Made, words: &str) -> Outcome {
    let mut copies = Copies::new();
    let mut machine = Machine::generic().cmdline(words);
    for disk in &made.disks {
        machine = machine.file(&copies.file(disk), Bus::Virtio);
    }
    let outcome = machine.boot();
    outcome.assert_reached();
    outcome
}

const VOLUME: &str = "vgcreate -q my-vg $D1 $D2
lvcreate -y -q -Wn -Zn -n other -l 2 my-vg $D1
lvcreate -y -q -Wn -Zn -n root -L 40m my-vg $D1
lvextend -q -L 80m my-vg/root $D2
ROOT=/dev/my-vg/root";

#[test]
fn boot_from_a_volume_on_two_disks() {
    let made = made("stack-linear", &[64, 64], VOLUME);
    boots(&made, &format!("root=UUID={}", EXT4.uuid));
    boots(&made, "root=/dev/my-vg/root");
    boots(&made, "root=/dev/mapper/my--vg-root");
}

const MIRROR: &str = "mdadm --create /dev/md5 --run --homehost=any --name=5 -l1 -n2 $D1 $D2
mdadm --wait /dev/md5 || true
ROOT=/dev/md5";

#[test]
fn boot_from_a_mirror_of_md() {
    let made = made("stack-md1", &[96, 96], MIRROR);
    boots(&made, &format!("root=UUID={}", EXT4.uuid));
    boots(&made, "root=/dev/md5");
}

#[test]
fn boot_from_what_cannot_be_looked_through() {
    let script = "mdadm --create /dev/md5 --run --homehost=any --name=5 -l5 -n3 $D1 $D2 $D3
mdadm --wait /dev/md5 || true
pvcreate -q /dev/md5
vgcreate -q vg /dev/md5
lvcreate -y -q --type thin-pool -n pool -L 88m vg
lvcreate -y -q -V 80m --thinpool pool -n root vg
ROOT=/dev/vg/root";
    let made = made("stack-thin-md5", &[64, 64, 64], script);
    boots(&made, &format!("root=UUID={}", EXT4.uuid));
}

/// The mirror waits for its other half, and then starts without.
#[test]
fn boot_a_mirror_without_its_other_half() {
    let mut made = made("stack-md1", &[96, 96], MIRROR);
    made.disks.truncate(1);
    let words = format!("root=UUID={} landfall.degraded=2", EXT4.uuid);
    let outcome = boots(&made, &words);
    let said = |line: &String| line.contains("lacks its member 1: it starts without");
    outcome.check(outcome.lines.iter().any(said), "what is missing");
}
