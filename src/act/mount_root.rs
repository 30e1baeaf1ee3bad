//! Mounts one device as the new root, and if that fails, brings back what the kernel said.
//!
//! errno is one number for many causes. The new mount calls have a log of their own, and file
//! systems also write to the kernel log: both are part of the answer. One attempt, no guessing of
//! types or options. Documentation/filesystems/mount_api.rst.

use super::{kernel_lines, reach};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::ceph::refusal;
use crate::format::mount_options::{self, Sorted};
use crate::sys::dir::Want;
use crate::sys::fail::Fail;
use crate::sys::kmsg::Reader;
use crate::sys::mount_context::Context;
use crate::sys::{dir, mount};
use std::ffi::CString;
use std::os::fd::AsRawFd;

/// A mount that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountFault {
    pub fault: Fault,
    /// What the kernel said meanwhile, oldest first.
    pub kernel: Vec<Text>,
}

/// One mount, as asked for.
pub struct Request<'a> {
    /// `/dev/vda1`, or what the file system takes for a device.
    pub device: &'a str,
    /// It takes no device.
    pub nodev: bool,
    pub fstype: &'a str,
    pub read_only: bool,
    /// A path within the target. Empty: the target itself.
    pub at: &'a [u8],
    /// What is mounted there is unmounted before.
    pub anew: bool,
}

/// Mounts it on `target`, which is made if it is missing, or on a directory below, which is not.
///
/// `options` are as typed (`rootflags=`); `ro` and `rw` among them were heard already.
pub fn mount(request: &Request<'_>, options: &[u8], target: &str) -> Result<(), MountFault> {
    let device = request.device;
    let options = mount_options::sort(options);
    for word in &options.dropped {
        log::debug!("rootflags: {word} is for mount(8), not for the kernel");
    }
    let is_key = |(key, _): &(Text, Option<Text>)| key.as_bytes() == b"key";
    let keyed = options.data.iter().any(is_key);
    let mut log = Reader::from_now().ok();
    let mut said = Vec::new();
    let Err(mut fail) = attempt(request, &options, target, &mut said) else {
        for line in said {
            log::info!("{device}: {line}");
        }
        return Ok(());
    };
    // A subvolume, too, may be what is not there: only a lost node is a lost device.
    let lost = || dir::open_path(device.as_bytes(), Want::Place).is_err();
    if fail.errno == libc::ENOENT && !request.nodev && lost() {
        fail.errno = libc::ENXIO;
    }
    let logged = log.as_mut().map(kernel_lines::since).unwrap_or_default();
    let refused = |line: &Text| refusal::is_one(line.as_bytes());
    if request.fstype == "ceph" && fail.errno == libc::EHOSTUNREACH && logged.iter().any(refused) {
        fail.errno = libc::EACCES;
    }
    let new: Vec<Text> = logged
        .into_iter()
        .filter(|line| !said.contains(line))
        .listed();
    said.extend(new);
    Err(MountFault {
        fault: explain(&fail, request, keyed),
        kernel: said,
    })
}

fn attempt(
    request: &Request<'_>,
    options: &Sorted,
    target: &str,
    said: &mut Vec<Text>,
) -> Result<(), Fail> {
    dir::make(target)?;
    if request.anew {
        mount::remove(target)?;
    }
    let (below, _held);
    let target = match request.at {
        b"" => target,
        at => {
            let root = dir::open_path(target.as_bytes(), Want::DirectoryPlace)?;
            let place = dir::open_in_root(root, at, Want::DirectoryPlace)?;
            below = format!("/proc/self/fd/{}", place.as_raw_fd());
            _held = place;
            &below
        }
    };
    match Context::open(request.fstype) {
        Ok(context) => {
            let result = by_context(&context, request, options, target);
            said.extend(context.messages().into_iter().map(Text));
            result
        }
        Err(fail) if fail.errno == libc::ENOSYS => by_mount(request, options, target),
        Err(fail) => Err(fail),
    }
}

fn by_context(
    context: &Context,
    request: &Request<'_>,
    options: &Sorted,
    target: &str,
) -> Result<(), Fail> {
    context.set_string(b"source", request.device.as_bytes())?;
    if request.read_only {
        context.set_flag(b"ro")?;
    }
    for word in &options.superblock {
        context.set_flag(word.as_bytes())?;
    }
    for (key, value) in &options.data {
        match value {
            Some(value) => context.set_string(&key.0, &value.0)?,
            None => context.set_flag(&key.0)?,
        }
    }
    context.create()?;
    let mounted = context.mount(attributes(request, options))?;
    mount::attach(mounted, target)
}

