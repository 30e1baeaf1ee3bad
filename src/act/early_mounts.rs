//! What a program needs before it can do anything: /dev, /proc, /sys, /run, three descriptors.
//!
//! Runs first, so nothing here may rely on what it makes. Only what this program itself needs or
//! what must exist before anybody else looks: securityfs, efivarfs, debugfs, configfs and cgroup
//! below /sys are the real init's, which mounts them itself and would find them in its way if the
//! options differed. Layout: systemd's "API file systems" and Documentation/filesystems/tmpfs.rst.

use crate::sys::fail::{Fail, Outcome};
use crate::sys::mount::{NODEV, NOEXEC, NOSUID, STRICTATIME, virtual_fs};
use crate::sys::mount::{Place, place_at, place_of};
use crate::sys::{console, dir, mknod, process};
use std::ffi::CStr;

/// How it went. There is no failure: whatever is missing, the boot goes on as far as it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Early {
    /// The kernel makes device nodes itself. Without it only those nodes exist that were made
    /// here or are in the image.
    pub devtmpfs: bool,
    /// Sentences for the log, which cannot be written yet.
    pub complaints: Vec<String>,
}

/// One file system: where, what, how.
struct Api {
    target: &'static str,
    fstype: &'static str,
    attributes: u32,
    data: &'static CStr,
}

const DEV: Api = Api {
    target: "/dev",
    fstype: "devtmpfs",
    // Not noexec: SGX enclaves are mapped from a node in /dev.
    attributes: NOSUID,
    data: c"mode=0755",
};

/// In this order: /dev/pts and /dev/shm are directories in /dev.
const OTHERS: [Api; 5] = [
    Api {
        target: "/proc",
        fstype: "proc",
        attributes: NOSUID | NODEV | NOEXEC,
        data: c"",
    },
    Api {
        target: "/sys",
        fstype: "sysfs",
        attributes: NOSUID | NODEV | NOEXEC,
        data: c"",
    },
    // Group 5 is tty everywhere; ptmxmode=000 because /dev/ptmx itself is used.
    Api {
        target: "/dev/pts",
        fstype: "devpts",
        attributes: NOSUID | NOEXEC,
        data: c"mode=0620,gid=5,ptmxmode=000",
    },
    Api {
        target: "/dev/shm",
        fstype: "tmpfs",
        attributes: NOSUID | NODEV,
        data: c"mode=1777",
    },
    // Not noexec: a program that must survive the hand-over may lie in /run/initramfs.
    Api {
        target: "/run",
        fstype: "tmpfs",
        attributes: NOSUID | NODEV | STRICTATIME,
        data: c"mode=0755",
    },
];

/// Nodes for a kernel without devtmpfs: path, mode, major, minor.
const NODES: [(&str, u32, u32, u32); 7] = [
    ("/dev/console", 0o600, 5, 1),
    ("/dev/tty", 0o666, 5, 0),
    ("/dev/null", 0o666, 1, 3),
    ("/dev/zero", 0o666, 1, 5),
    ("/dev/random", 0o666, 1, 8),
    ("/dev/urandom", 0o666, 1, 9),
    ("/dev/kmsg", 0o644, 1, 11),
];

/// Makes everything; what is mounted already stays as it is.
pub fn prepare() -> Early {
    let mut early = Early::default();
    process::set_umask(0o022);
    match mount_once(&DEV) {
        Ok(()) => early.devtmpfs = true,
        Err(fail) => {
            early.complaints.push(format!(
                "{fail}: the kernel makes no device nodes; set CONFIG_DEVTMPFS"
            ));
            early.nodes_by_hand();
        }
    }
    for api in &OTHERS {
        if let Err(fail) = mount_once(api) {
            early.complaints.push(fail.to_string());
        }
    }
    // Ours: the trace, and the socket for the kernel's requests.
    if let Err(fail) = dir::make("/run/landfall") {
        early.complaints.push(fail.to_string());
    }
    if let Err(fail) = ensure_stdio() {
        early
            .complaints
            .push(format!("{fail}: there is no console to talk to"));
    }
    early
}

impl Early {
    fn nodes_by_hand(&mut self) {
        let made = mount_once(&Api {
            fstype: "tmpfs",
            ..DEV
        });
        let nodes = NODES
            .iter()
            .map(|&(path, mode, major, minor)| mknod::character_device(path, mode, major, minor));
        for fail in std::iter::once(made).chain(nodes).filter_map(Result::err) {
            self.complaints.push(fail.to_string());
        }
    }
}

/// Mounts on a directory that is made if it is missing, unless something is mounted there.
fn mount_once(api: &Api) -> Outcome<()> {
    match place_at(api.target) {
        Ok(Place {
            mount_root: Some(false),
            ..
        }) => {}
        Ok(Place {
            mount_root: Some(true),
            ..
        }) => return Ok(()),
        Ok(_) if is_mount_point(api.target)? => return Ok(()),
        Ok(_) => {}
        Err(_) => dir::make(api.target)?,
    }
    match virtual_fs(api.fstype, api.target, api.attributes, api.data) {
        // EBUSY: the same file system is there already.
        Err(fail) if fail.errno == libc::EBUSY => Ok(()),
        // Said of the file system, which is what the kernel may lack, not of the directory.
        Err(fail) => Err(Fail::new(
            "mount",
            format!("{} on {}", api.fstype, api.target),
            fail.errno,
        )),
        Ok(()) => Ok(()),
    }
}

/// Is something mounted at `path`, a name directly below a directory?
pub fn is_mount_point(path: &str) -> Outcome<bool> {
    let above = match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((above, _)) => above,
    };
    let here = place_of(dir::open_path(path.as_bytes(), dir::Want::Place)?)?;
    let there = place_of(dir::open_path(above.as_bytes(), dir::Want::Place)?)?;
    Ok(here.mount_root.unwrap_or(here.differs_from(&there)))
}

/// Standard input, output and error on /dev/console, if the kernel could not do that itself.
fn ensure_stdio() -> Outcome<()> {
    // Without a console the kernel opens nothing; `sys::entry` may have had only /dev/null.
    if process::has_stdio() {
        return Ok(());
    }
    process::use_as_stdio(console::open_console()?)
}
