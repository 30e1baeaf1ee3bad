//! Does KVM really run a guest here? If not, QEMU emulates.
//!
//! `/dev/kvm` may exist, and open, and never answer (nested virtualisation switched off half
//! way): so a guest of a few instructions is run, with a deadline.
//!
//! Sources: "isa-debug-exit" in QEMU's hw/misc/debugexit.c; Power State Coordination Interface
//! (Arm DEN 0022), SYSTEM_OFF; both programs are at the reset vector of their board.

use super::arch::Arch;
use super::qemu::{Accel, end_within, program};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

/// KVM where it really runs a guest of this architecture, or else emulation.
pub fn best_accel(arch: Arch) -> Accel {
    let there = || {
        let device = fs::File::options().read(true).write(true).open("/dev/kvm");
        device.is_ok()
    };
    let works = || runs_a_guest(arch, "kvm").unwrap_or(false);
    if Arch::own() == Some(arch) && there() && works() {
        Accel::Kvm
    } else {
        Accel::Tcg
    }
}

/// Does a guest run under `accel` (QEMU's word)? `Err`: QEMU or the file system refused.
pub fn runs_a_guest(arch: Arch, accel: &str) -> io::Result<bool> {
    let Some(probe) = probe(arch, accel) else {
        return Ok(false);
    };
    let name = format!("landfall-probe-{}-{arch}-{accel}.rom", std::process::id());
    let rom = std::env::temp_dir().join(name);
    fs::write(&rom, &probe.rom)?;
    let answer = probe.run(program(arch).0, accel, rom.as_os_str());
    let _ = fs::remove_file(&rom);
    answer
}

const DEADLINE: Duration = Duration::from_secs(5);
const ANSWER: u8 = 0x2a;

struct Probe {
    rom: Vec<u8>,
    machine: &'static str,
    extra: &'static [&'static str],
    /// The exit status of QEMU that only the guest can have caused.
    status: i32,
}

/// With the CPU that the real guest would get: hosts exist where just that is refused.
fn probe(arch: Arch, accel: &str) -> Option<Probe> {
    match arch {
        Arch::X86_64 => Some(Probe {
            rom: x86_rom(),
            machine: "q35",
            extra: &["-device", "isa-debug-exit,iobase=0x501,iosize=1"],
            // The written value, doubled, plus one.
            status: i32::from(ANSWER) * 2 + 1,
        }),
        Arch::Aarch64 => Some(Probe {
            rom: aarch64_rom(),
            machine: match accel {
                "kvm" => "virt,gic-version=host",
                _ => "virt",
            },
            extra: &[],
            // A refusal is 1; whoever cannot run it ends at the deadline.
            status: 0,
        }),
        Arch::Riscv64 | Arch::Armv7 => None,
    }
}

impl Probe {
    fn run(&self, program: &str, accel: &str, rom: &OsStr) -> io::Result<bool> {
        let cpu = if accel == "kvm" { "host" } else { "max" };
        let mut child = Command::new(program)
            .args(["-nodefaults", "-display", "none", "-no-reboot"])
            .args(["-machine", self.machine, "-m", "16"])
            .args(["-accel", accel, "-cpu", cpu])
            .args(self.extra)
            .arg("-bios")
            .arg(rom)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let ended = end_within(&mut child, DEADLINE)?;
        if ended.is_none() {
            // One stuck inside the kernel may not even die; it is not waited for.
            let _ = child.kill();
            let _ = end_within(&mut child, Duration::from_millis(500));
        }
        Ok(ended.and_then(|status| status.code()) == Some(self.status))
    }
}

/// A 64 KiB ROM whose reset vector writes `ANSWER` to I/O port 0x501 and halts.
fn x86_rom() -> Vec<u8> {
    let mut rom = vec![0xf4; 0xfff0]; // hlt
    // mov al, ANSWER; mov dx, 0x501; out dx, al; hlt
    rom.extend([0xb0, ANSWER, 0xba, 0x01, 0x05, 0xee, 0xf4]);
    rom.resize(0x1_0000, 0xf4);
    rom
}

/// Asks the firmware to switch the machine off.
fn aarch64_rom() -> Vec<u8> {
    // movz w0, #8; movk w0, #0x8400, lsl #16; hvc #0; b .
    let code: [u32; 4] = [0x5280_0100, 0x72b0_8000, 0xd400_0002, 0x1400_0000];
    code.iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probe_starts_at_the_reset_vector() {
        let rom = x86_rom();
        assert_eq!(rom.len(), 0x1_0000);
        assert_eq!(&rom[0xfff0..0xfff2], [0xb0, ANSWER]);
    }
}
