//! What is to be opened, and with what: one job.
//!
//! Devices are those that are there, by the kernel's names; keys that people typed are numbers.

use super::flags::Flags;
use alloc::string::String;
use alloc::vec::Vec;

/// One volume to be opened with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The device with the data.
    pub device: String,
    /// Its name below `/dev/mapper`.
    pub name: String,
    /// Where the header lies, if not at the start of the device.
    pub header: Option<Spot>,
    pub key: Key,
    /// The only slot to try.
    pub slot: Option<u32>,
    /// In addition to those in its header.
    pub flags: Flags,
    pub read_only: bool,
}

/// Bytes that can be had now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spot {
    /// A file of the image.
    File(String),
    /// A file in the file system on a device.
    On {
        device: String,
        fstype: String,
        path: String,
    },
    /// A device.
    Device(String),
}

/// What is to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// What a person typed, by its number.
    Typed(u32),
    /// The empty passphrase.
    Empty,
    /// Files of the image, each if it is there.
    Usual(Vec<String>),
    At(KeyFile),
}

/// Bytes that are a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub spot: Spot,
    /// Bytes to skip.
    pub offset: u64,
    /// Most bytes to take.
    pub size: Option<u64>,
    /// Overwrite and delete it, which is in the image, once it has opened the volume.
    pub erase: bool,
}

/// Why it was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key opens no slot: another one may.
    WrongKey,
    /// There was no key to try.
    NoKey,
    /// No key would help.
    Volume,
}

impl Refusal {
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::WrongKey, "wrong-key"),
        (Self::NoKey, "no-key"),
        (Self::Volume, "volume"),
    ];
}
