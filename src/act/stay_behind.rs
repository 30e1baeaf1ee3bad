//! A process of this program that stays when the real system takes over.
//!
//! It is this program once more, started anew: nothing of what PID 1 held in its memory is in it.
//! A name that begins with `@` keeps systemd from ending it before root is unmounted (systemd:
//! "Storage Daemons for the Root File System"), a number in /run/sendsigs.omit.d Debian's
//! sysvinit. What root depends on must not wait for root: its memory is never swapped out, is got
//! without writing anything out, and it is the last to be killed where memory ends.

use crate::base::fault::Fault;
use crate::sys::fail::{Fail, Outcome};
use crate::sys::process::{self, Fork};
use crate::sys::{dir, memory, proc_sys, signal};
use rustix::fs::{Mode, OFlags, open};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// The name of the program where it is to stay.
pub const NAME: &[u8] = b"@landfall";

const PROGRAM: &std::ffi::CStr = c"/proc/self/exe";
const OMITTED: &str = "/run/sendsigs.omit.d";

/// Starts a process that stays, with these words behind its name and `input` as standard input.
///
/// # Errors
/// No process can be had, or /proc is not there.
pub fn start(words: &[String], input: impl AsFd) -> Result<(), Fault> {
    let c_string = |bytes: &[u8]| {
        CString::new(bytes).map_err(|_| Fault::plain("start a process: its words hold a zero byte"))
    };
    let mut argv = vec![c_string(NAME)?];
    for word in words {
        argv.push(c_string(word.as_bytes())?);
    }
    if let Fork::Child = process::fork()? {
        let fail = attempt(input, &argv).unwrap_or_else(|fail| fail);
        log::error!("a process that stays was not started: {fail}");
        process::exit_now(1)
    }
    Ok(())
}

fn attempt(input: impl AsFd, argv: &[CString]) -> Outcome<Fail> {
    process::new_session()?;
    let null = open("/dev/null", OFlags::RDWR, Mode::empty());
    process::use_as_stdio(null.map_err(Fail::of("open", &"/dev/null"))?)?;
    process::use_as_stdin(input)?;
    process::close_others_on_exec();
    signal::restore_all();
    Ok(process::exec(PROGRAM, argv, &[]))
}

/// What [`start`] was given as input, in the process that it started, which settles down to stay.
/// `name`: for whom else looks.
///
/// # Errors
/// There is no input.
pub fn settle(name: &str) -> Result<OwnedFd, Fault> {
    let input = process::own_stdin()?;
    for refused in [
        memory::lock_all(),
        memory::get_without_writing(),
        proc_sys::write("/proc/self/oom_score_adj", b"-1000"),
        omit(name),
    ] {
        if let Err(fail) = refused {
            log::debug!("{fail}");
        }
    }
    Ok(input)
}

fn omit(name: &str) -> Outcome<()> {
    dir::make(OMITTED)?;
    let path = format!("{OMITTED}/{name}");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
    let file = open(path.as_str(), flags, Mode::from_raw_mode(0o644));
    let file = file.map_err(Fail::of("open", &path))?;
    let number = format!("{}\n", process::own_pid());
    let wrote = rustix::io::write(&file, number.as_bytes());
    wrote.map(drop).map_err(Fail::of("write", &path))
}
