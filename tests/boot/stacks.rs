//! The matrix of storage stacks boots, or is refused, as each row says.
//!
//! `LANDFALL_ROWS=luks-on-md,md-1.0` boots only these rows, and makes only their groups. That the
//! recipes make what they say is seen in `stacks_explained.rs`.

use crate::lab::copies::Copies;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::Kernel;
use crate::lab::outcome::Outcome;
use crate::lab::shelf;
use crate::lab::stacks::{self, End, Given, Group, KEY, PASSPHRASE, Row, Stack};
use crate::lab::tools::progress;
use landfall::host::qemu::Bus;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The image of a row: the usual one with the key, and the files of this row. `named` puts names
/// of disks into them.
pub fn image(kernel: &Kernel, stack: &Stack, named: &dyn Fn(String) -> String) -> PathBuf {
    let add = |file: PathBuf, place: &str| format!("--add-file={}:{place}", file.display());
    let mut name = "stacks".to_owned();
    let mut options = vec![add(text(PASSPHRASE), KEY)];
    for given in stack.row.given {
        match given {
            Given::Text(place, content) => {
                let content = named(stack.filled(content));
                options.push(add(text(&content), place));
            }
            Given::AsFile(number, place) => options.push(add(stack.disk(*number).into(), place)),
            Given::Without(_) | Given::TwoPaths(_) | Given::Typed(..) => continue,
        }
        name = format!("stacks-{}", stack.row.name);
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    images::image_with(kernel, &name, &options)
}

/// A file that holds this.
pub fn text(content: &str) -> PathBuf {
    shelf::made("files", "text", content.as_bytes(), |at| {
        fs::write(at, content).expect("a writable target directory");
    })
}

/// With names of disks that hold in a guest.
fn linked(mut text: String) -> String {
    for number in 1..=9 {
        let link = format!("/dev/disk/by-id/virtio-disk{number}");
        text = text.replace(&format!("{{disk{number}}}"), &link);
    }
    text
}

/// Seconds that a boot waits for what does not come, and for what must come.
const REFUSED: u32 = 4;
const BOOTED: u32 = 30;

/// Of a row that has no other.
pub fn deadline(row: &Row) -> String {
    if row.words.contains("rd.timeout=") {
        return String::new();
    }
    let seconds = match row.end {
        End::Boots(_) => BOOTED,
        End::Refuses(_) => REFUSED,
    };
    format!("rd.timeout={seconds}")
}

fn boot(stack: &Stack) {
    let row = stack.row;
    let mut copies = Copies::new();
    let machine = Machine::cloud();
    let image = image(&machine.kernel, stack, &linked);
    let words = format!("{} {}", linked(stack.filled(row.words)), deadline(row));
    let mut machine = machine.image(image).patience(120);
    let mut drives = 0..;
    for (number, disk) in stack.plugged() {
        let disk = copies.file(disk);
        if stack.on_two_paths(number) {
            machine = two_paths(machine, &disk);
            continue;
        }
        let at = drives.next().expect("endless");
        // The kernel names disks as it comes; by their serial numbers they are told apart.
        let device = format!("virtio-blk-pci,drive=drive{at},serial=disk{number}");
        machine = machine.file(&disk, Bus::Virtio).unplugged();
        machine = machine.words(&["-device", &device]);
    }
    machine = machine.cmdline(&words);
    let mut guest = machine.start();
    for given in row.given {
        if let Given::Typed(question, answer) = given {
            guest.wait_for(question);
            guest.press(&format!("{answer}\n"));
        }
    }
    judge(stack, &guest.finish());
    if row.writes.is_empty() {
        copies.assert_unchanged();
    }
}

/// One disk, with its World Wide Name, behind two controllers.
fn two_paths(machine: Machine, disk: &Path) -> Machine {
    let file = disk.display();
    let node = format!("driver=raw,node-name=twice,file.driver=file,file.filename={file}");
    let path = |name: &str| {
        format!(
            "-device virtio-scsi-pci,id={name} -device scsi-hd,bus={name}.0,drive=twice,\
             share-rw=on,serial=twice,wwn=0x5000c50015ea5e1d"
        )
    };
    let words = machine.words(&["-blockdev", &node]);
    words.qemu(&path("first")).qemu(&path("second"))
}

fn judge(stack: &Stack, outcome: &Outcome) {
    match stack.row.end {
        End::Boots(below) => {
            outcome.assert_reached();
            let (below, found) = (stack.filled(below), outcome.fact("below_root"));
            let wrong = format!("root lies on {found}, wanted {below}");
            outcome.check(found == below, &wrong);
            only_what_root_needs(stack, outcome);
            udev_will_know_arrays(outcome);
        }
        End::Refuses(page) => {
            let page: Vec<String> = page.iter().map(|part| stack.filled(part)).collect();
            let page: Vec<&str> = page.iter().map(String::as_str).collect();
            outcome.assert_gave_up(&page);
        }
    }
}

/// Else the volumes of a group on an array are not found again.
fn udev_will_know_arrays(outcome: &Outcome) {
    for line in outcome.list("arrays_for_udev") {
        let known = line.ends_with(" true 101644");
        outcome.check(
            known,
            &format!("udev or mdadm is not told of an array: {line}"),
        );
    }
}

/// Nothing was mapped but what root lies on.
fn only_what_root_needs(stack: &Stack, outcome: &Outcome) {
    let below = outcome.fact("below_root");
    for line in outcome.list("mapped") {
        let Some(("", name)) = line.split_once("/dev/mapper/") else {
            continue;
        };
        let name = name.split(' ').next().unwrap_or_default();
        let beside = |known: &&str| stack.filled(known) == name;
        let needed = below.contains(name) || stack.row.beside.iter().any(beside);
        outcome.check(
            needed,
            &format!("{name} was mapped, which root does not need"),
        );
    }
}

/// The rows of a group that `LANDFALL_ROWS` names; without it, all. A group of which it names none
/// is not made.
pub fn wanted(group: &'static Group) -> Vec<Stack> {
    let wanted = std::env::var("LANDFALL_ROWS").unwrap_or_default();
    let is = |row: &Row| wanted.is_empty() || wanted.split(',').any(|name| name == row.name);
    if !group.rows.iter().any(is) {
        return Vec::new();
    }
    let made = stacks::made(group).into_iter();
    made.filter(|stack| is(stack.row)).collect()
}

fn check(group: &'static Group) {
    let mut wrong = Vec::new();
    for stack in wanted(group) {
        let name = stack.row.name;
        println!("\n=== {name}: {}", stack.filled(stack.row.words));
        let end = catch_unwind(AssertUnwindSafe(|| boot(&stack)));
        match end {
            Ok(()) => progress(&format!("{name} ends as written")),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map_or("?", String::as_str);
                wrong.push(format!("{name}: {}", said(text)));
                progress(wrong.last().map_or("", String::as_str));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "rows of {}:\n{}",
        group.name,
        wrong.join("\n")
    );
}

/// The first line of a failure, and the cause on the page.
fn said(failure: &str) -> String {
    let cause = failure
        .lines()
        .find(|line| line.contains("landfall: cause:"));
    let first = failure.lines().next().unwrap_or_default();
    format!("{first} {}", cause.unwrap_or_default())
}

#[test]
fn boot_stacks_of_luks() {
    check(&stacks::luks::GROUP);
}

#[test]
fn boot_stacks_of_luks_asked() {
    check(&stacks::luks_asked::GROUP);
}

#[test]
fn boot_stacks_of_loops() {
    check(&stacks::loops::GROUP);
}

#[test]
fn boot_stacks_of_lvm() {
    check(&stacks::lvm::GROUP);
}

#[test]
fn boot_stacks_of_lvm_kinds() {
    check(&stacks::lvm_kinds::GROUP);
}

#[test]
fn boot_stacks_of_lvm_raid() {
    check(&stacks::lvm_raid::GROUP);
}

#[test]
fn boot_stacks_of_md() {
    check(&stacks::md::GROUP);
}

#[test]
fn boot_stacks_of_md_alone() {
    check(&stacks::md_alone::GROUP);
}

#[test]
fn boot_stacks_of_md_damage() {
    check(&stacks::md_damage::GROUP);
}

#[test]
fn boot_stacks_of_md_parity() {
    check(&stacks::md_parity::GROUP);
}

#[test]
fn boot_stacks_nested() {
    check(&stacks::nested::GROUP);
}

#[test]
fn boot_stacks_nested_deep() {
    check(&stacks::nested_deep::GROUP);
}

#[test]
fn boot_stacks_of_btrfs() {
    check(&stacks::btrfs::GROUP);
}

#[test]
fn boot_stacks_of_verity() {
    check(&stacks::verity::GROUP);
}

#[test]
fn every_group_is_booted() {
    let own = include_str!("stacks.rs");
    let booted = own.matches("check(&stacks::").count();
    // Once more, here.
    assert_eq!(booted - 1, stacks::GROUPS.len());
}
