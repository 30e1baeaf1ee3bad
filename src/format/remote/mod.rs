//! Roots that lie on a network, as people and DHCP servers write them.
//!
//! | File | What it is |
//! |---|---|
//! | `cifs` | shares of SMB servers |
//! | `nfs` | exports of NFS: where, which, how they are mounted |
//! | `nvme` | controllers of NVMe over TCP, and what they list |
//! | `target` | servers of blocks: what is connected to, so that a disk appears |
//!
//! Sources: Documentation/admin-guide/nfs/nfsroot.rst, dracut.cmdline(7), RFC 2132 §3.19
//! (root-path).

pub mod cifs;
pub mod nfs;
pub mod nvme;
pub mod target;

use crate::base::text::Text;
use crate::format::ceph::tree::Tree;
use alloc::boxed::Box;
use alloc::string::String;
use cifs::Share;
use core::fmt;
use core::net::IpAddr;
use nfs::Export;

/// Root on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remote {
    /// Whatever the lease says (`root=dhcp`).
    Lease,
    Nfs(Export),
    Cifs(Share),
    Ceph(Box<Tree>),
    /// The disk that this one of the targets gives, by its number.
    Target(usize),
    /// The disk that the firmware booted from, by the iBFT.
    Firmware,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    /// An address (of IPv6 with or without brackets) or a name.
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(address) = inner.unwrap_or(text).parse() {
            return Some(Self::Address(address));
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        let named = inner.is_none() && text.len() <= 253 && text.bytes().all(plain);
        (named && !text.is_empty()).then(|| Self::Name(text.into()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Remote {
    /// The file system that it is mounted as.
    pub fn fstype(&self) -> &'static str {
        match self {
            Self::Cifs(_) => "cifs",
            Self::Ceph(_) => "ceph",
            Self::Lease | Self::Nfs(_) | Self::Target(_) | Self::Firmware => "nfs",
        }
    }

    /// What `root=` or `netroot=` says, with the words of `nfsroot=`. `None`: no remote root.
    pub fn parse(root: &[u8], nfsroot: Option<&[u8]>) -> Option<Self> {
        match root {
            b"dhcp" | b"dhcp4" | b"dhcp6" => return Some(Self::Lease),
            b"/dev/nfs" | b"nfs" => return Some(Self::Nfs(Export::kernels(nfsroot))),
            b"/dev/nfs4" | b"nfs4" => {
                let export = Export::kernels(nfsroot);
                return Some(Self::Nfs(Export { v4: true, ..export }));
            }
            _ => {}
        }
        let text = core::str::from_utf8(root).ok()?;
        let (word, rest) = text.split_once(':')?;
        match word {
            "nfs" => Some(Self::Nfs(Export::parse(rest, false))),
            "nfs4" => Some(Self::Nfs(Export::parse(rest, true))),
            "cifs" => Share::parse(rest).map(Self::Cifs),
            "ceph" => Tree::parse(rest).ok().map(|tree| Self::Ceph(tree.into())),
            "rbd" => None,
            // dracut: what looks like SERVER:/PATH.
            _ => {
                let server = Self::server_of(text)?;
                Host::parse(server)?;
                Some(Self::Nfs(Export::parse(text, false)))
            }
        }
    }

    /// What stands before the first `:/`.
    fn server_of(text: &str) -> Option<&str> {
        crate::base::text::cut(text, ":/").map(|(server, _)| server)
    }

    /// What a lease's root-path says.
    pub fn of_root_path(path: &Text) -> Option<Self> {
        let text = path.as_str()?;
        if text.starts_with('/') {
            return Some(Self::Nfs(Export::parse(text, false)));
        }
        match Self::parse(path.as_bytes(), None) {
            Some(Self::Lease) | None => None,
            remote => remote,
        }
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lease => f.write_str("what the lease names"),
            Self::Nfs(export) => write!(f, "{export}"),
            Self::Cifs(share) => write!(f, "{share}"),
            Self::Ceph(tree) => write!(f, "{tree}"),
            Self::Target(_) => f.write_str("the disk of a server"),
            Self::Firmware => f.write_str("the disk that the firmware booted from"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn check(root: &str, nfsroot: Option<&str>, expected: &str) {
        let found = Remote::parse(root.as_bytes(), nfsroot.map(str::as_bytes));
        let shown = found.map_or("none".into(), |remote| remote.to_string());
        assert_eq!(shown, expected, "{root}");
    }

    #[test]
    fn roots_on_a_network_are_known_by_their_words() {
        for (root, nfsroot, expected) in [
            ("/dev/nfs", Some("192.0.2.1:/srv/a"), "192.0.2.1:/srv/a"),
            ("/dev/nfs", Some("/srv/%s,vers=3,ro"), "?:/srv/%s,vers=3,ro"),
            ("/dev/nfs", None, "?:?"),
            ("nfs:192.0.2.1:/srv/a", None, "192.0.2.1:/srv/a"),
            (
                "nfs4:192.0.2.1:/srv/a:vers=4.1",
                None,
                "192.0.2.1:/srv/a,vers=4.1",
            ),
            ("nfs:/srv/a", None, "?:/srv/a"),
            (
                "nfs:[2001:db8::1]:/srv/a,ro",
                None,
                "[2001:db8::1]:/srv/a,ro",
            ),
            ("store.example:/srv/a", None, "store.example:/srv/a"),
            (
                "192.0.2.1:/srv/a:rsize=8192",
                None,
                "192.0.2.1:/srv/a,rsize=8192",
            ),
            ("dhcp", None, "what the lease names"),
            ("/dev/sda1", None, "none"),
            ("cifs://me:x@store/share", None, "//store/share"),
            ("cifs:store/share", None, "none"),
            (
                "ceph:192.0.2.1:6789,store:/a:ro",
                None,
                "192.0.2.1:6789,store:/a",
            ),
            ("ceph:/a", None, "none"),
            ("rbd:/a", None, "none"),
            ("8:1", None, "none"),
            ("UUID=a", None, "none"),
            ("ubi0:rootfs", None, "none"),
            ("virtiofs:x", None, "none"),
            ("a b:/x", None, "none"),
        ] {
            check(root, nfsroot, expected);
        }
    }

    #[test]
    fn a_lease_names_a_tree_in_several_ways() {
        for (path, expected) in [
            ("/srv/a", Some("?:/srv/a")),
            ("192.0.2.1:/srv/a", Some("192.0.2.1:/srv/a")),
            ("nfs:192.0.2.1:/srv/a", Some("192.0.2.1:/srv/a")),
            ("ceph:192.0.2.1:/srv/a", Some("192.0.2.1:/srv/a")),
            ("dhcp", None),
            ("nonsense", None),
            ("", None),
        ] {
            let found = Remote::of_root_path(&Text::from(path));
            let found = found.map(|remote| remote.to_string());
            assert_eq!(found.as_deref(), expected, "{path}");
        }
        assert_eq!(Remote::of_root_path(&Text(vec![b'/', 0xff])), None);
    }

    #[test]
    fn a_server_is_an_address_or_a_name() {
        for (text, is) in [
            ("192.0.2.1", true),
            ("2001:db8::1", true),
            ("[2001:db8::1]", true),
            ("store.example", true),
            ("[store]", false),
            ("", false),
            ("a/b", false),
            ("a b", false),
        ] {
            assert_eq!(Host::parse(text).is_some(), is, "{text}");
        }
    }
}
