//! Makes one mapped device: name, table, and the link that people know it by.
//!
//! What is below it is not looked at, and nothing is written. One attempt; what a failed one made
//! is removed again. A device of that name with a table in use is taken as it is: the kernel made
//! it from the same words, when the device mapper is built in.
//! Documentation/admin-guide/device-mapper/dm-init.rst.

use super::{kernel_lines, key_file, udev_record};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::secret::Secret;
use crate::base::text::cut;
use crate::format::base64;
use crate::format::dm_init::{self, Mapping};
use crate::format::luks::order::{KeyFile, Spot};
use crate::sys::dir;
use crate::sys::dm::{Control, Target, udev};
use crate::sys::fail::Fail;
use crate::sys::keyring::{self, Logon};
use crate::sys::kmsg::Reader;
use crate::sys::proc_sys;

/// More bytes than a signature over a root hash has, with its certificates.
const SIGNATURE_MAX: usize = 64 * 1024;

/// Makes it. Devices in its table are `MAJOR:MINOR`. `part`: nobody shall look into it.
pub fn create(mapping: &Mapping, part: bool) -> Result<(), Fault> {
    let key = mapping.key_file.as_deref().map(key).transpose()?;
    let mut log = Reader::from_now().ok();
    let flags = match part {
        true => udev::HIDDEN,
        false => udev::PRIMARY_SOURCE,
    };
    let fail = match attempt(mapping, flags, key.as_ref()) {
        Ok(number) => {
            made(&mapping.name, &mapping.uuid, number, flags);
            return Ok(());
        }
        Err(fail) => fail,
    };
    let mut text = format!("{fail}{}", advice(&fail));
    for line in log.as_mut().map(kernel_lines::since).unwrap_or_default() {
        text.push_str(&format!("; the kernel says: {line}"));
    }
    Err(Fault::new(fail.errno, text))
}

/// Major and minor number.
fn attempt(mapping: &Mapping, flags: u16, secret: Option<&Secret>) -> Result<(u32, u32), Fail> {
    let Mapping { name, uuid, .. } = mapping;
    let control = Control::open()?;
    if let Err(fail) = control.create(name, uuid, mapping.minor) {
        return match control.status(name) {
            Ok(info) if fail.errno == libc::EBUSY && info.live => Ok(info.device),
            _ => Err(fail),
        };
    }
    let key = mapping.signature.as_ref().map(signature);
    let targets: Vec<Target> = mapping.targets.iter().map(target).listed();
    let made = match key {
        Some(Err(fail)) => Err(fail),
        // The kernel has looked at it when the table is loaded.
        _key => match secret {
            Some(secret) => load_keyed(&control, mapping, secret),
            None => control.load(name, mapping.read_only, &targets).map(drop),
        }
        .and_then(|()| control.resume(name, flags)),
    };
    if made.is_err() {
        let _ = control.remove(name, 0);
    }
    made.map(|info| info.device)
}

/// All of a file of the image.
fn key(path: &str) -> Result<Secret, Fault> {
    key_file::read(&KeyFile {
        spot: Spot::File(path.to_owned()),
        offset: 0,
        size: None,
        erase: false,
    })
}

/// Loads a table of one line with the key in its place.
fn load_keyed(control: &Control, mapping: &Mapping, key: &Secret) -> Result<(), Fail> {
    let name = &mapping.name;
    let odd = || Fail::new("put the key into the table of", name, libc::EINVAL);
    let target = mapping.targets.first().ok_or_else(odd)?;
    let (before, after) = cut(&target.arguments, dm_init::KEY).ok_or_else(odd)?;
    let digits = key.len().saturating_mul(2);
    let room = target.arguments.len().saturating_add(digits);
    let mut line = Secret::with_capacity(room);
    line.push(before.as_bytes());
    let digit = |value: u8| match value {
        0..10 => b'0' | value,
        _ => b'a' - 10 + value,
    };
    for byte in key.as_bytes() {
        line.push(&[digit(byte >> 4), digit(byte & 15)]);
    }
    line.push(after.as_bytes());
    let place = (target.sectors, &*target.kind);
    let loaded = control.load_secret(name, mapping.read_only, place, line.as_bytes());
    loaded.map(drop)
}

/// Puts the signature where the kernel looks for it.
fn signature(signature: &dm_init::Signature) -> Result<Logon, Fail> {
    let source = signature.source.as_str().unwrap_or_default();
    let payload = match source.strip_prefix("base64:") {
        Some(text) => base64::decode(text.as_bytes())
            .ok_or_else(|| Fail::new("decode the signature", source, libc::EINVAL))?,
        None => proc_sys::read(source, SIGNATURE_MAX)?,
    };
    keyring::add_user(&signature.description, &payload)
}

fn target(line: &crate::format::dm_init::Target) -> Target {
    Target {
        start: line.start,
        sectors: line.sectors,
        kind: line.kind.clone(),
        arguments: line.arguments.clone(),
    }
}

pub(super) fn advice(fail: &Fail) -> &'static str {
    match (fail.call, fail.errno) {
        ("open", libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
            ": the kernel has no device mapper: its module dm-mod is not in the image"
        }
        (_, libc::ENOKEY) => {
            ": the kernel trusts no key that the signature of the root hash was made with"
        }
        (_, libc::EKEYREJECTED) => ": the signature is not one of this root hash",
        (_, libc::EBADMSG) => ": the signature of the root hash is damaged, or is none",
        ("create", libc::EBUSY) => ": its name, uuid or minor number is taken",
        (_, libc::EINVAL) => ": its table or its target's module is not right",
        _ => "",
    }
}

/// What others are to find of a device that was made: its link, and what udev shall know.
pub(super) fn made(name: &str, uuid: &str, number: (u32, u32), flags: u16) {
    link(name, number.1);
    udev_record::mapped(name, uuid, number, flags);
}

/// `/dev/mapper/NAME`, as udev's rules make it. Without it the device is still `/dev/dm-N`.
fn link(name: &str, minor: u32) {
    let place = format!("/dev/mapper/{}", mangled(name));
    if let Err(fail) = dir::link(&format!("../dm-{minor}"), &place) {
        log::debug!("{fail}");
    }
}

/// Bytes that a device node's name should not hold are written `\xNN`, as libdevmapper does.
fn mangled(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b if b.is_ascii_alphanumeric() || b"#+-.:=@_".contains(&b) => out.push(char::from(b)),
            b => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_links_hold_no_odd_bytes() {
        for (name, expected) in [
            ("vg-my--root", "vg-my--root"),
            ("a b/c", "a\\x20b\\x2fc"),
            ("é", "\\xc3\\xa9"),
        ] {
            assert_eq!(mangled(name), expected);
        }
    }
}
