//! A small system hibernates, and goes on where it was; nothing was written in between. Debian's
//! turn is in `hibernation_debian`.

use crate::lab::copies::Copies;
use crate::lab::disks::{BUSYBOX, Disk, SWAP};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::server::living::{by_shell, section, told};
use landfall::host::qemu::Bus;
use std::path::{Path, PathBuf};

/// Large enough for the memory of a guest.
const SPACE: Disk = SWAP.mib(512);

/// A file is written, so that the journal of root would have to be replayed. What the shell knew
/// before is what it tells then.
const SLEEPS: &str = "$b swapon /dev/vdb; echo here > /file; $b sync; known=$$;
    echo sleeps-$((1+1)); echo disk > /sys/power/state;
    tell woke echo $known;";

const WORDS: &str = "tell words cat /proc/cmdline;";

/// Root and swap space.
fn disks() -> (Copies, PathBuf, PathBuf) {
    let mut copies = Copies::new();
    let (root, space) = (copies.disk(&BUSYBOX), copies.disk(&SPACE));
    (copies, root, space)
}

fn machine(root: &Path, space: &Path, words: &str) -> Machine {
    Machine::cloud()
        .file(root, Bus::Virtio)
        .file(space, Bus::Virtio)
        .cmdline(&format!("root=UUID={}", BUSYBOX.uuid))
        .cmdline(words)
}

/// `resume=` for the space, and what else.
fn from_space(words: &str) -> String {
    format!("rw resume=UUID={} {words}", SPACE.uuid)
}

/// Boots, and hibernates.
fn hibernate(root: &Path, space: &Path) {
    let script = by_shell(&format!("{SLEEPS} {WORDS}"));
    let mut guest = machine(root, space, &from_space(&format!("once {script}"))).start();
    guest.wait_for("sleeps-2");
    let outcome = guest.finish();
    outcome.check(outcome.ended, "it did not switch itself off");
}

/// It is the system that hibernated, and landfall booted none.
#[track_caller]
fn assert_awake(outcome: &Outcome) {
    outcome.check(outcome.ended, "it did not switch itself off");
    assert_eq!(section(outcome, "woke").trim(), "1");
    let words = section(outcome, "words");
    assert!(words.contains(" once "), "{words}");
}

#[test]
fn boot_goes_on_where_it_hibernated_and_writes_nothing_before() {
    let (_copies, root, space) = disks();
    hibernate(&root, &space);
    let mut asleep = Copies::new();
    let root = asleep.file(&root);
    assert_awake(&machine(&root, &space, &from_space("twice")).boot());
    // Nothing was left to be written by the one that woke: a mount would have replayed the journal.
    asleep.assert_unchanged();
}

#[test]
fn boot_anew_where_that_was_asked() {
    let (_copies, root, space) = disks();
    hibernate(&root, &space);
    let mut asleep = Copies::new();
    let (root, kept) = (asleep.file(&root), asleep.file(&space));
    let anew = format!("ro noresume {}", by_shell(WORDS));
    let outcome = machine(&root, &kept, &from_space(&anew)).boot();
    assert!(told(&outcome, "words").contains(" noresume "));
    let replayed = "EXT4-fs (vda): recovery complete";
    outcome.check(outcome.lines.iter().any(|l| l.contains(replayed)), replayed);
}

#[test]
fn boot_waits_a_while_for_a_place_that_is_not_there() {
    let (copies, root, space) = disks();
    let words = format!("ro resume=LABEL=nowhere resumedelay=2 {}", by_shell(WORDS));
    let outcome = machine(&root, &space, &words).boot();
    let gone = "resume=LABEL=nowhere did not appear: the boot goes on";
    outcome.check(outcome.lines.iter().any(|l| l.contains(gone)), gone);
    assert!(told(&outcome, "words").contains("nowhere"));
    copies.assert_unchanged();
}

/// The header says that there is an image; the kernel finds none that it can go on with.
#[test]
fn boot_anew_where_the_kernel_cannot_go_on() {
    let (_copies, root, space) = disks();
    hibernate(&root, &space);
    damage(&space);
    let anew = from_space(&by_shell(WORDS));
    let outcome = machine(&root, &space, &anew).boot();
    assert!(!told(&outcome, "words").contains(" once "));
    let said = " was not resumed: ";
    outcome.check(outcome.lines.iter().any(|l| l.contains(said)), said);
}

/// Changes the image behind its first page: its checksum does not hold any more.
fn damage(space: &Path) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options().write(true).open(space);
    let zeros = vec![0; 8 << 20];
    file.expect("a disk")
        .write_all_at(&zeros, 4096)
        .expect("space");
}
