//! Ctrl-alt-del: a person leaves a boot that does not end by itself, at any time, without harm.

use crate::lab::copies::Copies;
use crate::lab::disks::EXT4;
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;

/// Presses the keys once `text` is shown. The machine restarts, which ends the guest.
fn pressed_at(text: &str, words: &str) -> Outcome {
    let mut copies = Copies::new();
    let mut guest = Machine::generic()
        .file(&copies.disk(&EXT4), Bus::Virtio)
        .cmdline(&format!("root=LABEL=nowhere rw {words}"))
        .start();
    guest.wait_for(text);
    guest.press_ctrl_alt_del();
    guest.wait_for("reboot: Restarting system");
    let outcome = guest.finish();
    outcome.check(outcome.ended, "the machine did not restart");
    copies.assert_unchanged();
    outcome
}

#[test]
fn boot_restarts_by_the_keys_while_it_waits_for_root() {
    let outcome = pressed_at("root=LABEL=nowhere is not there yet", "rootwait");
    let page = outcome.lines.iter().any(|line| line.contains("asked:"));
    outcome.check(!page, "leaving is no failure, and needs no page");
}

#[test]
fn boot_restarts_by_the_keys_from_the_page() {
    let outcome = pressed_at("halted; ctrl-alt-del reboots", "rd.timeout=3 panic=0");
    outcome.assert_gave_up(&["root=LABEL=nowhere", "within 3 s"]);
}
