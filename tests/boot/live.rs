//! Live media: an image in a file on a CD or a stick, with an overlay over what is in it.

use crate::lab::disks::{self, SQUASHFS};
use crate::lab::guest::Machine;
use crate::lab::roots::{self, Root};
use crate::lab::shelf::{self, Scratch};
use crate::lab::tools::{done, tool, tool_as_root};
use landfall::host::arch::Arch;
use std::path::{Path, PathBuf};

const CD: &str = "-device virtio-scsi-pci,id=scsi -device scsi-cd,bus=scsi.0,drive=medium";
const STICK: &str = "-device qemu-xhci -device usb-storage,drive=medium";

/// A medium with the image where dracut has it, and where live-boot does.
fn medium() -> PathBuf {
    medium_with("live", &disks::file(&SQUASHFS))
}

fn medium_with(name: &str, image: &Path) -> PathBuf {
    let recipe = image.display().to_string();
    shelf::made("disks", name, recipe.as_bytes(), |at| {
        let tree = Scratch::new();
        for name in ["LiveOS/squashfs.img", "live/filesystem.squashfs"] {
            let path = tree.0.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("an empty directory");
            std::fs::hard_link(image, &path)
                .or_else(|_| std::fs::copy(image, &path).map(drop))
                .expect("space");
        }
        let mut make = tool("xorriso");
        make.args(["-as", "mkisofs", "-quiet", "-R", "-V", "HARBOUR"]);
        done(make.arg(&tree.0).arg("-o").arg(at));
    })
}

/// As distributions make their media.
fn debian_medium() -> PathBuf {
    let tree = roots::directory(Root::Debian, Arch::X86_64);
    let recipe = format!("{} without fstab", tree.display());
    let image = shelf::made("disks", "debian-squashfs", recipe.as_bytes(), |at| {
        let mut pack = tool_as_root("mksquashfs");
        pack.args([tree.as_path(), at]);
        pack.args(["-noappend", "-quiet", "-no-progress", "-comp", "zstd"]);
        // That of an installed system names its root.
        done(pack.args(["-e", "etc/fstab"]));
    });
    medium_with("debian-live", &image)
}

fn machine(hardware: &str) -> Machine {
    machine_with(hardware, &medium())
}

fn machine_with(hardware: &str, medium: &Path) -> Machine {
    let drive = format!(
        "if=none,id=medium,format=raw,read-only=on,file={}",
        medium.display()
    );
    Machine::generic()
        .words(&["-drive", &drive])
        .qemu(hardware)
        .memory(512)
}

#[test]
fn boot_of_a_live_medium_from_a_cd_and_a_stick() {
    let words = "root=live:CDLABEL=HARBOUR rd.timeout=200";
    let other = "root=live:LABEL=HARBOUR rd.live.dir=live \
        rd.live.squashimg=filesystem.squashfs rd.timeout=200";
    for (hardware, words, device) in [(CD, words, "/dev/sr0"), (STICK, other, "/dev/sda")] {
        let outcome = machine(hardware).cmdline(words).boot();
        outcome.assert_root("overlay", "overlay", "rw");
        assert_eq!(outcome.list("writable_root"), ["yes"]);
        assert_eq!(
            outcome.mount("/run/rootfsbase"),
            "/dev/loop0 squashfs ro",
            "{hardware}"
        );
        let medium = format!("{device} iso9660 ro");
        assert_eq!(outcome.mount("/run/landfall/host"), medium);
    }
}

#[test]
fn boot_of_a_live_medium_copied_to_memory() {
    let words = "root=live:CDLABEL=HARBOUR toram rd.overlay=0 rd.timeout=200";
    let outcome = machine(CD).cmdline(words).boot();
    outcome.assert_root("/dev/loop0", "squashfs", "ro");
    let mounts = outcome.fact("mountinfo");
    outcome.check(!mounts.contains("/dev/sr0"), "the medium is still mounted");
    let said = |text: &str| outcome.lines.iter().any(|line| line.contains(text));
    outcome.check(said("to memory: 100 %"), "no progress is shown");
    outcome.check(said("the medium is not needed any more"), "it is not said");
}

#[test]
fn boot_a_live_debian_to_its_login_prompt() {
    let mut guest = machine_with(CD, &debian_medium())
        .cmdline("root=live:CDLABEL=HARBOUR rd.timeout=200 systemd.show_status=1")
        .memory(1024)
        .patience(900)
        .start();
    guest.wait_for("harbour login:");
    let outcome = guest.finish();
    outcome.check(outcome.ended, "Debian did not switch off");
    let holds = |text: &str| outcome.report.contains(text);
    let running = holds("== state\nrunning\n");
    outcome.check(running, &format!("a unit has failed: {}", outcome.report));
    outcome.check(holds("== findmnt\noverlay overlay "), "root is no overlay");
}

#[test]
fn boot_names_the_image_that_a_live_medium_lacks() {
    let words = "root=live:CDLABEL=HARBOUR rd.live.dir=LiveOs rd.timeout=200";
    let outcome = machine(CD).cmdline(words).boot();
    outcome.assert_gave_up(&["/LiveOs is not there"]);
}
