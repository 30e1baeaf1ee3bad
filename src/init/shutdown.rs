//! The end of the real system: this program is `/run/initramfs/shutdown` then.
//!
//! systemd starts it as PID 1, with the old root below `/oldroot`; started in the old root by
//! anybody, it makes that so itself. Whatever may hang in the kernel is done by a child that is
//! not waited for for ever. However it goes, the machine ends as it was asked to.

use super::early;
use crate::act::leave_shutdown::HOME;
use crate::act::{console_log, end, take_down};
use crate::format::made_device::Kind;
use crate::format::wish::End;
use crate::plan::shutdown::{OLD_ROOT, Seen, Step, TakingDown, Verb};
use crate::sys::fail::{Fail, Outcome};
use crate::sys::poll::Poll;
use crate::sys::process::{self, Fork};
use crate::sys::signal::{SIGCHLD, SIGKILL, SIGTERM, Signals};
use crate::sys::{clock, console, mount, proc_sys, reboot};
use std::ffi::CString;

/// What the file is called.
const NAME: &[u8] = b"shutdown";
/// Where it is in its own root directory.
const AGAIN: &std::ffi::CStr = c"/shutdown";

/// How long one call of the kernel's may take: writing back what is in memory does take time.
const HANGS_MS: u64 = 30_000;
/// How long is waited for processes at a time.
const MOMENT_MS: u64 = 100;

const VERBS: [&[u8]; 4] = [b"reboot", b"poweroff", b"halt", b"kexec"];

/// Was this program started under that name?
pub fn is_meant(arguments: &[Vec<u8>]) -> bool {
    let name = arguments
        .first()
        .and_then(|name| name.rsplit(|&b| b == b'/').next());
    name == Some(NAME)
}

/// Its whole life then.
pub fn main(arguments: &[Vec<u8>]) -> ! {
    let verb = arguments.get(1).map(Vec::as_slice).unwrap_or_default();
    if !VERBS.contains(&verb) && process::own_pid() != 1 {
        process::exit_now(2)
    }
    early::prepare();
    early::set_policy(match verb {
        b"poweroff" | b"halt" => End::PowerOff,
        _ => End::Reboot(0),
    });
    let is_old = |m: &crate::format::mountinfo::Mount| m.place.as_bytes() == OLD_ROOT.as_bytes();
    if !take_down::mounts().iter().any(is_old) {
        log::error!(
            "{HOME} does not become the root directory: {}",
            change_root(arguments)
        );
    }
    if let Err(fail) = take_all_down() {
        log::error!("{fail}");
    }
    finish(verb)
}

/// Returns only if it failed.
fn change_root(arguments: &[Vec<u8>]) -> Fail {
    if let Err(fail) = take_down::pivot(OLD_ROOT) {
        return fail;
    }
    let mut argv = Vec::new();
    for word in arguments {
        argv.extend(CString::new(word.as_slice()));
    }
    if let Ok(console) = console::open_console() {
        let _ = process::use_as_stdio(console);
    }
    // What is open, and this program itself, are files of the old root.
    process::close_others_on_exec();
    process::exec(AGAIN, &argv, &[])
}

fn take_all_down() -> Outcome<()> {
    let mut hand = Hand::new()?;
    let mut plan = TakingDown::default();
    hand.within(HANGS_MS, &synced)?;
    loop {
        let seen = look();
        let Some(step) = plan.next(&seen) else {
            hand.within(HANGS_MS, &synced)?;
            tell(&seen);
            return Ok(());
        };
        match step.0 {
            Verb::Wait => hand.wait(MOMENT_MS)?,
            Verb::Ask => signal(&seen, SIGTERM),
            Verb::Kill => signal(&seen, SIGKILL),
            _ => {
                if !hand.within(HANGS_MS, &|| work(&step))? {
                    plan.hangs(step);
                }
            }
        }
    }
}

fn look() -> Seen {
    Seen {
        mounts: take_down::mounts(),
        devices: take_down::devices(),
        holding: take_down::holding(OLD_ROOT, process::own_pid()),
    }
}

fn signal(seen: &Seen, signal: i32) {
    for pid in &seen.holding {
        let _ = process::kill(*pid, signal);
    }
}

fn work(Step(verb, name): &Step) -> Outcome<()> {
    let name = name.as_str().unwrap_or_default();
    match verb {
        Verb::Unmount => mount::remove(name),
        Verb::Protect => mount::remount(name, mount::RDONLY),
        Verb::Remove(kind) => take_down::remove(*kind, name),
        Verb::Ask | Verb::Kill | Verb::Wait => Ok(()),
    }
}

fn synced() -> Outcome<()> {
    reboot::sync();
    Ok(())
}

/// Names what is left, on each console.
fn tell(seen: &Seen) {
    let mut lines = Vec::new();
    for mount in seen.mounted() {
        let how = if mount.read_only {
            "read-only"
        } else {
            "writable"
        };
        lines.push(format!("{} stays mounted, {how}", mount.place));
    }
    for device in &seen.devices {
        let folder = if device.kind == Kind::Mapped {
            "mapper/"
        } else {
            ""
        };
        lines.push(format!("{folder}{} stays in use", device.name));
    }
    match lines.is_empty() {
        true => log::info!("everything below the old root is taken down"),
        false => console_log::page(&lines),
    }
}

fn finish(verb: &[u8]) -> ! {
    let loaded = proc_sys::read("/sys/kernel/kexec_loaded", 1).is_ok_and(|text| text == b"1");
    let fail = match verb {
        b"poweroff" => reboot::power_off(),
        b"halt" => reboot::halt(),
        b"kexec" if loaded => reboot::start_next_kernel(),
        _ => reboot::restart(),
    };
    log::error!("{fail}");
    if process::own_pid() != 1 {
        process::exit_now(1)
    }
    end::stay()
}

/// Does what may hang.
struct Hand {
    poll: Poll,
    children: Signals,
}

impl Hand {
    fn new() -> Outcome<Self> {
        let hand = Self {
            poll: Poll::new()?,
            children: Signals::take(&[SIGCHLD])?,
        };
        hand.poll.add(&hand.children, 0)?;
        Ok(hand)
    }

    /// False: the child did not come back in time, and is left alone. What the kernel refuses is
    /// said where everything is.
    fn within(&mut self, ms: u64, job: &dyn Fn() -> Outcome<()>) -> Outcome<bool> {
        let pid = match process::fork()? {
            Fork::Child => {
                let done = job();
                if let Err(fail) = &done {
                    log::debug!("{fail}");
                }
                process::exit_now(i32::from(done.is_err()))
            }
            Fork::Parent { pid } => pid,
        };
        let give_up = clock::since_boot().plus(ms);
        loop {
            while let Some((gone, _)) = process::reap()? {
                if gone == pid {
                    return Ok(true);
                }
            }
            let left = clock::since_boot().until(give_up);
            if left == 0 {
                return Ok(false);
            }
            self.wait(left)?;
        }
    }

    /// Until a child ends, or so long.
    fn wait(&self, ms: u64) -> Outcome<()> {
        self.poll.wait(Some(ms), &mut Vec::new())?;
        while self.children.next_signal()?.is_some() {}
        Ok(())
    }
}
