//! The words of the command line and the lines of crypttab, put together.

use super::words::Told;
use super::{Device, Options, Place, Settings, Volume, Volumes};
use crate::format::luks::flags::Flags;
use crate::format::source::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What was said of the volume whose UUID begins so.
#[derive(Default)]
pub struct ByUuid {
    pub uuid: String,
    pub wanted: bool,
    /// A line of crypttab is this volume.
    pub found: bool,
    pub name: Option<String>,
    pub key: Option<Place>,
    pub options: Option<Options>,
    pub flags: Flags,
    pub header: Option<Place>,
    pub data: Option<Source>,
    pub told_by: String,
}

/// The one volume that mkinitcpio and Alpine know.
#[derive(Default)]
pub struct One {
    pub device: Option<Device>,
    pub name: Option<String>,
    pub options: Options,
    pub key: Option<Place>,
    /// `cryptkey=DEVICE:OFFSET:SIZE`.
    pub range: Option<(u64, u64)>,
    pub told_by: String,
}

impl Told {
    /// Adds all that to the volumes of crypttab.
    pub fn finish(mut self, mut list: Vec<Volume>) -> Volumes {
        let choosy = self.by_uuid.iter().any(|told| told.wanted);
        for volume in &mut list {
            let own = volume.uuid().map(|uuid| uuid.to_ascii_lowercase());
            let told = self.by_uuid.iter_mut().find(|told| {
                let uuid = own.as_ref().filter(|own| own.starts_with(&told.uuid));
                uuid.is_some()
            });
            match told {
                Some(told) => told.amend(volume),
                None => volume.left_out = choosy,
            }
        }
        let alone = self.by_uuid.into_iter().filter(|told| !told.found);
        list.extend(alone.map(|told| told.volume(&self.others)));
        list.append(&mut self.more);
        list.extend(self.one.volume(&self.others));
        for volume in &mut list {
            volume.options.flags = volume.options.flags.and(self.flags);
            let own = |(device, _): &&(Source, Place)| volume.is_on(device);
            if let (None, Some((_, key))) = (&volume.key, self.keys.iter().find(own)) {
                volume.key = Some(key.clone());
            }
        }
        self.others.options.flags = self.others.options.flags.and(self.flags);
        Volumes {
            list,
            off: false,
            others: self.others,
            complaints: self.complaints,
        }
    }
}

impl Volume {
    /// The UUID of its header, if it was told; as systemd does, also from its name.
    fn uuid(&self) -> Option<&str> {
        let named = || self.name.as_ref()?.strip_prefix("luks-");
        self.device.uuid().or_else(named)
    }

    fn is_on(&self, device: &Source) -> bool {
        match (&self.device, device) {
            (Device::Source(own), device) => own == device,
            (Device::UuidStart(own), Source::Uuid(uuid)) => uuid.starts_with(own),
            _ => false,
        }
    }
}

impl ByUuid {
    /// What was said here goes before what crypttab says.
    fn amend(&mut self, volume: &mut Volume) {
        self.found = true;
        volume.wanted |= self.wanted;
        if let Some(name) = &self.name {
            volume.name = Some(name.clone());
        }
        if let Some(key) = &self.key {
            volume.key = Some(key.clone());
        }
        if let Some(options) = &self.options {
            volume.options = options.clone();
        }
        if let Some(header) = &self.header {
            volume.options.header = Some(header.clone());
        }
        if let Some(device) = &self.data {
            self.detached(&mut volume.options);
            volume.device = Device::Source(device.clone());
            // Its data does not say it.
            let name = || format!("luks-{}", self.uuid);
            volume.name = volume.name.take().or_else(|| Some(name()));
        }
        volume.options.flags = volume.options.flags.and(self.flags);
    }

    /// With its data elsewhere, the device with this UUID is the header, unless a file is.
    fn detached(&self, options: &mut Options) {
        let device = Source::Uuid(self.uuid.clone());
        options.header.get_or_insert(Place::Device(device));
    }

    fn volume(mut self, others: &Settings) -> Volume {
        let told_by = core::mem::take(&mut self.told_by);
        let mut volume = Volume::new(Device::UuidStart(self.uuid.clone()), told_by);
        volume.key = others.key.clone();
        volume.options = others.options.clone();
        volume.wanted = self.wanted;
        self.amend(&mut volume);
        volume
    }
}

impl One {
    fn volume(self, others: &Settings) -> Option<Volume> {
        let mut options = self.options;
        if let Some((offset, size)) = self.range {
            (options.keyfile_offset, options.keyfile_size) = (offset, Some(size));
        }
        let mut volume = Volume::new(self.device?, self.told_by);
        volume.name = self.name;
        volume.key = self.key.or_else(|| others.key.clone());
        volume.options = options;
        Some(volume)
    }
}
