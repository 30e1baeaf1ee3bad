//! Encrypted volumes by name: the lines of crypttab(5), and the words of the command line that
//! stand for such lines, in one list.
//!
//! Not here: whether the devices exist, what their headers say (`luks`), and which volumes a boot
//! needs. What is wrong with one entry costs that entry, or that option, and becomes a complaint.
//!
//! Sources: crypttab(5) of systemd and of Debian's cryptsetup, systemd-cryptsetup-generator(8),
//! dracut.cmdline(7), README.initramfs of Debian's cryptsetup, the documentation of mkinitcpio's
//! hook `encrypt`, of booster, and mkinitfs-bootparam(7) of Alpine.
//!
//! | Here | what |
//! |---|---|
//! | `lines` | crypttab |
//! | `words` | the command line |
//! | `merge` | both together |
//! | `options` | the fourth field of crypttab, and what stands for it |

mod lines;
mod merge;
mod options;
mod words;

use super::cmdline::Word;
use super::source::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use options::{Echo, Options};

/// A volume that somebody named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name below `/dev/mapper`; `None`: `luks-` and the UUID in its header.
    pub name: Option<String>,
    pub device: Device,
    /// `None`: see [`Volume::usual_keys`].
    pub key: Option<Place>,
    pub options: Options,
    /// Wanted by itself, whatever else the boot needs: named on the command line, or marked
    /// `x-initrd.attach` or `initramfs` in crypttab.
    pub wanted: bool,
    /// The command line names volumes by their UUIDs, and this line of crypttab is none of them:
    /// systemd leaves such lines alone.
    pub left_out: bool,
    /// For messages: `line 3 of crypttab`, `rd.luks.uuid=…`.
    pub told_by: String,
}

/// How the encrypted device is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    Source(Source),
    /// The header's UUID begins so, in small letters.
    UuidStart(String),
    /// The drive's serial number has this in it.
    Serial(String),
    /// A file that would need a loop device.
    File(String),
}

/// Where a key or a header lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of the image.
    File(String),
    /// A file in the file system on another device.
    On {
        path: String,
        device: Source,
        /// `None`: whatever the bytes say.
        fstype: Option<String>,
    },
    /// The bytes of a device; a key with `keyfile-offset` and `keyfile-size`.
    Device(Source),
}

/// All that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Volumes {
    /// Lines of crypttab first, each kind in its own order.
    pub list: Vec<Volume>,
    /// `rd.luks=0`: nothing is opened, and `list` is empty.
    pub off: bool,
    /// For volumes that nobody named, as one that `root=` points to.
    pub others: Settings,
    /// One sentence each.
    pub complaints: Vec<String>,
}

/// What is to hold where nothing else was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub key: Option<Place>,
    pub options: Options,
}

impl Volume {
    /// One that the command line names, with nothing else said.
    #[inline(never)]
    fn new(device: Device, told_by: String) -> Self {
        Self {
            name: None,
            device,
            key: None,
            options: Options::default(),
            wanted: true,
            left_out: false,
            told_by,
        }
    }

    /// Files of the image that hold the key of the volume `name` where none was named.
    pub fn usual_keys(name: &str) -> [String; 3] {
        [
            format!("/etc/cryptsetup-keys.d/{name}.key"),
            format!("/run/cryptsetup-keys.d/{name}.key"),
            "/crypto_keyfile.bin".into(),
        ]
    }
}

impl Place {
    /// `PATH`, `PATH:DEVICE` or `/dev/NAME`, as in `header=` and in the third field of crypttab.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if is_device(text) {
            return Ok(Self::Device(known(text)?));
        }
        // A colon may be part of a file's name, too: only a device behind it parts the two.
        let parts = text.rsplit_once(':').filter(|(_, rest)| is_device(rest));
        let (path, device) = match parts {
            Some((path, device)) => (path, Some(known(device)?)),
            None => (text, None),
        };
        if !path.starts_with('/') {
            return Err("is no absolute path");
        }
        let path = path.into();
        Ok(match device {
            None => Self::File(path),
            Some(device) => Self::On {
                path,
                device,
                fstype: None,
            },
        })
    }
}

impl Device {
    /// As in the second field of crypttab.
    fn read(text: &str) -> Result<Self, &'static str> {
        match known(text) {
            Ok(source) => Ok(Self::Source(source)),
            Err(_) if text.starts_with('/') && !text.starts_with("/dev/") => {
                Ok(Self::File(text.into()))
            }
            Err(what) => Err(what),
        }
    }

    /// The UUID that a header must have, in small letters, as far as it was told.
    fn uuid(&self) -> Option<&str> {
        match self {
            Self::Source(Source::Uuid(uuid)) | Self::UuidStart(uuid) => Some(uuid),
            _ => None,
        }
    }
}

/// Whether this can only be a device: `/dev/…` or `TAG=…`.
fn is_device(text: &str) -> bool {
    text.starts_with("/dev/") || !text.contains('/') && text.contains('=')
}

fn known(text: &str) -> Result<Source, &'static str> {
    match Source::parse(text.as_bytes()) {
        Source::Unknown(_) => Err("is no device reference known here"),
        source => Ok(source),
    }
}

/// A name that device-mapper takes: not empty, at most 127 bytes, no path.
fn is_name(name: &str) -> bool {
    const LEN: usize = 127;
    !name.is_empty() && name.len() <= LEN && !name.contains('/') && !matches!(name, "." | "..")
}

/// `yes` and its like; nothing counts as yes. systemd and dracut spell it in all these ways.
fn switch(value: Option<&str>) -> Option<bool> {
    match value? {
        "1" | "yes" | "true" | "on" | "y" | "t" => Some(true),
        "0" | "no" | "false" | "off" | "n" | "f" => Some(false),
        _ => None,
    }
}

/// Puts together what the command line and crypttab say. The command line wins.
pub fn read<'a>(words: impl Iterator<Item = Word<'a>>, crypttab: &[u8]) -> Volumes {
    let mut told = words::Told::default();
    for word in words {
        #[cfg(test)]
        if crate::format::params::is_off(word.key) {
            continue;
        }
        told.take(&word);
    }
    if told.off {
        return Volumes {
            off: true,
            complaints: told.complaints,
            ..Volumes::default()
        };
    }
    let list = match told.no_crypttab {
        true => Vec::new(),
        false => lines::read(crypttab, &mut told.complaints),
    };
    told.finish(list)
}

#[cfg(test)]
mod tests;
