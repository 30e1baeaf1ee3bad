//! Maps an image of RBD, which the kernel then shows as a disk.
//!
//! The kernel reaches the cluster, learns of all its monitors, and does everything else. Nothing is
//! written, and no exclusive lock is taken, unless the options say so: the driver takes it with the
//! first write. Source: Documentation/ABI/testing/sysfs-bus-rbd, drivers/block/rbd.c.

use super::{ceph_key, kernel_lines, reach};
use crate::base::fault::Fault;
use crate::base::text::Text;
use crate::format::ceph::image::Image;
use crate::sys::dir::{self, Want};
use crate::sys::fail::Fail;
use crate::sys::kmsg::Reader;
use crate::sys::proc_sys;
use std::net::SocketAddr;

/// The first one is there where the driver has one major number for all of its disks, as it has
/// unless it is told otherwise, and the second one only refuses then.
const ADD: [&str; 2] = ["/sys/bus/rbd/add_single_major", "/sys/bus/rbd/add"];

const DEVICES: &str = "/sys/bus/rbd/devices";

/// The kernel takes a page.
const LINE_MAX: usize = 4000;

/// The name of its disk, or of the partition that is meant. All monitors are known by address.
///
/// # Errors
/// No monitor answers, or the cluster refuses.
pub fn map(image: &Image) -> Result<String, Fault> {
    let doors = image.cluster.doors(&|_| Vec::new());
    reach::reach_one(&doors)?;
    let name = match mapped(image) {
        Some(name) => name,
        None => {
            add(image, &doors)?;
            mapped(image).ok_or_else(|| {
                let path = image.path();
                Fault::plain(format!("{path} was mapped, but its disk is not there"))
            })?
        }
    };
    Ok(match image.part {
        Some(part) => format!("{name}p{part}"),
        None => name,
    })
}

fn add(image: &Image, doors: &[SocketAddr]) -> Result<(), Fault> {
    let key = ceph_key::hold(&image.cluster.who)?;
    let line = image.line(doors, key.as_ref().map(|key| key.name.as_str()));
    if line.len() > LINE_MAX {
        let text = format!("{}: its options are too long", image.path());
        return Err(Fault::new(libc::E2BIG, text));
    }
    let mut log = Reader::from_now().ok();
    let mut outcome = Ok(());
    for path in ADD {
        outcome = proc_sys::write(path, line.as_bytes());
        if !matches!(&outcome, Err(fail) if fail.call == "open" && fail.errno == libc::ENOENT) {
            break;
        }
    }
    outcome.map_err(|fail| {
        let said = log.as_mut().map(kernel_lines::of_ceph).unwrap_or_default();
        explain(&fail, image, key.is_some(), &said)
    })
}

/// The disk of an image that is mapped. The newest, where there are several.
fn mapped(image: &Image) -> Option<String> {
    let devices = dir::open_path(DEVICES.as_bytes(), Want::Directory).ok()?;
    let mut newest: Option<u32> = None;
    let each = &mut |name: &std::ffi::CStr, _| {
        let number = name.to_str().ok().and_then(|name| name.parse().ok());
        newest = newest.max(number.filter(|number| is_of(*number, image)));
    };
    dir::list(&devices, each).ok()?;
    newest.map(|number| format!("rbd{number}"))
}

fn is_of(number: u32, image: &Image) -> bool {
    let is = |file: &str, value: &str| {
        let found = proc_sys::read(&format!("{DEVICES}/{number}/{file}"), 4096);
        // Namespaces came with Linux 4.19.
        found.map_or(value.is_empty(), |text| {
            text.trim_ascii_end() == value.as_bytes()
        })
    };
    is("pool", &image.pool)
        && is("pool_ns", &image.namespace)
        && is("name", &image.name)
        && is("current_snap", image.snapshot())
}

fn explain(fail: &Fail, image: &Image, has_key: bool, said: &[Text]) -> Fault {
    let advice = match fail.errno {
        libc::ENOENT if fail.call == "open" => "the driver rbd is not in the image",
        libc::ENOENT => "the cluster has no such pool, image or snapshot",
        _ if let Some(advice) = reach::explain_ceph(fail.errno, has_key) => advice,
        libc::ENXIO => {
            "it has features that this kernel does not know: see `rbd info` and \
             `rbd feature disable`"
        }
        libc::EROFS | libc::EBUSY => "somebody else has its exclusive lock",
        _ => "see the kernel's lines",
    };
    let path = image.path();
    let user = image.cluster.who.user();
    let mut text = format!("{path} was not mapped as client.{user}: {fail}: {advice}");
    for line in said {
        text.push_str(&format!(" (kernel: {line})"));
    }
    Fault::new(fail.errno, text)
}
