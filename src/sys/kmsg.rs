//! The kernel log. /dev/kmsg, Documentation/ABI/testing/dev-kmsg.

use super::fail::{Fail, Outcome};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, SeekFrom, open, seek};
use rustix::io::Errno;

const PATH: &str = "/dev/kmsg";

/// Longest record written here, prefix and line break included. The kernel refuses what exceeds
/// its own line buffer less the prefix: 976 bytes up to Linux 6.3, 2000 later.
pub const LONGEST: usize = 900;

/// Longest record read: `CONSOLE_EXT_LOG_MAX`, linux/printk.h. A shorter buffer gets `EINVAL`.
const LONGEST_READ: usize = 8192;

pub fn open_writer() -> Outcome<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOCTTY;
    open(PATH, flags, Mode::empty()).map_err(Fail::of("open", &PATH))
}

/// One record: `<PRIORITY>text` and a line break. One write(2), at most [`LONGEST`] bytes.
/// Without the line break the record stays open, and nobody sees it before the next one.
pub fn write_record(kmsg: BorrowedFd<'_>, record: &[u8]) -> Outcome<()> {
    loop {
        match rustix::io::write(kmsg, record) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Fail::of("write", &PATH)(errno)),
        }
    }
}

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// 0 (emergency) to 7 (debug).
    pub level: u8,
    /// 0 is the kernel; whatever user space writes is not.
    pub facility: u32,
    pub sequence: u64,
    /// Microseconds since boot.
    pub micros: u64,
    /// Without the continuation lines, the kernel's escapes undone.
    pub text: Vec<u8>,
}

/// Reads what is logged from now on.
pub struct Reader {
    kmsg: OwnedFd,
    buffer: Vec<u8>,
}

impl Reader {
    /// The mark is the present end of the log.
    pub fn from_now() -> Outcome<Self> {
        let reader = Self::from_start()?;
        seek(&reader.kmsg, SeekFrom::End(0)).map_err(Fail::of("lseek", &PATH))?;
        Ok(reader)
    }

    /// From the oldest record on that is kept.
    pub fn from_start() -> Outcome<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let kmsg = open(PATH, flags, Mode::empty()).map_err(Fail::of("open", &PATH))?;
        let buffer = vec![0; LONGEST_READ];
        Ok(Self { kmsg, buffer })
    }

    /// The next record; `None` when there is none yet. Records that were overwritten before they
    /// were read are skipped.
    pub fn next_record(&mut self) -> Outcome<Option<Record>> {
        loop {
            let read = rustix::io::read(self.kmsg.as_fd(), self.buffer.as_mut_slice());
            let length = match read {
                Ok(length) => length,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::PIPE | Errno::INTR) => continue,
                Err(errno) => return Err(Fail::of("read", &PATH)(errno)),
            };
            if length == 0 {
                return Ok(None);
            }
            if let Some(record) = self.buffer.get(..length).and_then(parse) {
                return Ok(Some(record));
            }
        }
    }
}

/// `PRIORITY,SEQUENCE,MICROS,FLAGS[,…];text`, a line break, then continuation lines.
fn parse(record: &[u8]) -> Option<Record> {
    let line = record.split(|&b| b == b'\n').next()?;
    let semicolon = line.iter().position(|&b| b == b';')?;
    let (head, text) = line.split_at_checked(semicolon)?;
    let mut fields = std::str::from_utf8(head).ok()?.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    Some(Record {
        level: (priority & 7) as u8,
        facility: priority >> 3,
        sequence: fields.next()?.parse().ok()?,
        micros: fields.next()?.parse().ok()?,
        text: crate::base::text::unescape(text.get(1..)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Needs the right to write to the kernel log.
    #[test]
    fn a_longest_record_is_taken_and_read_back_whole() {
        let Ok(writer) = open_writer() else {
            return;
        };
        let mut reader = Reader::from_now().unwrap();
        let mut record = format!("<7>landfall tests its log ({}) ", std::process::id());
        record.push_str(&"x".repeat(LONGEST - record.len() - 1));
        record.push('\n');
        write_record(writer.as_fd(), record.as_bytes()).unwrap();
        let read = std::iter::from_fn(|| reader.next_record().unwrap());
        let ours = read
            .into_iter()
            .find(|r| r.text == record.as_bytes()[3..LONGEST - 1]);
        let ours = ours.unwrap();
        assert_eq!((ours.level, ours.facility), (7, 1));
        assert!(
            reader
                .next_record()
                .unwrap()
                .is_none_or(|r| r.sequence > ours.sequence)
        );
    }

    #[test]
    fn records_are_taken_apart() {
        let expected = Record {
            level: 3,
            facility: 0,
            sequence: 339,
            micros: 5_140_900,
            text: b"EXT4-fs (vda): bad \xffmagic; really".to_vec(),
        };
        let line = b"3,339,5140900,-;EXT4-fs (vda): bad \\xffmagic; really\n SUBSYSTEM=block\n";
        assert_eq!(parse(line), Some(expected));
        let user = parse(b"12,1,2,-,caller=T1;x").unwrap();
        assert_eq!((user.level, user.facility), (4, 1));
        for bad in [&b""[..], b";", b"x,1,2,-;t", b"3,1;t", b"3,1,2,-", b"\n;"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
