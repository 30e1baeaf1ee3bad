//! Words of the command line that name encrypted volumes: `rd.luks.*` of systemd, dracut and
//! booster, `cryptdevice=` of mkinitcpio, `cryptroot=` of Alpine, `cryptopts=` of Debian.

use super::merge::{ByUuid, One};
use super::{Device, Options, Place, Settings, Volume, is_device, is_name, known, switch};
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::cmdline::Word;
use crate::format::luks::flags::{Flag, Flags};
use crate::format::source::Source;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the words say, before crypttab is looked at.
#[derive(Default)]
pub(super) struct Told {
    pub off: bool,
    pub no_crypttab: bool,
    pub complaints: Vec<String>,
    pub by_uuid: Vec<ByUuid>,
    /// `rd.luks.partuuid=`, `rd.luks.serial=`, `cryptopts=`.
    pub more: Vec<Volume>,
    /// For keys of dracut that name the device they open.
    pub keys: Vec<(Source, Place)>,
    pub others: Settings,
    /// For every volume.
    pub flags: Flags,
    /// `cryptdevice=`, or `cryptroot=` with its companions.
    pub one: One,
}

type Odd = Result<(), String>;

impl Told {
    /// Words that mean something else are passed over.
    pub fn take(&mut self, word: &Word) {
        let value = word.value.map(core::str::from_utf8);
        let Ok(value) = value.transpose() else {
            if word.key.starts_with(b"crypt") || word.key.starts_with(b"rd.luks") {
                let name = Text::from(word.key);
                self.complaints
                    .push(format!("{name}= is not UTF-8; it is ignored"));
            }
            return;
        };
        let done = match word.key.strip_prefix(b"rd.") {
            Some(key) => self.luks(&Word { key, ..*word }, value),
            None => self.luks(word, value),
        };
        if let Err(what) = done.and_then(|()| self.others(word, value)) {
            let (name, value) = (Text::from(word.key), value.unwrap_or_default());
            self.complaints
                .push(format!("{name}={value}: {what}; it is ignored"));
        }
    }

    fn luks(&mut self, word: &Word, value: Option<&str>) -> Odd {
        let is = |name: &str| word.is(name);
        let on = || match value {
            None => Ok(true),
            value => switch(value).ok_or("is neither yes nor no"),
        };
        let some = || value.filter(|v| !v.is_empty()).ok_or("names nothing");
        if is("luks") {
            self.off = !on()?;
        } else if is("luks.crypttab") {
            self.no_crypttab = !on()?;
        } else if is("luks.uuid") {
            self.uuid(some()?)?.wanted = true;
        } else if is("luks.name") {
            let (uuid, name) = parted(some()?).ok_or("wants UUID=NAME")?;
            if !is_name(name) {
                return Err(format!("{name} is no name for a volume"));
            }
            let volume = self.uuid(uuid)?;
            (volume.wanted, volume.name) = (true, Some(name.into()));
        } else if is("luks.data") {
            let (uuid, device) = parted(some()?).ok_or("wants UUID=DEVICE")?;
            self.uuid(uuid)?.data = Some(known(device)?);
        } else if is("luks.header") {
            let (uuid, place) = parted(some()?).ok_or("wants UUID=PATH or UUID=DEVICE")?;
            self.uuid(uuid)?.header = Some(Place::read(place)?);
        } else if is("luks.key") {
            self.key(some()?)?;
        } else if is("luks.options") {
            self.options(some()?)?;
        } else if is("luks.timeout") {
            self.others.options.timeout_ms = seconds(some()?)?;
        } else if is("luks.allow_discards") {
            self.discards(value)?;
        } else if is("luks.no_read_workqueue") && on()? {
            self.flags.set(Flag::NoReadWorkqueue);
        } else if is("luks.no_write_workqueue") && on()? {
            self.flags.set(Flag::NoWriteWorkqueue);
        } else if is("luks.partuuid") {
            let device = known(&format!("PARTUUID={}", some()?))?;
            self.add(Device::Source(device), word, value);
        } else if is("luks.serial") {
            self.add(Device::Serial(some()?.into()), word, value);
        }
        Ok(())
    }