fn by_mount(request: &Request<'_>, options: &Sorted, target: &str) -> Result<(), Fail> {
    let data = CString::new(options.data_string())
        .map_err(|_| Fail::new("mount", "options", libc::EINVAL))?;
    let what = mount::Classic {
        source: request.device.as_bytes(),
        fstype: request.fstype,
        attributes: attributes(request, options),
        superblock: &options.superblock,
        data: &data,
    };
    mount::classic(&what, target)
}

/// Both the file system and the mount are read-only, as after mount(2) with `MS_RDONLY`: a later
/// `mount -o remount,rw /` of any version undoes both.
fn attributes(request: &Request<'_>, options: &Sorted) -> u32 {
    let read_only = if request.read_only { mount::RDONLY } else { 0 };
    options.attributes.0 | read_only
}

/// What a server's refusal means. fs/nfs/mount_clnt.c, nfs4_map_errors in fs/nfs/nfs4proc.c.
fn explain_server(errno: i32) -> Option<&'static str> {
    Some(match errno {
        libc::EACCES | libc::EPERM => {
            "the server does not let this machine mount it: see its list of exports"
        }
        libc::ENOENT => {
            "the server exports no such directory, or an algorithm that it asks for is not in the \
             image"
        }
        libc::ENOTDIR => "what the server exports there is no directory",
        libc::ECONNREFUSED => "nothing listens there: the server runs, but not this service",
        libc::ETIMEDOUT => "the server does not answer",
        libc::EHOSTUNREACH => "nobody there answers: the server is off, or its address is wrong",
        libc::ENETUNREACH => "there is no way to the server's network: see the gateway",
        libc::EPROTONOSUPPORT => "the server does not speak this version",
        libc::EPROTO => "the server answers, but something else than was asked for",
        _ => return None,
    })
}

/// What a refusal of a Ceph cluster means. fs/ceph/super.c, fs/ceph/mds_client.c.
fn explain_cluster(errno: i32, keyed: bool) -> Option<&'static str> {
    Some(match errno {
        libc::ENOENT => "the cluster has no such file system, or no such directory in it",
        libc::EHOSTUNREACH if !keyed => {
            "no metadata server of the cluster answers; the cluster may want a key, and there is \
             none: see rd.ceph.secret=, or put the user's keyring into the image, in /etc/ceph"
        }
        libc::EHOSTUNREACH => {
            "no metadata server of this file system is up, or none that the cluster tells this \
             user of: see `ceph fs status`, and the user's key and capabilities"
        }
        libc::EIO => "the cluster, or one of its metadata servers, does not answer",
        _ => return reach::explain_ceph(errno, keyed),
    })
}

fn explain(fail: &Fail, request: &Request<'_>, keyed: bool) -> Fault {
    let Request { device, fstype, .. } = request;
    let served = matches!(request.fstype, "nfs" | "nfs4" | "cifs");
    let server = served.then_some(fail.errno);
    let cluster = (request.fstype == "ceph").then_some(fail.errno);
    let advice = match (fail.call, fail.errno) {
        _ if let Some(advice) = server.and_then(explain_server) => advice,
        _ if let Some(advice) = cluster.and_then(|errno| explain_cluster(errno, keyed)) => advice,
        ("openat2", _) if !request.at.is_empty() => "root has no such directory",
        ("fsopen", libc::ENODEV) | ("mount", libc::ENODEV) => {
            "the kernel has no driver for this file system: its module is not in the image"
        }
        ("fsconfig", libc::EINVAL) if fail.object != "create" => {
            "the file system does not take this option: see rootflags="
        }
        (_, libc::ENOENT) if request.fstype == "overlay" => {
            "a directory that it needs is not there: see the kernel's lines"
        }
        (_, libc::EINVAL | libc::ENOENT) if request.nodev => {
            "there is no share with this tag, or it does not take an option: see the kernel's lines"
        }
        (_, libc::EINVAL) => {
            "wrong type, wrong option, damaged, or block size smaller than the device's: \
             see the kernel's lines"
        }
        (_, libc::EACCES | libc::EROFS) => {
            "the device is write-protected, or its journal needs recovery that it does not allow"
        }
        (_, libc::EBUSY) => "the device is in use: mounted, or part of something else",
        (_, libc::ENOENT) => {
            "a subvolume that rootflags= names is not on it, or a driver or algorithm that it asks \
             for is not in the image"
        }
        (_, libc::ENOTBLK) => "this is no block device",
        (_, libc::ENXIO | libc::ENOMEDIUM) => "there is no device, or no medium in it",
        (_, libc::EIO) => "the device does not answer, or the file system is damaged",
        (_, libc::EUCLEAN) => "the file system is damaged: check it from another system",
        _ => "see the kernel's lines",
    };
    Fault::new(
        fail.errno,
        format!("{device} was not mounted as {fstype}: {fail}: {advice}"),
    )
}
