//! How people and DHCP servers name an export.
//!
//! `nbd:SERVER:PORT-OR-EXPORT[:FSTYPE[:MOUNTOPTIONS[:NBDOPTIONS]]]` is dracut's, where
//! `PORT/EXPORT` is taken, too; `nbd://SERVER[:PORT][/EXPORT]` is the NBD project's. IPv6 addresses
//! are in brackets. Sources: dracut.cmdline(7), nbd-client(8), doc/uri.md of the NBD project.

use super::NAME_MAX;
use crate::base::fault::Fault;
use crate::base::text::{Text, cut, cut_last};
use crate::format::remote::Host;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Registered with IANA.
const PORT: u16 = 10_809;

/// More connections than this help nobody.
const CONNECTIONS_MAX: u32 = 16;

/// An export, and how it is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub host: Host,
    pub port: u16,
    /// Empty: the server's default.
    pub export: String,
    /// `None`: to be found out.
    pub fstype: Option<String>,
    /// As typed, with commas.
    pub mount_options: String,
    pub options: Options,
}

/// The words of nbd-client(8), with or without `-` before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub read_only: bool,
    /// `timeout=`: a request without an answer counts as lost after so many seconds.
    pub timeout_s: Option<u32>,
    /// `dead-conn-timeout=`: seconds that requests wait while there is no connection.
    pub dead_connection_s: Option<u32>,
    /// `block-size=`, `bs=`: bytes, a power of two from 512 to 65536.
    pub block_size: Option<u32>,
    /// `connections=`: from 1 to 16.
    pub connections: Option<u32>,
    /// What was not understood, or means nothing here, as typed.
    pub ignored: Vec<String>,
}

impl Reference {
    /// Is this text meant to name an export?
    pub fn is_one(text: &str) -> bool {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        scheme.is_some_and(|s| matches!(s, "nbd" | "nbds" | "nbd+unix" | "nbds+unix"))
    }

    /// # Errors
    /// What is wrong with it, for a person.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let refused = |why: &str| Fault::plain(format!("{}: {why}", Text::from(text)));
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        let parsed = match (scheme, rest.strip_prefix("//")) {
            ("nbd", Some(rest)) => Self::uri(rest),
            ("nbd", None) => Self::colons(rest),
            ("nbds" | "nbds+unix", _) => Err("TLS is not supported for network block devices"),
            ("nbd+unix", _) => Err("a socket of this machine is no network block device"),
            _ => Err("it does not begin with nbd:"),
        };
        let found = parsed.map_err(refused)?;
        match found.export.len() {
            0..=NAME_MAX if !found.export.contains('\0') => Ok(found),
            _ => Err(refused("no export has such a name")),
        }
    }

    fn new(host: &str) -> Result<Self, &'static str> {
        let host = match host {
            "" => return Err("it names no server"),
            _ => Host::parse(host).ok_or("its server is neither an address nor a name")?,
        };
        Ok(Self {
            host,
            port: PORT,
            export: String::new(),
            fstype: None,
            mount_options: String::new(),
            options: Options::default(),
        })
    }

    /// What follows `nbd:`.
    fn colons(text: &str) -> Result<Self, &'static str> {
        let (host, rest) = host_end(text)?;
        let mut found = Self::new(host)?;
        let mut fields = rest.splitn(4, ':');
        let mut field = || fields.next().unwrap_or_default();
        found.port_or_export(field());
        let (fstype, mount_options, options) = (field(), field(), field());
        found.fstype = Some(fstype)
            .filter(|name| !matches!(*name, "" | "auto"))
            .map(String::from);
        found.mount_options = mount_options.into();
        options.split(',').for_each(|word| found.option(word));
        Ok(found)
    }

    /// A number that is a port, with or without an export behind it, or an export.
    fn port_or_export(&mut self, text: &str) {
        let (first, export) = text.split_once('/').unwrap_or((text, ""));
        match port(first) {
            Some(port) => (self.port, self.export) = (port, export.into()),
            // `PORT/` left open, as in `nbd:SERVER:/EXPORT`.
            None if first.is_empty() => self.export = export.into(),
            None => self.export = text.into(),
        }
    }

    /// What follows `nbd://`.
    fn uri(text: &str) -> Result<Self, &'static str> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        // The user's name is for TLS.
        let authority = cut_last(authority, "@").map_or(authority, |(_, behind)| behind);
        let (host, number) = host_end(authority)?;
        let mut found = Self::new(host)?;
        if !number.is_empty() {
            found.port = port(number).ok_or("its port is no number from 1 to 65535")?;
        }
        found.export = unescaped(path).ok_or("the name of its export is not UTF-8")?;
        for word in query.split('&').filter(|word| !word.is_empty()) {
            if word.starts_with("tls-") {
                return Err("TLS is not supported for network block devices");
            }
            found.options.ignored.push(word.into());
        }
        Ok(found)
    }

    /// One word of the last field.
    fn option(&mut self, typed: &str) {
        let options = &mut self.options;
        let word = typed.strip_prefix('-').unwrap_or(typed);
        let word = word.strip_prefix('-').unwrap_or(word);
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let number = value.parse::<u32>().ok();
        let mut understood = true;
        match (key, number) {
            ("", _) => {}
            ("ro" | "readonly" | "read-only" | "R", None) => options.read_only = true,
            // A connection that breaks is made again in any case.
            ("persist" | "p" | "systemd-mark" | "swap" | "m" | "s", None) => {}
            ("timeout" | "t", Some(_)) => options.timeout_s = number,
            ("dead-conn-timeout", Some(_)) => options.dead_connection_s = number,
            ("block-size" | "bs" | "b", Some(512..=65_536))
                if number.is_some_and(u32::is_power_of_two) =>
            {
                options.block_size = number;
            }
            ("connections" | "C", Some(1..=CONNECTIONS_MAX)) => options.connections = number,
            ("name" | "N", _) if !value.is_empty() => self.export = value.into(),
            _ => understood = false,
        }
        if !understood {
            self.options.ignored.push(typed.into());
        }
    }
}

/// A server, and what follows the `:` behind it.
fn host_end(text: &str) -> Result<(&str, &str), &'static str> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok(text.split_once(':').unwrap_or((text, "")));
    };
    let (inner, rest) = cut(inner, "]").ok_or("a bracket is open")?;
    let whole = text
        .get(..inner.len().saturating_add(2))
        .unwrap_or_default();
    match rest.strip_prefix(':') {
        Some(rest) => Ok((whole, rest)),
        None if rest.is_empty() => Ok((whole, "")),
        None => Err("what follows the bracket is no port"),
    }
}

fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| *port > 0 && digits)
}

/// Undoes `%XX` (RFC 3986 §2.1). `None`: not two digits, or the bytes are not UTF-8.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            _ => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// `nbd://192.0.2.1:10809/export`, for a person.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nbd://{}:{}", self.host, self.port)?;
        let slash = if self.export.is_empty() { "" } else { "/" };
        write!(f, "{slash}{}", Text::from(self.export.as_str()))
    }
}

#[cfg(test)]
mod tests;
