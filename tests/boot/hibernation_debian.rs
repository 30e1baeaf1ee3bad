//! A Debian hibernates with its own systemd, into swap space of each kind, and goes on from there.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, DEBIAN, Disk, SWAP};
use crate::lab::guest::{Guest, Machine};
use crate::lab::outcome::Outcome;
use crate::lab::partitions::Table;
use crate::lab::workshop::{self, Made, Work};
use landfall::host::qemu::Bus;
use std::path::{Path, PathBuf};

const PARTITION: Disk = SWAP.mib(512).table(Table::Gpt);

/// Swap space in LUKS, which opens with `correct horse`, and in a group.
const SPACES: &str = "
load dm-mod dm-crypt
printf 'correct horse' > /tmp/pass
cryptsetup luksFormat -q --key-file /tmp/pass --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \\
    --uuid 5eedf00d-0000-4000-8000-0000000000d1 $D1
cryptsetup open --key-file /tmp/pass $D1 berth
mkswap -q /dev/mapper/berth
cryptsetup close berth
pvcreate -q $D2
vgcreate -q harbour $D2
lvcreate -y -q -Wn -Zn -n berth -L 512m harbour
mkswap -q /dev/harbour/berth
lvchange -q -an harbour/berth
";
const LUKS: &str = "rd.luks.name=5eedf00d-0000-4000-8000-0000000000d1=berth";

fn spaces() -> Made {
    workshop::make(&Work {
        name: "hibernation",
        disks: &[532, 520],
        files: &[],
        script: SPACES,
    })
}

/// A Debian on disks of its own, its words, and what opens its swap space.
struct Sleeper {
    _copies: Copies,
    root: PathBuf,
    space: Option<PathBuf>,
    words: String,
    passphrase: bool,
}

impl Sleeper {
    /// `space`: the first disk. `words`: which part of it is swap space.
    fn new(space: Option<&Path>, words: &str) -> Self {
        let mut copies = Copies::new();
        let root = copies.disk(&DEBIAN);
        let space = space.map(|space| copies.file(space));
        Self {
            _copies: copies,
            root,
            space,
            words: words.into(),
            passphrase: false,
        }
    }

    /// Boots with what makes its swap space, and `words`.
    fn start(&self, words: &str) -> Guest {
        let mut machine = Machine::cloud();
        if let Some(space) = &self.space {
            machine = machine.file(space, Bus::Virtio);
        }
        machine = machine.file(&self.root, Bus::Virtio);
        let words = format!("root=UUID={} rw {} {words}", DEBIAN.uuid, self.words);
        let mut guest = machine.cmdline(&words).memory(512).patience(900).start();
        if self.passphrase {
            guest.wait_for("Passphrase of berth");
            guest.press("correct horse\r");
        }
        guest
    }

    /// Boots, does `before` and hibernates. What it tells then.
    fn sleep(&self, words: &str, before: &str) -> Outcome {
        let script = format!(
            "({before}) > /dev/ttyS1 2>&1; cat /proc/sys/kernel/random/boot_id > /run/before; \
             /lib/systemd/systemd-sleep hibernate > /run/why 2>&1; \
             (cat /run/why; cmp /run/before /proc/sys/kernel/random/boot_id && echo awake; \
             cat /proc/swaps; head -1 /usr/share/common-licenses/BSD) > /dev/ttyS1 2>&1; sleep 2"
        );
        let outcome = self
            .start(&format!("{words} systemd.run=\"/bin/sh -c '{script}'\""))
            .finish();
        let asleep = outcome.ended && !outcome.report.contains("Regents");
        outcome.check(asleep, &format!("it did not hibernate: {}", outcome.report));
        outcome
    }

    /// Goes on, and knows what it knew. Before that nothing was mounted.
    fn wake(&self, words: &str) {
        let outcome = self
            .start(&format!("{words} landfall.trace=/dev/ttyS1"))
            .finish();
        let report = &outcome.report;
        outcome.check(!report.contains(" > mount "), report);
        outcome.check(report.contains(" > resume "), report);
        outcome.check(report.contains("\nawake\n"), report);
        outcome.check(report.contains("Regents of the University"), report);
        outcome.check(outcome.ended, "Debian did not switch off");
    }
}

#[test]
fn boot_debian_that_hibernated_on_a_partition() {
    let words = format!("resume=UUID={}", PARTITION.uuid);
    let sleeper = Sleeper::new(Some(&disks::file(&PARTITION)), &words);
    sleeper.sleep("", "swapon /dev/vda2");
    sleeper.wake("");
}

#[test]
fn boot_debian_that_hibernated_in_a_volume_of_lvm() {
    let made = spaces();
    let sleeper = Sleeper::new(Some(&made.disks[1]), "");
    // This Debian has no lvm of its own: it sleeps in the same place by another name.
    let place = "dm-mod.create=\"berth,,,rw,0 1048576 linear /dev/vda 2048\"";
    sleeper.sleep(place, "swapon /dev/dm-0");
    sleeper.wake("resume=/dev/harbour/berth");
}

#[test]
fn boot_debian_that_hibernated_in_luks() {
    let made = spaces();
    let words = format!("{LUKS} resume=/dev/mapper/berth");
    let mut sleeper = Sleeper::new(Some(&made.disks[0]), &words);
    sleeper.passphrase = true;
    sleeper.sleep("", "swapon /dev/dm-0");
    sleeper.wake("");
}

#[test]
fn boot_debian_that_hibernated_in_a_swap_file() {
    let resume = format!("resume=UUID={}", DEBIAN.uuid);
    let sleeper = Sleeper::new(None, &resume);
    let outcome = sleeper.sleep(
        "",
        "dd if=/dev/zero of=/space bs=1M count=400 status=none; chmod 600 /space; mkswap -q /space; \
         swapon /space; filefrag -v -b4096 /space",
    );
    // `   0:        0..   32767:      34816..     67583:  32768:             unwritten`
    let first = outcome
        .report
        .lines()
        .find(|line| line.trim_start().starts_with("0:"));
    let offset = first.and_then(|line| line.split(':').nth(2)?.split("..").next());
    let offset = offset
        .unwrap_or_else(|| outcome.fail(&outcome.report))
        .trim();
    sleeper.wake(&format!("resume_offset={offset}"));
}
