//! A directory of CephFS: how people name it, and what the kernel mounts.
//!
//! `ceph:MON[,MON…]:/PATH[:OPTIONS]` is what mount.ceph(8) takes, with options behind it as for
//! NFS; so is `ceph:USER@[FSID].FS=/PATH:mon_addr=MON[/MON…][,OPTIONS]`, its newer form.
//! `ceph://[USER:SECRET@]MON[,MON…]:/PATH` is what others have written for dracut. The kernel is
//! told the older form, which every one of them takes.
//! Sources: fs/ceph/super.c, Documentation/filesystems/ceph.rst, mount.ceph(8).

use super::{Cluster, Credentials, monitor, shown};
use crate::base::text::{Text, cut};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub cluster: Cluster,
    /// With `/` in front.
    pub path: String,
}

impl Tree {
    /// What follows `ceph:`. The error is the end of a sentence, and quotes nothing: a secret could
    /// be in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some((device, path)) = cut(text, "=/")
            && let Some((user, device)) = device.split_once('@')
            && !user.contains([':', '/'])
        {
            return Self::of_device(user, device, path);
        }
        let url = text.strip_prefix("//");
        let (cluster, place) = Cluster::parse(url.unwrap_or(text), url.is_some())?;
        let place = place.strip_prefix('/');
        let place = place.ok_or("names no directory, with / in front")?;
        let (path, options) = split(place);
        let mut found = Self {
            cluster,
            path: format!("/{path}"),
        };
        found.cluster.take_options(options)?;
        Ok(found)
    }

    /// `USER@[FSID].FS=/PATH:mon_addr=MON[/MON…]`.
    fn of_device(user: &str, device: &str, text: &str) -> Result<Self, &'static str> {
        let (path, options) = split(text);
        let mut monitors = Vec::new();
        let mut others = Vec::new();
        for word in options.split(',') {
            match word.strip_prefix("mon_addr=") {
                Some(list) => {
                    for one in list.split('/') {
                        match monitor(one)? {
                            (monitor, "") => monitors.push(monitor),
                            _ => return Err("has a monitor that is neither address nor name"),
                        }
                    }
                }
                None => others.push(word),
            }
        }
        if monitors.is_empty() || monitors.len() > super::MONITORS_MAX {
            return Err("names no monitor (mon_addr=), or too many");
        }
        let (id, name) = device.split_once('.').ok_or("names no file system")?;
        let plain = |text: &str| !text.contains(|c: char| c == ',' || c.is_whitespace());
        if name.is_empty() || !plain(device) {
            return Err("names no file system");
        }
        let mut cluster = Cluster {
            monitors,
            who: Credentials::default(),
            options: format!("mds_namespace={name}"),
        };
        cluster.who.set_user(user)?;
        if !id.is_empty() {
            cluster.add_option(&format!("fsid={id}"));
        }
        for word in others {
            cluster.take_options(word)?;
        }
        Ok(Self {
            cluster,
            path: format!("/{path}"),
        })
    }

    /// What the kernel takes as the device.
    pub fn source(&self, doors: &[SocketAddr]) -> String {
        format!("{}:{}", shown(doors), self.path)
    }

    /// The options of the mount, but for the key.
    pub fn options(&self) -> Text {
        Text::from(self.cluster.words())
    }
}

/// A path, and the options behind it.
fn split(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| matches!(b, b',' | b':'));
    match end.and_then(|at| text.split_at_checked(at)) {
        Some((path, options)) => (path, options.get(1..).unwrap_or_default()),
        None => (text, ""),
    }
}

/// Without options.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.cluster, self.path)
    }
}
