//! Every bus that QEMU can emulate and a disk can hang on (`roots` has the usual five): its drivers
//! are found and loaded, and root on it is found by its identity.

use crate::lab::copies::Copies;
use crate::lab::disks::{
    BTRFS, CD, Disk, EXT4, EXT4_CARD, EXT4_GPT, EXT4_MBR, SQUASHFS, SWAP, XFS, file,
};
use crate::lab::guest::Machine;
use crate::lab::outcome::Outcome;
use crate::lab::partitions::partuuid;
use crate::lab::{images, own_module};

/// The generic kernel, with the disk as `drive0` on what QEMU is told.
fn plugged(disk: &Disk, hardware: &str) -> Machine {
    Machine::generic().drive(disk).qemu(hardware)
}

/// Reaches the real init on the device of this name; root is asked for by its label.
fn check(disk: &Disk, hardware: &str, device: &str) -> Outcome {
    boots(plugged(disk, hardware), disk, device)
}

fn boots(machine: Machine, disk: &Disk, device: &str) -> Outcome {
    let asked = match partuuid(disk.table) {
        Some(uuid) => format!("root=PARTUUID={uuid} ro"),
        None => format!("root=LABEL={} ro", disk.label),
    };
    let outcome = machine.cmdline(&asked).boot();
    let fstype = format!("{:?}", disk.kind).to_ascii_lowercase();
    outcome.assert_root(device, &fstype, "ro");
    outcome
}

// -- cards and memory ----------------------------------------------------------------------------

#[test]
fn boot_from_an_sd_card() {
    let hardware = "-device sdhci-pci -device sd-card,drive=drive0";
    check(&EXT4_CARD, hardware, "/dev/mmcblk0p2");
}

/// A DIMM that keeps its content, with a partition table. Its options reach the kernel untouched.
#[test]
fn boot_from_an_nvdimm() {
    let path = file(&EXT4_GPT);
    let hardware = format!(
        "-machine nvdimm=on -m 512,slots=2,maxmem=2G -device nvdimm,memdev=dimm \
         -object memory-backend-file,id=dimm,share=off,size=70M,mem-path={}",
        path.display()
    );
    let machine = Machine::generic().qemu(&hardware);
    let outcome = boots(
        machine.cmdline("rootflags=dax=never"),
        &EXT4_GPT,
        "/dev/pmem0p2",
    );
    let mounts = outcome.fact("mountinfo");
    outcome.check(mounts.contains("dax=never"), mounts);
}

#[test]
fn boot_from_virtio_pmem() {
    let path = file(&EXT4);
    let hardware = format!(
        "-m 512,slots=2,maxmem=2G -device virtio-pmem-pci,memdev=dimm \
         -object memory-backend-file,id=dimm,share=off,size=64M,mem-path={}",
        path.display()
    );
    let machine = Machine::cloud().qemu(&hardware);
    boots(machine, &EXT4, "/dev/pmem0");
}

// -- PCI -----------------------------------------------------------------------------------------

/// Three bridges deep, the second function of its slot, with sectors of 4 KiB; and loop devices
/// that hold nothing.
#[test]
fn boot_from_behind_bridges() {
    let hardware = "-device pcie-root-port,id=near -device pcie-pci-bridge,id=far,bus=near \
        -device pci-bridge,id=farther,bus=far,chassis_nr=3,addr=1 \
        -device pci-serial,bus=farther,addr=4.0,multifunction=on \
        -device virtio-blk-pci,bus=farther,addr=4.1,drive=drive0,logical_block_size=4096,\
physical_block_size=4096";
    let machine = plugged(&BTRFS, hardware).cmdline("rd.modules_load=loop");
    let outcome = boots(machine, &BTRFS, "/dev/vda");
    outcome.assert_module("loop");
}

