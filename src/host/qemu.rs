//! A virtual machine, described once and turned into a QEMU command line.
//!
//! Deliberately absent: what happens in the guest (`boot`), networks, graphics, other
//! architectures. Source: qemu(1), and "microvm" in QEMU's system emulation manual.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

pub const PROGRAM: &str = "qemu-system-x86_64";

/// What a disk is plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bus {
    Virtio,
    Scsi,
    Nvme,
    Ahci,
    Usb,
}

impl Bus {
    pub const ALL: [(&'static str, Self); 5] = [
        ("virtio", Self::Virtio),
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

/// The last of the four serial ports that a PC has by tradition: every kernel that has a serial
/// console knows it, and what `-serial` adds comes before it.
pub const TRACE_TERMINAL: &str = "/dev/ttyS3";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    Q35,
    Microvm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accel {
    Kvm,
    Tcg,
}

/// Everything QEMU is told.
#[derive(Clone, Debug)]
pub struct Machine {
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
    /// Where what the guest writes to [`TRACE_TERMINAL`] goes.
    pub trace: Option<PathBuf>,
    /// Passed to QEMU as they are, last.
    pub extra: Vec<OsString>,
}

impl Machine {
    /// q35, 512 MiB, one CPU, emulated; no disk, empty command line.
    pub fn new(kernel: impl Into<PathBuf>) -> Self {
        Self {
            kernel: kernel.into(),
            initrd: None,
            disks: Vec::new(),
            append: String::new(),
            memory: 512,
            cpus: 1,
            board: Board::Q35,
            accel: Accel::Tcg,
            trace: None,
            extra: Vec::new(),
        }
    }

    /// The command, with the first serial port on QEMU's stdin and stdout.
    pub fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["-nodefaults", "-display", "none", "-no-reboot"]);
        command.args(["-machine", self.machine_word()]);
        command.args(match self.accel {
            Accel::Kvm => ["-accel", "kvm", "-cpu", "host"],
            Accel::Tcg => ["-accel", "tcg", "-cpu", "max"],
        });
        command.args(["-m", &self.memory.to_string()]);
        command.args(["-smp", &self.cpus.to_string()]);
        command.args(["-serial", "stdio"]);
        command.arg("-kernel").arg(&self.kernel);
        if let Some(initrd) = &self.initrd {
            command.arg("-initrd").arg(initrd);
        }
        command.arg("-append").arg(self.append_for_board());
        if let Some(file) = &self.trace {
            let mut chardev = OsString::from("file,id=trace,path=");
            chardev.push(comma_doubled(file));
            command.arg("-chardev").arg(chardev);
            let port = "isa-serial,id=trace-port,chardev=trace,index=3";
            command.args(["-device", port]);
        }
        self.controllers(&mut command);
        for (number, disk) in self.disks.iter().enumerate() {
            self.plug(&mut command, number, disk);
        }
        command.args(&self.extra);
        command
    }

    fn machine_word(&self) -> &'static str {
        match self.board {
            Board::Q35 => "q35",
            // Without the PIT and PIC options Linux finds no timer to calibrate against.
            Board::Microvm => "microvm,rtc=on",
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
            let model = match self.board {
                Board::Q35 => "virtio-scsi-pci,id=scsi",
                Board::Microvm => "virtio-scsi-device,id=scsi",
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
        match (disk.bus, self.board) {
            (Bus::Virtio, Board::Q35) => format!("virtio-blk-pci,{tail}"),
            (Bus::Virtio, Board::Microvm) => format!("virtio-blk-device,{tail}"),
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

/// KVM where it really runs a guest, or else emulation.
///
/// `/dev/kvm` may exist, and open, and never answer (nested virtualisation switched off half
/// way): so a guest of seven bytes is run, with a deadline.
pub fn best_accel() -> Accel {
    let there = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm");
    if there.is_ok() && runs_a_guest("kvm").unwrap_or(false) {
        Accel::Kvm
    } else {
        Accel::Tcg
    }
}

/// Does a guest run under `accel` (QEMU's word)? `Err`: QEMU or the file system refused.
pub fn runs_a_guest(accel: &str) -> io::Result<bool> {
    let name = format!("landfall-probe-{}-{accel}.rom", std::process::id());
    let rom = std::env::temp_dir().join(name);
    std::fs::write(&rom, probe_rom())?;
    let answer = run_probe(accel, rom.as_os_str());
    let _ = std::fs::remove_file(&rom);
    answer
}

const PROBE_DEADLINE: Duration = Duration::from_secs(5);
const PROBE_ANSWER: u8 = 0x2a;

/// A 64 KiB ROM whose reset vector writes `PROBE_ANSWER` to I/O port 0x501 and halts.
fn probe_rom() -> Vec<u8> {
    let mut rom = vec![0xf4; 0xfff0]; // hlt
    // mov al, ANSWER; mov dx, 0x501; out dx, al; hlt
    rom.extend([0xb0, PROBE_ANSWER, 0xba, 0x01, 0x05, 0xee, 0xf4]);
    rom.resize(0x1_0000, 0xf4);
    rom
}

fn run_probe(accel: &str, rom: &OsStr) -> io::Result<bool> {
    // With the CPU that the real guest would get: hosts exist where just that is refused.
    let cpu = if accel == "kvm" { "host" } else { "max" };
    let mut child = Command::new(PROGRAM)
        .args(["-nodefaults", "-display", "none", "-machine", "q35"])
        .args(["-m", "16", "-accel", accel, "-cpu", cpu, "-device"])
        .arg("isa-debug-exit,iobase=0x501,iosize=1")
        .arg("-bios")
        .arg(rom)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let ended = end_within(&mut child, PROBE_DEADLINE)?;
    if ended.is_none() {
        // One stuck inside the kernel may not even die; it is not waited for.
        let _ = child.kill();
        let _ = end_within(&mut child, Duration::from_millis(500));
    }
    // isa-debug-exit: the status is the written value, doubled, plus one.
    let answer = i32::from(PROBE_ANSWER) * 2 + 1;
    Ok(ended.and_then(|status| status.code()) == Some(answer))
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
pub fn cannot_start(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        format!("{PROGRAM} is not installed (Debian and Ubuntu: apt install qemu-system-x86)")
    } else {
        format!("cannot run {PROGRAM}: {error}")
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
        let mut machine = Machine::new("vmlinuz");
        machine.disks.push(Disk::raw("a,b.img", Bus::Virtio));
        let drive = "if=none,id=drive0,format=raw,snapshot=off,file=a,,b.img";
        assert!(words(&machine).iter().any(|w| w == drive));
    }

    #[test]
    fn every_bus_has_its_device_and_one_controller() {
        for (name, bus) in Bus::ALL {
            assert_eq!(Bus::parse(name), Some(bus));
            let mut machine = Machine::new("vmlinuz");
            machine.disks = vec![Disk::raw("a", bus), Disk::raw("b", bus)];
            let words = words(&machine);
            let count = |part: &str| words.iter().filter(|w| w.contains(part)).count();
            assert_eq!(count("drive=drive"), 2, "{name}");
            let controllers = count("id=scsi") + count("id=ahci") + count("id=xhci");
            let wanted = usize::from(!matches!(bus, Bus::Virtio | Bus::Nvme));
            assert_eq!(controllers, wanted, "{name}");
        }
        assert_eq!(Bus::parse("floppy"), None);
    }

    #[test]
    fn an_unplugged_disk_is_a_drive_without_a_device() {
        let mut machine = Machine::new("vmlinuz");
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
        let mut machine = Machine::new("vmlinuz");
        let ports = |words: &[String]| words.iter().filter(|w| w.contains("isa-serial")).count();
        assert_eq!(ports(&words(&machine)), 0);
        machine.trace = Some("/tmp/a,b".into());
        let words = words(&machine);
        assert_eq!(ports(&words), 1);
        assert!(words.contains(&"file,id=trace,path=/tmp/a,,b".into()));
    }

    #[test]
    fn the_probe_starts_at_the_reset_vector() {
        let rom = probe_rom();
        assert_eq!(rom.len(), 0x1_0000);
        assert_eq!(&rom[0xfff0..0xfff2], [0xb0, PROBE_ANSWER]);
    }
}
