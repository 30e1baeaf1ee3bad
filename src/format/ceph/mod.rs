//! Ceph: clusters, images of their block devices (RBD), directories of their file systems (CephFS).
//!
//! | File | What it is |
//! |---|---|
//! | `image` | an image of RBD, as the command line names it, and as the kernel's driver wants it |
//! | `tree` | a directory of CephFS, likewise |
//! | `keyring` | where the key of a user lies, and what it is |
//! | `refusal` | how the kernel's log says that a cluster does not let somebody in |
//!
//! The kernel speaks the protocol (net/ceph). Here is what mount.ceph(8) and rbd(8) add: which of
//! the two protocols it shall be, names as addresses, and the user's key.
//!
//! # Which protocol
//! The kernel takes the older one (msgr1, port 6789) unless `ms_mode=` says otherwise. Every
//! cluster since 2019 (Nautilus) has the newer one (msgr2, port 3300), new ones may have nothing
//! else, and kernels since 5.11 speak it: it is taken here, as rbd(8) and mount.ceph(8) take it,
//! unless a monitor is named with port 6789.

pub mod image;
pub mod keyring;
pub mod refusal;
pub mod tree;

use super::iscsi::password::{self, Password};
use super::remote::Host;
use crate::base::list::Listed;
use crate::base::text::{Joined, Text, cut};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::{IpAddr, SocketAddr};

/// As many as the kernel takes (`CEPH_MAX_MON`, linux/ceph/ceph_fs.h).
const MONITORS_MAX: usize = 31;

/// Registered with IANA, for both protocols.
const PORT: u16 = 3300;
const PORT_LEGACY: u16 = 6789;

/// Who somebody is who does not say it, as with Ceph's own programs.
const USUAL_USER: &str = "admin";

/// Seconds until the kernel gives up reaching a cluster: half of its own patience, so that the
/// cause is known within ours.
const MOUNT_TIMEOUT_S: u32 = 30;

/// One monitor. They know of each other, so any of them leads to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    pub host: Host,
    /// `None`: where monitors of the protocol listen.
    pub port: Option<u16>,
}

impl fmt::Display for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

/// Who this machine is to a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// Without `client.` in front. Empty: the usual one.
    pub user: String,
    /// As typed, in Base64. Empty: the image holds it, or nobody asks for it.
    pub secret: Password,
    /// A file of the image with the secret (`secretfile=`). Empty: where keyrings lie.
    pub file: String,
}

impl Credentials {
    pub fn user(&self) -> &str {
        match self.user.as_str() {
            "" => USUAL_USER,
            user => user,
        }
    }

    /// `NAME` or `client.NAME`. The error is the end of a sentence.
    pub fn set_user(&mut self, name: &str) -> Result<(), &'static str> {
        let name = name.strip_prefix("client.").unwrap_or(name);
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b',' | b'/' | b':' | b'@');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err("has a user that is none");
        }
        self.user = name.into();
        Ok(())
    }

    /// The error is the end of a sentence.
    pub fn set_secret(&mut self, text: &str) -> Result<(), &'static str> {
        if text.is_empty() || text.len() > password::LONGEST {
            return Err("has a secret that is none");
        }
        self.secret = Password::new(text.as_bytes());
        Ok(())
    }
}

/// A cluster, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// At least one.
    pub monitors: Vec<Monitor>,
    pub who: Credentials,
    /// As typed, with commas: what is left for the kernel.
    pub options: String,
}

