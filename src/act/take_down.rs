//! What a real system leaves when it ends: looks at it, and takes single pieces down.
//!
//! Sources: Documentation/ABI (sysfs-block, sysfs-block-dm, sysfs-block-loop), md.rst,
//! proc_pid_mountinfo(5), proc_pid_cmdline(5).

use super::leave_shutdown::HOME;
use crate::base::bytes::until_nul;
use crate::format::made_device::{Kind, MadeDevice};
use crate::format::mountinfo::{self, Mount};
use crate::sys::dir::{self, Want};
use crate::sys::dm::{Control, udev};
use crate::sys::fail::Outcome;
use crate::sys::{loop_device, mount, proc_sys, process};
use std::os::fd::AsFd;

/// Bytes; a thousand mounts fit. Others show when these have gone.
const MOST_MOUNTS: usize = 256 << 10;

/// Everything that is mounted.
pub fn mounts() -> Vec<Mount> {
    let mut text = vec![0; MOST_MOUNTS];
    let file = dir::open_path(b"/proc/self/mountinfo", Want::Contents);
    let read = file.and_then(|file| dir::read_at(file, &mut text, 0));
    mountinfo::read(text.get(..read.unwrap_or(0)).unwrap_or_default())
}

/// Every device that runs and is made of others, or of a file.
pub fn devices() -> Vec<MadeDevice> {
    let mut found = Vec::new();
    each_name("/sys/block", &mut |name| found.extend(device(name)));
    found
}

fn device(name: &str) -> Option<MadeDevice> {
    let kind = Kind::of(name)?;
    let place = format!("/sys/block/{name}");
    let value = |file: &str| {
        let text = proc_sys::read(&format!("{place}/{file}"), 4096).ok()?;
        Some(String::from(std::str::from_utf8(&text).ok()?.trim_end()))
    };
    let called = match kind {
        Kind::Mapped => value("dm/name")?,
        Kind::Array => value("md/array_state").filter(|state| state != "clear")?,
        Kind::Loop => value("loop/backing_file")?,
    };
    let number = value("dev")?;
    let (major, minor) = number.split_once(':')?;
    let mut held = has_entries(&format!("{place}/holders"));
    each_name(&place, &mut |part| {
        held |= part.starts_with(name) && has_entries(&format!("{place}/{part}/holders"));
    });
    Some(MadeDevice {
        kind,
        name: if kind == Kind::Mapped {
            called
        } else {
            name.into()
        },
        number: (major.parse().ok()?, minor.parse().ok()?),
        held,
    })
}

fn has_entries(path: &str) -> bool {
    let mut any = false;
    each_name(path, &mut |_| any = true);
    any
}

fn each_name(path: &str, each: &mut dyn FnMut(&str)) {
    if let Ok(dir) = dir::open_path(path.as_bytes(), Want::Directory) {
        let _ = dir::list(dir, &mut |name, _| {
            if let Ok(name) = name.to_str() {
                each(name);
            }
        });
    }
}

/// Processes that hold what is mounted at `root`, or below: by their program, a directory, a file
/// or a mount namespace of their own. Not those who want to be spared (their first argument begins
/// with `@`), nor PID 1, nor this one, nor the kernel's.
pub fn holding(root: &str, own_pid: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let own_mounts = link("/proc/self/ns/mnt");
    each_name("/proc", &mut |name| {
        let Ok(pid) = name.parse::<i32>() else {
            return;
        };
        let of = |file: &str| link(&format!("/proc/{name}/{file}"));
        let words = proc_sys::read(&format!("/proc/{name}/cmdline"), 64).unwrap_or_default();
        let spared = pid <= 1 || pid == own_pid || until_nul(&words).starts_with(b"@");
        if spared || of("exe").is_empty() {
            return;
        }
        let inside = |file: &str| of(file).starts_with(root.as_bytes());
        let mut holds = of("ns/mnt") != own_mounts;
        holds |= ["exe", "cwd", "root"].into_iter().any(inside);
        each_name(&format!("/proc/{name}/fd"), &mut |number| {
            holds |= inside(&format!("fd/{number}"));
        });
        if holds {
            found.push(pid);
        }
    });
    found
}

/// Empty: there is none.
fn link(path: &str) -> Vec<u8> {
    dir::link_text(rustix::fs::CWD, path.as_bytes()).unwrap_or_default()
}

/// `name` as in [`MadeDevice`].
pub fn remove(kind: Kind, name: &str) -> Outcome<()> {
    match kind {
        Kind::Mapped => Control::open()?.remove(name, udev::HIDDEN),
        Kind::Array => proc_sys::write(&format!("/sys/block/{name}/md/array_state"), b"clear"),
        Kind::Loop => loop_device::detach(&format!("/dev/{name}")),
    }
}

/// Makes [`HOME`] the root directory; the old one is below it then, at `old`. Afterwards this
/// program still runs from the old one.
///
/// pivot_root(2): neither the old root nor what either root lies on may be shared. /run itself can
/// only be shown twice: the new root lies in it.
pub fn pivot(old: &str) -> Outcome<()> {
    let below = |path: &str| format!("{HOME}{path}");
    for path in ["/dev", "/proc", "/sys", "/run", old] {
        dir::make(&below(path))?;
    }
    mount::make_private("/")?;
    mount::bind(HOME, HOME)?;
    mount::attach(mount::copy("/run")?, &below("/run"))?;
    for path in ["/dev", "/sys", "/proc"] {
        let from = dir::open_path(path.as_bytes(), Want::DirectoryPlace)?;
        let to = dir::open_path(below(path).as_bytes(), Want::DirectoryPlace)?;
        mount::move_to(from.as_fd(), to.as_fd())?;
    }
    mount::pivot(HOME, &below(old))?;
    process::change_directory(dir::open_path(b"/", Want::DirectoryPlace)?)
}