/// Two controllers lead to one disk: there is one block device, and two that are hidden.
#[test]
fn boot_from_nvme_with_two_paths() {
    let hardware = "-device nvme-subsys,id=both -device nvme,serial=a,subsys=both \
        -device nvme,serial=a,subsys=both -device nvme-ns,drive=drive0,shared=on";
    let machine = Machine::cloud().drive(&EXT4).qemu(hardware);
    let root = format!("root=LABEL={} ro", EXT4.label);
    let outcome = machine.cmdline(&root).boot();
    // The kernel numbers a namespace of several controllers after the one that came first.
    let first = outcome
        .lines
        .iter()
        .any(|line| line.ends_with("root is nvme0n1"));
    let name = if first { "nvme0n1" } else { "nvme1n1" };
    outcome.assert_root(&format!("/dev/{name}"), "ext4", "ro");
}

#[test]
fn boot_from_ide() {
    let hardware = "-machine pc -device ide-hd,drive=drive0";
    check(&EXT4_MBR, hardware, "/dev/sda2").assert_module("ata_piix");
}

// -- SCSI controllers ----------------------------------------------------------------------------

fn on_controller(machine: Machine, model: &str, driver: &str) {
    let hardware = format!("-device {model},id=hba -device scsi-hd,bus=hba.0,drive=drive0");
    let machine = machine.drive(&XFS).qemu(&hardware);
    boots(machine, &XFS, "/dev/sda").assert_module(driver);
}

#[test]
fn boot_from_megaraid_sas() {
    on_controller(Machine::generic(), "megasas-gen2", "megaraid_sas");
}

#[test]
fn boot_from_an_lsi_controller() {
    on_controller(Machine::generic(), "lsi53c895a", "sym53c8xx");
}

#[test]
fn boot_from_an_amd_controller() {
    on_controller(Machine::generic(), "am53c974", "am53c974");
}

#[test]
fn boot_from_vmware_pvscsi() {
    on_controller(Machine::cloud(), "pvscsi", "vmw_pvscsi");
}

// -- USB -----------------------------------------------------------------------------------------

#[test]
fn boot_from_a_stick_behind_hubs() {
    let hardware = "-device qemu-xhci,id=usb -device usb-hub,bus=usb.0,port=1 \
        -device usb-hub,bus=usb.0,port=1.1 -device usb-storage,bus=usb.0,port=1.1.2,drive=drive0";
    check(&EXT4_MBR, hardware, "/dev/sda2");
}

#[test]
fn boot_from_usb_attached_scsi() {
    let hardware = "-device qemu-xhci,id=usb -device usb-uas,bus=usb.0,id=uas \
        -device scsi-hd,bus=uas.0,drive=drive0";
    check(&EXT4, hardware, "/dev/sda").assert_module("uas");
}

#[test]
fn boot_from_a_usb_2_stick() {
    let hardware = "-device usb-ehci,id=usb -device usb-storage,bus=usb.0,drive=drive0";
    check(&EXT4, hardware, "/dev/sda").assert_module("ehci_pci");
}

#[test]
fn boot_from_a_usb_1_stick() {
    let hardware = "-machine pc -device piix3-usb-uhci,id=usb \
        -device usb-storage,bus=usb.0,drive=drive0";
    check(&EXT4, hardware, "/dev/sda").assert_module("uhci_hcd");
}

/// Said when everything that was there at the start has been looked at.
const WAITING: &str = "is not there yet, waiting for it";

/// A card reader is there at once, the card comes when root is waited for.
#[test]
fn boot_from_a_medium_put_into_a_usb_reader_late() {
    let mut copies = Copies::new();
    let card = copies.disk(&EXT4);
    let mut guest = Machine::generic()
        .qemu("-drive if=none,id=slot -device qemu-xhci,id=usb -device usb-bot,bus=usb.0,id=bot")
        .qemu("-device scsi-hd,bus=bot.0,id=reader,drive=slot,removable=on")
        .cmdline("root=LABEL=harbour ro rd.timeout=200")
        .start();
    guest.wait_for(WAITING);
    guest.insert("reader", &card, "read-write");
    let outcome = guest.finish();
    outcome.assert_root("/dev/sda", "ext4", "ro");
    copies.assert_unchanged();
}

// -- CDs -----------------------------------------------------------------------------------------

