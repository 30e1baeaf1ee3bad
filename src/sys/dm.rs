//! The device mapper: block devices made of pieces of others. linux/dm-ioctl.h.
//!
//! A device is made in steps: [`Control::create`] gives it a name, [`Control::load`] a table that
//! is not used yet, [`Control::resume`] puts the table to use. Only then does it have a size, and
//! the kernel announces it as changed. A device without a table is of no use:
//! whoever made it removes it again.

use super::fail::{Fail, Outcome};
use crate::base::list::Listed;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use std::mem::{offset_of, size_of};

/// Made by the kernel when the driver `dm_mod` is there.
const CONTROL: &str = "/dev/mapper/control";

/// The interface whose layout this is; later minor versions only add to it.
const VERSION: [u32; 3] = [4, 0, 0];

/// Largest answer that is asked for again with more room.
const MOST_BYTES: usize = 4 << 20;

/// `struct dm_ioctl`.
#[repr(C)]
struct Header {
    version: [u32; 3],
    data_size: u32,
    data_start: u32,
    target_count: u32,
    open_count: i32,
    flags: u32,
    event_nr: u32,
    padding: u32,
    dev: u64,
    name: [u8; 128],
    uuid: [u8; 129],
    data: [u8; 7],
}

/// `struct dm_target_spec`; the arguments follow, ended by NUL.
#[repr(C)]
struct Spec {
    sector_start: u64,
    length: u64,
    status: i32,
    next: u32,
    target_type: [u8; 16],
}

const _: () = assert!(size_of::<Header>() == 312 && offset_of!(Header, dev) == 40);
const _: () = assert!(offset_of!(Header, name) == 48 && offset_of!(Header, uuid) == 176);
const _: () = assert!(size_of::<Spec>() == 40 && offset_of!(Spec, target_type) == 24);

/// Numbers of the commands.
#[derive(Clone, Copy)]
enum Command {
    Create = 3,
    Remove = 4,
    Suspend = 6,
    Status = 7,
    TableLoad = 9,
    TableDeps = 11,
    TableStatus = 12,
    TargetVersion = 17,
}

const READONLY: u32 = 1 << 0;
const SUSPEND: u32 = 1 << 1;
const PERSISTENT_DEV: u32 = 1 << 3;
const STATUS_TABLE: u32 = 1 << 4;
const ACTIVE_PRESENT: u32 = 1 << 5;
const INACTIVE_PRESENT: u32 = 1 << 6;
const BUFFER_FULL: u32 = 1 << 8;
const SECURE_DATA: u32 = 1 << 15;
const DEFERRED_REMOVE: u32 = 1 << 17;

/// What udev's rules are told of a device with the event that `resume` and `remove` cause: the
/// upper half of `DM_COOKIE` (libdevmapper.h, `DM_UDEV_*_FLAG`).
pub mod udev {
    pub const DISABLE_DM_RULES: u16 = 0x01;
    pub const DISABLE_SUBSYSTEM_RULES: u16 = 0x02;
    pub const DISABLE_DISK_RULES: u16 = 0x04;
    pub const DISABLE_OTHER_RULES: u16 = 0x08;
    pub const LOW_PRIORITY: u16 = 0x10;
    /// The event comes from whoever made the device, and not from a replay.
    pub const PRIMARY_SOURCE: u16 = 0x40;
    /// Nobody shall look at it: a layer of something else, or a device for a moment.
    pub const HIDDEN: u16 =
        DISABLE_SUBSYSTEM_RULES | DISABLE_DISK_RULES | DISABLE_OTHER_RULES | PRIMARY_SOURCE;
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// In 512-byte sectors.
    pub start: u64,
    pub sectors: u64,
    pub kind: String,
    pub arguments: String,
}

/// How a device stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    pub name: String,
    pub uuid: String,
    /// Major and minor number.
    pub device: (u32, u32),
    pub read_only: bool,
    pub suspended: bool,
    /// It has a table in use, or one that waits to be.
    pub live: bool,
    pub inactive: bool,
    pub open_count: i32,
    pub targets: u32,
}

/// The way to all devices.
pub struct Control(OwnedFd);