impl Cluster {
    /// `[USER:SECRET@]MONITOR[,MONITOR…]:`, and what follows it. `url`: there may be a user.
    fn parse(text: &str, url: bool) -> Result<(Self, &str), &'static str> {
        // Or else they would be words of their own for the kernel.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("has a blank, or a character that cannot be seen");
        }
        let mut who = Credentials::default();
        let mut rest = text;
        if let Some((user, behind)) = cut(text, "@")
            && url
            && cut(user, ":/").is_none()
        {
            let (name, secret) = user.split_once(':').unwrap_or((user, ""));
            who.set_user(name)?;
            if !secret.is_empty() {
                who.set_secret(secret)?;
            }
            rest = behind;
        }
        let (monitors, rest) = list(rest)?;
        let options = String::new();
        let cluster = Self {
            monitors,
            who,
            options,
        };
        Ok((cluster, rest))
    }

    /// Options as typed, with commas; what says who this machine is becomes no option.
    pub fn take_options(&mut self, text: &str) -> Result<(), &'static str> {
        for word in text.split(',').filter(|word| !word.is_empty()) {
            match word.split_once('=').unwrap_or((word, "")) {
                ("name", name) => self.who.set_user(name)?,
                ("secret", secret) => self.who.set_secret(secret)?,
                ("secretfile", file) => self.who.file = file.into(),
                // As mount.ceph(8) has it.
                ("fs", name) => self.add_option(&format!("mds_namespace={name}")),
                _ => self.add_option(word),
            }
        }
        Ok(())
    }

    /// `rootflags=` are options of a root, too. The error is the end of a sentence; the options in
    /// front of what it is about count.
    pub fn take_words(&mut self, flags: &Text, words: &Credentials) -> Result<(), &'static str> {
        let taken = self.take_options(flags.as_str().unwrap_or_default());
        self.introduce(words);
        taken
    }

    /// What words of their own say counts where nothing else says who this machine is.
    pub fn introduce(&mut self, words: &Credentials) {
        if self.who.user.is_empty() {
            self.who.user.clone_from(&words.user);
        }
        if self.who.secret.is_empty() {
            self.who.secret = words.secret.clone();
        }
    }

    fn add_option(&mut self, word: &str) {
        let comma = if self.options.is_empty() { "" } else { "," };
        self.options.push_str(comma);
        self.options.push_str(word);
    }

    /// The value of an option, the last one.
    fn said(&self, key: &str) -> Option<&str> {
        let mut words = self.options.rsplit(',');
        words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// The value of `ms_mode=`, and whether it goes without saying.
    fn mode(&self) -> (&str, bool) {
        let old = |monitor: &Monitor| monitor.port == Some(PORT_LEGACY);
        match self.said("ms_mode") {
            Some(mode) => (mode, true),
            None if self.monitors.iter().any(old) => ("legacy", true),
            None => ("prefer-crc", false),
        }
    }

    /// Where each monitor listens. `addresses` knows those of names; a name without any is passed
    /// over.
    pub fn doors(&self, addresses: &dyn Fn(&str) -> Vec<IpAddr>) -> Vec<SocketAddr> {
        let usual = match self.mode() {
            ("legacy", _) => PORT_LEGACY,
            _ => PORT,
        };
        let mut doors = Vec::new();
        for monitor in &self.monitors {
            let port = monitor.port.unwrap_or(usual);
            let known = match &monitor.host {
                Host::Address(address) => alloc::vec![*address],
                Host::Name(name) => addresses(name),
            };
            doors.extend(known.into_iter().map(|known| SocketAddr::new(known, port)));
        }
        doors.truncate(MONITORS_MAX);
        doors
    }

    /// The names among the monitors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.monitors
            .iter()
            .filter_map(|monitor| match &monitor.host {
                Host::Name(name) => Some(name.as_str()),
                Host::Address(_) => None,
            })
    }

    /// The options that the kernel is told, without a key. Those that were typed come last.
    fn words(&self) -> String {
        let mut words = format!("name={}", self.who.user());
        if let (mode, false) = self.mode() {
            words.push_str(&format!(",ms_mode={mode}"));
        }
        if self.said("mount_timeout").is_none() {
            words.push_str(&format!(",mount_timeout={MOUNT_TIMEOUT_S}"));
        }
        if !self.options.is_empty() {
            words.push(',');
            words.push_str(&self.options);
        }
        words
    }

    /// What was typed, without the secret.
    fn typed_options(&self) -> String {
        let mut words = Vec::new();
        if !self.who.user.is_empty() {
            words.push(format!("name={}", self.who.user));
        }
        if !self.who.file.is_empty() {
            words.push(format!("secretfile={}", self.who.file));
        }
        if !self.options.is_empty() {
            words.push(self.options.clone());
        }
        words.joined(",")
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let monitors: Vec<String> = self.monitors.iter().map(ToString::to_string).listed();
        f.write_str(&monitors.joined(","))
    }
}

/// Where monitors listen, as the kernel takes it.
fn shown(doors: &[SocketAddr]) -> String {
    let doors: Vec<String> = doors.iter().map(ToString::to_string).listed();
    doors.joined(",")
}

/// Monitors with commas between them, and what follows the colon behind the last.
fn list(text: &str) -> Result<(Vec<Monitor>, &str), &'static str> {
    let mut monitors = Vec::new();
    let mut rest = text;
    while monitors.len() < MONITORS_MAX {
        let (monitor, behind) = monitor(rest)?;
        monitors.push(monitor);
        rest = match behind.split_at_checked(1) {
            Some((",", more)) => more,
            Some((":", more)) => return Ok((monitors, more)),
            _ => return Err("names monitors, and nothing behind them"),
        };
    }
    Err("names more monitors than the kernel takes")
}

/// One monitor at the beginning of the text, and what is left.
fn monitor(text: &str) -> Result<(Monitor, &str), &'static str> {
    const WRONG: &str = "has a monitor that is neither address nor name";
    let is_end = |b: u8| matches!(b, b',' | b':');
    let from = match text.starts_with('[') {
        true => cut(text, "]").map_or(0, |(inner, _)| inner.len()),
        false => 0,
    };
    let found = text.bytes().skip(from).position(is_end);
    let end = found.map_or(text.len(), |at| at.saturating_add(from));
    let (host, rest) = text.split_at_checked(end).ok_or(WRONG)?;
    let host = Host::parse(host).ok_or(WRONG)?;
    let (port, rest) = port(rest)?;
    Ok((Monitor { host, port }, rest))
}

/// `:PORT`, where that is what follows, and what is left. Digits are a port only where a comma, a
/// colon or nothing follows: or else they begin the name of something.
fn port(text: &str) -> Result<(Option<u16>, &str), &'static str> {
    let Some(behind) = text.strip_prefix(':') else {
        return Ok((None, text));
    };
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = behind.split_at_checked(digits).unwrap_or_default();
    match rest.bytes().next() {
        _ if number.is_empty() => Ok((None, text)),
        None | Some(b',' | b':') => match number.parse() {
            Ok(port @ 1..) => Ok((Some(port), rest)),
            _ => Err("has a port that is none"),
        },
        Some(_) => Ok((None, text)),
    }
}

#[cfg(test)]
mod tests;
