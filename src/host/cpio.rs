//! newc cpio archives: the one form of archive that the kernel unpacks at boot.
//!
//! Names are bytes. Nothing here knows about compression, files on this machine, or what belongs
//! into an image. The reader streams: it holds one header and one name at a time.
//!
//! Source: Documentation/driver-api/early-userspace/buffer-format.rst and init/initramfs.c
//! (Linux 6.12).

use std::fmt;
use std::io::{self, Read, Write};

pub const S_IFMT: u32 = 0o170_000;
pub const S_IFREG: u32 = 0o100_000;
pub const S_IFDIR: u32 = 0o040_000;
pub const S_IFLNK: u32 = 0o120_000;
pub const S_IFCHR: u32 = 0o020_000;
pub const S_IFBLK: u32 = 0o060_000;
pub const S_IFIFO: u32 = 0o010_000;
pub const S_IFSOCK: u32 = 0o140_000;

const MAGIC: &[u8] = b"070701";
/// The same with a sum of the body's bytes, which the kernel checks since 6.0.
const MAGIC_SUM: &[u8] = b"070702";
const HEADER_BYTES: usize = 110;
const TRAILER: &[u8] = b"TRAILER!!!";
/// The kernel's PATH_MAX: longer names and link targets are skipped by it, and refused here.
const PATH_MAX: u32 = 4096;
/// Archives end on a multiple of this, as those of cpio(1) and of the kernel's own generator.
const BLOCK: u64 = 512;

/// One entry without its body. `mode` holds type and permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    pub path: Vec<u8>,
    pub ino: u32,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub nlink: u32,
    /// Seconds since 1970; the format ends in 2106.
    pub mtime: u32,
    /// Bytes of the body: a file's contents, a symbolic link's target.
    pub size: u32,
    pub dev: (u32, u32),
    pub rdev: (u32, u32),
}

impl Header {
    pub fn is(&self, kind: u32) -> bool {
        self.mode & S_IFMT == kind
    }
}

pub struct Writer<W: Write> {
    out: W,
    at: u64,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W) -> Self {
        Self { out, at: 0 }
    }

    /// Writes one entry. `body` must be as long as `header.size` says.
    pub fn entry(&mut self, header: &Header, body: &[u8]) -> io::Result<()> {
        self.aligned_entry(header, body, 4)
    }

    /// As `entry`, with the body beginning at a multiple of `align` (a power of two, at least 4)
    /// from the start of the archive: the name gets more than one NUL.
    pub fn aligned_entry(&mut self, header: &Header, body: &[u8], align: u64) -> io::Result<()> {
        if body.len() as u64 != u64::from(header.size) {
            return Err(io::Error::other("body and header disagree on the length"));
        }
        let name_end = self.at + HEADER_BYTES as u64 + header.path.len() as u64 + 1;
        let extra = if align > 4 {
            name_end.next_multiple_of(align) - name_end
        } else {
            0
        };
        let name_bytes = header.path.len() as u64 + 1 + extra;
        let name_bytes = u32::try_from(name_bytes).map_err(io::Error::other)?;
        self.put(&header_text(header, name_bytes))?;
        self.put(&header.path)?;
        self.zeros(1 + extra)?;
        self.pad_to(4)?;
        self.put(body)?;
        self.pad_to(4)
    }

    /// Ends the archive.
    pub fn finish(mut self) -> io::Result<W> {
        let trailer = Header {
            path: TRAILER.to_vec(),
            nlink: 1,
            ..Header::default()
        };
        self.entry(&trailer, &[])?;
        self.pad_to(BLOCK)?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn zeros(&mut self, n: u64) -> io::Result<()> {
        self.at += n;
        io::copy(&mut io::repeat(0).take(n), &mut self.out).map(drop)
    }

    fn pad_to(&mut self, multiple: u64) -> io::Result<()> {
        self.zeros(self.at.next_multiple_of(multiple) - self.at)
    }
}

fn header_text(h: &Header, name_bytes: u32) -> Vec<u8> {
    let fields = [
        h.ino, h.mode, h.uid, h.gid, h.nlink, h.mtime, h.size, h.dev.0, h.dev.1, h.rdev.0,
        h.rdev.1, name_bytes, 0,
    ];
    let mut text = MAGIC.to_vec();
    for field in fields {
        // Writing into a Vec cannot fail.
        let _ = write!(text, "{field:08X}");
    }
    text
}

/// Why an archive cannot be read, and where: `at` counts bytes of the (unpacked) archive.
#[derive(Debug)]
pub struct Malformed {
    pub at: u64,
    pub what: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.what, self.at)
    }
}

/// Reads one archive after another from a stream of bytes.
pub struct Reader<R: Read> {
    input: R,
    at: u64,
    /// Of the current entry's body: bytes not yet read, and the padding behind them.
    left: u64,
    padding: u64,
}

