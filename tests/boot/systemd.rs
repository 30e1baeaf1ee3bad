//! A Debian with systemd: to the login prompt, with nothing failed on the way.

use crate::lab::disks::DEBIAN;
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use landfall::host::qemu::Bus;

/// What a command of the facts service printed.
fn section<'a>(outcome: &'a Outcome, name: &str) -> &'a str {
    let head = format!("\n== {name}\n");
    let Some((_, rest)) = outcome.report.split_once(&head) else {
        outcome.fail(&format!("no {name:?} in the report: {}", outcome.report));
    };
    rest.split("\n== ").next().unwrap_or_default().trim()
}

#[test]
fn boot_debian_to_its_login_prompt() {
    let mut guest = Machine::generic()
        .disk(&DEBIAN, Bus::Virtio)
        .cmdline(&format!(
            "root=UUID={} ro systemd.show_status=1",
            DEBIAN.uuid
        ))
        .memory(1024)
        .patience(900)
        .start();
    guest.wait_for("harbour login:");
    let outcome = guest.finish();
    outcome.check(outcome.ended, "Debian did not switch off");
    println!("{}", outcome.report);
    assert_eq!(section(&outcome, "failed"), "");
    assert_eq!(section(&outcome, "state"), "running");
    assert_eq!(section(&outcome, "uuid"), DEBIAN.uuid);
    let root = section(&outcome, "findmnt");
    assert!(root.starts_with("/dev/vda ext4 "), "{root}");
    // `Startup finished in 3.2s (kernel) + 1.1s (initrd) + 20.3s (userspace) = 24.6s.`
    let analyze = section(&outcome, "analyze");
    let measured = analyze.contains("(kernel) + ") && analyze.contains("(initrd) + ");
    assert!(measured, "{analyze}");
    let mounts = section(&outcome, "mounts");
    for wanted in [
        "/dev devtmpfs",
        "/dev/shm tmpfs",
        "/dev/pts devpts",
        "/run tmpfs",
    ] {
        assert!(
            mounts.lines().any(|line| line == wanted),
            "{wanted}: {mounts}"
        );
    }
}