    fn others(&mut self, word: &Word, value: Option<&str>) -> Odd {
        let text = value.unwrap_or_default();
        match word.key {
            b"rd_NO_LUKS" => self.off = true,
            b"rd_LUKS_UUID" => self.uuid(text)?.wanted = true,
            b"cryptdevice" => self.cryptdevice(text)?,
            b"cryptkey" => self.cryptkey(text)?,
            b"cryptroot" => {
                self.one.device = Some(Device::read(text)?);
                self.one.told_by = format!("cryptroot={text}");
            }
            b"cryptdm" if is_name(text) => self.one.name = Some(text.into()),
            b"cryptdm" => return Err("is no name for a volume".into()),
            b"cryptheader" => self.one.options.header = Some(Place::read(text)?),
            b"cryptdiscards" => self.one.options.flags.set(Flag::AllowDiscards),
            b"cryptoffset" if text != "0" => {
                return Err("where a volume's data begins is taken from its header".into());
            }
            b"crypto" if text.contains(|c| c != ':') => {
                return Err("only LUKS volumes are opened here".into());
            }
            b"cryptopts" => return self.cryptopts(text),
            _ => {}
        }
        Ok(())
    }

    /// What is known of the volume whose UUID begins so.
    fn uuid(&mut self, text: &str) -> Result<&mut ByUuid, String> {
        let text = text.strip_prefix("UUID=").unwrap_or(text);
        let uuid = text
            .strip_prefix("luks-")
            .unwrap_or(text)
            .to_ascii_lowercase();
        if uuid.is_empty() || !uuid.bytes().all(is_uuid_byte) {
            return Err(format!("{text} is no UUID"));
        }
        let known = self.by_uuid.iter().position(|volume| volume.uuid == uuid);
        let at = known.unwrap_or(self.by_uuid.len());
        if known.is_none() {
            let told_by = format!("rd.luks.uuid={uuid}");
            self.by_uuid.push(ByUuid {
                uuid,
                told_by,
                ..ByUuid::default()
            });
        }
        self.by_uuid
            .get_mut(at)
            .ok_or_else(|| "is one too many".into())
    }

    /// `[UUID=]PATH[:DEVICE]`; of dracut `PATH[:DEVICE[:VOLUME]]`.
    fn key(&mut self, text: &str) -> Odd {
        if let Some((uuid, place)) = parted(text).filter(|(uuid, _)| is_uuid(uuid)) {
            self.uuid(uuid)?.key = Some(Place::read(place)?);
            return Ok(());
        }
        let fields: Vec<&str> = text.split(':').listed();
        if let [path, device, volume] = *fields
            && (device.is_empty() || is_device(device))
            && (volume == "*" || is_device(volume))
        {
            let place = match device {
                "" | "*" => path.to_owned(),
                device => format!("{path}:{device}"),
            };
            let place = Place::read(&place)?;
            match volume {
                "*" => self.others.key = Some(place),
                volume => self.keys.push((known(volume)?, place)),
            }
            return Ok(());
        }
        self.others.key = Some(Place::read(text)?);
        Ok(())
    }

    /// `[UUID=]OPTIONS`.
    fn options(&mut self, text: &str) -> Odd {
        let own = parted(text).filter(|(uuid, _)| is_uuid(uuid));
        let mut options = Options::default();
        let list = own.map_or(text, |(_, list)| list);
        options.add(list, "rd.luks.options=", &mut self.complaints)?;
        match own {
            Some((uuid, _)) => self.uuid(uuid)?.options = Some(options),
            None => self.others.options = options,
        }
        Ok(())
    }

    /// Of dracut: for every volume, or for one.
    fn discards(&mut self, value: Option<&str>) -> Odd {
        match (value, switch(value)) {
            (None, _) | (_, Some(true)) => self.flags.set(Flag::AllowDiscards),
            (_, Some(false)) => {}
            (Some(uuid), None) => self.uuid(uuid)?.flags.set(Flag::AllowDiscards),
        }
        Ok(())
    }