impl Control {
    /// `ENOENT`: the driver is not there.
    pub fn open() -> Outcome<Self> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let control = open(CONTROL, flags, Mode::empty()).map_err(Fail::of("open", &CONTROL))?;
        Ok(Self(control))
    }

    /// A new device without a table. `EBUSY`: the name or the uuid is taken.
    pub fn create(&self, name: &str, uuid: &str, minor: Option<u32>) -> Outcome<Info> {
        let mut request = Request::new("create", name)?;
        request.text(offset_of!(Header, uuid), 128, uuid)?;
        if let Some(minor) = minor {
            request.or_flags(PERSISTENT_DEV);
            request.put64(offset_of!(Header, dev), encoded(0, minor));
        }
        self.run(Command::Create, request).map(|r| r.info())
    }

    /// Gives the device a table of one line whose arguments may hold a key: the kernel and this
    /// process wipe their copies.
    pub fn load_secret(
        &self,
        name: &str,
        read_only: bool,
        (sectors, kind): (u64, &str),
        arguments: &[u8],
    ) -> Outcome<Info> {
        let mut request = Request::new("load the table of", name)?;
        request.secret = true;
        request.or_flags(SECURE_DATA | if read_only { READONLY } else { 0 });
        request.put32(offset_of!(Header, target_count), 1);
        request.add_line((0, sectors), kind, arguments)?;
        self.run(Command::TableLoad, request).map(|r| r.info())
    }

    /// Gives the device its next table.
    pub fn load(&self, name: &str, read_only: bool, targets: &[Target]) -> Outcome<Info> {
        let mut request = Request::new("load the table of", name)?;
        request.or_flags(if read_only { READONLY } else { 0 });
        let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        request.put32(offset_of!(Header, target_count), count);
        for target in targets {
            request.add_target(target)?;
        }
        self.run(Command::TableLoad, request).map(|r| r.info())
    }

    /// Puts the table that was loaded to use, and lets requests through. `flags`: [`udev`].
    pub fn resume(&self, name: &str, flags: u16) -> Outcome<Info> {
        let mut request = Request::new("resume", name)?;
        request.put32(offset_of!(Header, event_nr), u32::from(flags) << 16);
        self.run(Command::Suspend, request).map(|r| r.info())
    }

    /// Holds requests back until `resume`.
    pub fn suspend(&self, name: &str) -> Outcome<Info> {
        let mut request = Request::new("suspend", name)?;
        request.or_flags(SUSPEND);
        self.run(Command::Suspend, request).map(|r| r.info())
    }

    /// `EBUSY`: it is in use.
    pub fn remove(&self, name: &str, flags: u16) -> Outcome<()> {
        let mut request = Request::new("remove", name)?;
        request.put32(offset_of!(Header, event_nr), u32::from(flags) << 16);
        self.run(Command::Remove, request).map(drop)
    }

    /// The same; one that is in use goes when it is used no longer. No rules of udev's are run.
    pub fn remove_unused(&self, name: &str) -> Outcome<()> {
        let mut request = Request::new("remove", name)?;
        request.or_flags(DEFERRED_REMOVE);
        request.put32(offset_of!(Header, event_nr), u32::from(udev::HIDDEN) << 16);
        self.run(Command::Remove, request).map(drop)
    }

    /// The version of a kind of target, without its last number. Its driver is loaded if it was
    /// not. `ENOTTY`: before Linux 5.4.
    pub fn target_version(&self, kind: &str) -> Outcome<(u32, u32)> {
        let mut request = Request::new("ask for the target", kind)?;
        request.bytes.resize(size_of::<Header>() + 512, 0);
        let answer = self.run(Command::TargetVersion, request)?;
        // `struct dm_target_versions`: next, then three numbers.
        let number = |at| number(answer.data(), at).and_then(|n| u32::try_from(n).ok());
        let version = number(4).zip(number(8));
        version.ok_or_else(|| Fail::new("ask for the target", kind, libc::EINVAL))
    }

    /// `ENXIO`: there is no such device.
    pub fn status(&self, name: &str) -> Outcome<Info> {
        let request = Request::new("ask for", name)?;
        self.run(Command::Status, request).map(|r| r.info())
    }

    /// The table in use, as it was loaded (keys are shown by the kernel only to root).
    pub fn table(&self, name: &str) -> Outcome<Vec<Target>> {
        let mut request = Request::new("read the table of", name)?;
        request.or_flags(STATUS_TABLE);
        let answer = self.run_with_room(Command::TableStatus, request)?;
        Ok(targets_of(
            answer.data(),
            answer.get32(offset_of!(Header, target_count)),
        ))
    }

    /// The devices that the table in use is made of.
    pub fn deps(&self, name: &str) -> Outcome<Vec<(u32, u32)>> {
        let request = Request::new("ask what is below", name)?;
        let answer = self.run_with_room(Command::TableDeps, request)?;
        Ok(deps_of(answer.data()))
    }

    /// The kernel says when an answer does not fit; then it is asked again.
    fn run_with_room(&self, command: Command, request: Request) -> Outcome<Request> {
        let mut room = 16 << 10;
        loop {
            let mut next = request.copy();
            next.bytes
                .resize(size_of::<Header>().saturating_add(room), 0);
            let answer = self.run(command, next)?;
            let full = answer.get32(offset_of!(Header, flags)) & BUFFER_FULL != 0;
            if !full || room >= MOST_BYTES {
                return Ok(answer);
            }
            room = room.saturating_mul(4);
        }
    }

    #[allow(unsafe_code)]
    fn run(&self, command: Command, mut request: Request) -> Outcome<Request> {
        let size = u32::try_from(request.bytes.len()).unwrap_or(u32::MAX);
        request.put32(offset_of!(Header, data_size), size);
        let number = rustix::ioctl::opcode::read_write::<Header>(0xfd, command as u8);
        // SAFETY: the buffer is as long as `data_size` says and lives across the call; the kernel
        // reads and writes only within it.
        let result =
            unsafe { libc::ioctl(self.0.as_raw_fd(), number as _, request.bytes.as_mut_ptr()) };
        if result < 0 {
            return Err(Fail::last(request.what, &request.name));
        }
        Ok(request)
    }
}

