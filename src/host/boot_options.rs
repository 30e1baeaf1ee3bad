//! The words of `landfall boot`, read into a machine and a question.
//!
//! Not here: running it (`boot`). What is odd is refused with the word that was odd.

use super::accel::best_accel;
use super::arch::Arch;
use super::qemu::{Accel, Board, Bus, Disk, Machine, console, trace_port};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub const HELP: &str = "\
Usage: landfall boot --kernel VMLINUZ [--initrd IMAGE] [OPTION]... [-- QEMU ARGUMENTS]

Boots an image in QEMU and tells how it went. No root is needed. The kernel's architecture chooses
the machine: x86_64, aarch64, riscv64 or armv7.

  --kernel FILE       the kernel to boot
  --initrd FILE       the initramfs image (`landfall image` makes one)
  --disk FILE[,bus=virtio|mmio|scsi|nvme|ahci|usb][,format=raw|qcow2|...][,scratch]
                      a disk; scratch: the guest's writes are thrown away. May be repeated
  --append WORDS      more kernel command line, after `printk.time=1 panic=-1 console=…` with
                      the machine's serial port, and `landfall.trace=`. May be repeated
  --memory MB         default 512
  --cpus N            default 1
  --arch NAME         the kernel's architecture, where its file does not tell
  --machine BOARD     x86_64: q35 (default) or microvm; others: virt
  --accel WORD        auto (default: KVM if it works, else emulation), kvm or tcg
  --until TEXT        after the hand-over, run until the console shows TEXT
  --chart OUT.svg     draw what waited for what in the guest's boot
  --trace OUT         keep the trace of the guest's boot
  --timeout S         kill the guest after S seconds; default 120, or none on a terminal
  --expect-exit N     succeed if the boot ended with status N, fail otherwise

exit status
  0  the real init was reached (and TEXT was shown)
  1  the machine could not be started, or the status was not the expected one
  2  the command line is wrong
  3  landfall gave up, or the guest ended before the real init
  4  the kernel panicked
  5  neither of these in time
";

/// What a person asked of one boot.
#[derive(Debug)]
pub struct Options {
    pub machine: Machine,
    pub until: Option<String>,
    pub timeout: Option<Duration>,
    pub expected: Option<u8>,
    /// Where the chart of the boot goes.
    pub chart: Option<PathBuf>,
    /// Where the trace of the boot goes.
    pub trace: Option<PathBuf>,
}

/// First on every command line; what follows wins.
fn append_first(arch: Arch) -> String {
    let trace = trace_port(arch).map(|port| format!(" landfall.trace={port}"));
    let trace = trace.unwrap_or_default();
    format!("console={} printk.time=1 panic=-1{trace}", console(arch))
}

/// Reads the words after `landfall boot`. `Ok(None)`: help was asked for.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Option<Options>, String> {
    let mut words = Words::default();
    loop {
        if let Some(mut rest) = parser.try_raw_args()
            && rest.peek().is_some_and(|word| word == "--")
        {
            rest.next();
            words.extra = rest.collect();
            break;
        }
        let Some(arg) = parser.next().map_err(|e| e.to_string())? else {
            break;
        };
        let long = match arg {
            Short('h') | Long("help") => return Ok(None),
            Long(name) => name.to_owned(),
            other => return Err(format!("{}", other.unexpected())),
        };
        if !KNOWN.contains(&long.as_str()) {
            return Err(format!("unknown option --{long}"));
        }
        let value = parser.value().map_err(|e| e.to_string())?;
        words.take(&long, value)?;
    }
    words.finish().map(Some)
}

const KNOWN: [&str; 14] = [
    "kernel",
    "arch",
    "initrd",
    "disk",
    "append",
    "memory",
    "cpus",
    "machine",
    "accel",
    "until",
    "chart",
    "trace",
    "timeout",
    "expect-exit",
];

#[derive(Default)]
struct Words {
    kernel: Option<PathBuf>,
    arch: Option<Arch>,
    initrd: Option<PathBuf>,
    disks: Vec<Disk>,
    append: Vec<String>,
    memory: Option<u32>,
    cpus: Option<u32>,
    board: Option<Board>,
    accel: Option<Accel>,
    until: Option<String>,
    timeout: Option<u64>,
    expected: Option<u8>,
    chart: Option<PathBuf>,
    trace: Option<PathBuf>,
    extra: Vec<OsString>,
}

