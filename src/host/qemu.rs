//! A virtual machine, described once and turned into a QEMU command line.
//!
//! Deliberately absent: what happens in the guest (`boot`), whether KVM works (`accel`), networks,
//! graphics. Source: qemu(1), and "microvm" and "virt" in QEMU's system emulation manual.

use super::arch::Arch;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// What a disk is plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    Virtio,
    /// Virtio without PCI: in a slot that the device tree or the command line tells of.
    Mmio,
    Scsi,
    Nvme,
    Ahci,
    Usb,
}

impl Bus {
    pub const ALL: [(&'static str, Self); 6] = [
        ("virtio", Self::Virtio),
        ("mmio", Self::Mmio),
        ("scsi", Self::Scsi),
        ("nvme", Self::Nvme),
        ("ahci", Self::Ahci),
        ("usb", Self::Usb),
    ];

    pub fn parse(word: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        found.map(|(_, bus)| *bus)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    pub file: PathBuf,
    pub bus: Bus,
    /// QEMU's name for the file's format: `raw`, `qcow2`.
    pub format: String,
    /// Writes go to a throw-away file; the disk file stays as it is.
    pub scratch: bool,
    /// Not plugged in at start: only the drive exists, for `device_add` later.
    pub unplugged: bool,
}

impl Disk {
    pub fn raw(file: impl Into<PathBuf>, bus: Bus) -> Self {
        Self {
            file: file.into(),
            bus,
            format: "raw".into(),
            scratch: false,
            unplugged: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    Q35,
    Microvm,
    /// A device tree, PCI Express, and slots for virtio-mmio. (With UEFI also ACPI.)
    Virt,
}

impl Board {
    pub const ALL: [(&'static str, Self); 3] = [
        ("q35", Self::Q35),
        ("microvm", Self::Microvm),
        ("virt", Self::Virt),
    ];

    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, board)| *board == self);
        found.map_or("", |(name, _)| name)
    }

    pub const fn usual(arch: Arch) -> Self {
        match arch {
            Arch::X86_64 => Self::Q35,
            _ => Self::Virt,
        }
    }

    pub fn is_for(self, arch: Arch) -> bool {
        (self == Self::Virt) == (arch != Arch::X86_64)
    }

    pub fn carries(self, bus: Bus) -> bool {
        match self {
            Self::Q35 => bus != Bus::Mmio,
            Self::Microvm => matches!(bus, Bus::Virtio | Bus::Mmio | Bus::Scsi),
            Self::Virt => true,
        }
    }

    /// Disks hang on virtio-mmio and on nothing else.
    const fn is_without_pci(self) -> bool {
        matches!(self, Self::Microvm)
    }
}

/// QEMU's program for this architecture, and Debian's package that has it.
pub const fn program(arch: Arch) -> (&'static str, &'static str) {
    match arch {
        Arch::X86_64 => ("qemu-system-x86_64", "qemu-system-x86"),
        Arch::Aarch64 => ("qemu-system-aarch64", "qemu-system-arm"),
        Arch::Riscv64 => ("qemu-system-riscv64", "qemu-system-misc"),
        Arch::Armv7 => ("qemu-system-arm", "qemu-system-arm"),
    }
}

/// The serial port of its own that the trace leaves by: what the guest calls it, and QEMU's word.
/// `None`: nobody knows yet what its name would be.
const fn trace_device(arch: Arch) -> Option<(&'static str, &'static str)> {
    match arch {
        // The last of the four that a PC has by tradition: what `-serial` adds comes before it.
        Arch::X86_64 => Some(("/dev/ttyS3", "isa-serial,index=3")),
        // The board's own is another kind, so this is the first of its kind.
        Arch::Aarch64 => Some(("/dev/ttyS0", "pci-serial")),
        Arch::Riscv64 | Arch::Armv7 => None,
    }
}

/// What the guest calls the port of the trace.
pub fn trace_port(arch: Arch) -> Option<&'static str> {
    trace_device(arch).map(|(name, _)| name)
}

/// Linux's name for the first serial port of the boards above.
pub const fn console(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 | Arch::Riscv64 => "ttyS0",
        Arch::Aarch64 | Arch::Armv7 => "ttyAMA0",
    }
}

/// The CPU that emulation shows.
const fn emulated_cpu(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "max",
        // `max` signs pointers, which takes three times as long to emulate as all the rest.
        Arch::Aarch64 => "cortex-a72",
        Arch::Riscv64 => "rv64",
        Arch::Armv7 => "cortex-a15",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Kvm,
    Tcg,
}

