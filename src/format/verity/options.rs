//! Options of one volume, as veritytab(5) and `systemd.verity_root_options=` have them.

use super::{BLOCKS, is_algorithm, is_block};
use crate::base::hex;
use crate::base::text::Text;
use crate::format::source::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the kernel does when a block is not what its hash says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Corruption {
    /// Reading it fails.
    #[default]
    Refuse,
    /// It is logged.
    Ignore,
    Restart,
    Panic,
}

/// Where data lie from which damaged blocks are mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fec {
    pub device: Source,
    /// Bytes.
    pub offset: u64,
    pub roots: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The tree has a superblock in front. It says more than the options, which then count only
    /// where it does not speak.
    pub superblock: bool,
    pub format: u32,
    /// Bytes.
    pub data_block: u32,
    pub hash_block: u32,
    /// `None`: as many as the device has room for.
    pub data_blocks: Option<u64>,
    /// Bytes from the start of the hash device.
    pub hash_offset: u64,
    pub salt: Vec<u8>,
    pub algorithm: String,
    pub corruption: Corruption,
    pub ignore_zero_blocks: bool,
    pub check_at_most_once: bool,
    pub fec: Option<Fec>,
    fec_offset: u64,
    fec_roots: u32,
    /// A signature of the root hash: the path of a file in the image, or `base64:` and the bytes.
    pub signature: Option<Text>,
    /// It is set up only if it is root by name.
    pub no_auto: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            superblock: true,
            format: 1,
            data_block: 4096,
            hash_block: 4096,
            data_blocks: None,
            hash_offset: 0,
            salt: Vec::new(),
            algorithm: "sha256".into(),
            corruption: Corruption::Refuse,
            ignore_zero_blocks: false,
            check_at_most_once: false,
            fec: None,
            fec_offset: 0,
            fec_roots: 2,
            signature: None,
            no_auto: false,
        }
    }
}

impl Options {
    /// Takes a comma list over. Yields what is wrong with the first odd one, as the end of a
    /// sentence; the others count all the same.
    pub fn add(&mut self, list: &[u8]) -> Option<String> {
        let mut odd = None;
        for option in list.split(|&b| b == b',').filter(|o| !o.is_empty()) {
            let mut halves = option.splitn(2, |&b| b == b'=');
            let name = core::str::from_utf8(halves.next().unwrap_or_default());
            let value = halves.next();
            if self.option(name.unwrap_or_default(), value).is_none() && odd.is_none() {
                odd = Some(format!(
                    "holds '{}', which is no such option",
                    Text::from(option)
                ));
            }
        }
        if let Some(fec) = &mut self.fec {
            (fec.offset, fec.roots) = (self.fec_offset, self.fec_roots);
        }
        odd
    }

    fn option(&mut self, name: &str, value: Option<&[u8]>) -> Option<()> {
        match (name, value) {
            ("ignore-corruption", None) => self.corruption = Corruption::Ignore,
            ("restart-on-corruption", None) => self.corruption = Corruption::Restart,
            ("panic-on-corruption", None) => self.corruption = Corruption::Panic,
            ("ignore-zero-blocks", None) => self.ignore_zero_blocks = true,
            ("check-at-most-once", None) => self.check_at_most_once = true,
            ("noauto", None) => self.no_auto = true,
            // For whoever starts services.
            ("auto" | "_netdev" | "nofail" | "x-initrd.attach", None) => {}
            (name, Some(value)) => self.valued(name, value)?,
            _ => return None,
        }
        Some(())
    }

    fn valued(&mut self, name: &str, value: &[u8]) -> Option<()> {
        let text = core::str::from_utf8(value).ok()?;
        match name {
            "superblock" => self.superblock = switch(text)?,
            "format" => self.format = text.parse().ok().filter(|format| *format <= 1)?,
            "data-block-size" => self.data_block = block(text)?,
            "hash-block-size" => self.hash_block = block(text)?,
            "data-blocks" => self.data_blocks = Some(text.parse().ok().filter(|n| *n > 0)?),
            "hash-offset" => self.hash_offset = sectors(text)?,
            "salt" if text == "-" => self.salt.clear(),
            "salt" => self.salt = hex::decode(value).filter(|s| s.len() <= super::SALT_MAX)?,
            // A superblock has its own; without one there is none.
            "uuid" => {}
            "hash" => self.algorithm = Some(text).filter(|t| is_algorithm(t))?.into(),
            "fec-device" => {
                let device = match Source::parse(value) {
                    Source::Unknown(_) => return None,
                    source => source,
                };
                let (offset, roots) = (self.fec_offset, self.fec_roots);
                self.fec = Some(Fec {
                    device,
                    offset,
                    roots,
                });
            }
            "fec-offset" => self.fec_offset = sectors(text)?,
            // Documentation/admin-guide/device-mapper/verity.rst.
            "fec-roots" => {
                self.fec_roots = text.parse().ok().filter(|roots| (2..=24).contains(roots))?;
            }
            "root-hash-signature" if !text.is_empty() => self.signature = Some(Text::from(value)),
            _ => return None,
        }
        Some(())
    }
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

fn block(text: &str) -> Option<u32> {
    let size = u32::try_from(bytes(text)?).ok()?;
    (is_block(size) && BLOCKS.contains(&size)).then_some(size)
}

/// A place on a device.
fn sectors(text: &str) -> Option<u64> {
    bytes(text).filter(|at| at.is_multiple_of(512))
}

/// A number of bytes: `4096`, `4K`.
fn bytes(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' => (text.strip_suffix('K')?, 10),
        b'M' => (text.strip_suffix('M')?, 20),
        b'G' => (text.strip_suffix('G')?, 30),
        b'T' => (text.strip_suffix('T')?, 40),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(1u64.checked_shl(shift)?)
}
