//! Encrypted volumes, made by cryptsetup: opened with what a person types and with key files, from
//! damaged and detached headers, with ciphers of all kinds; and what happens when nothing helps.
//!
//! Each volume that was opened is mapped as cryptsetup mapped it: name, UUID, table, to the letter.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, EXT4};
use crate::lab::guest::{Guest, Machine};
use crate::lab::images;
use crate::lab::outcome::Outcome;
use crate::lab::workshop::{self, Made, Work};
use landfall::host::qemu::Bus;
use std::fs;
use std::path::PathBuf;

/// Every volume holds a copy of [`EXT4`], and opens with `correct horse` and with the file on D5,
/// whose journal is to be replayed.
const VOLUMES: &str = r#"
load dm-mod dm-crypt dm-integrity
printf 'correct horse' > /tmp/pass
seq 1 200 > /tmp/key
few='--pbkdf-force-iterations 1000'
fast="--pbkdf pbkdf2 $few"
volume() {
    name=$1 disk=$2 open=$3
    shift 3
    cryptsetup luksFormat -q --key-file /tmp/pass "$@" $disk
    cryptsetup luksAddKey -q $fast --key-file /tmp/pass ${header:+--header $header} $disk /tmp/key
    cryptsetup open --key-file /tmp/pass ${header:+--header $header} $open $disk $name
    dd if=$F1 of=/dev/mapper/$name bs=1M status=none
    echo "== $name"
    for d in $name ${name}_dif; do
        dmsetup info -c --noheadings -o uuid $d 2> /dev/null || continue
        dmsetup table --showkeys $d | by_name
    done
    cryptsetup close $name
}
id=11111111-0000-4000-8000-00000000000
header=
volume luks-${id}1 $D1 '' --type luks1 $few --uuid ${id}1
volume luks-${id}2 $D2 '--allow-discards --persistent' --type luks2 $fast --uuid ${id}2
volume home $D3 '' --type luks2 --pbkdf argon2id --pbkdf-memory 65536 --pbkdf-parallel 2 \
    --pbkdf-force-iterations 4 --uuid ${id}3
volume cryptroot $D4 '' --type luks2 $fast --uuid ${id}4
# The JSON area of the first copy.
printf 'damage' | dd of=$D4 bs=1 seek=5000 conv=notrunc
volume snake $D6 '' --type luks2 $fast --cipher serpent-xts-plain64 --uuid ${id}6
volume tagged $D7 '' --type luks2 $fast --integrity hmac-sha256 --uuid ${id}7
header=$D8
volume apart $D9 '' --type luks2 $fast --header $D8 --uuid ${id}8
mkfs.ext4 -q -L STICK $D5
mkdir /tmp/stick
mount $D5 /tmp/stick
mkdir /tmp/stick/keys
cp /tmp/key /tmp/stick/keys/home
sync
"#;

const MIB: [u64; 9] = [96, 96, 96, 96, 8, 96, 112, 16, 80];

fn volumes() -> Made {
    workshop::make(&Work {
        name: "luks",
        disks: &MIB,
        files: &[&disks::file(&EXT4)],
        script: VOLUMES,
    })
}

const UUID: &str = "11111111-0000-4000-8000-00000000000";
/// The disk with the key.
const STICK: usize = 5;

fn disk(number: usize) -> PathBuf {
    volumes().disks[number - 1].clone()
}

/// A machine with the volume of this number.
fn machine(number: usize) -> Machine {
    let disk = disk(number);
    Machine::cloud().scratch(&disk, Bus::Virtio).memory(512)
}

/// The number of a disk of the guest, as the kernel counts it.
fn number(outcome: &Outcome, device: &str) -> String {
    let partitions = outcome.fact("partitions");
    let line = partitions.lines().find(|line| line.ends_with(device));
    let mut words = line.unwrap_or_default().split_whitespace();
    let mut word = || words.next().unwrap_or("?");
    format!("{}:{}", word(), word())
}