    fn add(&mut self, device: Device, word: &Word, value: Option<&str>) {
        let (name, value) = (Text::from(word.key), value.unwrap_or_default());
        let told_by = format!("rd.{name}={value}");
        self.more.push(Volume::new(device, told_by));
    }

    /// `DEVICE:NAME[:OPTIONS]`. Old ones have no name: it was `root`.
    fn cryptdevice(&mut self, text: &str) -> Odd {
        let mut fields = text.splitn(3, ':');
        let device = Device::read(fields.next().unwrap_or_default())?;
        let name = fields.next().unwrap_or("root");
        if !is_name(name) {
            return Err(format!("{name} is no name for a volume"));
        }
        let told_by = format!("cryptdevice={text}");
        let options = &mut self.one.options;
        options.add(
            fields.next().unwrap_or_default(),
            &told_by,
            &mut self.complaints,
        )?;
        self.one.device = Some(device);
        self.one.name = Some(name.into());
        self.one.told_by = told_by;
        Ok(())
    }

    /// `rootfs:PATH`, `DEVICE:FSTYPE:PATH`, `DEVICE:OFFSET:SIZE`, `PATH`, or nothing.
    fn cryptkey(&mut self, text: &str) -> Odd {
        if text.starts_with("EXEC=") {
            return Err("no program is run here".into());
        }
        if let Some(path) = text.strip_prefix("rootfs:") {
            self.one.key = Some(Place::read(path)?);
            return Ok(());
        }
        // From the end: names of devices by their path have colons, too.
        let mut fields = text.rsplitn(3, ':');
        let parts = (fields.next(), fields.next(), fields.next());
        let (Some(last), Some(middle), Some(device)) = parts else {
            self.one.key = match text {
                "" | "yes" => None,
                text => Some(Place::read(text)?),
            };
            return Ok(());
        };
        let device = known(device)?;
        let number = |text: &str| text.parse::<u64>().ok();
        self.one.key = Some(match number(middle).zip(number(last)) {
            Some(range) => {
                self.one.range = Some(range);
                Place::Device(device)
            }
            None => Place::On {
                path: last.into(),
                device,
                fstype: (!matches!(middle, "" | "auto")).then(|| middle.into()),
            },
        });
        Ok(())
    }

    /// `target=NAME,source=DEVICE,key=FILE,OPTIONS`. Stands for all of crypttab; empty: for none.
    fn cryptopts(&mut self, text: &str) -> Odd {
        self.no_crypttab = true;
        if text.is_empty() {
            return Ok(());
        }
        let told_by = format!("cryptopts={text}");
        // Until its source is read.
        let mut volume = Volume::new(Device::UuidStart(String::new()), told_by);
        let nameless = volume.device.clone();
        for option in text.split(',') {
            match option.split_once('=') {
                Some(("target", target)) if is_name(target) => volume.name = Some(target.into()),
                Some(("target", _)) => return Err("its target is no name for a volume".into()),
                Some(("source", source)) => volume.device = Device::read(source)?,
                Some(("key", "none" | "-" | "")) => {}
                Some(("key", file)) => volume.key = Some(Place::read(file)?),
                _ => volume
                    .options
                    .add(option, &volume.told_by, &mut self.complaints)?,
            }
        }
        if volume.device == nameless {
            return Err("it names no source".into());
        }
        self.more.push(volume);
        Ok(())
    }
}

fn is_uuid_byte(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'-'
}

fn is_uuid(text: &str) -> bool {
    let plain = text.strip_prefix("luks-").unwrap_or(text);
    !plain.is_empty() && plain.bytes().all(is_uuid_byte)
}

/// `UUID=VALUE`, neither of them empty.
fn parted(text: &str) -> Option<(&str, &str)> {
    let parts = text.split_once('=');
    parts.filter(|(uuid, value)| !uuid.is_empty() && !value.is_empty())
}

fn seconds(text: &str) -> Result<u64, String> {
    let seconds = text.parse::<u64>().ok();
    let millis = seconds.and_then(|s| s.checked_mul(1000));
    millis.ok_or_else(|| "is no number of seconds".into())
}
