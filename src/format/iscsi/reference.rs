//! A disk of an iSCSI target, as the command line or a lease names it.
//!
//! `iscsi:SERVER:PROTOCOL:PORT:LUN:TARGET` is RFC 4173's; dracut puts
//! `USER:PASSWORD[:USER_IN:PASSWORD_IN]@` before the server and `INTERFACE:LINK:` before the LUN,
//! and has words of its own for the rest (`rd.iscsi.*=`). Everything but the target may be empty.
//!
//! A LUN in digits alone is decimal, as dracut has it and as udev's names show it; the RFC has
//! hexadecimal digits, which is the same up to 9. With hyphens it is what the RFC means: up to four
//! groups, the first of which is the LUN where there are no levels.
//! Sources: RFC 4173 §5, RFC 7143 §4.2.7 (names), dracut.cmdline(7), iscsistart(8).

use super::password::{self, Password};
use super::{NAME_MAX, PORT};
use crate::base::text::{Text, cut, cut_last};
use crate::format::remote::Host;
use alloc::string::String;
use core::fmt;

/// How long requests wait for a broken connection to be made again, in seconds, before they fail:
/// a day, as open-iscsi recommends for root.
const RECOVERY_S: u32 = 86_400;

/// Longest name of a user, of a link, of an interface, in bytes.
const WORD_MAX: usize = 255;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// `None`: the server that the lease names.
    pub host: Option<Host>,
    pub port: u16,
    /// As the kernel counts: 0 is the first.
    pub lun: u64,
    pub target: String,
    /// `rd.iscsi.target.group=`. `None`: as the target says.
    pub group: Option<u16>,
    /// Who this machine is to the target. Empty: it is not asked.
    pub user: String,
    pub password: Password,
    /// Who the target has to be to this machine. Empty: it is not asked.
    pub user_in: String,
    pub password_in: Password,
    /// This machine's name. Empty: as the image, the firmware, or nobody says.
    pub initiator: String,
    /// open-iscsi's name for a set of settings; of no meaning here.
    pub interface: String,
    /// The link to be used. Empty: whichever leads there.
    pub link: String,
    /// The passwords are those that the firmware left for its target of this number: they are read
    /// when they are needed.
    pub firmware: Option<u32>,
    /// Seconds; `node.session.timeo.replacement_timeout` of `rd.iscsi.param=`.
    pub recovery_s: u32,
}

impl Default for Reference {
    fn default() -> Self {
        Self {
            host: None,
            port: PORT,
            lun: 0,
            target: String::new(),
            group: None,
            user: String::new(),
            password: Password::default(),
            user_in: String::new(),
            password_in: Password::default(),
            initiator: String::new(),
            interface: String::new(),
            link: String::new(),
            firmware: None,
            recovery_s: RECOVERY_S,
        }
    }
}

impl Reference {
    /// With or without `iscsi:` in front. The error is the end of a sentence, and quotes nothing:
    /// a password could be in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.strip_prefix("iscsi:").unwrap_or(text);
        let mut found = Self::default();
        let rest = found.take_users(text)?;
        let (host, rest) = split_host(rest).ok_or("names no server and no target")?;
        if !host.is_empty() {
            let host = Host::parse(host).ok_or("has a server that is neither address nor name")?;
            found.host = Some(host);
        }
        let (fields, target) = split_target(rest)?;
        found.target = target.into();
        let mut fields = fields.split(':');
        // The protocol: 6 is TCP, and there is no other.
        match fields.next() {
            Some("" | "6" | "tcp" | "TCP") => {}
            _ => return Err("has a protocol that is not served here: only 6, TCP, is"),
        }
        let port = fields.next().ok_or("names no port (which may be empty)")?;
        found.port = port_of(port)?;
        let more = [(); 4].map(|()| fields.next());
        let lun = match more {
            [Some(lun), None, ..] => lun,
            [Some(link), Some(lun), None, _] => {
                found.link = word(link)?;
                lun
            }
            [Some(interface), Some(link), Some(lun), None] => {
                found.interface = word(interface)?;
                found.link = word(link)?;
                lun
            }
            [None, ..] => return Err("names no LUN (which may be empty)"),
            _ => return Err("has more fields than are known"),
        };
        found.lun = lun_of(lun).ok_or("has a LUN that is none")?;
        Ok(found)
    }

    /// `USER:PASSWORD[:USER_IN:PASSWORD_IN]@`, which may be empty or missing. What follows it.
    fn take_users<'a>(&mut self, text: &'a str) -> Result<&'a str, &'static str> {
        let Some((users, rest)) = cut(text, "@") else {
            return Ok(text);
        };
        // Or else the sign belongs to the target's name.
        if cut(users, ":iqn.").is_some() || split_host(rest).is_none() {
            return Ok(text);
        }
        let mut fields = users.split(':');
        let mut next = || fields.next().unwrap_or_default();
        for (key, value) in [
            ("username", next()),
            ("password", next()),
            ("in.username", next()),
            ("in.password", next()),
        ] {
            self.word(key, value)?;
        }
        match fields.next() {
            None => Ok(rest),
            Some(_) => Err("has more than two users and passwords"),
        }
    }

    /// The value of `rd.iscsi.KEY=`. `Ok(false)`: of no meaning here. The error is the end of a
    /// sentence.
    pub fn word(&mut self, key: &str, value: &str) -> Result<bool, &'static str> {
        match key {
            "username" => self.user = word(value)?,
            "in.username" => self.user_in = word(value)?,
            "password" => self.password = secret(value)?,
            "in.password" => self.password_in = secret(value)?,
            "initiator" => self.initiator = name(value)?.into(),
            "target.name" => self.target = name(value)?.into(),
            "target.ip" => {
                self.host = Some(Host::parse(value).ok_or("is neither address nor name")?);
            }
            "target.port" => self.port = port_of(value)?,
            "target.group" => {
                self.group = Some(value.parse().map_err(|_| "is no group of a target")?);
            }
            "param" => match value.split_once('=') {
                Some(("node.session.timeo.replacement_timeout", seconds)) => {
                    self.recovery_s = seconds.parse().map_err(|_| "is no number of seconds")?;
                }
                _ => return Ok(false),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What keeps it from being logged in to. The end of a sentence.
    pub fn problem(&self) -> Option<&'static str> {
        if self.target.is_empty() {
            Some("names no target")
        } else if self.user.is_empty() && !self.password.is_empty() {
            Some("has a password, but no user")
        } else if !self.user.is_empty() && self.password.is_empty() {
            Some("has a user, but no password")
        } else if self.user_in.is_empty() != self.password_in.is_empty() {
            Some("has but one of user and password for the target")
        } else if !self.user_in.is_empty() && self.user.is_empty() {
            Some("has a user for the target, but none for this machine")
        } else if !self.user_in.is_empty() && self.password == self.password_in {
            // RFC 7143 §9.2.1: or the target could have this machine answer its own question.
            Some("has the same password for both directions, which proves nothing")
        } else {
            None
        }
    }
}