/// Root is in the volume, which is mapped as cryptsetup mapped it on the disks that the workshop
/// calls so.
#[track_caller]
fn check(outcome: &Outcome, volume: &str, disk: (&str, &str)) {
    let made = volumes();
    let ours = |line: &&str| line.starts_with("CRYPT-") || line.starts_with("0 ");
    let mut lines = made.section(volume).lines().filter(ours);
    let mapped = outcome.list("mapped");
    let mut at = 0;
    while let (Some(uuid), Some(table)) = (lines.next(), lines.next()) {
        let name = format!("{volume}{}", ["", "_dif"][at]);
        at += 1;
        let below = number(outcome, disk.1);
        let table = table.replace(&format!("<{}>", disk.0), &below);
        // The tags are made first, and so have the lower number.
        let table = table.replace(&format!("<{volume}_dif>"), &number(outcome, "dm-0"));
        for line in [format!("{name} {uuid} rw live"), format!("{name}: {table}")] {
            let there = mapped.contains(&line.as_str());
            outcome.check(there, &format!("no {line:?} among {mapped:#?}"));
        }
    }
    outcome.assert_root(&format!("/dev/mapper/{volume}"), "ext4", "ro");
    let link = format!("/dev/mapper/{volume} is ../dm-{}", at - 1);
    outcome.check(mapped.contains(&link.as_str()), "no link");
}

/// Types the passphrase when it is asked for.
fn answer(mut guest: Guest, volume: &str) -> Outcome {
    guest.wait_for(&format!("Passphrase of {volume} (vda)"));
    guest.press("correct horse\r");
    guest.finish()
}

#[test]
fn boot_luks1_named_by_its_uuid_with_a_passphrase() {
    let (words, name) = (
        format!("root=LABEL=harbour rd.luks.uuid={UUID}1"),
        format!("luks-{UUID}1"),
    );
    let outcome = answer(machine(1).cmdline(&words).start(), &name);
    check(&outcome, &name, ("D1", "vda"));
    let trace = outcome.fact("trace");
    outcome.check(!trace.contains("correct"), "the trace holds the secret");
}

/// What is in an open volume is not for whoever is at the console.
#[test]
fn boot_opens_no_rescue_console_once_a_volume_is_open() {
    let words = format!(
        "root=LABEL=harbour rd.luks.uuid={UUID}1 rd.break init=/nowhere landfall.rescue=on \
         rd.shell=0 panic=-1"
    );
    let outcome = answer(machine(1).cmdline(&words).start(), &format!("luks-{UUID}1"));
    outcome.assert_gave_up(&["holds no init to run", "is open: no rescue console"]);
    let prompt = outcome.lines.iter().any(|line| line.contains("rescue: "));
    outcome.check(!prompt, "a console that nobody may have");
}

#[test]
fn boot_luks2_as_the_container_that_root_names() {
    let (words, name) = (format!("root=UUID={UUID}2"), format!("luks-{UUID}2"));
    let outcome = answer(machine(2).cmdline(&words).start(), &name);
    check(&outcome, &name, ("D2", "vda"));
}

#[test]
fn boot_luks2_with_argon2_by_the_name_it_gets() {
    let words = format!("root=/dev/mapper/home rd.luks.name={UUID}3=home");
    let outcome = answer(machine(3).cmdline(&words).start(), "home");
    check(&outcome, "home", ("D3", "vda"));
}

#[test]
fn boot_luks2_whose_first_header_is_damaged_and_nothing_is_written() {
    let mut copies = Copies::new();
    let guest = Machine::cloud()
        .file(&copies.file(&disk(4)), Bus::Virtio)
        .cmdline("root=LABEL=harbour ro rootflags=noload cryptdevice=/dev/vda:cryptroot")
        .start();
    let outcome = answer(guest, "cryptroot");
    check(&outcome, "cryptroot", ("D4", "vda"));
    let said = |line: &String| line.contains("its second header is used");
    outcome.check(outcome.lines.iter().any(said), "no word about the damage");
    copies.assert_unchanged();
}

/// The key slot is encrypted with what only the kernel knows.
#[test]
fn boot_luks2_with_another_cipher() {
    let words = format!("root=LABEL=harbour rd.luks.name={UUID}6=snake");
    let guest = Machine::generic()
        .scratch(&disk(6), Bus::Virtio)
        .cmdline(&words)
        .start();
    check(&answer(guest, "snake"), "snake", ("D6", "vda"));
}

#[test]
fn boot_luks2_with_tags() {
    let words = format!("root=LABEL=harbour rd.luks.name={UUID}7=tagged");
    let outcome = answer(machine(7).cmdline(&words).start(), "tagged");
    check(&outcome, "tagged", ("D7", "vda"));
}

#[test]
fn boot_luks2_with_its_header_on_another_device() {
    let words =
        format!("root=LABEL=harbour rd.luks.name={UUID}8=apart rd.luks.data={UUID}8=/dev/vda");
    let machine = machine(9).scratch(&disk(8), Bus::Virtio);
    let outcome = answer(machine.cmdline(&words).start(), "apart");
    check(&outcome, "apart", ("D9", "vda"));
}

