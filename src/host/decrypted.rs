//! What lies in a LUKS volume, decrypted in this process sector by sector as it is asked for.
//!
//! Only where `crypt::sectors` knows the cipher; for others a boot has the kernel. Nothing is
//! written, and no key outlives the volume.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::crypt::hash::digest;
use crate::crypt::sectors::Sectors;
use crate::crypt::unlock::Areas;
use crate::crypt::{Job, Machine};
use crate::format::identity::{Need, Range, View};
use crate::format::luks::table::{self, Below, Key};
use crate::format::luks::{self, Area, Header};
use crate::host::devices::{Devices, Opened, Place, in_blocks};
use std::io;

/// A volume that is open.
pub struct Decrypted {
    below: Place,
    cipher: Sectors,
    /// Where it begins below, in bytes.
    offset: u64,
    bytes: u64,
    /// What is encrypted at once, in bytes.
    sector: u32,
    /// Added to the numbers of sectors of 512 bytes.
    tweak: u64,
}

impl Decrypted {
    /// `below`: the device with the data. The outer error: a boot could not open it either; the
    /// inner one: what keeps this tool from a look inside.
    pub fn new(
        header: &Header,
        key: &Secret,
        below: Place,
        size: u64,
    ) -> Result<(u64, Result<Self, String>), Fault> {
        let segment = header.segment()?;
        let no_crypt = || Fault::plain("its header does not say how it is encrypted");
        let crypt = segment.crypt.as_ref().ok_or_else(no_crypt)?;
        let under = Below {
            device: "0:0",
            sectors: size / luks::SECTOR,
        };
        if let Some(integrity) = &crypt.integrity {
            let text = format!("its sectors carry tags (integrity {})", integrity.kind);
            return Ok((under.sectors, Err(text)));
        }
        let mapping = table::crypt(header, "", under, &Key::Keyring, header.flags)?;
        let Some(cipher) = Sectors::new(&crypt.cipher, key.as_bytes()) else {
            return Ok((mapping.sectors, Err(format!("cipher {}", crypt.cipher))));
        };
        let opened = Self {
            below,
            cipher,
            offset: segment.offset,
            bytes: mapping.sectors.saturating_mul(luks::SECTOR),
            sector: crypt.sector_size,
            tweak: crypt.iv_tweak,
        };
        Ok((mapping.sectors, Ok(opened)))
    }
}

impl Opened for Decrypted {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn sector(&self) -> u32 {
        self.sector
    }

    fn read(&self, devices: &Devices, range: Range) -> io::Result<Vec<u8>> {
        in_blocks(self.sector, self.bytes, range, &mut |whole| {
            let at = whole.at.saturating_add(self.offset);
            let below = Range { at, ..whole };
            let mut bytes = devices.read_at(&self.below, below)?;
            let first = (whole.at / luks::SECTOR).wrapping_add(self.tweak);
            let size = usize::try_from(self.sector).map_err(io::Error::other)?;
            self.cipher.decrypt(first, size, &mut bytes);
            Ok(bytes)
        })
    }
}

/// Where a header and its key slots are.
pub enum Source<'a> {
    Device(&'a Devices<'a>, Place),
    /// A file, whole.
    File(Secret),
}

impl Source<'_> {
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Device(devices, place) => devices.bytes(place).unwrap_or(0),
            Self::File(bytes) => bytes.len() as u64,
        }
    }

    pub fn read(&self, range: Range) -> Result<Vec<u8>, Fault> {
        let found = match self {
            Self::Device(devices, place) => devices.read_at(place, range).ok(),
            Self::File(bytes) => {
                let skip = usize::try_from(range.at).unwrap_or(usize::MAX);
                let rest = bytes.as_bytes().get(skip..).unwrap_or_default();
                rest.get(..range.len).map(<[u8]>::to_vec)
            }
        };
        found.ok_or_else(|| {
            let Range { at, len } = range;
            Fault::plain(format!("{len} bytes at {at} cannot be read"))
        })
    }

    pub fn header(&self) -> Result<Header, Fault> {
        let mut view = View::new(self.bytes(), 512);
        loop {
            let Need(range) = match luks::read(&view, &digest) {
                Ok(header) => return header,
                Err(need) => need,
            };
            match self.read(range) {
                Ok(bytes) => view.add(range.at, bytes),
                Err(_) => view.lose(range),
            }
        }
    }
}

impl Areas for &Source<'_> {
    fn read(&mut self, area: &Area) -> Result<Secret, Fault> {
        let (at, len) = (area.at, area.len);
        Source::read(self, Range { at, len }).map(Secret::from)
    }
}

/// This machine, for the derivation of keys.
pub struct Here;

impl Machine for Here {
    fn memory_kib(&self) -> u64 {
        let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
        let number = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
        number.unwrap_or(u64::MAX)
    }

    fn at_once(&self, jobs: &mut [Job]) {
        std::thread::scope(|scope| {
            for job in jobs {
                scope.spawn(job);
            }
        });
    }
}