/// What dracut understands, without passwords; read again, they are empty.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("iscsi:")?;
        // Or else what stands before a sign of the rest would be read as users.
        let rest = [&self.interface, &self.link, &self.target];
        let signs = rest.iter().any(|word| cut(word, "@").is_some());
        match (self.user.as_str(), self.user_in.as_str()) {
            ("", "") if signs => f.write_str("@")?,
            ("", "") => {}
            (user, "") => write!(f, "{}:@", Text::from(user))?,
            (user, user_in) => write!(f, "{}::{}:@", Text::from(user), Text::from(user_in))?,
        }
        if let Some(host) = &self.host {
            write!(f, "{host}")?;
        }
        write!(f, "::{}:", self.port)?;
        if !self.interface.is_empty() {
            write!(f, "{}:", self.interface)?;
        }
        if !self.link.is_empty() || !self.interface.is_empty() {
            write!(f, "{}:", self.link)?;
        }
        write!(f, "{}:{}", self.lun, Text::from(self.target.as_str()))
    }
}

/// The server, and what follows its colon.
fn split_host(text: &str) -> Option<(&str, &str)> {
    match text.starts_with('[') {
        true => {
            let (host, rest) = cut(text, "]:")?;
            let bracketed = text.get(..host.len().checked_add(1)?)?;
            Some((bracketed, rest))
        }
        false => text.split_once(':'),
    }
}

/// What stands before the last name of a target, and the name.
fn split_target(text: &str) -> Result<(&str, &str), &'static str> {
    for kind in [":iqn.", ":eui.", ":naa."] {
        if let Some((before, _)) = cut_last(text, kind) {
            let at = before.len().saturating_add(1);
            return Ok((before, name(text.get(at..).unwrap_or_default())?));
        }
    }
    Err("names no target (iqn., eui. or naa.)")
}

/// A name of a target or an initiator, in one of the forms that there are.
pub fn name(text: &str) -> Result<&str, &'static str> {
    let hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    let formed = match text.split_at_checked(4) {
        Some(("iqn.", rest)) => !rest.is_empty(),
        Some(("eui.", rest)) => rest.len() == 16 && hex(rest),
        Some(("naa.", rest)) => matches!(rest.len(), 16 | 32) && hex(rest),
        _ => false,
    };
    // What is not ASCII may be a letter; the target knows better.
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    match formed && text.len() <= NAME_MAX && text.chars().all(plain) {
        true => Ok(text),
        false => Err("has a name that is none of iSCSI (iqn., eui. or naa.)"),
    }
}

fn word(text: &str) -> Result<String, &'static str> {
    let plain = text.len() <= WORD_MAX && !text.chars().any(char::is_control);
    plain.then(|| text.into()).ok_or("has an impossible word")
}

fn secret(text: &str) -> Result<Password, &'static str> {
    match text.len() {
        0..=password::LONGEST => Ok(Password::new(text.as_bytes())),
        _ => Err("has a password that is too long"),
    }
}

fn port_of(text: &str) -> Result<u16, &'static str> {
    match text {
        "" => Ok(PORT),
        digits => match digits.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err("has a port that is none"),
        },
    }
}

/// A LUN as the kernel counts: groups of 16 bits, the first one lowest.
fn lun_of(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return match text {
            "" => Some(0),
            digits => digits.parse().ok(),
        };
    }
    let mut groups = text.split('-');
    let mut lun = 0;
    for shift in [0, 16, 32, 48] {
        let group = match groups.next() {
            Some(digits) if !digits.starts_with('+') => u16::from_str_radix(digits, 16).ok()?,
            Some(_) => return None,
            None => 0,
        };
        lun |= u64::from(group) << shift;
    }
    groups.next().is_none().then_some(lun)
}

#[cfg(test)]
mod tests;