impl Words {
    fn take(&mut self, name: &str, value: OsString) -> Result<(), String> {
        match name {
            "kernel" => self.kernel = Some(value.into()),
            "initrd" => self.initrd = Some(value.into()),
            "disk" => self.disks.push(disk(&text(name, value)?)?),
            "append" => self.append.push(text(name, value)?),
            "memory" => self.memory = Some(number(name, value)?),
            "cpus" => self.cpus = Some(number(name, value)?),
            "until" => self.until = Some(text(name, value)?),
            "timeout" => self.timeout = Some(number(name, value)?),
            "expect-exit" => self.expected = Some(number(name, value)?),
            "chart" => self.chart = Some(value.into()),
            "trace" => self.trace = Some(value.into()),
            "machine" => self.board = Some(one_of(name, value, &Board::ALL)?),
            "arch" => {
                let all = Arch::ALL.map(|arch| (arch.name(), arch));
                self.arch = Some(one_of(name, value, &all)?);
            }
            _ => {
                let accels = [
                    ("auto", None),
                    ("kvm", Some(Accel::Kvm)),
                    ("tcg", Some(Accel::Tcg)),
                ];
                self.accel = one_of(name, value, &accels)?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Options, String> {
        let kernel = self.kernel.ok_or("--kernel FILE is missing")?;
        readable("kernel", &kernel)?;
        for disk in &self.disks {
            readable("disk", &disk.file)?;
        }
        if let Some(initrd) = &self.initrd {
            readable("initrd", initrd)?;
        }
        let arch = self.arch.map_or_else(|| arch_of(&kernel), Ok)?;
        let mut machine = Machine::new(arch, kernel);
        machine.board = self.board.unwrap_or(machine.board);
        fits(machine.board, arch, &self.disks)?;
        machine.initrd = self.initrd;
        machine.disks = self.disks;
        machine.append = format!("{} {}", append_first(arch), self.append.join(" "));
        machine.memory = self.memory.unwrap_or(machine.memory);
        machine.cpus = self.cpus.unwrap_or(machine.cpus);
        machine.extra = self.extra;
        machine.accel = self.accel.unwrap_or_else(|| best_accel(arch));
        Ok(Options {
            machine,
            until: self.until,
            timeout: self.timeout.map(Duration::from_secs),
            expected: self.expected,
            chart: self.chart,
            trace: self.trace,
        })
    }
}

/// `FILE[,bus=…][,format=…][,scratch]`. Commas in FILE are kept: words are taken from the right.
fn disk(word: &str) -> Result<Disk, String> {
    let mut disk = Disk::raw("", Bus::Virtio);
    let mut file = word;
    while let Some((rest, last)) = file.rsplit_once(',') {
        match last.split_once('=') {
            Some(("bus", name)) => {
                let known = Bus::ALL.map(|(name, _)| name).join(", ");
                let bus = Bus::parse(name);
                disk.bus = bus.ok_or(format!("--disk: no bus {name:?}; there are {known}"))?;
            }
            Some(("format", name)) => disk.format = name.to_owned(),
            None if last == "scratch" => disk.scratch = true,
            _ => break,
        }
        file = rest;
    }
    disk.file = file.into();
    Ok(disk)
}

fn arch_of(kernel: &Path) -> Result<Arch, String> {
    let (shown, known) = (kernel.display(), Arch::ALL.map(Arch::name).join(", "));
    let found = Arch::of_kernel_file(kernel);
    let found = found.map_err(|error| format!("cannot read the kernel {shown}: {error}"))?;
    found.ok_or_else(|| format!("{shown} is no kernel for {known}; if it is, say --arch NAME"))
}

fn fits(board: Board, arch: Arch, disks: &[Disk]) -> Result<(), String> {
    let (name, usual) = (board.name(), Board::usual(arch).name());
    if !board.is_for(arch) {
        return Err(format!(
            "--machine {name} is not for {arch}, which the kernel is for: use {usual}"
        ));
    }
    let Some(disk) = disks.iter().find(|disk| !board.carries(disk.bus)) else {
        return Ok(());
    };
    let carried = Bus::ALL.iter().filter(|(_, bus)| board.carries(*bus));
    let carried: Vec<&str> = carried.map(|(name, _)| *name).collect();
    Err(format!(
        "--machine {name} has no such bus for {}: there are {}",
        disk.file.display(),
        carried.join(", ")
    ))
}

fn readable(what: &str, path: &Path) -> Result<(), String> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "cannot open the {what} {}: {error}",
            path.display()
        )),
    }
}

