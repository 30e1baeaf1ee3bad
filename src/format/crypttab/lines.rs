//! crypttab(5), line by line: name, device, key file, options.

use super::{Device, Place, Volume, is_name};
use crate::base::list::Listed;
use crate::format::fstab::unescape;
use crate::format::source::Source;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Most lines that are read. More are a mistake, and cost memory.
const LINES: usize = 256;

/// Every volume of the file. A line that cannot be used is left out with a complaint.
pub fn read(file: &[u8], complaints: &mut Vec<String>) -> Vec<Volume> {
    let mut volumes = Vec::new();
    for (number, line) in (1u32..).zip(file.split(|&b| b == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let told_by = format!("line {number} of crypttab");
        if volumes.len() >= LINES {
            complaints.push(format!("{told_by}: only {LINES} volumes are read"));
            break;
        }
        match volume(line, &told_by, complaints) {
            Ok(volume) => volumes.push(volume),
            Err(what) => complaints.push(format!("{told_by}: {what}; it is left out")),
        }
    }
    volumes
}

fn volume(line: &[u8], told_by: &str, complaints: &mut Vec<String>) -> Result<Volume, String> {
    let fields = line
        .split(|b| matches!(b, b' ' | b'\t'))
        .filter(|f| !f.is_empty());
    let text = |field| String::from_utf8(unescape(field)).map_err(|_| "it is not UTF-8");
    let fields: Vec<String> = fields.map(text).all_ok()?;
    let field = |at: usize| fields.get(at).map_or("", |field| field);
    let (name, device) = (field(0), field(1));
    if !(2..=4).contains(&fields.len()) {
        return Err("it has other than two to four fields".into());
    }
    if !is_name(name) {
        return Err(format!("{name} is no name for a volume"));
    }
    let known = Device::read(device).map_err(|what| format!("{device} {what}"))?;
    let mut volume = Volume::new(known, told_by.into());
    volume.name = Some(name.into());
    let options = &mut volume.options;
    options.add(field(3), told_by, complaints)?;
    volume.wanted = options.attach;
    let key = match field(2) {
        "none" | "-" => "",
        key => key,
    };
    let script = options.key_script.as_deref();
    volume.key = match script.map(|path| path.rsplit_once('/').map_or(path, |(_, name)| name)) {
        None => key_file(key)?,
        Some("passdev") => Some(passdev(key).ok_or("passdev wants DEVICE:PATH")?),
        // It asks, and remembers the answer: so does every question here.
        Some("decrypt_keyctl") => None,
        Some(program) => {
            let what = "is a program, and none is run here: the passphrase will be asked for";
            complaints.push(format!("{told_by}: keyscript {program} {what}"));
            None
        }
    };
    Ok(volume)
}

fn key_file(text: &str) -> Result<Option<Place>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if matches!(text, "/dev/urandom" | "/dev/random" | "/dev/hw_random") {
        return Err("a volume with a new key at each boot holds nothing to be found".into());
    }
    let place = Place::read(text).map_err(|what| format!("the key file {text} {what}"))?;
    Ok(Some(place))
}

/// `DEVICE:PATH[:SECONDS]`, the argument of Debian's script `passdev`.
fn passdev(text: &str) -> Option<Place> {
    let (device, path) = text.split_once(':')?;
    let path = path.split_once(':').map_or(path, |(path, _)| path);
    let device = match Source::parse(device.as_bytes()) {
        Source::Unknown(_) => return None,
        device => device,
    };
    (!path.is_empty()).then(|| Place::On {
        path: path.into(),
        device,
        fstype: None,
    })
}
