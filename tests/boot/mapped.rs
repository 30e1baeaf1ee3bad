//! Mapped devices that the command line spells out (`dm-mod.create=`), made by the real module.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4, EXT4_GPT};
use crate::lab::guest::Machine;
use crate::lab::partitions::partuuid;
use landfall::host::qemu::Bus;

/// Half of [`EXT4`] in sectors.
const HALF: u64 = EXT4.mib * 1024;

/// A table of two pieces.
fn halves(first: &str, second: &str) -> String {
    format!("0 {HALF} linear {first} 0, {HALF} {HALF} linear {second} 0")
}

/// The superblock, and with it the label, is also on the first half alone.
#[test]
fn boot_from_halves_on_two_disks() {
    let [first, second] = disks::halves(&EXT4);
    let table = halves("/dev/vda", "/dev/nvme0n1");
    let outcome = Machine::cloud()
        .scratch(&first, Bus::Virtio)
        .scratch(&second, Bus::Nvme)
        .cmdline(&format!(
            "root=LABEL=harbour ro dm-mod.create=\"my-root,,,rw,{table}\""
        ))
        .boot();
    outcome.assert_root("/dev/mapper/my-root", "ext4", "ro");
    let mut mapped = outcome.list("mapped");
    mapped.sort_unstable();
    let number = |device: &str| {
        let partitions = outcome.fact("partitions");
        let line = partitions.lines().find(|line| line.ends_with(device));
        let mut words = line.unwrap_or_default().split_whitespace();
        format!(
            "{}:{}",
            words.next().unwrap_or("?"),
            words.next().unwrap_or("?")
        )
    };
    let (first, second) = (number("vda"), number("nvme0n1"));
    let mut expected = vec![
        "/dev/mapper/my-root is ../dm-0".to_owned(),
        "my-root  rw live".to_owned(),
        format!("my-root is made of {first}"),
        format!("my-root is made of {second}"),
        format!("my-root: 0 {HALF} linear {first} 0"),
        format!("my-root: {HALF} {HALF} linear {second} 0"),
    ];
    expected.sort_unstable();
    assert_eq!(mapped, expected);
}

#[test]
fn boot_waits_for_the_second_half_of_a_mapping() {
    let [first, second] = disks::halves(&EXT4);
    let table = halves("/dev/vda", "/dev/sda");
    let mut guest = Machine::generic()
        .scratch(&first, Bus::Virtio)
        .scratch(&second, Bus::Usb)
        .unplugged()
        .cmdline(&format!(
            "root=/dev/mapper/whole rootwait dm-mod.create=\"whole,,,ro,{table}\""
        ))
        .start();
    guest.wait_for("root=/dev/mapper/whole is not there yet");
    guest.plug(1);
    guest
        .finish()
        .assert_root("/dev/mapper/whole", "ext4", "ro");
}

#[test]
fn boot_names_the_half_that_is_missing() {
    let [first, _] = disks::halves(&EXT4);
    let mut copies = Copies::new();
    let table = halves("/dev/vda", "PARTUUID=5eedf00d-07");
    let outcome = Machine::cloud()
        .file(&copies.file(&first), Bus::Virtio)
        .cmdline(&format!(
            "root=/dev/dm-0 rd.timeout=3 dm-mod.create=\"whole,,,rw,{table}\""
        ))
        .boot();
    outcome.assert_gave_up(&["mapping whole waits for PARTUUID=5eedf00d-07", "within 3 s"]);
    copies.assert_unchanged();
}

#[test]
fn boot_shows_what_the_kernel_says_of_a_bad_table() {
    let mut copies = Copies::new();
    let table = format!("0 {} linear /dev/vda 0", 8 * HALF);
    let outcome = Machine::cloud()
        .file(&copies.disk(&EXT4), Bus::Virtio)
        .cmdline(&format!(
            "root=/dev/mapper/big rootwait dm-mod.create=\"big,,,rw,{table}\""
        ))
        .boot();
    outcome.assert_gave_up(&[
        "mapping big: load the table of big",
        "device-mapper: table:",
    ]);
    copies.assert_unchanged();
}

/// The mapping is read-only, so root is, whatever `rw` says. Uuid and minor number are given.
#[test]
fn boot_of_a_write_protected_root_is_read_only() {
    let sectors = EXT4_GPT.mib * 2048;
    let partition = partuuid(EXT4_GPT.table).unwrap();
    let table = format!("0 {sectors} linear PARTUUID={partition} 0");
    let outcome = Machine::cloud()
        .disk(&EXT4_GPT, Bus::Virtio)
        .cmdline(&format!(
            "root=/dev/mapper/safe rw dm-mod.create=\"safe,HARBOUR-1,7,ro,{table}\""
        ))
        .boot();
    outcome.assert_root("/dev/mapper/safe", "ext4", "ro");
    let said = |line: &String| line.contains("dm-7 is write-protected: it is mounted read-only");
    outcome.check(
        outcome.lines.iter().any(said),
        "no word about write protection",
    );
    let mapped = outcome.list("mapped");
    assert!(mapped.contains(&"safe HARBOUR-1 ro live"), "{mapped:?}");
}
