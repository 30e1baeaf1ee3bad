//! Processes: fork(2), waitpid(2), kill(2), execve(2), setsid(2), close_range(2), umask(2).
#![allow(unsafe_code)]

use super::fail::{Fail, Outcome};
use crate::base::list::Listed;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{WaitOptions, WaitStatus};
use std::ffi::{CStr, CString};
#[cfg(not(target_env = "musl"))]
use std::os::unix::ffi::OsStringExt;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Which of the two we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fork {
    Child,
    Parent {
        /// The child's number.
        pid: i32,
    },
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

/// A copy of this process. PID 1 has one thread, so the copy is whole: no lock is held by a
/// thread that does not exist in the child.
pub fn fork() -> Outcome<Fork> {
    // SAFETY: see above; programs with more threads (tests) have a C library that makes its
    // allocator usable in the child, and the child uses nothing else that is shared.
    match unsafe { libc::fork() } {
        -1 => Err(Fail::last("fork", &"-")),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent { pid }),
    }
}

/// A child that ended, whichever, without waiting. `None`: none ended yet, or there is none.
pub fn reap() -> Outcome<Option<(i32, Exit)>> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                if let Some(exit) = exit(status) {
                    return Ok(Some((pid.as_raw_nonzero().get(), exit)));
                }
            }
            Ok(None) | Err(Errno::CHILD) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("waitpid", &"-1")(errno)),
        }
    }
}

/// Waits until this child ends.
pub fn wait_for(pid: i32) -> Outcome<Exit> {
    let number = rustix::process::Pid::from_raw(pid);
    loop {
        match rustix::process::waitpid(number, WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                if let Some(exit) = exit(status) {
                    return Ok(exit);
                }
            }
            Ok(None) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("waitpid", &pid)(errno)),
        }
    }
}

fn exit(status: WaitStatus) -> Option<Exit> {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(Exit::Code(code)),
        (None, Some(signal)) => Some(Exit::Signal(signal)),
        (None, None) => None,
    }
}

/// Sends a signal to one process. Groups and "everybody" (0, negative) are refused.
pub fn kill(pid: i32, signal: i32) -> Outcome<()> {
    if pid <= 0 {
        return Err(Fail::new("kill", pid.to_string(), libc::EINVAL));
    }
    // SAFETY: two numbers by value.
    if unsafe { libc::kill(pid, signal) } == 0 {
        return Ok(());
    }
    Err(Fail::last("kill", &pid))
}

/// Kills all processes of the group that this one leads. Whoever leads none is left alone.
pub fn kill_group(pid: i32) {
    if pid > 1 {
        // SAFETY: two numbers by value.
        unsafe { libc::kill(-pid, libc::SIGKILL) };
    }
}

/// Replaces this program. Returns only if the kernel refused.
pub fn exec(path: &CStr, argv: &[CString], envp: &[CString]) -> Fail {
    let pointers = |list: &[CString]| -> Vec<*const libc::c_char> {
        let ended = list.iter().map(|s| s.as_ptr());
        ended.chain(std::iter::once(ptr::null())).listed()
    };
    let (argv, envp) = (pointers(argv), pointers(envp));
    // SAFETY: both arrays end in a null pointer and point to strings that outlive the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    Fail::last("execve", &path.to_string_lossy())
}

/// A session and process group of its own, without a terminal.
pub fn new_session() -> Outcome<()> {
    rustix::process::setsid()
        .map(drop)
        .map_err(Fail::of("setsid", &"-"))
}

/// Ends this process at once: no destructors, no buffers flushed. Never for PID 1.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: takes a number and does not return.
    unsafe { libc::_exit(code) }
}

/// Waits for a signal that is neither blocked nor ignored: pause(2). Perhaps for ever.
pub fn pause() {
    // SAFETY: takes nothing and changes nothing.
    unsafe { libc::pause() };
}

/// The name in ps(1): at most 15 bytes are kept.
pub fn set_name(name: &CStr) {
    let _ = rustix::thread::set_name(name);
}

/// This process's number; 1 is the init.
pub fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

/// Sends `signal` to this process when its parent ends.
pub fn die_with_parent() -> Outcome<()> {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(Fail::of("prctl", &"PR_SET_PDEATHSIG"))
}

/// The argument vector as the kernel gave it, argv\[0\] included.
pub fn own_arguments() -> Vec<Vec<u8>> {
    let kept = ARGUMENTS.load(Ordering::Relaxed);
    #[cfg(not(target_env = "musl"))]
    if kept.is_null() {
        return std::env::args_os().map(OsStringExt::into_vec).listed();
    }
    strings(kept)
}

/// What `main` was called with, where that is ours.
static ARGUMENTS: AtomicPtr<*const libc::c_char> = AtomicPtr::new(std::ptr::null_mut());

/// # Safety
/// `list` must be the second argument of the C library's `main`.
pub unsafe fn keep_arguments(list: *const *const libc::c_char) {
    ARGUMENTS.store(list.cast_mut(), Ordering::Relaxed);
}