/// What is passed to the kernel, and what it left there.
struct Request {
    bytes: Vec<u8>,
    what: &'static str,
    name: String,
    secret: bool,
}

impl Request {
    fn new(what: &'static str, name: &str) -> Outcome<Self> {
        let mut request = Self {
            bytes: vec![0; size_of::<Header>()],
            what,
            name: name.into(),
            secret: false,
        };
        for (i, part) in VERSION.iter().enumerate() {
            request.put32(i.saturating_mul(4), *part);
        }
        request.put32(offset_of!(Header, data_start), size_of::<Header>() as u32);
        request.text(offset_of!(Header, name), 127, name)?;
        Ok(request)
    }

    fn copy(&self) -> Self {
        Self {
            bytes: self.bytes.clone(),
            what: self.what,
            name: self.name.clone(),
            secret: self.secret,
        }
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        let room = at
            .checked_add(bytes.len())
            .and_then(|end| self.bytes.get_mut(at..end));
        if let Some(room) = room {
            room.copy_from_slice(bytes);
        }
    }

    fn put32(&mut self, at: usize, value: u32) {
        self.put(at, &value.to_ne_bytes());
    }

    fn put64(&mut self, at: usize, value: u64) {
        self.put(at, &value.to_ne_bytes());
    }

    fn or_flags(&mut self, flags: u32) {
        let at = offset_of!(Header, flags);
        self.put32(at, self.get32(at) | flags);
    }

    /// Text of at most `most` bytes; a NUL stays behind it.
    fn text(&mut self, at: usize, most: usize, text: &str) -> Outcome<()> {
        if text.len() > most || text.bytes().any(|b| b == 0) {
            return Err(Fail::new(self.what, text, libc::ENAMETOOLONG));
        }
        self.put(at, text.as_bytes());
        Ok(())
    }

    /// A record, its arguments, and zeros up to the next multiple of 8.
    fn add_target(&mut self, target: &Target) -> Outcome<()> {
        let place = (target.start, target.sectors);
        self.add_line(place, &target.kind, target.arguments.as_bytes())
    }

    fn add_line(
        &mut self,
        (start, sectors): (u64, u64),
        kind: &str,
        arguments: &[u8],
    ) -> Outcome<()> {
        let at = self.bytes.len();
        if kind.len() > 15 || arguments.contains(&0) {
            return Err(Fail::new(self.what, kind, libc::EINVAL));
        }
        let length = size_of::<Spec>() + arguments.len() + 1;
        let length = length.next_multiple_of(8);
        self.bytes.resize(at + length, 0);
        self.put64(at + offset_of!(Spec, sector_start), start);
        self.put64(at + offset_of!(Spec, length), sectors);
        self.put32(
            at + offset_of!(Spec, next),
            u32::try_from(length).unwrap_or(0),
        );
        self.put(at + offset_of!(Spec, target_type), kind.as_bytes());
        self.put(at + size_of::<Spec>(), arguments);
        Ok(())
    }

    fn get32(&self, at: usize) -> u32 {
        number(&self.bytes, at).unwrap_or(0) as u32
    }

    fn info(&self) -> Info {
        let flags = self.get32(offset_of!(Header, flags));
        let is = |bit: u32| flags & bit != 0;
        Info {
            name: text_at(&self.bytes, offset_of!(Header, name)),
            uuid: text_at(&self.bytes, offset_of!(Header, uuid)),
            device: decoded(wide(&self.bytes, offset_of!(Header, dev)).unwrap_or(0)),
            read_only: is(READONLY),
            suspended: is(SUSPEND),
            live: is(ACTIVE_PRESENT),
            inactive: is(INACTIVE_PRESENT),
            open_count: self.get32(offset_of!(Header, open_count)).cast_signed(),
            targets: self.get32(offset_of!(Header, target_count)),
        }
    }

    /// What the kernel put behind the header.
    fn data(&self) -> &[u8] {
        let start = self.get32(offset_of!(Header, data_start)) as usize;
        let end = self.get32(offset_of!(Header, data_size)) as usize;
        self.bytes.get(start..end).unwrap_or_default()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.secret {
            self.bytes.fill(0);
            // What is looked at afterwards is not optimised away.
            std::hint::black_box(&self.bytes);
        }
    }
}

