//! The demonstration: one landing, from nothing to the real init, with the tools that users have.
//!
//! Builds `/init` for musl, packs it with the modules of Debian's generic kernel, makes a root
//! disk, boots it in QEMU and shows the timeline. `sh tests/demo.sh` runs it and its set-up.

#[path = "../lab/mod.rs"]
mod lab;

use lab::disks::{self, EXT4};
use lab::kernels::{self, Flavour};
use lab::{build, images};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    say("1. /init and the host tool are built with cargo");
    let landfall = build::landfall();
    let init = build::init();
    let size = std::fs::metadata(&init).map_or(0, |meta| meta.len());
    println!("   {} has {} KiB", init.display(), size.div_ceil(1024));

    say("2. Debian's kernel is fetched with apt and unpacked");
    let kernel = kernels::kernel(Flavour::Generic);
    println!(
        "   {} with {}",
        kernel.vmlinuz.display(),
        kernel.modules().display()
    );

    say("3. landfall image packs /init with the modules that disks need");
    let image = images::image(&kernel);
    println!("   {}", image.display());

    say("4. A root disk is made: ext4, its init reports and switches off");
    let disk = disks::file(&EXT4);
    println!("   {}", disk.display());

    say("5. landfall boot runs it");
    let facts = lab::shelf::lab().join("demo-facts.json");
    let mut command = Command::new(landfall);
    command.arg("boot").arg("--kernel").arg(&kernel.vmlinuz);
    command.arg("--initrd").arg(&image);
    command
        .arg("--disk")
        .arg(format!("{},scratch", disk.display()));
    command
        .arg("--append")
        .arg(format!("root=UUID={} ro", EXT4.uuid));
    command.arg("--timeout").arg("300");
    let chart = lab::shelf::lab().join("demo-boot.svg");
    command.arg("--chart").arg(&chart);
    command
        .arg("--")
        .arg("-serial")
        .arg(format!("file:{}", facts.display()));
    println!("   {command:?}\n");
    match command.status() {
        Ok(status) if status.success() => {
            println!("what the real init found: {}", facts.display());
            println!("what waited for what: {}", chart.display());
            ExitCode::SUCCESS
        }
        Ok(status) => {
            eprintln!("the demonstration failed: landfall boot: {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the demonstration failed: cannot run landfall boot: {error}");
            ExitCode::FAILURE
        }
    }
}

fn say(what: &str) {
    println!("\n{what}");
}