#[test]
fn boot_any_luks_volume_when_nothing_else_is_left() {
    let name = format!("luks-{UUID}2");
    let outcome = answer(machine(2).cmdline("root=LABEL=harbour").start(), &name);
    check(&outcome, &name, ("D2", "vda"));
}

/// A file for an image, by its name and contents.
fn file(name: &str, text: &str) -> String {
    let at = crate::lab::shelf::made("files", name, text.as_bytes(), |at| {
        fs::write(at, text).expect("a writable target directory");
    });
    at.display().to_string()
}

fn key() -> String {
    let lines: Vec<String> = (1..=200).map(|n| format!("{n}\n")).collect();
    lines.concat()
}

/// The image names volume and key; nobody is asked.
#[test]
fn boot_luks_with_crypttab_and_key_of_the_image() {
    let crypttab = format!("home UUID={UUID}3 /etc/key luks,x-initrd.attach\n");
    let key = format!("{}:/etc/key", file("luks-key", &key()));
    let crypttab = format!("{}:/etc/crypttab", file("crypttab", &crypttab));
    let machine = machine(3).cmdline("root=LABEL=harbour");
    let options = ["--add-file", &key, "--add-file", &crypttab];
    let image = images::image_with(&machine.kernel, "cloud-crypttab", &options);
    let outcome = machine.image(image).boot();
    check(&outcome, "home", ("D3", "vda"));
    let asked = outcome.lines.iter().any(|line| line.contains("Passphrase"));
    outcome.check(!asked, "somebody was asked");
}

/// The question is taken back when the stick is there, and the stick's journal is left as it was.
#[test]
fn boot_luks_with_a_key_on_a_stick_that_is_plugged_in_later() {
    let mut copies = Copies::new();
    let mut guest = Machine::generic()
        .scratch(&disk(3), Bus::Virtio)
        .file(&copies.file(&disk(STICK)), Bus::Usb)
        .unplugged()
        .cmdline(&format!("root=/dev/mapper/home rd.luks.name={UUID}3=home"))
        .cmdline(&format!("rd.luks.key={UUID}3=/keys/home:LABEL=STICK"))
        .start();
    guest.wait_for("Passphrase of home (vda)");
    guest.press("half an ans");
    guest.plug(1);
    let outcome = guest.finish();
    let taken_back = |line: &String| line.contains("*********** (not needed any more)");
    outcome.check(outcome.lines.iter().any(taken_back), "it was still asked");
    check(&outcome, "home", ("D3", "vda"));
    copies.assert_unchanged();
}

/// A key that is part of a device.
#[test]
fn boot_luks_with_a_key_in_the_bytes_of_a_device() {
    let text = format!("{}{}", "x".repeat(512), key());
    let mut bytes = text.clone().into_bytes();
    bytes.resize(4096, b'y');
    let device = file("luks-key-device", &String::from_utf8(bytes).expect("ASCII"));
    let size = key().len();
    let words =
        format!("root=LABEL=harbour cryptdevice=UUID={UUID}3:home cryptkey=/dev/vdb:512:{size}");
    let machine = machine(3).scratch(device.as_ref(), Bus::Virtio);
    check(&machine.cmdline(&words).boot(), "home", ("D3", "vda"));
}

/// One passphrase for all: it is asked for once.
#[test]
fn boot_asks_once_for_two_luks_volumes() {
    let words = format!("root=LABEL=harbour rd.luks.uuid={UUID}1 rd.luks.name={UUID}6=snake");
    let mut guest = Machine::generic()
        .scratch(&disk(1), Bus::Virtio)
        .scratch(&disk(6), Bus::Nvme)
        .cmdline(&words)
        .start();
    guest.wait_for("Passphrase of ");
    // Edited on the way.
    guest.press("correct hoarse\x7f\x7f\x7f\x7frse\x17horse\r");
    let outcome = guest.finish();
    outcome.assert_reached();
    let links = outcome.list("mapped").into_iter();
    let volumes = links
        .filter(|line| line.starts_with("/dev/mapper/"))
        .count();
    outcome.check(volumes == 2, "both are to be open");
    let asks = outcome.fact("trace").lines();
    let asks = asks.filter(|line| line.contains(" > ask ")).count();
    outcome.check(asks == 1, "one question is enough");
}

#[test]
fn boot_luks_with_three_wrong_passphrases_ends_with_the_page() {
    let mut copies = Copies::new();
    let mut guest = Machine::cloud()
        .file(&copies.file(&disk(2)), Bus::Virtio)
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
