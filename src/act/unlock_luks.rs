//! Opens a LUKS volume: header, key slot, mapping. Nothing is written, not even a damaged copy of
//! the header.
//!
//! What is made is what cryptsetup would make: names, UUIDs, tables, and the volume key on the
//! keyring while the kernel takes it. Key slots whose cipher is not known to `crypt` are decrypted
//! by the kernel, through a mapping that exists for a moment. For worker processes: everything
//! that they hold is locked into memory first.

use super::free_memory::free_kib;
use super::{create_mapping, kernel_lines, key_file};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::secret::Secret;
use crate::crypt::hash::digest;
use crate::crypt::unlock::{self, Areas, Failure};
use crate::crypt::{Job, Machine};
use crate::format::identity::{Need, View};
use crate::format::luks::order::{Key, Order, Refusal, Spot};
use crate::format::luks::table::{self, Below, Mapping};
use crate::format::luks::{self, Area, Header};
use crate::sys::dm::{Control, udev};
use crate::sys::fail::Fail;
use crate::sys::kmsg::Reader;
use crate::sys::{block, dir, keyring, memory, proc_sys, process, threads};
use std::os::fd::{AsFd, OwnedFd};

/// A volume that stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub why: Refusal,
    pub fault: Fault,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let why = Refusal::Volume;
        Self { why, fault }
    }
}

impl From<Fail> for Refused {
    fn from(fail: Fail) -> Self {
        Fault::from(fail).into()
    }
}

/// Opens it. `typed`: the secret that the order names by a number.
pub fn open(order: &Order, typed: Option<Secret>) -> Result<(), Refused> {
    if let Err(fail) = memory::lock_all() {
        log::debug!("{fail}: keys could be swapped out");
    }
    let keys = keys(&order.key, typed)?;
    let data = Device::open(&Spot::Device(order.device.clone()))?;
    let other = order.header.as_ref().map(Device::open).transpose()?;
    let with_header = other.as_ref().unwrap_or(&data);
    let header = with_header.header()?;
    if let Some(damage) = &header.damage {
        let text = "its second header is used, and the first one left as it is";
        log::warn!("{}: {damage}: {text}", with_header.name);
    }
    // Refused before the key is derived: that may take seconds.
    header.segment()?;
    let mut failure = Failure::Passphrase;
    for key in keys {
        let mut areas = Slots(with_header);
        match unlock::open(&header, order.slot, key.as_bytes(), &mut areas, &Here) {
            Ok(opened) => {
                drop(key);
                Volume::new(order, &header, &data)?.map(&opened.key)?;
                erase(&order.key);
                return Ok(());
            }
            Err(Failure::Passphrase) => {}
            Err(other) => failure = other,
        }
    }
    let why = match failure {
        Failure::Passphrase => Refusal::WrongKey,
        _ => Refusal::Volume,
    };
    let fault = Fault::plain(failure.to_string());
    Err(Refused { why, fault })
}

/// Everything that is to be tried.
fn keys(key: &Key, typed: Option<Secret>) -> Result<Vec<Secret>, Refused> {
    let none = |fault| Refused {
        why: Refusal::NoKey,
        fault,
    };
    let missing = || Fault::new(libc::ENOENT, "there is no key");
    let keys = match key {
        Key::Typed(_) => typed.into_iter().listed(),
        Key::Empty => vec![Secret::default()],
        Key::Usual(paths) => paths.iter().filter_map(|path| usual(path)).listed(),
        Key::At(file) => vec![key_file::read(file).map_err(none)?],
    };
    match keys.is_empty() {
        true => Err(none(missing())),
        false => Ok(keys),
    }
}

/// A file that need not be there.
fn usual(path: &str) -> Option<Secret> {
    let file = luks::order::KeyFile {
        spot: Spot::File(path.into()),
        offset: 0,
        size: None,
        erase: false,
    };
    match key_file::read(&file) {
        Ok(key) => Some(key),
        Err(fault) if fault.errno == libc::ENOENT => None,
        Err(fault) => {
            log::warn!("{fault}: this key is left out");
            None
        }
    }
}

fn erase(key: &Key) {
    if let Key::At(file) = key
        && let (true, Spot::File(path)) = (file.erase, &file.spot)
    {
        key_file::erase(path);
    }
}

