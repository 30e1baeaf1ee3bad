//! Records what QEMU's devices are to the kernel: boots machines full of them and writes each
//! modalias that sysfs shows to `tests/it/kmod/qemu.txt`, for the comparison with modprobe.
//!
//! `cargo run --release --features host --example modaliases`: to be run again when QEMU or the
//! kernel learn new devices. The guests have no root; what they report is the trace of a boot
//! that gives up, whose second walk lists every bus. Devices that this QEMU lacks are named.

#[path = "mod.rs"]
mod lab;

use lab::kernels::{Flavour, Kernel, kernel};
use lab::tools::progress;
use lab::{build, images, shelf};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// One machine: QEMU's words before the devices, and the devices.
type Guest = (&'static str, &'static [&'static str]);

/// What devices need behind them: disks of zeros, memory, a key store.
const BEHIND: &str = "-blockdev null-co,node-name=z0,size=67108864,read-zeroes=on \
    -blockdev null-co,node-name=z1,size=67108864,read-zeroes=on \
    -blockdev null-co,node-name=z2,size=67108864,read-zeroes=on \
    -blockdev null-co,node-name=z3,size=67108864,read-zeroes=on \
    -blockdev null-co,node-name=z4,size=67108864,read-zeroes=on \
    -blockdev null-co,node-name=z5,size=67108864,read-zeroes=on \
    -object memory-backend-ram,id=m0,size=1M,share=on \
    -object memory-backend-ram,id=m1,size=64M \
    -object memory-backend-ram,id=m2,size=64M \
    -object memory-backend-ram,id=m3,size=128M -object can-bus,id=b0 \
    -object cryptodev-backend-builtin,id=c0 -object rng-builtin,id=r0 \
    -chardev null,id=n0 -chardev null,id=n1 -audiodev none,id=a0";

const GUESTS: &[Guest] = &[
    (
        "-machine q35 -cpu max",
        &[
            "am53c974,id=am",
            "dc390",
            "lsi53c810",
            "lsi53c895a",
            "megasas",
            "megasas-gen2",
            "mptsas1068",
            "pvscsi",
            "ich9-ahci,id=ahci",
            "ide-hd,bus=ahci.0,drive=z0",
            "ide-cd,bus=ahci.1,drive=z1",
            "nvme,serial=1,drive=z2",
            "sdhci-pci",
            "sd-card,drive=z3",
            "virtio-scsi-pci,id=vs",
            "scsi-hd,bus=vs.0,drive=z4",
            "virtio-scsi-pci-non-transitional",
            "virtio-scsi-pci-transitional",
            "virtio-blk-pci,drive=z5",
        ],
    ),
    (
        "-machine q35 -cpu EPYC",
        &[
            "virtio-blk-pci-non-transitional,drive=z0",
            "virtio-blk-pci-transitional,drive=z1",
            "virtio-balloon-pci-non-transitional",
            "e1000",
            "e1000-82544gc",
            "e1000-82545em",
            "e1000e",
            "igb",
            "ne2k_pci",
            "pcnet",
            "rtl8139",
            "tulip",
            "rocker",
            "virtio-net-pci",
            "virtio-net-pci-non-transitional",
            "virtio-net-pci-transitional",
            "vmxnet3",
            "i82551",
            "i82557a",
            "i82559er",
            "i82562",
            "i82801",
        ],
    ),
    (
        "-machine q35 -cpu Skylake-Server",
        &[
            "ich9-usb-ehci1,id=e1,multifunction=on,addr=1d.7",
            "ich9-usb-uhci1,masterbus=e1.0,firstport=0,multifunction=on,addr=1d.0",
            "ich9-usb-uhci2,masterbus=e1.0,firstport=2,addr=1d.1",
            "ich9-usb-uhci3,masterbus=e1.0,firstport=4,addr=1d.2",
            "pci-ohci",
            "piix3-usb-uhci",
            "piix4-usb-uhci",
            "usb-ehci",
            "nec-usb-xhci",
            "qemu-xhci,id=x,p2=15,p3=15",
            "usb-hub,bus=x.0",
            "usb-kbd,bus=x.0",
            "usb-mouse,bus=x.0",
            "usb-tablet,bus=x.0",
            "usb-wacom-tablet,bus=x.0",
            "usb-serial,bus=x.0,chardev=n0",
            "usb-net,bus=x.0",
            "usb-ccid,bus=x.0",
            "usb-audio,bus=x.0,audiodev=a0",
            "usb-storage,bus=x.0,drive=z0",
            "usb-uas,bus=x.0,id=uas",
            "scsi-hd,bus=uas.0,drive=z1",
            "usb-bot,bus=x.0,id=bot",
            "scsi-hd,bus=bot.0,drive=z2",
        ],
    ),
    (
        "-machine q35 -cpu Nehalem",
        &[
            "virtio-balloon-pci-transitional",
            "pci-serial",
            "pci-serial-2x",
            "pci-serial-4x",
            "tpci200",
            "virtio-keyboard-pci",
            "virtio-mouse-pci",
            "virtio-tablet-pci",
            "virtio-serial-pci",
            "virtio-serial-pci-non-transitional",
            "virtio-serial-pci-transitional",
            "bochs-display",
            "cirrus-vga",
            "qxl",
            "secondary-vga",
            "VGA",
            "ati-vga",
            "virtio-gpu-pci",
            "virtio-vga",
            "vmware-svga",
            "AC97,audiodev=a0",
            "ES1370,audiodev=a0",
            "ich9-intel-hda,id=h1",
            "hda-duplex,bus=h1.0,audiodev=a0",
            "intel-hda,id=h2",
            "hda-micro,bus=h2.0,audiodev=a0",
        ],
    ),
    (
        "-machine q35 -cpu Westmere",
        &[
            "ctucan_pci,canbus0=b0",
            "kvaser_pci,canbus=b0",
            "mioe3680_pci,canbus0=b0,canbus1=b0",
            "pcm3680_pci,canbus0=b0,canbus1=b0",
            "edu",
            "ivshmem-plain,memdev=m0",
            "pci-testdev",
            "pvpanic-pci",
            "i6300esb",
            "ipmi-bmc-sim,id=bmc0",
            "pci-ipmi-kcs,bmc=bmc0",
            "ipmi-bmc-sim,id=bmc1",
            "pci-ipmi-bt,bmc=bmc1",
            "virtio-balloon-pci",
            "virtio-crypto-pci,cryptodev=c0",
            "virtio-iommu-pci",
            "virtio-rng-pci,rng=r0",
            "virtio-rng-pci-non-transitional,rng=r0",
            "virtio-rng-pci-transitional,rng=r0",
            "ioh3420,chassis=1,slot=1",
            "pcie-root-port,chassis=2,slot=2",
            "pcie-pci-bridge",
            "i82801b11-bridge",
            "vmcoreinfo",
            "vmgenid",
        ],
    ),
    (
        "-machine pc -cpu phenom",
        &[
            "isa-ide",
            "piix3-ide,addr=8",
            "sb16,audiodev=a0",
            "gus,audiodev=a0",
            "adlib,audiodev=a0",
            "cs4231a,audiodev=a0",
            "ne2k_isa",
            "ib700",
            "ipmi-bmc-sim,id=bmc0",
            "isa-ipmi-kcs,bmc=bmc0",
            "isa-applesmc",
            "pvpanic",
            "isa-fdc,id=fdc",
            "floppy,bus=fdc.0,drive=z0",
            "isa-parallel,chardev=n0",
            "pci-bridge,chassis_nr=1",
            "mc146818rtc",
        ],
    ),
    (
        "-machine q35,nvdimm=on -m 512M,maxmem=2G,slots=4 -cpu max",
        &[
            "nvdimm,memdev=m1",
            "virtio-pmem-pci,memdev=m2",
            "amd-iommu",
            "virtio-mem-pci,memdev=m3",
            "isa-debugcon,chardev=n1",
        ],
    ),
    (
        "-machine microvm,rtc=on -cpu max",
        &[
            "virtio-blk-device,drive=z0",
            "virtio-net-device",
            "virtio-scsi-device",
            "virtio-serial-device",
            "virtio-rng-device,rng=r0",
            "virtio-balloon-device",
            "virtio-keyboard-device",
        ],
    ),
];

fn main() {
    let generic = kernel(Flavour::Generic);
    let image = image(&generic);
    let mut found = BTreeSet::new();
    for (number, (machine, devices)) in GUESTS.iter().enumerate() {
        let mut arguments: Vec<&str> = machine.split(' ').collect();
        arguments.extend(BEHIND.split_ascii_whitespace());
        for device in *devices {
            arguments.extend(["-device", device]);
            if !is_taken(&arguments) {
                progress(&format!("not in this QEMU: {device}"));
                arguments.truncate(arguments.len() - 2);
            }
        }
        match modaliases(&generic, &image, &arguments) {
            Some(seen) => found.extend(seen),
            None => progress(&format!("machine {number} ({machine}) told nothing")),
        }
        progress(&format!("{} modaliases so far", found.len()));
        write(&found);
    }
}

fn write(found: &BTreeSet<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/kmod/qemu.txt");
    let text: String = found.iter().map(|alias| format!("{alias}\n")).collect();
    fs::write(&path, text).expect("the list is writable");
}

/// Everything, so that what hangs behind other drivers is seen, too.
fn image(kernel: &Kernel) -> std::path::PathBuf {
    let names = [
        "usbhid",
        "hid-generic",
        "snd-hda-intel",
        "virtio_console",
        "psmouse",
        "i2c-i801",
        "snd-usb-audio",
        "nfit",
        "i2c-piix4",
    ];
    let added = names.iter().flat_map(|name| ["--add", name]);
    let also: Vec<&str> = ["--generic"].into_iter().chain(added).collect();
    images::image_with(kernel, "modaliases", &also)
}

/// Would QEMU start with these?
fn is_taken(arguments: &[&str]) -> bool {
    let child = Command::new("qemu-system-x86_64")
        .args(["-nodefaults", "-display", "none", "-S", "-monitor", "stdio"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.expect("qemu-system-x86_64 runs");
    let mut monitor = child.stdin.take().expect("a pipe was asked for");
    let _ = monitor.write_all(b"quit\n");
    drop(monitor);
    child.wait().expect("QEMU ends").success()
}

/// What a guest shows on its buses; `None`: it did not come so far.
fn modaliases(kernel: &Kernel, image: &Path, arguments: &[&str]) -> Option<BTreeSet<String>> {
    let scratch = shelf::Scratch::new();
    let trace = scratch.0.join("trace");
    let mut command = Command::new(build::landfall());
    command.arg("boot").arg("--kernel").arg(&kernel.vmlinuz);
    command
        .arg("--initrd")
        .arg(image)
        .arg("--trace")
        .arg(&trace);
    command.args([
        "--append",
        "root=LABEL=nowhere rd.timeout=30",
        "--accel",
        "tcg",
    ]);
    command.args(["--timeout", "240", "--expect-exit", "3"]);
    if arguments.iter().any(|word| word.starts_with("microvm")) {
        command.args(["--machine", "microvm"]);
    }
    let status = command
        .arg("--")
        .args(arguments)
        .stdout(Stdio::null())
        .status();
    status.ok().filter(|status| status.success())?;
    let trace = fs::read_to_string(&trace).ok()?;
    let modalias = |line: &str| {
        let rest = line.split_once(" < bus ")?.1;
        rest.split(' ').nth(1).map(String::from)
    };
    Some(trace.lines().filter_map(modalias).collect())
}
