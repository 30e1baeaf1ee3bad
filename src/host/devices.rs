//! Devices of a rehearsed boot: those of the stage, and those that were opened on them.
//!
//! A lens tells where the bytes of a volume or an array lie. Where they have to be computed
//! (decrypted, or checked), what computes them is a device of its own, under the kernel's name.

use crate::base::fault::Fault;
use crate::format::identity::{Finding, Range, View};
use crate::format::lens::Lens;
use crate::host::device_file::identify_as;
use crate::host::stage::Stage;
use std::collections::BTreeMap;
use std::io;

/// A device whose bytes are computed from those below it.
pub trait Opened {
    /// How long it is, in bytes.
    fn bytes(&self) -> u64;

    /// Its logical sectors, in bytes.
    fn sector(&self) -> u32;

    /// Bytes of it; all that are asked for.
    fn read(&self, devices: &Devices, range: Range) -> io::Result<Vec<u8>>;
}

/// A device, and the lens if it is one only in a rehearsal.
#[derive(Clone)]
pub struct Place {
    pub name: String,
    pub lens: Option<Lens>,
}

pub struct Devices<'a> {
    pub stage: &'a Stage,
    /// By the kernel's name. Each lies on others that were there before it.
    opened: BTreeMap<String, Box<dyn Opened>>,
    /// Their names below `/dev`, with the kernel's.
    named: BTreeMap<String, String>,
}

impl<'a> Devices<'a> {
    pub fn new(stage: &'a Stage) -> Self {
        Self {
            stage,
            opened: BTreeMap::new(),
            named: BTreeMap::new(),
        }
    }

    /// One more, by the kernel's name and the one below `/dev`.
    pub fn add(&mut self, name: String, own: String, opened: Box<dyn Opened>) {
        self.named.insert(own, name.clone());
        self.opened.insert(name, opened);
    }

    fn opened(&self, name: &str) -> Option<&dyn Opened> {
        let name = self.named.get(name).map_or(name, String::as_str);
        self.opened.get(name).map(Box::as_ref)
    }

    /// How many were opened.
    pub fn added(&self) -> usize {
        self.opened.len()
    }

    /// How long it is, in bytes. `None`: it cannot be looked through, or is not there.
    pub fn bytes(&self, place: &Place) -> Option<u64> {
        match (&place.lens, self.opened(&place.name)) {
            (Some(lens), _) => Some(lens.bytes).filter(|bytes| *bytes > 0),
            (None, Some(opened)) => Some(opened.bytes()),
            (None, None) => self.stage.bytes(&place.name),
        }
    }

    /// What lies on the device of this name, or is seen through the lens.
    pub fn identify(&self, name: &str, lens: Option<&Lens>) -> Result<Finding, Fault> {
        let view = match (lens, self.opened(name)) {
            (Some(lens), _) => View::new(lens.bytes, lens.sector),
            (None, Some(opened)) => View::new(opened.bytes(), opened.sector()),
            (None, None) => return self.stage.identify(name),
        };
        identify_as(name, view, &mut |range| self.read(name, lens, range))
    }

    /// Bytes of the device of this name, or of what is seen through the lens.
    pub fn read(&self, name: &str, lens: Option<&Lens>, range: Range) -> io::Result<Vec<u8>> {
        let Some(lens) = lens else {
            return match self.opened(name) {
                Some(opened) => opened.read(self, range),
                None => self.stage.read(name, range),
            };
        };
        let found = lens.read(range, &mut |below, range| self.read(below, None, range));
        found.unwrap_or_else(|| Err(io::Error::other("it cannot be looked through")))
    }

    /// The same, of a place.
    pub fn read_at(&self, place: &Place, range: Range) -> io::Result<Vec<u8>> {
        self.read(&place.name, place.lens.as_ref(), range)
    }
}

/// Reads a device of blocks that can only be had whole: those that `range` touches, and cuts.
/// `block` bytes are more than 0; `whole` brings bytes of whole blocks.
pub fn in_blocks(
    block: u32,
    total: u64,
    range: Range,
    whole: &mut dyn FnMut(Range) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let beyond = || io::Error::from(io::ErrorKind::UnexpectedEof);
    if range.end() > total {
        return Err(beyond());
    }
    let block = u64::from(block);
    let skipped = range.at.checked_rem(block).ok_or_else(beyond)?;
    let at = range.at.saturating_sub(skipped);
    let len = range.end().saturating_sub(at).next_multiple_of(block);
    let skip = usize::try_from(skipped).map_err(|_| beyond())?;
    let len = usize::try_from(len).map_err(|_| beyond())?;
    let mut bytes = whole(Range { at, len })?;
    bytes.truncate(skip.saturating_add(range.len));
    Ok(bytes.split_off(skip.min(bytes.len())))
}
