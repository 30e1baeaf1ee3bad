//! The kernel checks signatures, and a module makes that faster: it comes first, and nothing hangs
//! on it.

use crate::lab::by_hand::{self, Image, VIRTIO_EXT4};
use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;

const SIGNED: Image = Image {
    name: "signed",
    modules: &["virtio_pci", "virtio_blk", "ext4", "sha256-ssse3"],
    ..VIRTIO_EXT4
};

fn boot(image: &Image, words: &str) -> Outcome {
    let machine = Machine::generic();
    let image = by_hand::image(&machine.kernel, image);
    let root = format!("root=UUID={} ro {words}", EXT4.uuid);
    let machine = machine.image(image).disk(&EXT4, Bus::Virtio);
    let outcome = machine.cmdline(&root).boot();
    outcome.assert_root("/dev/vda", "ext4", "ro");
    outcome
}

/// Lines of the trace between the first load and its answer.
fn meanwhile(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.fact("trace").lines();
    let from_first = lines.skip_while(|l| !l.contains(" > load "));
    let answer = |l: &str| l.contains(" < loaded ") || l.contains(" < load-failed ");
    from_first.skip(1).take_while(|l| !answer(l)).collect()
}

#[test]
fn boot_loads_the_accelerated_hash_before_all_others() {
    let outcome = boot(&SIGNED, "");
    outcome.assert_module("sha256_ssse3");
    let loads = outcome.loads();
    assert_eq!(loads.begun[0], "sha256_ssse3", "{loads:?}");
    assert!(loads.failed.is_empty(), "{loads:?}");
    let meanwhile = meanwhile(&outcome);
    let others = meanwhile.iter().any(|l| l.contains(" > load "));
    assert!(!others, "{meanwhile:?}");
    let said = " < signatures sha256 faster=sha256_ssse3";
    assert!(outcome.fact("trace").contains(said));
}

#[test]
fn boot_goes_on_without_an_accelerated_hash_that_is_damaged() {
    let image = Image {
        name: "signed-damaged",
        damaged: &["sha256_ssse3"],
        ..SIGNED
    };
    let outcome = boot(&image, "");
    let loads = outcome.loads();
    assert_eq!(loads.begun[0], "sha256_ssse3", "{loads:?}");
    assert_eq!(loads.failed.len(), 1, "{loads:?}");
    let loaded = outcome.fact("modules");
    assert!(!loaded.contains("sha256_ssse3"), "{loaded}");
}

#[test]
fn boot_leaves_the_accelerated_hash_alone_where_it_is_blacklisted() {
    let outcome = boot(&SIGNED, "modprobe.blacklist=sha256_ssse3");
    let loads = outcome.loads();
    assert!(!loads.begun.contains(&"sha256_ssse3".into()), "{loads:?}");
}
