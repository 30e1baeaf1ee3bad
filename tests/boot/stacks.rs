//! The matrix of storage stacks boots, or is refused, as each row says.
//!
//! `LANDFALL_ROWS=luks-on-md,md-1.0` boots only these rows of a group. That the recipes make what
//! they say is seen in `tests/it/stacks.rs`.

use crate::lab::copies::Copies;
use crate::lab::guest::Machine;
use crate::lab::images;
use crate::lab::kernels::Kernel;
use crate::lab::outcome::Outcome;
use crate::lab::shelf;
use crate::lab::stacks::{self, End, Given, Group, KEY, PASSPHRASE, Stack};
use landfall::host::qemu::Bus;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

/// The image of a row: the usual one with the key, and the files of this row.
fn image(kernel: &Kernel, stack: &Stack) -> PathBuf {
    let add = |file: PathBuf, place: &str| format!("--add-file={}:{place}", file.display());
    let mut name = "stacks".to_owned();
    let mut options = vec![add(text(PASSPHRASE), KEY)];
    for given in stack.row.given {
        match given {
            Given::Text(place, content) => options.push(add(text(&stack.filled(content)), place)),
            Given::AsFile(number, place) => options.push(add(stack.disk(*number).into(), place)),
            Given::Without(_) | Given::Typed(..) => continue,
        }
        name = format!("stacks-{}", stack.row.name);
    }
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    images::image_with(kernel, &name, &options)
}

/// A file that holds this.
fn text(content: &str) -> PathBuf {
    shelf::made("files", "text", content.as_bytes(), |at| {
        fs::write(at, content).expect("a writable target directory");
    })
}

/// Seconds that a boot may wait for what does not come.
const DEADLINE: u32 = 4;

fn boot(stack: &Stack) {
    let row = stack.row;
    let mut copies = Copies::new();
    let machine = Machine::cloud();
    let image = image(&machine.kernel, stack);
    let mut machine = machine
        .image(image)
        .cmdline(&stack.filled(row.words))
        .patience(120);
    if let End::Refuses(_) = row.end {
        machine = machine.cmdline(&format!("rd.timeout={DEADLINE}"));
    }
    for disk in stack.plugged() {
        machine = machine.file(&copies.file(disk), Bus::Virtio);
    }
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

fn judge(stack: &Stack, outcome: &Outcome) {
    match stack.row.end {
        End::Boots(below) => {
            outcome.assert_reached();
            let (below, found) = (stack.filled(below), outcome.fact("below_root"));
            let wrong = format!("root lies on {found}, wanted {below}");
            outcome.check(found == below, &wrong);
            only_what_root_needs(stack, outcome);
        }
        End::Refuses(page) => {
            let page: Vec<String> = page.iter().map(|part| stack.filled(part)).collect();
            let page: Vec<&str> = page.iter().map(String::as_str).collect();
            outcome.assert_gave_up(&page);
        }
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
        let needed = below.contains(name) || stack.row.beside.contains(&name);
        outcome.check(
            needed,
            &format!("{name} was mapped, which root does not need"),
        );
    }
}

fn check(group: &'static Group) {
    let wanted = std::env::var("LANDFALL_ROWS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    let mut wrong = Vec::new();
    for stack in stacks::made(group) {
        let name = stack.row.name;
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        println!("\n=== {name}: {}", stack.filled(stack.row.words));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| boot(&stack))) {
            let text = panic.downcast_ref::<String>().map_or("?", String::as_str);
            wrong.push(format!(
                "{name}: {}",
                text.lines().next().unwrap_or_default()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "rows of {}:\n{}",
        group.name,
        wrong.join("\n")
    );
}

macro_rules! groups {
    ($($test:ident: $group:ident),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                check(&stacks::$group::GROUP);
            }
        )*

        #[test]
        fn every_group_is_booted() {
            let booted = [$(stringify!($group)),*];
            assert_eq!(booted.len(), stacks::GROUPS.len());
        }
    };
}

groups! {
    boot_stacks_of_luks: luks,
    boot_stacks_of_luks_asked: luks_asked,
    boot_stacks_of_lvm: lvm,
    boot_stacks_of_lvm_kinds: lvm_kinds,
    boot_stacks_of_md: md,
    boot_stacks_of_md_alone: md_alone,
    boot_stacks_of_md_damage: md_damage,
    boot_stacks_of_md_parity: md_parity,
    boot_stacks_nested: nested,
    boot_stacks_nested_deep: nested_deep,
    boot_stacks_of_btrfs: btrfs,
    boot_stacks_of_firmware: firmware,
    boot_stacks_of_verity: verity,
}