impl<R: Read> Reader<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            at: 0,
            left: 0,
            padding: 0,
        }
    }

    /// Bytes taken from the stream so far.
    pub fn at(&self) -> u64 {
        self.at
    }

    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next entry; `None` at the trailer. Its body is read through `Read` on `self`; what is
    /// not read of it is skipped.
    pub fn next_entry(&mut self) -> Result<Option<Header>, Malformed> {
        self.skip_body()?;
        let start = self.at;
        let mut raw = [0; HEADER_BYTES];
        self.exactly(&mut raw, "an entry's header")?;
        self.entry_after(&raw, start)
    }

    fn entry_after(
        &mut self,
        raw: &[u8; HEADER_BYTES],
        start: u64,
    ) -> Result<Option<Header>, Malformed> {
        let bad = |what: &str| Malformed {
            at: start,
            what: what.into(),
        };
        let (magic, digits) = raw.split_at(MAGIC.len());
        if magic == b"070707" {
            return Err(bad(
                "the old portable cpio format, which the kernel refuses",
            ));
        }
        if magic != MAGIC && magic != MAGIC_SUM {
            return Err(bad("no cpio header where one must be"));
        }
        let (mut header, name_bytes) =
            parse_fields(digits).ok_or_else(|| bad("a cpio header with bad digits"))?;
        if name_bytes == 0 || name_bytes > PATH_MAX {
            return Err(bad("a cpio entry with an impossible name length"));
        }
        let mut name = vec![0; name_bytes as usize];
        self.exactly(&mut name, "an entry's name")?;
        self.skip(pad4(HEADER_BYTES as u64 + u64::from(name_bytes)))?;
        header.path = crate::base::bytes::until_nul(&name).to_vec();
        if header.is(S_IFLNK) && header.size > PATH_MAX {
            return Err(bad("a symbolic link with an impossible length"));
        }
        self.left = u64::from(header.size);
        self.padding = pad4(self.left);
        if header.path == TRAILER {
            self.skip_body()?;
            return Ok(None);
        }
        Ok(Some(header))
    }

    /// Skips the zeros between archives. True if another archive begins there: its first byte is
    /// then already known to be the magic's, and `next_entry_after_padding` must be called.
    pub fn skip_padding(&mut self) -> Result<Option<u8>, Malformed> {
        let mut byte = [0];
        loop {
            let at = self.at;
            match self.input.read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => self.at += 1,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(unreadable(at, &e)),
            }
            if byte != [0] {
                let [first] = byte;
                return Ok(Some(first));
            }
        }
    }

    /// As `next_entry`, where `skip_padding` has taken the first byte.
    pub fn next_entry_after_padding(&mut self, first: u8) -> Result<Option<Header>, Malformed> {
        let start = self.at - 1;
        let mut raw = [first; HEADER_BYTES];
        if let Some((_, rest)) = raw.split_first_mut() {
            self.exactly(rest, "an entry's header")?;
        }
        self.entry_after(&raw, start)
    }

    fn skip_body(&mut self) -> Result<(), Malformed> {
        let n = self.left + self.padding;
        (self.left, self.padding) = (0, 0);
        self.skip(n)
    }

    fn skip(&mut self, n: u64) -> Result<(), Malformed> {
        let skipped = io::copy(&mut (&mut self.input).take(n), &mut io::sink());
        let skipped = skipped.map_err(|e| unreadable(self.at, &e))?;
        self.at += skipped;
        if skipped < n {
            return Err(truncated(self.at, "an entry"));
        }
        Ok(())
    }

    fn exactly(&mut self, into: &mut [u8], what: &str) -> Result<(), Malformed> {
        match self.input.read_exact(into) {
            Ok(()) => {
                self.at += into.len() as u64;
                Ok(())
            }
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Err(truncated(self.at, what)),
            Err(e) => Err(unreadable(self.at, &e)),
        }
    }
}

/// The body of the current entry.
impl<R: Read> Read for Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let want = self.left.min(into.len() as u64) as usize;
        let into = into.get_mut(..want).unwrap_or_default();
        if into.is_empty() {
            return Ok(0);
        }
        let n = self.input.read(into)?;
        if n == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the archive ends inside a file (byte {})", self.at),
            ));
        }
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

fn truncated(at: u64, what: &str) -> Malformed {
    let what = format!("the archive ends inside {what}: it is truncated");
    Malformed { at, what }
}

fn unreadable(at: u64, e: &io::Error) -> Malformed {
    Malformed {
        at,
        what: format!("cannot read on: {e}"),
    }
}

fn pad4(n: u64) -> u64 {
    n.next_multiple_of(4) - n
}

/// Thirteen fields of eight hexadecimal digits; the last, a sum, is not used.
fn parse_fields(digits: &[u8]) -> Option<(Header, u32)> {
    let mut field = [0_u32; 13];
    for (value, text) in field.iter_mut().zip(digits.chunks_exact(8)) {
        for &digit in text {
            *value = *value << 4 | (digit as char).to_digit(16)?;
        }
    }
    let [
        ino,
        mode,
        uid,
        gid,
        nlink,
        mtime,
        size,
        dev_major,
        dev_minor,
        ..,
    ] = field;
    let [.., rdev_major, rdev_minor, name_bytes, _sum] = field;
    let header = Header {
        path: Vec::new(),
        ino,
        mode,
        uid,
        gid,
        nlink,
        mtime,
        size,
        dev: (dev_major, dev_minor),
        rdev: (rdev_major, rdev_minor),
    };
    Some((header, name_bytes))
}
