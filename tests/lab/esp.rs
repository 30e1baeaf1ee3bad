//! A disk that firmware boots: systemd-boot, a kernel and an image on an EFI system partition, and
//! a root beside it. And the firmware: OVMF, from Debian's package.
//!
//! Only such a boot leaves behind which partition it came from.

use super::disks::{self, Disk};
use super::images;
use super::kernels::Kernel;
use super::partitions::{self, copy_sparse};
use super::shelf::{self, Scratch};
use super::tools::{done, feed, run, tool};
use std::fs;
use std::path::{Path, PathBuf};

/// What must be installed; `tests/all.sh` does it.
const LOADER: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
const FIRMWARE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
/// As they leave the factory.
pub const VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// MiB: of the system partition, and where it begins.
const ESP: u64 = 40;
const ESP_AT: u64 = 1;
const MIB: u64 = 1024 * 1024;

/// Words for QEMU: the firmware, and variables that are thrown away.
pub fn firmware() -> [String; 4] {
    with_variables(&format!("snapshot=on,file={VARIABLES}"))
}

/// The same with variables that stay in this file, a copy of [`VARIABLES`].
pub fn firmware_with(variables: &Path) -> [String; 4] {
    with_variables(&format!("file={}", variables.display()))
}

fn with_variables(file: &str) -> [String; 4] {
    let unit = |number, what: &str| format!("if=pflash,format=raw,unit={number},{what}");
    [
        "-drive".into(),
        unit(0, &format!("readonly=on,file={FIRMWARE}")),
        "-drive".into(),
        unit(1, file),
    ]
}

/// A disk whose partition 1 boots `kernel` with `words`, and whose partition 2 is `root` with the
/// type of a root partition.
pub fn disk(kernel: &Kernel, words: &str, root: &Disk) -> PathBuf {
    let image = images::image(kernel);
    let inner = disks::file(root);
    let recipe = format!("1 {} {} {words}", image.display(), inner.display());
    shelf::made("disks", "esp", recipe.as_bytes(), |at| {
        let scratch = Scratch::new();
        let esp = scratch.0.join("esp");
        system_partition(kernel, &image, words, &esp);
        let file = fs::File::create(at).expect("a writable target directory");
        file.set_len((ESP_AT + ESP + root.mib + 2) * MIB)
            .expect("space");
        drop(file);
        let sectors = |mib: u64| mib * MIB / 512;
        let table = format!(
            "label: gpt\nstart={}, size={}, type=U, uuid=e5bf00d0-0000-4000-8000-000000000001\n\
             start={}, size={}, type={}, uuid=e5bf00d0-0000-4000-8000-000000000002\n",
            sectors(ESP_AT),
            sectors(ESP),
            sectors(ESP_AT + ESP),
            sectors(root.mib),
            partitions::ROOT_TYPE,
        );
        feed(tool("sfdisk").args(["--quiet"]).arg(at), &table);
        copy_sparse(&esp, at, ESP_AT * MIB);
        copy_sparse(&inner, at, (ESP_AT + ESP) * MIB);
    })
}

/// A disk with a system partition that holds these files, each at its place, and nothing else.
pub fn bootable(files: &[(&Path, &str)]) -> PathBuf {
    let recipe: Vec<String> = files
        .iter()
        .map(|(file, place)| format!("{} {place}", file.display()))
        .collect();
    shelf::made("disks", "bootable", recipe.join("\n").as_bytes(), |at| {
        let scratch = Scratch::new();
        let esp = scratch.0.join("esp");
        filled(&esp, files);
        let file = fs::File::create(at).expect("a writable target directory");
        file.set_len((ESP_AT + ESP + 2) * MIB).expect("space");
        drop(file);
        let (start, size) = (ESP_AT * MIB / 512, ESP * MIB / 512);
        let table = format!("label: gpt\nstart={start}, size={size}, type=U\n");
        feed(tool("sfdisk").args(["--quiet"]).arg(at), &table);
        copy_sparse(&esp, at, ESP_AT * MIB);
    })
}

fn system_partition(kernel: &Kernel, image: &Path, words: &str, at: &Path) {
    let text = |name: &str, text: &str| {
        let file = at.with_extension(name);
        fs::write(&file, text).expect("a scratch file");
        file
    };
    let entry = format!("linux /vmlinuz\ninitrd /image\noptions {words}\n");
    filled(
        at,
        &[
            (Path::new(LOADER), "EFI/BOOT/BOOTX64.EFI"),
            (&kernel.vmlinuz, "vmlinuz"),
            (image, "image"),
            (&text("loader", "timeout 0\n"), "loader/loader.conf"),
            (&text("entry", &entry), "loader/entries/this.conf"),
        ],
    );
}

/// A system partition with these files, each at its place.
fn filled(at: &Path, files: &[(&Path, &str)]) {
    let file = fs::File::create(at).expect("a scratch file");
    file.set_len(ESP * MIB).expect("space");
    run(
        "mkfs.vfat",
        &["-n".as_ref(), "ESP".as_ref(), at.as_os_str()],
    );
    let mtools = |program: &str| {
        let mut command = tool(program);
        command.arg("-i").arg(at);
        command
    };
    let mut folders: Vec<&str> = Vec::new();
    for (from, place) in files {
        for (end, _) in place.match_indices('/') {
            let folder = &place[..end];
            if !folders.contains(&folder) {
                folders.push(folder);
                done(mtools("mmd").arg(format!("::{folder}")));
            }
        }
        done(mtools("mcopy").arg(from).arg(format!("::{place}")));
    }
}
