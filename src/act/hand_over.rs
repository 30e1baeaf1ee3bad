//! The last step: the new root becomes `/`, the initramfs is emptied, the real init takes over.
//!
//! In this order, so that nothing is deleted while anything can still be refused: everything is
//! opened and checked; the mounts move; the roots are switched; the old root is emptied; exec.
//! switch_root(8) does the same; mount(2) `MS_MOVE` and not pivot_root(2), which refuses rootfs:
//! that is for an old root on a device, the RAM disk of a classic initrd.
//! chroot and chdir must be PID 1's own: kernel threads share its root directory, and start
//! helper programs from there.

use crate::act::attach_loop::HOST;
use crate::act::empty_initramfs::OldRoot;
use crate::act::{console_log, find_init, initrd_time, modprobe_client};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::millis::Millis;
use crate::base::text::Text;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Outcome;
use crate::sys::mount::{self, Place, place_at, place_of};
use crate::sys::{console, process, reboot, signal};
use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// Taken along, /proc last: until then errors can be looked at there.
const MOVED: [&str; 4] = ["/dev", "/sys", "/run", "/proc"];

/// Switches to the file system mounted at `root` and becomes `init`, a path inside it.
///
/// `arguments` are the kernel's without argv\[0\], `environment` is `KEY=value` as it came
/// from the kernel; `began` is when this program did. Returns only if it failed; then `/` is the
/// old root, as it was, unless the sentence says that it is gone.
pub fn hand_over(
    root: &str,
    init: &Text,
    arguments: &[Vec<u8>],
    environment: &[Vec<u8>],
    began: Millis,
) -> Fault {
    match attempt(root, init, arguments, environment, began) {
        Ok(never) => match never {},
        Err(fault) => fault,
    }
}

/// Becomes `init` where it is: the image is the system. Returns only if it failed.
pub fn stay(init: &Text, arguments: &[Vec<u8>], environment: &[Vec<u8>]) -> Fault {
    let program = match Program::new(init, arguments, environment) {
        Ok(program) => program,
        Err(fault) => return fault,
    };
    console_log::restore_rate_limit();
    dir::remove_path(modprobe_client::SOCKET);
    let fail = program.start();
    Fault::new(fail.errno, format!("{init} was not started: {fail}"))
}

fn attempt(
    root: &str,
    init: &Text,
    arguments: &[Vec<u8>],
    environment: &[Vec<u8>],
    began: Millis,
) -> Result<Infallible, Fault> {
    let mut program = Program::new(init, arguments, environment)?;
    let new = new_root(root)?;
    find_init::check(new.as_fd(), &init.0)?;
    program.began = initrd_time::is_wanted(&new, init).then_some(began);
    let old = dir::open_path(b"/", Want::Directory)?;
    let in_memory = dir::is_in_memory(&old)?;
    let old = OldRoot::check(old, new.as_fd());
    console_log::restore_rate_limit();
    let mut moved = Vec::new();
    moved.extend(move_host(&new));
    for path in MOVED {
        moved.extend(take_along(&new, path));
    }
    let pivoted = match in_memory {
        true => None,
        false => pivot(&new),
    };
    if pivoted.is_none()
        && let Err(fail) = switch(&new, root)
    {
        moved.into_iter().rev().for_each(Moved::undo);
        let text = format!("{root} did not become the root directory: {fail}");
        return Err(Fault::new(fail.errno, text));
    }
    // Nobody listens there any more.
    dir::remove_path(modprobe_client::SOCKET);
    match pivoted {
        Some(where_it_is) => log::info!("the old root {where_it_is}"),
        None => empty(old),
    }
    let fail = program.start();
    let text = format!("{init} was not started, and the initramfs is gone: {fail}");
    Err(Fault::new(fail.errno, text))
}

/// A program in the form that execve(2) takes: made early, because it can fail.
struct Program {
    path: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
    /// When the initramfs began, for one that wants to know.
    began: Option<Millis>,
}

impl Program {
    fn new(init: &Text, arguments: &[Vec<u8>], environment: &[Vec<u8>]) -> Result<Self, Fault> {
        let c_string = |bytes: &Vec<u8>| {
            CString::new(bytes.as_slice())
                .map_err(|_| Fault::plain(format!("{} holds a zero byte", Text(bytes.clone()))))
        };
        let argv: Result<_, _> = std::iter::once(&init.0)
            .chain(arguments)
            .map(c_string)
            .all_ok();
        let envp: Result<_, _> = environment.iter().map(c_string).all_ok();
        Ok(Self {
            path: c_string(&init.0)?,
            argv: argv?,
            envp: envp?,
            began: None,
        })
    }

    /// A process as the kernel would have started it, then the program.
    fn start(mut self) -> crate::sys::fail::Fail {
        if let Ok(console) = console::open_console() {
            let _ = process::use_as_stdio(console);
        }
        process::set_umask(0o022);
        // Refused in a PID namespace, where the keys are not ours.
        let _ = reboot::ctrl_alt_del_restarts(true);
        process::close_others_on_exec();
        if let Some(Ok(words)) = self.began.map(initrd_time::words) {
            self.argv.extend(words);
        }
        signal::restore_all();
        process::exec(&self.path, &self.argv, &self.envp)
    }
}