/// A list of strings that is ended by a null pointer; none: the list is a null pointer itself.
fn strings(list: *const *const libc::c_char) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    // SAFETY: such lists come from the C library alone (`main`, `environ`), which ends them and
    // their strings and keeps them as long as the process lives; nothing here changes either.
    unsafe {
        let mut at = list;
        while !at.is_null() && !(*at).is_null() {
            found.push(CStr::from_ptr(*at).to_bytes().to_vec());
            at = at.add(1);
        }
    }
    found
}

unsafe extern "C" {
    /// environ(7): a list of strings, ended by a null pointer.
    static environ: *const *const libc::c_char;
}

/// The environment as the kernel gave it: `KEY=value`.
pub fn own_environment() -> Vec<Vec<u8>> {
    // SAFETY: the C library has set it before main, and setenv(3) and its kin are not called.
    let mut entries = strings(unsafe { environ });
    entries.retain(|entry| entry.contains(&b'='));
    entries
}

pub fn set_umask(mask: u32) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
}

/// Makes `fd` standard input, output and error.
pub fn use_as_stdio(fd: impl AsFd) -> Outcome<()> {
    let fd = fd.as_fd();
    rustix::stdio::dup2_stdin(fd).map_err(Fail::of("dup2", &0))?;
    rustix::stdio::dup2_stdout(fd).map_err(Fail::of("dup2", &1))?;
    rustix::stdio::dup2_stderr(fd).map_err(Fail::of("dup2", &2))
}

/// Makes `fd` standard input alone.
pub fn use_as_stdin(fd: impl AsFd) -> Outcome<()> {
    rustix::stdio::dup2_stdin(fd).map_err(Fail::of("dup2", &0))
}

/// Standard input, as a descriptor of its own.
pub fn own_stdin() -> Outcome<OwnedFd> {
    let copy = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3);
    copy.map_err(Fail::of("fcntl", &0))
}

/// Are standard input, output and error open, and more than /dev/null (1:3, null(4))?
pub fn has_stdio() -> bool {
    use rustix::fs::{fstat, major, minor};
    use rustix::stdio::{stderr, stdin, stdout};
    [stdin(), stdout(), stderr()].into_iter().all(|fd| {
        let device = fstat(fd).map(|status| status.st_rdev);
        device.is_ok_and(|device| (major(device), minor(device)) != (1, 3))
    })
}

/// A pipe: what is written to the second is read from the first.
pub fn pipe() -> Outcome<(OwnedFd, OwnedFd)> {
    let both = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    both.map_err(Fail::of("pipe2", &"-"))
}

/// Everything above standard error is closed by the next successful execve(2), not before: a
/// refused one leaves the log open.
pub fn close_others_on_exec() {
    const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
    // SAFETY: three numbers by value; nothing is closed now.
    let done = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, CLOSE_RANGE_CLOEXEC) };
    if done == 0 {
        return;
    }
    // Before Linux 5.11. PID 1's limit is 1024 descriptors by default.
    for number in 3..1024 {
        // SAFETY: numbers by value; a number that is not open is refused.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Makes this process's file names start at its present directory: chroot(2) to ".", then "/".
pub fn chroot_here() -> Outcome<()> {
    rustix::process::chroot(".").map_err(Fail::of("chroot", &"."))?;
    rustix::process::chdir("/").map_err(Fail::of("chdir", &"/"))
}

pub fn change_directory(to: impl AsFd) -> Outcome<()> {
    let number = to.as_fd().as_raw_fd();
    rustix::process::fchdir(to).map_err(Fail::of("fchdir", &number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_ends_with_its_code_or_its_signal() {
        for (signal, expected) in [(None, Exit::Code(7)), (Some(9), Exit::Signal(9))] {
            match fork().unwrap() {
                Fork::Child => {
                    if let Some(signal) = signal {
                        let _ = kill(own_pid(), signal);
                    }
                    exit_now(7)
                }
                Fork::Parent { pid } => assert_eq!(wait_for(pid).unwrap(), expected),
            }
        }
    }

    #[test]
    fn nobody_is_killed_by_a_number_that_means_everybody() {
        for pid in [0, -1, -5] {
            assert_eq!(kill(pid, 0).unwrap_err().errno, libc::EINVAL);
        }
    }

    #[test]
    fn a_program_gets_its_arguments_and_environment() {
        let to_c = |s: &str| CString::new(s).unwrap();
        let script = "[ \"$1-$X\" = 'a b-c' ] && exit 42";
        let argv = ["sh", "-c", script, "sh", "a b"].map(to_c);
        match fork().unwrap() {
            Fork::Child => {
                exec(c"/bin/sh", &argv, &[to_c("X=c")]);
                exit_now(1)
            }
            Fork::Parent { pid } => assert_eq!(wait_for(pid).unwrap(), Exit::Code(42)),
        }
        let refused = exec(c"/nonesuch", &argv, &[]);
        assert_eq!((refused.call, refused.errno), ("execve", libc::ENOENT));
    }
}