fn text(name: &str, value: OsString) -> Result<String, String> {
    let text = value.into_string();
    text.map_err(|odd| format!("--{name}: not UTF-8: {}", odd.display()))
}

fn number<T: std::str::FromStr>(name: &str, value: OsString) -> Result<T, String> {
    let text = text(name, value)?;
    let number = text.parse();
    number.map_err(|_| format!("--{name}: {text:?} is not a number that fits"))
}

fn one_of<T: Copy>(name: &str, value: OsString, known: &[(&str, T)]) -> Result<T, String> {
    let text = text(name, value)?;
    let found = known.iter().find(|(word, _)| *word == text);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        format!("--{name}: {text:?} is none of {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Option<Options>, String> {
        parse(&mut lexopt::Parser::from_args(words.split(' ')))
    }

    #[test]
    fn a_disk_keeps_the_commas_of_its_name() {
        let check = |word: &str, file: &str, bus: Bus, format: &str, scratch: bool| {
            let disk = disk(word).unwrap();
            assert_eq!(disk.file.to_str(), Some(file));
            assert_eq!(
                (disk.bus, disk.format.as_str(), disk.scratch),
                (bus, format, scratch)
            );
        };
        check("a.img", "a.img", Bus::Virtio, "raw", false);
        check("a,b.img,bus=nvme", "a,b.img", Bus::Nvme, "raw", false);
        check(
            "a,scratch,format=qcow2,bus=usb",
            "a",
            Bus::Usb,
            "qcow2",
            true,
        );
        assert!(disk("a,bus=floppy").unwrap_err().contains("virtio, mmio"));
    }

    #[test]
    fn everything_lands_in_the_machine() {
        let me = std::env::current_exe().unwrap();
        let me = me.display();
        let options = parsed(&format!(
            "--kernel {me} --arch x86_64 --chart c --trace t --accel tcg --append a \
             --append b=c --memory 64 --cpus 2 --machine microvm --timeout 9 --expect-exit 3 --until up --disk {me} -- -s --help"
        ));
        let options = options.unwrap().unwrap();
        let first = "console=ttyS0 printk.time=1 panic=-1 landfall.trace=/dev/ttyS3";
        assert_eq!(options.machine.append, format!("{first} a b=c"));
        assert_eq!((options.machine.memory, options.machine.cpus), (64, 2));
        assert_eq!(options.machine.board, Board::Microvm);
        assert_eq!(options.machine.extra, ["-s", "--help"]);
        let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string());
        assert_eq!(path(&options.chart).as_deref(), Some("c"));
        assert_eq!(path(&options.trace).as_deref(), Some("t"));
        assert_eq!(options.timeout, Some(Duration::from_secs(9)));
        assert_eq!(
            (options.expected, options.until.as_deref()),
            (Some(3), Some("up"))
        );
    }

    #[test]
    fn the_kernel_chooses_the_console() {
        let me = std::env::current_exe().unwrap();
        for (arch, port) in [("aarch64", "ttyAMA0"), ("riscv64", "ttyS0")] {
            let words = format!("--kernel {} --arch {arch} --accel tcg", me.display());
            let machine = parsed(&words).unwrap().unwrap().machine;
            assert!(machine.append.starts_with(&format!("console={port} ")));
            assert_eq!(machine.board, Board::Virt);
        }
    }

    #[test]
    fn odd_words_are_refused_by_name() {
        let check = |words: &str, part: &str| {
            let error = parsed(words).unwrap_err();
            assert!(error.contains(part), "{words}: {error}");
        };
        check("--initrd x", "--kernel FILE is missing");
        check(
            "--kernel /nonexistent",
            "cannot open the kernel /nonexistent",
        );
        check("--kernal x", "unknown option --kernal");
        check("x", "x");
        check("--memory lots", "--memory: \"lots\"");
        check("--expect-exit 300", "--expect-exit");
        check("--machine pc", "q35, microvm, virt");
        check("--kernel", "missing");
        let me = std::env::current_exe().unwrap();
        let me = me.display();
        check(
            &format!("--kernel {me} --arch x86_64 --machine microvm --disk {me},bus=usb"),
            "no such bus",
        );
        check(
            &format!("--kernel {me} --arch aarch64 --machine q35"),
            "--machine q35 is not for aarch64",
        );
        check(
            &format!("--kernel {me} --arch vax"),
            "none of x86_64, aarch64",
        );
        check(
            "--kernel /dev/null",
            "/dev/null is no kernel for x86_64, aarch64",
        );
        assert!(parsed("--help").unwrap().is_none());
    }
}
