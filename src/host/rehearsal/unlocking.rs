//! Encrypted volumes in a rehearsal: opened where their key is at hand and their cipher is known
//! here. Where only the cipher is not, the volume is taken to open, and who asks is told so.

use super::{Record, Rehearsal};
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::crypt::unlock::{self, Failure};
use crate::format::identity::Range;
use crate::format::luks::Header;
use crate::format::luks::order::{Key, KeyFile, Order, Refusal, Spot};
use crate::host::decrypted::{Decrypted, Here, Source};
use crate::host::devices::Place;
use crate::host::key_files::{KEY_MAX, KeyFiles, part};
use crate::plan::action::Question;
use crate::plan::event::{Event, Ticket};

type Refused = (Refusal, Fault);

/// What is in a volume that opens.
enum Inside {
    Seen(Decrypted),
    /// What keeps this tool from a look.
    Dark(String),
}

fn refused(fault: Fault) -> Refused {
    (Refusal::Volume, fault)
}

fn no_key(text: String) -> Refused {
    (Refusal::NoKey, Fault::plain(text))
}

impl Rehearsal<'_> {
    /// Whose files of keys may be used; before anything runs.
    pub fn tell_keys(&mut self, keys: KeyFiles) {
        self.keys = keys;
    }

    /// What was given stands for what would be typed: once a question.
    pub(super) fn answer(&mut self, ticket: Ticket, question: &Question) -> Event {
        let first = self.asked.insert(question.prompt.clone());
        if !self.keys.any() {
            let volume = question.prompt.strip_prefix("Passphrase of ");
            self.closed
                .extend(volume.filter(|_| first).map(str::to_owned));
            let fault = Fault::plain("what would be typed is not known");
            return Event::AskFailed { ticket, fault };
        }
        if !first {
            let fault = Fault::plain("none of the files of --key-file opens it");
            return Event::AskFailed { ticket, fault };
        }
        let secret = u32::try_from(self.asked.len()).unwrap_or(0);
        Event::Answered { ticket, secret }
    }

    pub(super) fn unlock(&mut self, ticket: Ticket, order: &Order) -> Event {
        match self.open(order) {
            Ok((sectors, inside)) => {
                self.opened(order, sectors, inside);
                Event::Unlocked { ticket }
            }
            Err((why, fault)) => Event::UnlockFailed { ticket, why, fault },
        }
    }

    /// The volume has become a device.
    fn opened(&mut self, order: &Order, sectors: u64, inside: Inside) {
        let minor = self.next_minor();
        let name = format!("dm-{minor}");
        let own = format!("mapper/{}", order.name);
        match inside {
            Inside::Seen(volume) => self.devices.add(name, own, Box::new(volume)),
            Inside::Dark(why) => {
                self.dark.insert(own.clone());
                self.made.insert(name, own);
                let device = &order.device;
                self.records.push(Record::Note(
                    self.now,
                    format!(
                        "{why}: the host cannot look inside {device}, which is taken to open, \
                         and to hold what was asked for"
                    ),
                ));
            }
        }
        self.announce_mapped(minor, sectors, &order.name);
    }

    fn place(&mut self, device: &str) -> Place {
        Place {
            name: device.into(),
            lens: self.lens(device, None),
        }
    }

    fn open(&mut self, order: &Order) -> Result<(u64, Inside), Refused> {
        let data = self.place(&order.device);
        let other = match &order.header {
            Some(Spot::Device(device)) => Some(self.place(device)),
            _ => None,
        };
        let of_key = match &order.key {
            Key::At(KeyFile {
                spot: Spot::Device(device),
                ..
            }) => Some(self.place(device)),
            _ => None,
        };
        let size = self.devices.bytes(&data).ok_or_else(|| {
            let text = format!("what {} holds cannot be looked at", order.device);
            refused(Fault::plain(text))
        })?;
        let source = match (&order.header, other) {
            (Some(Spot::File(path)), _) => Source::File(self.file(path).map_err(refused)?),
            (Some(Spot::On { device, path, .. }), _) => {
                let text = format!("the file {path} on {device} is not read by the host");
                return Err(refused(Fault::plain(text)));
            }
            (_, Some(other)) => Source::Device(&self.devices, other),
            (_, None) => Source::Device(&self.devices, data.clone()),
        };
        let header = source.header().map_err(refused)?;
        header.segment().map_err(refused)?;
        let of_key = of_key.map(|place| Source::Device(&self.devices, place));
        let keys = self.keys_for(order, &header, of_key.as_ref())?;
        let mut failure = Failure::Passphrase;
        for key in keys {
            match unlock::open(&header, order.slot, key.as_bytes(), &mut (&source), &Here) {
                Ok(opened) => {
                    let found = Decrypted::new(&header, &opened.key, data, size);
                    let (sectors, inside) = found.map_err(refused)?;
                    let inside = inside.map_or_else(Inside::Dark, Inside::Seen);
                    return Ok((sectors, inside));
                }
                Err(Failure::Cipher(name)) => {
                    let why = format!("cipher {name} of its key slots");
                    return Ok((size / 512, Inside::Dark(why)));
                }
                Err(Failure::Passphrase) => {}
                Err(other) => failure = other,
            }
        }
        let why = match failure {
            Failure::Passphrase => Refusal::WrongKey,
            _ => Refusal::Volume,
        };
        Err((why, Fault::plain(failure.to_string())))
    }

    /// Everything that is to be tried.
    fn keys_for(
        &self,
        order: &Order,
        header: &Header,
        device: Option<&Source>,
    ) -> Result<Vec<Secret>, Refused> {
        let copy = |secret: &Secret| Secret::copy_of(secret.as_bytes());
        let lower = self.made.get(&order.device);
        let lower = lower.map_or("", String::as_str);
        let names = [&*order.name, &*header.uuid, &*order.device, lower];
        let given = || self.keys.given(&names).map(copy).collect::<Vec<_>>();
        let keys = match &order.key {
            Key::Empty => vec![Secret::default()],
            Key::Typed(_) => given(),
            Key::Usual(paths) => {
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                self.keys.in_image(&paths).map_err(refused)?
            }
            Key::At(file) => match &file.spot {
                Spot::File(path) if self.keys.has_image() => {
                    let whole = self.file(path);
                    let whole = whole.map_err(|fault| (Refusal::NoKey, fault))?;
                    vec![part(file, &whole)]
                }
                Spot::Device(name) => {
                    let key = device.and_then(|device| raw_key(device, file));
                    vec![key.ok_or_else(|| no_key(format!("{name} holds no key")))?]
                }
                _ => given().iter().map(|whole| part(file, whole)).collect(),
            },
        };
        match (keys.is_empty(), &order.key) {
            (false, _) => Ok(keys),
            (true, Key::At(file)) => Err(no_key(unread(&file.spot))),
            (true, _) => Err(no_key("there is no key".into())),
        }
    }

    /// A file of the image.
    fn file(&self, path: &str) -> Result<Secret, Fault> {
        let mut found = self.keys.in_image(&[path])?;
        found.pop().ok_or_else(|| {
            Fault::plain(match self.keys.has_image() {
                true => format!("there is no {path} in the image"),
                false => format!("{path} lies in an image: give it with --image"),
            })
        })
    }
}

/// A key that lies on a device without a file system.
fn raw_key(device: &Source, file: &KeyFile) -> Option<Secret> {
    let rest = device.bytes().checked_sub(file.offset)?;
    let wanted = file.size.unwrap_or(rest).min(rest);
    let len = usize::try_from(wanted).ok().filter(|_| wanted <= KEY_MAX)?;
    let at = file.offset;
    device.read(Range { at, len }).ok().map(Secret::from)
}

/// Why a key file was not read.
fn unread(spot: &Spot) -> String {
    match spot {
        Spot::File(path) => format!("{path} lies in an image: --image or --key-file gives it"),
        Spot::On { device, path, .. } => {
            format!("{path} on {device} is not read by the host: --key-file gives it")
        }
        Spot::Device(device) => format!("{device} holds no key"),
    }
}
