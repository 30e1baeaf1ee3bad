//! What lies in a volume of dm-verity: each block is checked before it is seen, up to the root
//! hash, as the kernel does. Nothing is corrected here: with error correction blocks are taken as
//! they are.
//!
//! Source: kernel `Documentation/admin-guide/device-mapper/verity.rst`, and the tree's levels as
//! `verity_ctr()` in `drivers/md/dm-verity-target.c` counts them.

use crate::base::hex;
use crate::crypt::hash::digest;
use crate::format::identity::Range;
use crate::host::devices::{Devices, Opened, Place, in_blocks};
use std::io;

/// More levels have no volume.
const MAX_LEVELS: usize = 63;

pub struct Checked {
    /// 0: the salt follows the data, and digests stand close together.
    version: u32,
    data: Place,
    hashes: Place,
    data_block: u32,
    hash_block: u32,
    blocks: u64,
    algorithm: String,
    root: Vec<u8>,
    salt: Vec<u8>,
    /// The first block of each level, the lowest first.
    levels: Vec<u64>,
    /// Digests in a block of hashes, as a power of two.
    bits: u32,
    /// What is wrong is read all the same, or corrected by others.
    lenient: bool,
}

impl Checked {
    /// Reads the arguments of the target. `place` finds a device by its number.
    pub fn from_table(arguments: &str, place: &dyn Fn(&str) -> Option<Place>) -> Option<Self> {
        let words: Vec<&str> = arguments.split(' ').collect();
        let [
            version,
            data,
            hashes,
            data_block,
            hash_block,
            blocks,
            start,
            algorithm,
            root,
            salt,
            options @ ..,
        ] = words.as_slice()
        else {
            return None;
        };
        let root = hex::decode(root.as_bytes())?;
        let hash_block: u32 = hash_block.parse().ok()?;
        let bits = hash_block.checked_div(u32::try_from(root.len()).ok()?)?;
        let lenient = ["use_fec_from_device", "ignore_corruption"];
        let mut checked = Self {
            version: version.parse().ok()?,
            data: place(data)?,
            hashes: place(hashes)?,
            data_block: data_block.parse().ok().filter(|size| *size > 0)?,
            hash_block,
            blocks: blocks.parse().ok()?,
            algorithm: (*algorithm).into(),
            root,
            salt: match *salt {
                "-" => Vec::new(),
                digits => hex::decode(digits.as_bytes())?,
            },
            levels: Vec::new(),
            bits: bits.checked_ilog2()?,
            lenient: options.iter().any(|word| lenient.contains(word)),
        };
        checked.count_levels(start.parse().ok()?)?;
        // One that is not known here cannot be checked.
        digest(algorithm, &[]).map(|_| checked)
    }

    /// The root's block comes first.
    fn count_levels(&mut self, start: u64) -> Option<()> {
        let mut sizes = Vec::new();
        let mut blocks = self.blocks;
        while blocks > 1 {
            blocks = blocks.div_ceil(1_u64.checked_shl(self.bits).filter(|n| *n > 1)?);
            sizes.push(blocks);
            if sizes.len() > MAX_LEVELS {
                return None;
            }
        }
        let mut at = start;
        for size in sizes.iter().rev() {
            self.levels.insert(0, at);
            at = at.checked_add(*size)?;
        }
        Some(())
    }

    fn digest(&self, block: &[u8]) -> Option<Vec<u8>> {
        match self.version {
            0 => digest(&self.algorithm, &[block, &self.salt]),
            _ => digest(&self.algorithm, &[&self.salt, block]),
        }
    }

    /// What the digest of a block must be: `level` 0 has those of the data.
    fn wanted(&self, devices: &Devices, level: usize, block: u64) -> io::Result<Vec<u8>> {
        let Some(first) = self.levels.get(level) else {
            return Ok(self.root.clone());
        };
        let number = block >> self.bits;
        let at = first.saturating_add(number);
        let at = at.saturating_mul(self.hash_block.into());
        let len = usize::try_from(self.hash_block).map_err(io::Error::other)?;
        let bytes = devices.read_at(&self.hashes, Range { at, len })?;
        let wanted = self.wanted(devices, level.saturating_add(1), number)?;
        if self.digest(&bytes).as_ref() != Some(&wanted) {
            return Err(corrupted("of hashes", number));
        }
        let room = match self.version {
            0 => self.root.len(),
            _ => len >> self.bits,
        };
        let mask = (1_u64 << self.bits).wrapping_sub(1);
        let index = usize::try_from(block & mask).unwrap_or(usize::MAX);
        let own = bytes.get(index.saturating_mul(room)..).unwrap_or_default();
        let own = own.get(..self.root.len());
        Ok(own.unwrap_or_default().to_vec())
    }
}

fn corrupted(what: &str, number: u64) -> io::Error {
    io::Error::other(format!(
        "verity: block {number} {what} is not what was hashed"
    ))
}

impl Opened for Checked {
    fn bytes(&self) -> u64 {
        self.blocks.saturating_mul(self.data_block.into())
    }

    fn sector(&self) -> u32 {
        self.data_block
    }

    fn read(&self, devices: &Devices, range: Range) -> io::Result<Vec<u8>> {
        in_blocks(self.data_block, self.bytes(), range, &mut |whole| {
            let bytes = devices.read_at(&self.data, whole)?;
            let size = usize::try_from(self.data_block).map_err(io::Error::other)?;
            let first = whole.at / u64::from(self.data_block);
            for (number, block) in (first..).zip(bytes.chunks(size)) {
                let wanted = || self.wanted(devices, 0, number);
                if !self.lenient && self.digest(block) != Some(wanted()?) {
                    return Err(corrupted("of data", number));
                }
            }
            Ok(bytes)
        })
    }
}