/// `new_encode_dev` of the kernel: minor numbers have 20 bits around 12 of the major number.
fn encoded(major: u32, minor: u32) -> u64 {
    u64::from(minor & 0xff | major << 8 | (minor & !0xff) << 12)
}

fn decoded(dev: u64) -> (u32, u32) {
    let dev = dev as u32;
    ((dev & 0xf_ff00) >> 8, dev & 0xff | dev >> 12 & 0xf_ff00)
}

/// Four bytes of this machine's order.
fn number(bytes: &[u8], at: usize) -> Option<u64> {
    crate::base::bytes::array(bytes, at).map(|b| u64::from(u32::from_ne_bytes(b)))
}

fn wide(bytes: &[u8], at: usize) -> Option<u64> {
    crate::base::bytes::array(bytes, at).map(u64::from_ne_bytes)
}

fn text_at(bytes: &[u8], at: usize) -> String {
    let text = crate::base::bytes::until_nul(bytes.get(at..).unwrap_or_default());
    String::from_utf8_lossy(text).into_owned()
}

/// The records of a table; `next` counts from the first one.
fn targets_of(data: &[u8], count: u32) -> Vec<Target> {
    let mut targets = Vec::new();
    let mut at = 0usize;
    for _ in 0..count {
        let record = data.get(at..).unwrap_or_default();
        let (Some(start), Some(sectors), Some(next)) = (
            wide(record, offset_of!(Spec, sector_start)),
            wide(record, offset_of!(Spec, length)),
            number(record, offset_of!(Spec, next)),
        ) else {
            break;
        };
        let kind = record.get(offset_of!(Spec, target_type)..size_of::<Spec>());
        targets.push(Target {
            start,
            sectors,
            kind: text_at(kind.unwrap_or_default(), 0),
            arguments: text_at(record, size_of::<Spec>()),
        });
        match usize::try_from(next) {
            Ok(next) if next > at => at = next,
            _ => break,
        }
    }
    targets
}

/// `struct dm_target_deps`: a count, four bytes of nothing, device numbers.
fn deps_of(data: &[u8]) -> Vec<(u32, u32)> {
    let count = number(data, 0).unwrap_or(0);
    let numbers = data.get(8..).unwrap_or_default().chunks_exact(8);
    let taken = numbers.take(usize::try_from(count).unwrap_or(0));
    taken.filter_map(|n| wide(n, 0)).map(decoded).listed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_the_numbers_of_the_header() {
        let opcode = rustix::ioctl::opcode::read_write::<Header>(0xfd, Command::TableLoad as u8);
        // _IOWR(0xfd, 9, struct dm_ioctl) where directions take the upper two bits.
        #[cfg(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64"
        ))]
        assert_eq!(opcode as u32, 0xc138_fd09);
        assert_eq!(opcode as u32 & 0xffff, 0xfd09);
    }

    #[test]
    fn device_numbers_survive_both_ways() {
        for (major, minor) in [(253, 0), (254, 255), (253, 256), (4095, (1 << 20) - 1)] {
            assert_eq!(decoded(encoded(major, minor)), (major, minor));
        }
        assert_eq!(encoded(0, 256), 0x10_0000);
    }

    #[test]
    fn records_of_a_table_are_aligned_and_end_with_nul() {
        let mut request = Request::new("test", "name").unwrap();
        let target = |start, arguments: &str| Target {
            start,
            sectors: 8,
            kind: "linear".into(),
            arguments: arguments.into(),
        };
        let table = [target(0, "8:1 0"), target(8, "253:16 1234567")];
        for line in &table {
            request.add_target(line).unwrap();
        }
        let data = &request.bytes[size_of::<Header>()..];
        assert!(data.len().is_multiple_of(8));
        assert_eq!(number(data, 20), Some(48));
        assert_eq!(&data[40..46], b"8:1 0\0");
        // As loaded, `next` counts from its own record; as read, from the first one: the same here.
        assert_eq!(targets_of(data, 2), table);
        assert_eq!(targets_of(&data[..60], 2).len(), 1);
    }

    #[test]
    fn names_that_do_not_fit_are_refused_before_the_kernel_sees_them() {
        assert!(Request::new("test", &"x".repeat(127)).is_ok());
        assert!(Request::new("test", &"x".repeat(128)).is_err());
        assert!(Request::new("test", "a\0b").is_err());
    }

    #[test]
    fn a_count_of_dependencies_is_not_trusted() {
        let mut data = 9u64.to_ne_bytes().to_vec();
        data.extend(encoded(8, 1).to_ne_bytes());
        assert_eq!(deps_of(&data), [(8, 1)]);
        assert_eq!(deps_of(&[]), []);
    }
}