/// This machine, for whoever derives keys.
struct Here;

impl Machine for Here {
    fn memory_kib(&self) -> u64 {
        // A kernel that does not tell is asked for the memory itself.
        free_kib().unwrap_or(u64::MAX)
    }

    fn at_once(&self, jobs: &mut [Job]) {
        threads::run_all(jobs);
    }

    fn reserved(&self, address: usize, len: usize) {
        memory::want_large_pages(address, len);
    }
}

/// A device, or a file with a header.
struct Device {
    file: OwnedFd,
    name: String,
    bytes: u64,
}

impl Device {
    fn open(spot: &Spot) -> Result<Self, Fault> {
        let (file, name) = key_file::open(spot)?;
        let bytes = block::size_bytes(file.as_fd(), &name)?;
        Ok(Self { file, name, bytes })
    }

    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), Fault> {
        let len = bytes.len();
        let fault = |errno, why: &str| {
            Fault::new(
                errno,
                format!("read {} ({len} bytes at {at}): {why}", self.name),
            )
        };
        match dir::read_at(&self.file, bytes, at) {
            Ok(got) if got == len => Ok(()),
            Ok(_) => Err(fault(libc::EIO, "it ends before")),
            Err(fail) => Err(fault(fail.errno, crate::sys::fail::sentence(fail.errno))),
        }
    }

    fn header(&self) -> Result<Header, Fault> {
        let mut view = View::new(self.bytes, 512);
        loop {
            let Need(range) = match luks::read(&view, &digest) {
                Ok(header) => {
                    let said = |fault: Fault| format!("{}: {fault}", self.name);
                    return header.map_err(|fault| Fault::new(fault.errno, said(fault)));
                }
                Err(need) => need,
            };
            let mut bytes = vec![0; range.len];
            match self.read(range.at, &mut bytes) {
                Ok(()) => view.add(range.at, bytes),
                Err(fault) => {
                    log::warn!("{fault}");
                    view.lose(range);
                }
            }
        }
    }

    /// Its number, if it is a block device.
    fn number(&self) -> Result<String, Fault> {
        let (major, minor) = dir::number_of(&self.file)?;
        Ok(format!("{major}:{minor}"))
    }
}

/// Where the key slots of a header are.
struct Slots<'a>(&'a Device);

impl Areas for Slots<'_> {
    fn read(&mut self, area: &Area) -> Result<Secret, Fault> {
        let mut bytes = Secret::zeros(area.len);
        self.0.read(area.at, bytes.as_mut_bytes())?;
        Ok(bytes)
    }

    fn decrypted(&mut self, area: &Area, key: &Secret) -> Result<Secret, Failure> {
        let number = self.0.number();
        // A header in a file has no number: the kernel would need a loop device.
        let number = number.map_err(|_| Failure::Cipher(area.cipher.clone()))?;
        by_kernel(area, &number, self.0.bytes, key).map_err(Failure::Read)
    }
}

/// Lets the kernel decrypt an area.
fn by_kernel(area: &Area, device: &str, bytes: u64, key: &Secret) -> Result<Secret, Fault> {
    let name = format!("{}{}", table::FOR_A_MOMENT, process::own_pid());
    let sectors = bytes / luks::SECTOR;
    let below = Below { device, sectors };
    let mapping = table::area(area, &name, below, key.as_bytes())?;
    let control = Control::open()?;
    let (_, minor) = make(&control, mapping, true, udev::HIDDEN)?;
    let read = || {
        let slot = Device::open(&Spot::Device(format!("dm-{minor}")))?;
        let mut stripes = Secret::zeros(area.len);
        slot.read(0, stripes.as_mut_bytes())?;
        Ok(stripes)
    };
    let stripes = read();
    if let Err(fail) = control.remove_unused(&name) {
        log::warn!("{fail}");
    }
    stripes
}

/// A volume whose key is known.
struct Volume<'a> {
    header: &'a Header,
    name: String,
    data: &'a Device,
    flags: luks::flags::Flags,
    read_only: bool,
    control: Control,
}

