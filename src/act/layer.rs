//! Lays something over root, which is moved aside. What fails leaves root where it was.
//!
//! Documentation/filesystems/overlayfs.rst. The paths are the overlay's for ever: they are shown in
//! /proc/mounts, and lie below /run, which the real system has as well.

use super::mount_root::{self, MountFault, Request};
use crate::base::text::Text;
use crate::format::layers::{KEPT, Kind, LOWER, Layer, UPPER};
use crate::sys::dir::{self, FileType, Want};
use crate::sys::fail::{Fail, Outcome};
use crate::sys::{make, mount};
use std::os::fd::AsFd;

/// The directory that the kernel works in, beside the one with the changes.
const WORK: &str = "ovlwork";

/// `root` is where root is mounted, and where the result is.
pub fn lay(layer: &Layer, root: &str) -> Result<(), MountFault> {
    let memory = layer.memory.as_ref().map(Text::as_bytes);
    if layer.kind == Kind::State {
        return tmpfs(memory.unwrap_or_default(), root, b"/var");
    }
    if let Some(options) = memory {
        tmpfs(options, UPPER, b"")?;
    }
    let laid = match layer.kind {
        Kind::Overlay => overlay(layer, root),
        _ => all_but_usr(root).map_err(plain),
    };
    if laid.is_err() && memory.is_some() {
        let _ = mount::detach(UPPER);
    }
    laid
}

fn plain(fail: Fail) -> MountFault {
    MountFault {
        fault: fail.into(),
        kernel: Vec::new(),
    }
}

fn tmpfs(options: &[u8], target: &str, at: &[u8]) -> Result<(), MountFault> {
    by_itself("tmpfs", options, target, at)
}

/// Mounts what needs no device.
fn by_itself(fstype: &str, options: &[u8], target: &str, at: &[u8]) -> Result<(), MountFault> {
    let request = Request {
        device: fstype,
        nodev: true,
        fstype,
        read_only: false,
        at,
        anew: false,
    };
    mount_root::mount(&request, options, target)
}

fn overlay(layer: &Layer, root: &str) -> Result<(), MountFault> {
    let directory = layer.directory.as_bytes();
    let changes = [UPPER.as_bytes(), directory].concat();
    let above = changes.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let mut work = changes.get(..=above).unwrap_or_default().to_vec();
    work.extend_from_slice(WORK.as_bytes());
    for path in [&changes, &work] {
        make_all(path).map_err(plain)?;
    }
    let kept = match layer.kept {
        true => [KEPT.as_bytes(), directory, b":"].concat(),
        false => Vec::new(),
    };
    let options = [
        b"lowerdir=",
        kept.as_slice(),
        LOWER.as_bytes(),
        b",upperdir=",
        &changes,
        b",workdir=",
        &work,
    ];
    move_mount(root, LOWER).map_err(plain)?;
    let laid = by_itself("overlay", &options.concat(), root, b"");
    if laid.is_err()
        && let Err(fail) = move_mount(LOWER, root)
    {
        log::error!("root was not taken back: {fail}");
    }
    laid
}

/// Makes a directory below [`UPPER`], with those above it.
fn make_all(path: &[u8]) -> Outcome<()> {
    let root = dir::open_path(b"/", Want::DirectoryPlace)?;
    let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let ends = ends.map(|(at, _)| at).chain([path.len()]);
    for end in ends.filter(|end| *end > UPPER.len()) {
        let part = path.get(..end).unwrap_or_default();
        dir::make_at(&root, part.strip_prefix(b"/").unwrap_or(part))?;
    }
    Ok(())
}

fn move_mount(from: &str, to: &str) -> Outcome<()> {
    dir::make(to)?;
    let place = dir::open_path(from.as_bytes(), Want::DirectoryPlace)?;
    mount::move_to_path(place.as_fd(), from, to)
}

/// Memory becomes root; of the root that was, it has `/usr` and the links beside it (`/bin`).
fn all_but_usr(root: &str) -> Outcome<()> {
    let old = dir::open_path(root.as_bytes(), Want::Directory)?;
    let new = dir::open_path(UPPER.as_bytes(), Want::DirectoryPlace)?;
    let mut links = Vec::new();
    dir::list(&old, &mut |name, kind| {
        if kind == FileType::Symlink {
            links.push(name.to_bytes().to_vec());
        }
    })?;
    for name in links {
        let text = dir::link_text(&old, &name)?;
        make::link(new.as_fd(), &name, &text)?;
    }
    dir::make_at(&new, b"usr")?;
    let programs = mount::copy(&[root, "/usr"].concat())?;
    mount::attach(programs, &[UPPER, "/usr"].concat())?;
    move_mount(root, LOWER)?;
    move_mount(UPPER, root)
}
