//! With which keys a volume is tried, those that need no person first.
//!
//! Files of the image under the usual names, the key file that was named (on a device of its own:
//! each time that such a device appears), the empty passphrase where that was asked for, and then
//! everything that was typed for other volumes.

use super::{Lock, Plan, Reason};
use crate::format::crypttab::{Place, Volume};
use crate::format::luks::order::{Key, KeyFile, Spot};
use crate::plan::device::{Device, Look};
use crate::plan::root;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What a volume was tried with.
#[derive(Default)]
pub(super) struct Tried {
    usual: bool,
    empty: bool,
    /// The file of the image, or the devices with the key, by name and generation.
    file: bool,
    devices: Vec<(String, u32)>,
    /// What was typed, by number.
    typed: Vec<u32>,
}

/// More devices than this hold no key.
const MAX_DEVICES: usize = 64;

/// What a place on a device turns out to be.
enum Found {
    /// No such device, or it is not known yet.
    Not,
    Spot(Spot, (String, u32)),
}

impl Lock {
    /// This key was tried.
    pub(super) fn note(&mut self, key: &Key) {
        match key {
            Key::Usual(_) => self.tried.usual = true,
            Key::Empty => self.tried.empty = true,
            Key::Typed(number) => self.tried.typed.push(*number),
            Key::At(_) => self.tried.file = true,
        }
    }

    /// Was this typed secret tried on it?
    pub(super) fn knows(&self, secret: u32) -> bool {
        self.tried.typed.contains(&secret)
    }

    /// May a device still bring its key?
    pub(super) fn awaits_device(&self) -> bool {
        let elsewhere = matches!(self.key, Some(Place::On { .. } | Place::Device(_)));
        elsewhere && !self.tried.file
    }
}

impl Plan {
    /// The next key for the volume, and where its header is.
    pub(super) fn next_key(&mut self, at: usize) -> Option<(Key, Option<Spot>)> {
        let lock = self.locks.all.get(at)?;
        let header = match lock.options.header.clone() {
            None => None,
            Some(place) => match self.spot(&place) {
                Found::Spot(spot, _) => Some(spot),
                Found::Not => return None,
            },
        };
        let key = self.free_key(at).or_else(|| self.typed_key(at))?;
        Some((key, header))
    }

    /// One that needs no person.
    fn free_key(&mut self, at: usize) -> Option<Key> {
        let lock = self.locks.all.get(at)?;
        let place = match &lock.key {
            None if !lock.tried.usual => {
                return Some(Key::Usual(Volume::usual_keys(&lock.name).into()));
            }
            None => return self.empty_key(at),
            Some(place) => place.clone(),
        };
        let file = |lock: &Lock, spot| {
            Key::At(KeyFile {
                spot,
                offset: lock.options.keyfile_offset,
                size: lock.options.keyfile_size,
                erase: lock.options.keyfile_erase,
            })
        };
        if let Place::File(path) = place {
            return match lock.tried.file {
                false => Some(file(lock, Spot::File(path))),
                true => self.empty_key(at),
            };
        }
        if let Found::Spot(spot, device) = self.spot(&place) {
            let lock = self.locks.all.get_mut(at)?;
            if !lock.tried.devices.contains(&device) && lock.tried.devices.len() < MAX_DEVICES {
                lock.tried.devices.push(device);
                return Some(file(lock, spot));
            }
        }
        self.empty_key(at)
    }

    fn empty_key(&self, at: usize) -> Option<Key> {
        let lock = self.locks.all.get(at)?;
        (lock.options.try_empty && !lock.tried.empty).then_some(Key::Empty)
    }

    fn typed_key(&self, at: usize) -> Option<Key> {
        let lock = self.locks.all.get(at)?;
        let new = |secret: &&u32| !lock.knows(**secret);
        let secret = self.locks.asking.secrets.iter().find(new)?;
        Some(Key::Typed(*secret))
    }

    /// Where this place is now: the first device by name that fits and can be read.
    fn spot(&mut self, place: &Place) -> Found {
        let (source, file) = match place {
            Place::File(path) => {
                return Found::Spot(Spot::File(path.clone()), (String::new(), 0));
            }
            Place::Device(source) => (source, None),
            Place::On {
                path,
                device,
                fstype,
            } => (device, Some((path, fstype))),
        };
        let Some(device) = root::first_named(&self.devices, source, &|_| true) else {
            return Found::Not;
        };
        let (name, own) = (device.block.name.clone(), device.generation);
        if device.is_virtual() {
            self.want_real(&name);
            return Found::Not;
        }
        let Some((path, fstype)) = file else {
            return Found::Spot(Spot::Device(name.clone()), (name, own));
        };
        let kind = match (fstype, &device.look) {
            (Some(kind), _) => kind.clone(),
            (None, Look::Known(finding)) => match &finding.signature {
                Some(signature) => signature.kind.clone(),
                None => return Found::Not,
            },
            (None, _) => return Found::Not,
        };
        let (tickets, out) = (&mut self.tickets, &mut self.out);
        self.modules.want_filesystem(&kind, tickets, out);
        if !self.modules.filesystem_settled(&kind) {
            return Found::Not;
        }
        let spot = Spot::On {
            device: name.clone(),
            fstype: kind,
            path: path.clone(),
        };
        Found::Spot(spot, (name, own))
    }

    /// Is its header there, wherever it is?
    pub(super) fn has_header(&self, lock: &Lock) -> bool {
        let source = match &lock.options.header {
            None | Some(Place::File(_)) => return true,
            Some(Place::Device(source) | Place::On { device: source, .. }) => source,
        };
        let fits =
            |d: &Device| root::identity_matches(Some(source), &self.devices, d) == Some(true);
        self.devices.all().any(fits)
    }

    /// For the page: what the volume waits for.
    pub(super) fn awaited(&self, lock: &Lock) -> String {
        let place = |what: &str, place: &Place| match place {
            Place::File(path) => format!("{what} {path}"),
            Place::On { path, device, .. } => format!("{what} {path} on {}", device.as_typed()),
            Place::Device(device) => format!("{what} on {}", device.as_typed()),
        };
        match (&lock.options.header, &lock.key) {
            (_, Some(key)) if lock.awaits_device() => place("its key", key),
            (Some(header), _) if !lock.tried.usual && !lock.tried.file => {
                place("its header", header)
            }
            _ if lock.options.headless => "a key: nobody is to be asked (headless)".into(),
            _ if lock.reason == Reason::Last => {
                let how = "named by rd.luks.uuid= it is asked for as long as it takes";
                format!("a passphrase ({how})")
            }
            _ => "a passphrase".into(),
        }
    }
}
