//! A small system hibernates, and goes on where it was; nothing was written in between. Debian's
//! turn is in `hibernation_debian`.

use crate::lab::copies::Copies;
use crate::lab::disks::{self, BUSYBOX, Disk, SWAP};
use crate::lab::esp;
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::server::living::{by_shell, section, told};
use crate::lab::workshop::{self, Work};
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
fn asleep_on() -> (Copies, PathBuf, PathBuf) {
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

/// Words for a system that hibernates.
fn sleeping() -> String {
    from_space(&format!("once {}", by_shell(&format!("{SLEEPS} {WORDS}"))))
}

/// Words for a boot that goes on: it tells what it does while it does it.
fn waking() -> String {
    from_space("twice landfall.trace=/dev/ttyS1")
}

#[track_caller]
fn assert_sleeps(outcome: &Outcome) {
    let said = |line: &String| line.contains("sleeps-2");
    let asleep = outcome.ended && outcome.lines.iter().any(said);
    outcome.check(asleep, "it did not switch itself off");
}

/// Boots, and hibernates.
fn hibernate(root: &Path, space: &Path) {
    assert_sleeps(&machine(root, space, &sleeping()).boot());
}

/// It is the system that hibernated, and landfall booted none.
#[track_caller]
fn assert_awake(outcome: &Outcome) {
    outcome.check(outcome.ended, "it did not switch itself off");
    let writes = |line: &str| line.contains(" > mount ") || line.contains(" > map ");
    let report = &outcome.report;
    outcome.check(report.contains(" > resume "), report);
    outcome.check(!report.lines().any(writes), report);
    assert_eq!(section(outcome, "woke").trim(), "1");
    let words = section(outcome, "words");
    assert!(words.contains(" once "), "{words}");
}

#[test]
fn boot_goes_on_where_it_hibernated_and_writes_nothing_before() {
    let (_copies, root, space) = asleep_on();
    hibernate(&root, &space);
    let mut asleep = Copies::new();
    let root = asleep.file(&root);
    assert_awake(&machine(&root, &space, &waking()).boot());
    // Nothing was left to be written by the one that woke: a mount would have replayed the journal.
    asleep.assert_unchanged();
}

#[test]
fn boot_anew_where_that_was_asked() {
    let (_copies, root, space) = asleep_on();
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
    let (copies, root, space) = asleep_on();
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
    let (_copies, root, space) = asleep_on();
    hibernate(&root, &space);
    damage(&space);
    let anew = from_space(&by_shell(WORDS));
    let outcome = machine(&root, &space, &anew).boot();
    assert!(!told(&outcome, "words").contains(" once "));
    let said = " was not resumed: ";
    outcome.check(outcome.lines.iter().any(|l| l.contains(said)), said);
}

/// A root in a pool, whose metadata is written as soon as that starts.
const THIN: &str = "
load dm-mod dm-thin-pool
pvcreate -q $D1
vgcreate -q harbour $D1
lvcreate -y -q --type thin-pool -n pool -L 80m harbour
lvcreate -y -q -V 64m --thinpool pool -n root harbour
dd if=$F1 of=/dev/harbour/root bs=1M status=none
sync
vgchange -q -an harbour
";

#[test]
fn boot_goes_on_before_a_pool_starts_that_would_write() {
    let made = workshop::make(&Work {
        name: "hibernation-thin",
        disks: &[112],
        files: &[&disks::file(&BUSYBOX)],
        script: THIN,
    });
    let mut copies = Copies::new();
    let (root, space) = (copies.file(&made.disks[0]), copies.disk(&SPACE));
    let machine = |words: &str| machine(&root, &space, words);
    assert_sleeps(&machine(&sleeping()).boot());
    assert_awake(&machine(&waking()).boot());
}

/// What writes this to a file of efivarfs, in one piece: attributes, and UTF-16.
fn written_to_efi(text: &str, name: &str) -> String {
    let units: String = text.bytes().map(|b| format!("\\{b:o}\\0")).collect();
    format!("$b printf '\\7\\0\\0\\0{units}' > {EFI_VARIABLES}/{name};")
}

const EFI_VARIABLES: &str = "/sys/firmware/efi/efivars";

/// As systemd 254 and later leave it; the command line says nothing.
#[test]
fn boot_goes_on_where_a_variable_of_efi_says() {
    let (_copies, root, space) = asleep_on();
    let mut flash = Copies::new();
    let flash = flash.file(Path::new(esp::VARIABLES));
    let machine = |words: &str| {
        let machine = machine(&root, &space, words);
        machine.words(&esp::firmware_with(&flash).each_ref().map(String::as_str))
    };
    let place = format!("{{\"uuid\":\"{}\",\"offset\":0}}", SPACE.uuid);
    let name = "HibernateLocation-8cf2644b-4b0b-428f-9387-6d876050dc67";
    let script = format!(
        "$b mount -t efivarfs none {EFI_VARIABLES}; {} {SLEEPS} {WORDS}",
        written_to_efi(&place, name)
    );
    assert_sleeps(&machine(&format!("rw once {}", by_shell(&script))).boot());
    assert_awake(&machine("rw twice landfall.trace=/dev/ttyS1").boot());
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
