//! A shell after a failure: only where it was allowed, with job control, and the boot goes on
//! when it is left.

use crate::lab::disks::{EXT4, XFS};
use crate::lab::guest::{Guest, Machine};
use crate::lab::outcome::Outcome;
use crate::lab::{images, roots};
use landfall::host::qemu::Bus;
use std::path::PathBuf;

/// What busybox's shell says when it is somebody's.
const BANNER: &str = "built-in shell (ash)";
pub const PROMPT: &str = "/ # ";

/// The generic image with busybox in it.
fn machine() -> Machine {
    let machine = Machine::generic();
    let image = image(&machine);
    machine.image(image)
}

fn image(machine: &Machine) -> PathBuf {
    let busybox = roots::busybox_program(machine.kernel.arch());
    let add = format!("{}:/bin/busybox", busybox.display());
    images::image_with(&machine.kernel, "generic-shell", &["--add-file", &add])
}

/// Types a command and waits for what it prints, which must not be in the command itself.
pub fn ask(guest: &mut Guest, command: &str, answer: &str) {
    guest.press(&format!("{command}\n"));
    guest.wait_for(answer);
    guest.wait_for(PROMPT);
}

fn assert_no_shell(outcome: &Outcome) {
    let opened = outcome.lines.iter().any(|line| line.contains(BANNER));
    outcome.check(!opened, "a shell that nobody allowed");
}

#[test]
fn boot_opens_no_shell_unasked() {
    let words = "root=LABEL=nowhere rd.timeout=3";
    let outcome = machine().cmdline(words).boot();
    outcome.assert_gave_up(&["rd.shell allows a shell here"]);
    assert_no_shell(&outcome);
}

/// The last of both counts.
#[test]
fn boot_opens_no_shell_where_panic_locks_it() {
    let words = "root=LABEL=nowhere rd.timeout=3 rd.shell panic=-1";
    let outcome = machine().cmdline(words).boot();
    outcome.assert_gave_up(&["rd.shell before it is not honoured"]);
    assert_no_shell(&outcome);
}

#[test]
fn boot_follows_the_policy_where_the_image_holds_no_shell() {
    let words = "root=LABEL=nowhere rd.timeout=3 rd.shell";
    let outcome = Machine::generic().cmdline(words).boot();
    outcome.assert_gave_up(&["no shell: there is no shell in this image"]);
}

/// Runs until it is stopped, and says when it goes on: only then it is in front again.
const FRONT: &str = "sh -c 'trap \"echo on-\\$((1+1))\" CONT; echo begun-$((1+1)); \
                     while :; do sleep 1; done'\n";

/// Ctrl-z and ctrl-c reach what runs in front, and not the shell.
fn assert_job_control(guest: &mut Guest) {
    guest.press(FRONT);
    guest.wait_for("begun-2");
    guest.press("\x1a");
    guest.wait_for("Stopped");
    guest.wait_for(PROMPT);
    guest.press("fg\n");
    guest.wait_for("on-2");
    guest.press("\x03");
    guest.wait_for(PROMPT);
    ask(guest, "echo status-$?-$((2+1))", "status-130-3");
}

/// The person plugs the missing disk in and leaves: the boot goes on, with new patience.
#[test]
fn boot_goes_on_when_the_shell_is_left() {
    let mut guest = machine()
        .disk(&XFS, Bus::Virtio)
        .later(&EXT4, Bus::Scsi)
        .cmdline("root=LABEL=harbour ro rd.timeout=30 rd.shell")
        .start();
    guest.wait_for("asked:");
    guest.wait_for(BANNER);
    guest.wait_for(PROMPT);
    ask(&mut guest, "echo shell-$((6*7))", "shell-42");
    assert_job_control(&mut guest);
    guest.plug(1);
    // Drivers still load while the shell is open.
    let wait = "while ! [ -b /dev/sda ]; do sleep 1; done; echo disk-$((1+1))";
    ask(&mut guest, wait, "disk-2");
    guest.press("exit\n");
    let outcome = guest.finish();
    outcome.assert_root("/dev/sda", "ext4", "ro");
    let processes = outcome.list("processes");
    assert_eq!(processes, ["1 0 init"], "nothing of the shell may run on");
}

/// Nothing has changed: the page comes again, and the shell.
#[test]
fn boot_shows_the_page_again_when_nothing_helped() {
    let mut guest = machine()
        .cmdline("root=LABEL=nowhere rd.timeout=3 rd.shell")
        .start();
    for _ in 0..2 {
        guest.wait_for("asked:");
        guest.wait_for(BANNER);
        guest.wait_for(PROMPT);
        guest.press("exit\n");
    }
    guest.wait_for("asked:");
    guest.wait_for(PROMPT);
    guest.press_ctrl_alt_del();
    let outcome = guest.finish();
    outcome.assert_gave_up(&["root=LABEL=nowhere", "reboot: Restarting system"]);
}
