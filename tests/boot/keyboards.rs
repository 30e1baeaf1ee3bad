//! A person at the machine: a shell on the screen answers to a keyboard on any bus, though no
//! driver of keyboards was loaded on the way to it.

use crate::lab::disks::EMPTY;
use crate::lab::guest::{Guest, Machine};
use crate::lab::{images, roots};
use landfall::host::qemu::Bus;
use std::fs;
use std::path::PathBuf;

/// Run by the shell when it is ready (`ENV` of sh(1)): the screen cannot be seen from here.
const READY: &str = "echo shell-is-ready >/dev/ttyS0\n";

/// The generic image with busybox in it; nothing of keyboards is added.
fn image(machine: &Machine) -> PathBuf {
    let busybox = roots::busybox_program(machine.kernel.arch());
    let ready = crate::lab::shelf::made("files", "ready", READY.as_bytes(), |at| {
        fs::write(at, READY).expect("a writable target directory");
    });
    let busybox = format!("{}:/bin/busybox", busybox.display());
    let ready = format!("{}:/etc/ready", ready.display());
    let options = ["--add-file", &busybox, "--add-file", &ready];
    images::image_with(&machine.kernel, "generic-screen", &options)
}

/// A root without init, found at once: nobody has waited for slow buses by then.
fn machine(hardware: &str, words: &str) -> Guest {
    let machine = Machine::generic().disk(&EMPTY, Bus::Virtio);
    let image = image(&machine);
    // The last console is the one that a shell opens on: the screen.
    let words = format!("console=tty0 root=LABEL=empty ENV=/etc/ready {words}");
    let machine = machine.image(image).qemu("-vga std").qemu(hardware);
    machine.cmdline(&words).start()
}

/// Types a command into the shell; its answer comes over the serial line.
fn answers(hardware: &str, keyboard: &str) {
    let mut guest = machine(hardware, "rd.shell");
    guest.wait_for("holds no init to run");
    guest.wait_for("landfall: keyboards: ");
    guest.wait_for("shell-is-ready");
    guest.type_until("echo typed-$((6*7)) >/dev/ttyS0\n", "typed-42");
    guest.press_ctrl_alt_del();
    let outcome = guest.finish();
    let named = |line: &String| line.contains("keyboards: ") && line.contains(keyboard);
    outcome.check(outcome.lines.iter().any(named), keyboard);
}

#[test]
fn boot_shell_answers_to_a_usb_keyboard() {
    let hardware = "-machine i8042=off -device qemu-xhci,id=usb -device usb-hub,bus=usb.0,port=1 \
                    -device usb-kbd,bus=usb.0,port=1.2";
    answers(hardware, "QEMU USB Keyboard");
}

#[test]
fn boot_shell_answers_to_a_virtio_keyboard() {
    let hardware = "-machine i8042=off -device virtio-keyboard-pci";
    answers(hardware, "QEMU Virtio Keyboard");
}

#[test]
fn boot_shell_answers_to_a_ps2_keyboard() {
    answers("", "AT Translated Set 2 keyboard");
}

/// Without a shell, the keys that restart the machine are all that is left to a person.
#[test]
fn boot_page_answers_to_the_keys_of_a_usb_keyboard() {
    let hardware = "-machine i8042=off -device piix3-usb-uhci,id=usb -device usb-kbd,bus=usb.0";
    let mut guest = machine(hardware, "panic=0");
    guest.wait_for("halted; ctrl-alt-del reboots");
    guest.press_ctrl_alt_del();
    guest.wait_for("reboot: Restarting system");
    let outcome = guest.finish();
    outcome.assert_gave_up(&["holds no init to run", "keyboards: ", "QEMU USB Keyboard"]);
}
