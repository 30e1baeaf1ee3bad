//! Encrypted volumes, made by cryptsetup: opened with what a person types, with key files, from
//! damaged and detached headers; and what happens when none of that helps.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4};
use crate::lab::guest::{Guest, Machine};
use crate::lab::workshop::{self, Made, Work};
use landfall::host::qemu::Bus;

/// Every volume holds a copy of [`EXT4`], and opens with `correct horse`.
const VOLUMES: &str = r#"
load dm-mod dm-crypt
printf 'correct horse' > /tmp/pass
few='--pbkdf-force-iterations 1000'
volume() {
    disk=$1
    shift
    cryptsetup luksFormat -q --key-file /tmp/pass "$@" $disk
    cryptsetup open --key-file /tmp/pass $disk inside
    dd if=$F1 of=/dev/mapper/inside bs=1M conv=sparse
    cryptsetup close inside
}
id=11111111-0000-4000-8000-00000000000
volume $D1 --type luks1 $few --uuid ${id}1
volume $D2 --type luks2 --pbkdf pbkdf2 $few --uuid ${id}2
volume $D3 --type luks2 --pbkdf argon2id --pbkdf-memory 65536 --pbkdf-parallel 2 \
    --pbkdf-force-iterations 4 --uuid ${id}3
volume $D4 --type luks2 --pbkdf pbkdf2 $few --uuid ${id}4
# The JSON area of the first copy.
printf 'damage' | dd of=$D4 bs=1 seek=5000 conv=notrunc
"#;

fn volumes() -> Made {
    workshop::make(&Work {
        name: "luks",
        disks: &[96; 4],
        files: &[&disks::file(&EXT4)],
        script: VOLUMES,
    })
}

const UUID: &str = "11111111-0000-4000-8000-00000000000";

/// A machine with the volume of this number.
fn machine(number: usize) -> Machine {
    let made = volumes();
    Machine::cloud()
        .scratch(&made.disks[number - 1], Bus::Virtio)
        .memory(512)
}

/// Types the passphrase when it is asked for.
fn answer(mut guest: Guest, volume: &str) {
    guest.wait_for(&format!("Passphrase of {volume}"));
    guest.press("correct horse\r");
    guest.finish().assert_root("/dev/dm-0", "ext4", "ro");
}

#[test]
fn boot_luks1_named_by_its_uuid_with_a_passphrase() {
    let words = format!("root=LABEL=harbour rd.luks.uuid={UUID}1");
    answer(
        machine(1).cmdline(&words).start(),
        &format!("luks-{UUID}1 (vda)"),
    );
}

#[test]
fn boot_luks2_as_the_container_that_root_names() {
    let words = format!("root=UUID={UUID}2");
    answer(
        machine(2).cmdline(&words).start(),
        &format!("luks-{UUID}2 (vda)"),
    );
}

#[test]
fn boot_luks2_with_argon2_by_the_name_it_gets() {
    let words = format!("root=/dev/mapper/home rd.luks.name={UUID}3=home");
    answer(machine(3).cmdline(&words).start(), "home (vda)");
}

#[test]
fn boot_luks2_whose_first_header_is_damaged_and_nothing_is_written() {
    let made = volumes();
    let mut copies = Copies::new();
    let mut guest = Machine::cloud()
        .file(&copies.file(&made.disks[3]), Bus::Virtio)
        .cmdline("root=LABEL=harbour ro cryptdevice=/dev/vda:cryptroot")
        .start();
    guest.wait_for("Passphrase of cryptroot (vda)");
    guest.press("correct horse\r");
    guest.finish().assert_root("/dev/dm-0", "ext4", "ro");
    copies.assert_unchanged();
}

#[test]
fn boot_any_luks_volume_when_nothing_else_is_left() {
    answer(
        machine(2).cmdline("root=LABEL=harbour").start(),
        &format!("luks-{UUID}2 (vda)"),
    );
}

#[test]
fn boot_luks_with_three_wrong_passphrases_ends_with_the_page() {
    let made = volumes();
    let mut copies = Copies::new();
    let mut guest = Machine::cloud()
        .file(&copies.file(&made.disks[1]), Bus::Virtio)
        .cmdline(&format!("root=/dev/mapper/safe rd.luks.name={UUID}2=safe"))
        .start();
    for wrong in ["wrong", "correct horsf", ""] {
        guest.wait_for("Passphrase of safe (vda)");
        guest.press(&format!("{wrong}\r"));
    }
    guest.finish().assert_gave_up(&[
        "Try 2 of 3",
        "Try 3 of 3",
        "safe (vda) stays closed: none of 3 passphrases opens a key slot",
    ]);
    copies.assert_unchanged();
}
