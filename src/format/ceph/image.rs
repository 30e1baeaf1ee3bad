//! An image of RBD: how people name it, and what the kernel's driver wants written.
//!
//! `rbd:MON[,MON…]:POOL[/NAMESPACE]/IMAGE[@SNAPSHOT][:OPTIONS[:FLAGS]]` is ours, after the words of
//! rbd(8); what others have written for dracut and initramfs-tools is understood, too:
//! `rbd:MON[,MON…]:USER:SECRET:POOL:IMAGE[@SNAPSHOT][:PART[:FLAGS]]` and
//! `rbd://[USER:SECRET@]MON[,MON…]:/POOL/IMAGE[@SNAPSHOT]`.
//! Sources: Documentation/ABI/testing/sysfs-bus-rbd, drivers/block/rbd.c, rbd(8) "MAP OPTIONS".

use super::{Cluster, shown};
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;

pub const DRIVER: &str = "rbd";

/// The head of an image, where no snapshot is named (`RBD_SNAP_HEAD_NAME`).
const HEAD: &str = "-";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub cluster: Cluster,
    pub pool: String,
    /// Empty: the pool's own.
    pub namespace: String,
    pub name: String,
    /// Empty: the image as it is now.
    pub snapshot: String,
    /// `part=`: root is this partition. `None`: the whole.
    pub part: Option<u16>,
    /// Mount options of root, as typed.
    pub flags: String,
}

impl Image {
    /// What follows `rbd:`. The error is the end of a sentence, and quotes nothing: a secret could
    /// be in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = text.strip_prefix("//");
        let (cluster, place) = Cluster::parse(url.unwrap_or(text), url.is_some())?;
        let mut found = Self {
            cluster,
            pool: String::new(),
            namespace: String::new(),
            name: String::new(),
            snapshot: String::new(),
            part: None,
            flags: String::new(),
        };
        let place = place.strip_prefix('/').unwrap_or(place);
        let (first, _) = place.split_once(':').unwrap_or((place, ""));
        match first.contains('/') {
            true => found.take_path(place)?,
            false => found.take_fields(place)?,
        }
        Ok(found)
    }

    /// `POOL[/NAMESPACE]/IMAGE[@SNAPSHOT][:OPTIONS[:FLAGS]]`.
    fn take_path(&mut self, text: &str) -> Result<(), &'static str> {
        let mut fields = text.splitn(3, ':');
        let mut next = || fields.next().unwrap_or_default();
        let (path, options) = (next(), next());
        self.flags = next().into();
        let (pool, rest) = path.split_once('/').unwrap_or((path, ""));
        let (namespace, image) = rest.split_once('/').unwrap_or(("", rest));
        self.take_names(pool, image)?;
        if !namespace.is_empty() {
            self.namespace = word(namespace)?;
        }
        for word in options.split(',') {
            match word.strip_prefix("part=") {
                Some(part) => self.part = Some(number(part)?),
                None => self.cluster.take_options(word)?,
            }
        }
        Ok(())
    }

    /// `USER:SECRET:POOL:IMAGE[@SNAPSHOT][:PART[:FLAGS]]`.
    fn take_fields(&mut self, text: &str) -> Result<(), &'static str> {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next().unwrap_or_default();
        let (user, secret, pool, image, part) = (next(), next(), next(), next(), next());
        if image.is_empty() {
            return Err("names no image (POOL/IMAGE)");
        }
        self.cluster.who.set_user(user)?;
        if !secret.is_empty() {
            self.cluster.who.set_secret(secret)?;
        }
        self.take_names(pool, image)?;
        if !part.is_empty() {
            self.part = Some(number(part)?);
        }
        self.flags = next().into();
        Ok(())
    }

    fn take_names(&mut self, pool: &str, image: &str) -> Result<(), &'static str> {
        let (name, snapshot) = image.split_once('@').unwrap_or((image, ""));
        self.pool = word(pool)?;
        self.name = word(name)?;
        if !snapshot.is_empty() {
            self.snapshot = word(snapshot)?;
        }
        Ok(())
    }

    /// The line for the driver. `key`: by which name it finds the user's key.
    pub fn line(&self, doors: &[SocketAddr], key: Option<&str>) -> String {
        let mut options = String::new();
        if let Some(key) = key {
            options.push_str(&format!("key={key},"));
        }
        if !self.namespace.is_empty() {
            options.push_str(&format!("_pool_ns={},", self.namespace));
        }
        options.push_str(&self.cluster.words());
        let Self { pool, name, .. } = self;
        let snapshot = self.snapshot();
        format!("{} {options} {pool} {name} {snapshot}", shown(doors))
    }

    /// As the driver shows it.
    pub fn snapshot(&self) -> &str {
        match self.snapshot.as_str() {
            "" => HEAD,
            snapshot => snapshot,
        }
    }

    /// `POOL[/NAMESPACE]/IMAGE[@SNAPSHOT]`.
    pub fn path(&self) -> String {
        let mut path = self.pool.clone();
        for (mark, name) in [
            ("/", &self.namespace),
            ("/", &self.name),
            ("@", &self.snapshot),
        ] {
            if !name.is_empty() {
                path.push_str(mark);
                path.push_str(name);
            }
        }
        path
    }
}

/// A name as the driver takes it: a comma would be another option, a slash another name.
fn word(text: &str) -> Result<String, &'static str> {
    let plain = !text.is_empty() && text.len() <= 255 && !text.contains([',', '/', '@']);
    plain
        .then(|| text.into())
        .ok_or("has a pool, an image or a snapshot without a possible name")
}

fn number(text: &str) -> Result<u16, &'static str> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("has a partition that is no number"),
    }
}

/// As it is typed, without the secret; read again, that is empty.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rbd:{}:{}", self.cluster, self.path())?;
        let mut options = self.cluster.typed_options();
        if let Some(part) = self.part {
            options.push_str(if options.is_empty() { "" } else { "," });
            options.push_str(&format!("part={part}"));
        }
        match (options.as_str(), self.flags.as_str()) {
            ("", "") => Ok(()),
            (options, "") => write!(f, ":{options}"),
            (options, flags) => write!(f, ":{options}:{flags}"),
        }
    }
}
