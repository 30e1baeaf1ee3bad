//! One measured boot: QEMU counts instructions, one nanosecond each, so that the guest's clock
//! does not depend on the machine below, nor on what else it does. Several CPUs take turns in that
//! count, endlessly where one waits for the other: with `--cpus` the clock is this machine's.
//!
//! Idle waits are counted too (`sleep=on`): with `off` a pending read lets the clock jump to the
//! next timer. The image is unpacked before anything else (`initramfs_async=0`), and the kernel
//! lies where it was linked to (`nokaslr`): runs then agree to 0.05 %, but for the host's disk.
//! What the guest waited for that is taken off (`figures`), and the best of several runs counts.
//! Waits for servers are as long as they are here; they stay, as answers are what is waited for.
//!
//! Source: qemu(1), `-icount`; Documentation/admin-guide/kernel-parameters.txt.

use super::results::Row;
use super::setting::Setting;
use crate::host::arch::Arch;
use crate::host::boot::{listen, stop};
use crate::host::console::{Console, Piece};
use crate::host::failure::Failure;
use crate::host::qemu::{Machine, cannot_start};
use std::process::Stdio;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

const COUNTED: [&str; 4] = [
    "-icount",
    "shift=0,sleep=on,align=off",
    "-rtc",
    "base=2026-01-01,clock=vm",
];
const APPEND: &str = "console=ttyS0 panic=-1 ro quiet printk.time=1 initramfs_async=0 nokaslr";

/// Boots the image of `row`; the lines of its console, to the end or until `patience` is over.
/// `tick` is called now and then with the seconds so far.
pub fn boot(
    setting: &Setting,
    row: &Row,
    cpus: Option<u32>,
    patience: Duration,
    tick: &mut dyn FnMut(u64),
) -> Result<Vec<String>, Failure> {
    let mut machine = Machine::new(Arch::X86_64, &setting.kernel);
    machine.initrd = Some(row.image.clone());
    machine.append = format!("{APPEND} {}", row.words);
    match cpus {
        Some(cpus) => machine.cpus = cpus,
        None => machine.extra = COUNTED.iter().map(Into::into).collect(),
    }
    setting.plug(&mut machine);
    let mut command = machine.command();
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = command.spawn();
    let mut child = child.map_err(|error| Failure::new(cannot_start(Arch::X86_64, &error)))?;
    let stdout = child.stdout.take();
    let stdout = stdout.ok_or_else(|| Failure::new("QEMU's output was not there"))?;
    let bytes = listen(stdout);
    let (mut console, mut lines) = (Console::default(), Vec::new());
    let started = Instant::now();
    while started.elapsed() < patience {
        match bytes.recv_timeout(Duration::from_millis(200)) {
            Ok(bytes) => console.feed(&bytes, &mut |piece| {
                if let Piece::Line(line) = piece {
                    lines.push(line);
                }
            }),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        tick(started.elapsed().as_secs());
    }
    let ended = stop(&mut child).map_err(Failure::new)?;
    if lines.is_empty() && ended.is_some_and(|status| !status.success()) {
        let text = "QEMU refused to run the machine; its message is above";
        return Err(Failure::new(text));
    }
    Ok(lines)
}