/// Everything QEMU is told.
#[derive(Clone, Debug)]
pub struct Machine {
    pub arch: Arch,
    /// Empty: firmware boots from a disk.
    pub kernel: PathBuf,
    pub initrd: Option<PathBuf>,
    pub disks: Vec<Disk>,
    /// The kernel command line.
    pub append: String,
    /// MiB.
    pub memory: u32,
    pub cpus: u32,
    pub board: Board,
    pub accel: Accel,
    /// Where what the guest writes to its [`trace_port`] goes.
    pub trace: Option<PathBuf>,
    /// Passed to QEMU as they are, last.
    pub extra: Vec<OsString>,
}

impl Machine {
    /// The usual board, 512 MiB, one CPU, emulated; no disk, empty command line.
    pub fn new(arch: Arch, kernel: impl Into<PathBuf>) -> Self {
        Self {
            arch,
            kernel: kernel.into(),
            initrd: None,
            disks: Vec::new(),
            append: String::new(),
            memory: 512,
            cpus: 1,
            board: Board::usual(arch),
            accel: Accel::Tcg,
            trace: None,
            extra: Vec::new(),
        }
    }

    /// The command, with the first serial port on QEMU's stdin and stdout.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program(self.arch).0);
        command.args(["-nodefaults", "-display", "none", "-no-reboot"]);
        command.args(["-machine", self.machine_word()]);
        command.args(match self.accel {
            Accel::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Accel::Tcg => ["-accel", "tcg", "-cpu", emulated_cpu(self.arch)],
        });
        command.args(["-m", &self.memory.to_string()]);
        command.args(["-smp", &self.cpus.to_string()]);
        command.args(["-serial", "stdio"]);
        if !self.kernel.as_os_str().is_empty() {
            self.direct_boot(&mut command);
        }
        if let (Some(file), Some((_, device))) = (&self.trace, trace_device(self.arch)) {
            let mut chardev = OsString::from("file,id=trace,path=");
            chardev.push(comma_doubled(file));
            command.arg("-chardev").arg(chardev);
            command.args(["-device", &format!("{device},id=trace-port,chardev=trace")]);
        }
        self.controllers(&mut command);
        for (number, disk) in self.disks.iter().enumerate() {
            self.plug(&mut command, number, disk);
        }
        command.args(&self.extra);
        command
    }

    fn direct_boot(&self, command: &mut Command) {
        command.arg("-kernel").arg(&self.kernel);
        if let Some(initrd) = &self.initrd {
            command.arg("-initrd").arg(initrd);
        }
        command.arg("-append").arg(self.append_for_board());
    }

    fn machine_word(&self) -> &'static str {
        match (self.board, self.arch, self.accel) {
            (Board::Q35, ..) => "q35",
            // Without the PIT and PIC options Linux finds no timer to calibrate against.
            (Board::Microvm, ..) => "microvm,rtc=on",
            // The default is a GICv2, which few CPUs can show to a guest.
            (Board::Virt, Arch::Aarch64, Accel::Kvm) => "virt,gic-version=host",
            // What lies above 4 GiB is out of reach for most 32-bit kernels, PCI as well.
            (Board::Virt, Arch::Armv7, _) => "virt,highmem=off",
            (Board::Virt, ..) => "virt",
        }
    }

    /// An emulated microvm has no clock that Linux would trust on its own.
    fn append_for_board(&self) -> String {
        match (self.board, self.accel) {
            (Board::Microvm, Accel::Tcg) => {
                format!("lpj=5000000 tsc=reliable no_timer_check {}", self.append)
            }
            _ => self.append.clone(),
        }
    }

    fn controllers(&self, command: &mut Command) {
        let has = |bus| self.disks.iter().any(|disk| disk.bus == bus);
        if has(Bus::Scsi) {
            let model = match self.board.is_without_pci() {
                false => "virtio-scsi-pci,id=scsi",
                true => "virtio-scsi-device,id=scsi",
            };
            command.args(["-device", model]);
        }
        if has(Bus::Ahci) {
            command.args(["-device", "ich9-ahci,id=ahci"]);
        }
        if has(Bus::Usb) {
            command.args(["-device", "qemu-xhci,id=xhci"]);
        }
    }

    fn plug(&self, command: &mut Command, number: usize, disk: &Disk) {
        let mut drive = OsString::from(format!(
            "if=none,id=drive{number},format={},snapshot={},file=",
            disk.format,
            if disk.scratch { "on" } else { "off" }
        ));
        drive.push(comma_doubled(&disk.file));
        command.arg("-drive").arg(drive);
        if !disk.unplugged {
            command.args(["-device", &self.device_word(number, disk)]);
        }
    }

    fn device_word(&self, number: usize, disk: &Disk) -> String {
        let tail = format!("drive=drive{number},id=disk{number}");
        match (disk.bus, self.board.is_without_pci()) {
            (Bus::Virtio, false) => format!("virtio-blk-pci,{tail}"),
            (Bus::Virtio, true) | (Bus::Mmio, _) => format!("virtio-blk-device,{tail}"),
            (Bus::Scsi, _) => format!("scsi-hd,bus=scsi.0,{tail}"),
            (Bus::Nvme, _) => format!("nvme,serial=disk{number},{tail}"),
            (Bus::Ahci, _) => format!("ide-hd,bus=ahci.{number},{tail}"),
            (Bus::Usb, _) => format!("usb-storage,bus=xhci.0,{tail}"),
        }
    }
}

