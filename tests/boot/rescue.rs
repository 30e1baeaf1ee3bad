//! The rescue console: a boot is repaired at it and goes on, on a serial line and at a keyboard; it
//! stops where that is asked for, and stays closed once a volume is open.

use crate::lab::disks::{EMPTY, EXT4};
use crate::lab::guest::{Guest, Machine};
use landfall::host::qemu::Bus;

const PROMPT: &str = "rescue: ";

/// Types a command and waits for what it shows, which must not be in the command itself.
fn ask(guest: &mut Guest, command: &str, answer: &str) {
    guest.press(&format!("{command}\r"));
    guest.wait_for(answer);
    guest.wait_for(PROMPT);
}

#[test]
fn boot_is_repaired_at_the_rescue_console() {
    let mut guest = Machine::generic()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbor ro rd.timeout=5 landfall.rescue=on")
        .start();
    guest.wait_for("asked:");
    guest.wait_for("help lists what can be done here");
    guest.wait_for(PROMPT);
    ask(&mut guest, "help", "restarts the machine");
    ask(&mut guest, "devices", "ext4");
    ask(&mut guest, "log", "nearest: vda");
    ask(&mut guest, "trace", "> page line=");
    ask(&mut guest, "cmdline", "landfall.rescue=on");
    ask(&mut guest, "lunch", "is no command");
    ask(&mut guest, "shell", "opens only where rd.shell allows it");
    ask(
        &mut guest,
        "root lunch",
        "is no device reference known here",
    );
    guest.press("root LABEL=harbour ro\r");
    let outcome = guest.finish();
    let twice = |line: &String| line.contains("landfall: landfall:");
    outcome.check(
        !outcome.lines.iter().any(twice),
        "the log is shown as it is",
    );
    outcome.assert_root("/dev/vda", "ext4", "ro");
}

/// The screen cannot be seen from here, but the disk's root is run only if the keys arrived.
#[test]
fn boot_is_repaired_at_a_keyboard() {
    let mut guest = Machine::generic()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("console=tty0 root=LABEL=harbor ro rd.timeout=5 landfall.rescue=on")
        .qemu("-vga std")
        .start();
    guest.wait_for(PROMPT);
    guest.type_until("devices\n", "ext4");
    guest.type_until("root LABEL=harbour ro\n", "handing over to");
    guest.finish().assert_root("/dev/vda", "ext4", "ro");
}

#[test]
fn boot_stops_where_it_is_asked_to() {
    let mut guest = Machine::generic()
        .disk(&EXT4, Bus::Virtio)
        .cmdline("root=LABEL=harbour ro rd.break=cmdline break rd.break")
        .start();
    for place in [
        "before anything is looked for",
        "before root is mounted",
        "before root's init is run",
    ] {
        guest.wait_for(place);
        guest.wait_for(PROMPT);
        guest.press("go\r");
    }
    guest.finish().assert_root("/dev/vda", "ext4", "ro");
}

/// Nobody is there: the policy is followed.
#[test]
fn boot_ends_though_nobody_touches_the_rescue_console() {
    let outcome = Machine::generic()
        .disk(&EMPTY, Bus::Virtio)
        .cmdline("root=LABEL=empty landfall.rescue=3 panic=-1")
        .boot();
    outcome.assert_gave_up(&["holds no init to run", "nobody is at the rescue console"]);
}