#[test]
fn boot_from_a_cd_on_ahci() {
    let hardware = "-device ich9-ahci,id=ahci -device ide-cd,bus=ahci.2,drive=drive0";
    check(&CD, hardware, "/dev/sr0");
}

/// As live media are: no table, and no name but the drive's own.
#[test]
fn boot_from_a_cd_with_squashfs() {
    let hardware = "-device virtio-scsi-pci,id=scsi -device scsi-cd,bus=scsi.0,drive=drive0";
    let machine = plugged(&SQUASHFS, hardware).cmdline("root=/dev/sr0 ro");
    machine.boot().assert_root("/dev/sr0", "squashfs", "ro");
}

/// The first drive is empty, which is no reason to wait, or for a single error.
#[test]
fn boot_from_a_cd_beside_an_empty_drive() {
    let hardware = "-device virtio-scsi-pci,id=scsi -device scsi-cd,bus=scsi.0 \
        -device scsi-cd,bus=scsi.0,drive=drive0";
    let machine = plugged(&CD, hardware).cmdline(&format!("root=UUID={} ro", CD.uuid));
    let outcome = machine.boot();
    outcome.assert_root("/dev/sr1", "iso9660", "ro");
    let error = outcome.lines.iter().find(|line| line.contains("I/O error"));
    outcome.check(error.is_none(), "the empty drive was read");
}

#[test]
fn boot_from_a_cd_put_in_late() {
    let mut guest = Machine::generic()
        .qemu("-device virtio-scsi-pci,id=scsi -device scsi-cd,bus=scsi.0,id=tray")
        .cmdline("root=LABEL=LIGHTHOUSE ro rd.timeout=200")
        .start();
    guest.wait_for(WAITING);
    guest.insert("tray", &file(&CD), "read-only");
    let outcome = guest.finish();
    outcome.assert_root("/dev/sr0", "iso9660", "ro");
    // As the kernel had it: the real system decides anew.
    assert_eq!(outcome.fact("media_poll").trim_end(), "0");
}

// -- no PCI --------------------------------------------------------------------------------------

fn microvm(options: &str) -> Machine {
    let machine = format!("-machine microvm{options}");
    Machine::cloud().microvm().qemu(&machine)
}

#[test]
fn boot_a_microvm_by_acpi() {
    let machine = microvm("").drive(&EXT4);
    let machine = machine.qemu("-device virtio-blk-device,drive=drive0");
    boots(machine, &EXT4, "/dev/vda");
}

#[test]
fn boot_a_microvm_with_pci() {
    let machine = microvm(",pcie=on").drive(&EXT4);
    boots(
        machine.qemu("-device virtio-blk-pci,drive=drive0"),
        &EXT4,
        "/dev/vda",
    );
}

/// Neither PCI nor ACPI: QEMU writes the devices on the kernel's command line, one word for each,
/// and nobody but landfall gives them to the module. Debian builds it without that parameter.
#[test]
fn boot_a_microvm_by_the_command_line() {
    let machine = microvm(",acpi=off,rtc=on").drive(&SWAP).drive(&EXT4);
    let (file, place) = own_module::virtio_mmio(&machine.kernel);
    let add = format!("{}:{place}", file.display());
    let image = images::image_with(&machine.kernel, "cloud-mmio", &["--add-file", &add]);
    let machine = machine
        .image(image)
        .qemu("-device virtio-blk-device,drive=drive0");
    let machine = machine.qemu("-device virtio-blk-device,drive=drive1");
    // Without ACPI only a fault of the CPU restarts it.
    let words = format!("root=UUID={} ro reboot=t", EXT4.uuid);
    let outcome = machine.cmdline(&words).boot();
    outcome.assert_reached();
    let root = outcome.mount("/");
    outcome.check(root.ends_with(" ext4 ro"), &root);
    // Both were given to the module, in whatever order QEMU names them.
    let partitions = outcome.fact("partitions");
    let both = partitions.contains("vda") && partitions.contains("vdb");
    outcome.check(both, partitions);
}