impl<'a> Volume<'a> {
    fn new(order: &Order, header: &'a Header, data: &'a Device) -> Result<Self, Fault> {
        let control = Control::open().map_err(refused)?;
        // Write-protected below is write-protected above.
        let state = format!("/sys/class/block/{}/ro", order.device.replace('/', "!"));
        let protected = proc_sys::read(&state, 8).is_ok_and(|text| text.starts_with(b"1"));
        Ok(Self {
            header,
            name: order.name.clone(),
            data,
            flags: order.flags.and(header.flags),
            read_only: order.read_only || protected,
            control,
        })
    }

    fn map(&self, key: &Secret) -> Result<(), Fault> {
        let number = self.data.number()?;
        let sectors = self.data.bytes / luks::SECTOR;
        let below = Below {
            device: &number,
            sectors,
        };
        if !table::wants_integrity(self.header) {
            return self.crypt(key, below);
        }
        let (tags, sectors) = self.integrity(below)?;
        let below = Below {
            device: &tags,
            sectors,
        };
        let made = self.crypt(key, below);
        if made.is_err() {
            let _ = self.control.remove_unused(&format!("{}_dif", self.name));
        }
        made
    }

    /// The layer with the tags; its number and size.
    fn integrity(&self, below: Below) -> Result<(String, u64), Fault> {
        let mut superblock = [0; luks::SECTOR as usize];
        let at = self.header.segment()?.offset;
        self.data.read(at, &mut superblock)?;
        let version = self.control.target_version("integrity").unwrap_or((1, 3));
        let mapping = table::integrity(self.header, &self.name, below, &superblock, version)?;
        let sectors = mapping.sectors;
        let flags = udev::HIDDEN;
        let (name, uuid) = (mapping.name.clone(), mapping.uuid.clone());
        let (major, minor) = make(&self.control, mapping, self.read_only, flags)?;
        create_mapping::made(&name, &uuid, (major, minor), flags);
        Ok((format!("{major}:{minor}"), sectors))
    }

    fn crypt(&self, key: &Secret, below: Below) -> Result<(), Fault> {
        let version = self.control.target_version("crypt").unwrap_or((1, 17));
        let flags = self.flags.known_to(version);
        // Taken off the keyring when the kernel has its own copy.
        let ring = (self.header.version == 2 && version >= (1, 18)).then(|| self.logon(key));
        let ring = ring.flatten();
        let how = match ring {
            Some(_) => table::Key::Keyring,
            None => table::Key::Bytes(key.as_bytes()),
        };
        let mapping = table::crypt(self.header, &self.name, below, &how, flags)?;
        let flags = udev::PRIMARY_SOURCE;
        let uuid = mapping.uuid.clone();
        let number = make(&self.control, mapping, self.read_only, flags)?;
        create_mapping::made(&self.name, &uuid, number, flags);
        Ok(())
    }

    /// `None`: this kernel has no keyring, or the volume no key.
    fn logon(&self, key: &Secret) -> Option<keyring::Logon> {
        let description = table::key_description(self.header)?;
        let added = keyring::add_logon(&description, key.as_bytes());
        added.inspect_err(|fail| log::debug!("{fail}")).ok()
    }
}

fn refused(fail: Fail) -> Fault {
    let text = format!("{fail}{}", create_mapping::advice(&fail));
    Fault::new(fail.errno, text)
}

/// Makes the device and puts its table to use; its number. One attempt; what a failed one made is
/// removed again. One of the same name and UUID that is in use is taken as it is.
fn make(
    control: &Control,
    mapping: Mapping,
    read_only: bool,
    flags: u16,
) -> Result<(u32, u32), Fault> {
    let (name, uuid) = (&mapping.name, &mapping.uuid);
    let mut log = Reader::from_now().ok();
    if let Err(fail) = control.create(name, uuid, None) {
        return match control.status(name) {
            Ok(info) if info.live && info.uuid == *uuid => Ok(info.device),
            _ => Err(refused(fail)),
        };
    }
    let line = (mapping.sectors, mapping.target);
    let made = control.load_secret(name, read_only, line, mapping.params.as_bytes());
    let made = made.and_then(|_| control.resume(name, flags));
    let fail = match made {
        Ok(info) => return Ok(info.device),
        Err(fail) => fail,
    };
    let _ = control.remove_unused(name);
    let fault = refused(fail);
    let mut text = fault.text.clone();
    for line in log.as_mut().map(kernel_lines::since).unwrap_or_default() {
        text.push_str(&format!("; the kernel says: {line}"));
    }
    Err(Fault::new(fault.errno, text))
}
