//! A program for a person on the console: setsid(2), the console as its controlling terminal
//! (so ctrl-c and job control work), default signals, sane terminal settings.
//!
//! Whether a shell may be offered at all is not decided here.

use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::sys::fail::Outcome;
use crate::sys::process::{self, Fork};
use crate::sys::{console, dir, signal, tty};
use std::ffi::CString;
use std::os::fd::OwnedFd;

/// Where a shell may lie, and how it is called there.
const SHELLS: [(&str, &[&str]); 6] = [
    ("/bin/sh", &["sh"]),
    ("/bin/bash", &["bash"]),
    ("/usr/bin/sh", &["sh"]),
    ("/bin/busybox", &["sh"]),
    ("/usr/bin/busybox", &["sh"]),
    ("/bin/ash", &["ash"]),
];

/// Exit status of a child that could not become the program (as in sh(1)).
const NOT_STARTED: i32 = 127;

/// Starts the image's shell and answers its process number: its end is a SIGCHLD.
pub fn open() -> Result<i32, Fault> {
    let Some((program, argv)) = find() else {
        return Err(Fault::new(
            libc::ENOENT,
            "there is no shell in this image: add busybox or another /bin/sh to it",
        ));
    };
    run_command(program, argv, &environment())
}

/// The shell of this image, as program and arguments (argv\[0\] first), if it holds one.
fn find() -> Option<(&'static str, &'static [&'static str])> {
    SHELLS.into_iter().find(|(path, _)| {
        dir::open_path(path.as_bytes(), dir::Want::Place)
            .and_then(dir::status)
            .is_ok_and(|status| status.is_file() && status.is_executable())
    })
}

/// Starts `program` on the console and answers its process number: its end is a SIGCHLD.
/// Status 127: it could not be started, and the log says why.
pub fn run_command(program: &str, argv: &[&str], env: &[Vec<u8>]) -> Result<i32, Fault> {
    let path = c_string(program.as_bytes())?;
    let argv: Result<Vec<_>, _> = argv.iter().map(|word| c_string(word.as_bytes())).all_ok();
    let env: Result<Vec<_>, _> = env.iter().map(|entry| c_string(entry)).all_ok();
    let (argv, env) = (argv?, env?);
    match process::fork()? {
        Fork::Parent { pid } => Ok(pid),
        Fork::Child => {
            let reason = match take_console() {
                Ok(()) => process::exec(&path, &argv, &env),
                Err(fail) => fail,
            };
            log::error!("{program} could not be started on the console: {reason}");
            process::exit_now(NOT_STARTED)
        }
    }
}

/// The environment of a shell: the kernel's (TERM, HOME) and where programs lie.
fn environment() -> Vec<Vec<u8>> {
    let mut env = process::own_environment();
    env.retain(|entry| !entry.starts_with(b"PATH="));
    env.push(b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_vec());
    env
}

fn take_console() -> Outcome<()> {
    signal::restore_all();
    process::new_session()?;
    let terminal = open_terminal()?;
    // A console that is no terminal (or belongs to somebody) still shows a shell.
    if let Err(fail) = tty::make_controlling(&terminal) {
        log::debug!("{fail}: the shell has no job control");
    }
    let _ = tty::make_sane(&terminal);
    process::use_as_stdio(&terminal)?;
    process::close_others_on_exec();
    Ok(())
}

/// The device behind /dev/console: that name itself never becomes a controlling terminal in
/// programs that look it up again.
fn open_terminal() -> Outcome<OwnedFd> {
    if let Some(name) = console::active().last()
        && let Ok(fd) = console::open_terminal(&format!("/dev/{name}"))
    {
        return Ok(fd);
    }
    console::open_console()
}

fn c_string(bytes: &[u8]) -> Result<CString, Fault> {
    CString::new(bytes).map_err(|_| Fault::plain("a program's word holds a zero byte"))
}