/// QEMU splits option values at commas; a doubled comma is a comma.
fn comma_doubled(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut out = Vec::new();
    for &byte in path.as_os_str().as_bytes() {
        out.push(byte);
        if byte == b',' {
            out.push(byte);
        }
    }
    OsString::from_vec(out)
}

/// The child's status, or `None` if it is still there after `patience`.
pub fn end_within(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let until = Instant::now() + patience;
    loop {
        let status = child.try_wait()?;
        if status.is_some() || Instant::now() >= until {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What to tell a person when QEMU could not be started.
pub fn cannot_start(arch: Arch, error: &io::Error) -> String {
    let (program, package) = program(arch);
    if error.kind() == io::ErrorKind::NotFound {
        format!("{program} is not installed (Debian and Ubuntu: apt install {package})")
    } else {
        format!("cannot run {program}: {error}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(machine: &Machine) -> Vec<String> {
        let command = machine.command();
        let words = command.get_args().map(|w| w.to_string_lossy().into_owned());
        words.collect()
    }

    #[test]
    fn a_comma_in_a_file_name_does_not_end_it() {
        let mut machine = Machine::new(Arch::X86_64, "vmlinuz");
        machine.disks.push(Disk::raw("a,b.img", Bus::Virtio));
        let drive = "if=none,id=drive0,format=raw,snapshot=off,file=a,,b.img";
        assert!(words(&machine).iter().any(|w| w == drive));
    }

    #[test]
    fn every_bus_has_its_device_and_one_controller() {
        for (name, bus) in Bus::ALL {
            assert_eq!(Bus::parse(name), Some(bus));
            let mut machine = Machine::new(Arch::X86_64, "vmlinuz");
            machine.disks = vec![Disk::raw("a", bus), Disk::raw("b", bus)];
            let words = words(&machine);
            let count = |part: &str| words.iter().filter(|w| w.contains(part)).count();
            assert_eq!(count("drive=drive"), 2, "{name}");
            let controllers = count("id=scsi") + count("id=ahci") + count("id=xhci");
            let wanted = usize::from(!matches!(bus, Bus::Virtio | Bus::Mmio | Bus::Nvme));
            assert_eq!(controllers, wanted, "{name}");
        }
        assert_eq!(Bus::parse("floppy"), None);
    }

    #[test]
    fn an_unplugged_disk_is_a_drive_without_a_device() {
        let mut machine = Machine::new(Arch::X86_64, "vmlinuz");
        machine.disks.push(Disk {
            unplugged: true,
            ..Disk::raw("a", Bus::Virtio)
        });
        let words = words(&machine);
        assert!(words.iter().any(|w| w.contains("id=drive0")));
        assert!(!words.iter().any(|w| w.contains("virtio-blk")));
    }

    #[test]
    fn the_trace_has_a_port_of_its_own() {
        let mut machine = Machine::new(Arch::X86_64, "vmlinuz");
        let ports = |words: &[String]| words.iter().filter(|w| w.contains("isa-serial")).count();
        assert_eq!(ports(&words(&machine)), 0);
        machine.trace = Some("/tmp/a,b".into());
        let words = words(&machine);
        assert_eq!(ports(&words), 1);
        assert!(words.contains(&"file,id=trace,path=/tmp/a,,b".into()));
    }

    #[test]
    fn every_architecture_has_its_board() {
        for arch in Arch::ALL {
            let board = Board::usual(arch);
            assert!(board.is_for(arch), "{arch}");
            let words = words(&Machine::new(arch, "vmlinuz"));
            assert!(
                words.iter().any(|w| w.starts_with(board.name())),
                "{arch}: {words:?}"
            );
        }
        assert!(!Board::Q35.is_for(Arch::Aarch64));
        assert!(Board::Microvm.is_for(Arch::X86_64));
    }
}