fn new_root(root: &str) -> Result<OwnedFd, Fault> {
    let new = dir::open_path(root.as_bytes(), Want::DirectoryPlace)?;
    let (new_place, old_place) = (place_of(&new)?, place_at("/")?);
    if new_place.mount_root == Some(false) || !new_place.differs_from(&old_place) {
        return Err(Fault::new(
            libc::EINVAL,
            format!("{root} is not a mount point: no root file system is mounted there"),
        ));
    }
    Ok(new)
}

/// A mount that is in the new root now, and where it was.
struct Moved {
    mount: OwnedFd,
    from: &'static str,
}

impl Moved {
    fn undo(self) {
        let back = dir::open_path(self.from.as_bytes(), Want::DirectoryPlace);
        if let Err(fail) = back.and_then(|to| mount::move_to(self.mount.as_fd(), to.as_fd())) {
            log::error!("{} was not taken back: {fail}", self.from);
        }
    }
}

/// What holds the file that root is in goes where users of such files look for it, if root has
/// that directory. Otherwise it stays below /run.
fn move_host(new: &OwnedFd) -> Option<Moved> {
    let mount = mount_at(HOST).ok().flatten()?;
    let to = dir::open_in_root(new, b"/host", Want::DirectoryPlace).ok()?;
    match mount::move_to(mount.as_fd(), to.as_fd()) {
        Ok(()) => Some(Moved { mount, from: HOST }),
        Err(fail) => {
            log::warn!("{HOST} is not moved to /host: {fail}");
            None
        }
    }
}

/// Moves one mount into the new root. Where it has no place there, it is detached: left behind
/// it would be a piece of the old root that nobody can reach.
fn take_along(new: &OwnedFd, path: &'static str) -> Option<Moved> {
    let mount = mount_at(path).ok().flatten()?;
    let moved = place_in(new, path).and_then(|to| mount::move_to(mount.as_fd(), to.as_fd()));
    match moved {
        Ok(()) => Some(Moved { mount, from: path }),
        Err(fail) => {
            log::warn!("{path} cannot be moved into the new root ({fail}): it is detached");
            if let Err(fail) = mount::detach(path) {
                log::warn!("{fail}");
            }
            None
        }
    }
}

/// The mount at `path`, if something is mounted there.
fn mount_at(path: &str) -> Outcome<Option<OwnedFd>> {
    let here = dir::open_path(path.as_bytes(), Want::DirectoryPlace)?;
    let is_mount = match place_of(&here)? {
        Place {
            mount_root: Some(known),
            ..
        } => known,
        place => place.differs_from(&place_at("/")?),
    };
    Ok(is_mount.then_some(here))
}

/// The directory for it in the new root, which may be a link there; made if it is missing and
/// the new root can be written to.
fn place_in(new: &OwnedFd, path: &str) -> Outcome<OwnedFd> {
    let found = dir::open_in_root(new, path.as_bytes(), Want::DirectoryPlace);
    match found {
        Err(fail) if fail.errno == libc::ENOENT => {
            dir::make_at(new, path.trim_start_matches('/').as_bytes())?;
            dir::open_in_root(new, path.as_bytes(), Want::DirectoryPlace)
        }
        other => other,
    }
}

fn switch(new: &OwnedFd, root: &str) -> Outcome<()> {
    process::change_directory(new)?;
    mount::move_to_path(new.as_fd(), root, "/")?;
    process::chroot_here()
}

/// initrd(4): an old root that is no initramfs goes to `/initrd`, where the new one has that
/// directory; otherwise it is detached, and gone when nothing in it is used any more. Nothing in it
/// is deleted. Says which; `None`: the kernel refused, as it does with rootfs.
fn pivot(new: &OwnedFd) -> Option<&'static str> {
    let keeps = dir::open_in_root(new, b"/initrd", Want::DirectoryPlace).is_ok();
    let pivot = || {
        process::change_directory(new)?;
        mount::pivot(".", if keeps { "initrd" } else { "." })?;
        if !keeps {
            // It lies on top of the new one.
            mount::detach(".")?;
        }
        process::chroot_here()
    };
    match pivot() {
        Ok(()) if keeps => Some("is at /initrd"),
        Ok(()) => Some("is detached"),
        Err(fail) => {
            log::warn!("{fail}");
            None
        }
    }
}

fn empty(old: Result<OldRoot, String>) {
    match old {
        Ok(old) => {
            let done = old.empty();
            log::debug!("the initramfs is empty: {} entries removed", done.removed);
            for kept in done.kept {
                log::warn!("left behind in the initramfs: {kept}");
            }
        }
        Err(why) => log::warn!("the old root is left as it is: {why}"),
    }
}
