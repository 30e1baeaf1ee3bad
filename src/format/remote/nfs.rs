//! Exports of NFS: where they are, and the options that the kernel mounts them with.
//!
//! The kernel's own client takes its options as text and does the MOUNT protocol of version 3
//! itself (fs/nfs/fs_context.c). What mount.nfs(8) adds is added here: the server's address, which
//! the kernel does not look up, and no locks for version 3, whose helpers do not run yet.
//! Sources: Documentation/admin-guide/nfs/nfsroot.rst, nfs(5), dracut.cmdline(7).

use super::Host;
use crate::base::list::Listed;
use crate::base::text::{Text, cut};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

/// The versions that are tried, in this order, where none is named.
const VERSIONS: [&str; 4] = ["4.2", "4.1", "4.0", "3"];

/// The directory where nothing names one; `%s` is this machine (nfsroot.rst).
pub const USUAL_PATH: &str = "/tftpboot/%s";

/// One export. What the command line leaves open, a lease or `ip=` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    pub server: Option<Host>,
    /// `%s` in it stands for this machine: see [`Export::path_for`].
    pub path: Option<String>,
    /// As typed, with commas.
    pub options: String,
    /// Version 4 and no older one (`nfs4:`).
    pub v4: bool,
}

impl Export {
    /// `[SERVER:]PATH[,OPTIONS]` of the kernel, or `[SERVER:]PATH[:OPTIONS]` of dracut.
    pub fn parse(text: &str, v4: bool) -> Self {
        let (server, rest) = match server_end(text) {
            Some((server, rest)) => (Host::parse(server), rest),
            None => (None, text),
        };
        let end = rest.bytes().position(|b| matches!(b, b',' | b':'));
        let (path, options) = match end.and_then(|at| rest.split_at_checked(at)) {
            Some((path, options)) => (path, options.get(1..).unwrap_or_default()),
            None => (rest, ""),
        };
        Self {
            server,
            path: (!path.is_empty()).then(|| path.into()),
            options: options.into(),
            v4,
        }
    }

    /// `nfsroot=` of the kernel.
    pub fn kernels(nfsroot: Option<&[u8]>) -> Self {
        let text = nfsroot.and_then(|text| core::str::from_utf8(text).ok());
        text.map(|text| Self::parse(text, false))
            .unwrap_or_default()
    }

    /// What is not said here is as `other` says.
    pub fn or(mut self, other: &Self) -> Self {
        self.server = self.server.or_else(|| other.server.clone());
        if self.path.is_none() {
            self.path.clone_from(&other.path);
            self.v4 |= other.v4;
        }
        if self.options.is_empty() {
            self.options.clone_from(&other.options);
        }
        self
    }

    /// The path with `%s` as this machine's name, as the kernel has it: its host name, or its
    /// address where it has none.
    pub fn path_for(&self, machine: &str) -> String {
        let path = self.path.as_deref().unwrap_or(USUAL_PATH);
        match cut(path, "%s") {
            Some((before, behind)) => [before, machine, behind].concat(),
            None => path.into(),
        }
    }

    /// The versions to try, in this order: one, where the options name it.
    pub fn versions(&self, flags: &Text) -> Vec<String> {
        let mut all = words(&self.options).chain(words(flags.as_str().unwrap_or_default()));
        let mut named = None;
        for word in all.by_ref() {
            named = version(word).or(named);
        }
        let listed = |versions: &[&str]| versions.iter().map(|v| String::from(*v)).listed();
        match named {
            // As mount.nfs(8) has it: the newest of 4.
            Some("4") => listed(VERSIONS.get(..3).unwrap_or_default()),
            Some(version) => listed(&[version]),
            None if self.v4 => listed(VERSIONS.get(..3).unwrap_or_default()),
            None => listed(&VERSIONS),
        }
    }

    /// Where the server listens.
    pub fn port(&self, flags: &Text) -> u16 {
        const NFS: u16 = 2049;
        let all = words(&self.options).chain(words(flags.as_str().unwrap_or_default()));
        let port = all.filter_map(|word| word.strip_prefix("port=")).last();
        port.and_then(|port| port.parse().ok()).unwrap_or(NFS)
    }

    /// The options for one attempt. `own`: this machine's address on the way to the server.
    /// `flags`: `rootflags=`, which come last and so win.
    pub fn options_for(
        &self,
        version: &str,
        server: IpAddr,
        own: Option<IpAddr>,
        flags: &Text,
    ) -> Text {
        let mut text = format!("vers={version},addr={server}");
        match own.filter(|_| version.starts_with('4')) {
            Some(own) => text.push_str(&format!(",clientaddr={own}")),
            None if version.starts_with('4') => {}
            // The helpers for locks of version 3 do not run before root is there.
            None if server.is_ipv6() => text.push_str(",proto=tcp6,mountproto=tcp6,nolock"),
            None => text.push_str(",proto=tcp,mountproto=tcp,nolock"),
        }
        let flags = flags.as_str().unwrap_or_default();
        for word in words(&self.options).chain(words(flags)) {
            if self::version(word).is_none() && word != "auto" {
                text.push(',');
                text.push_str(word);
            }
        }
        Text::from(text)
    }

    /// What the kernel takes as the device: `192.0.2.1:/srv/root`.
    pub fn source(&self, server: IpAddr, machine: &str) -> String {
        let path = self.path_for(machine);
        [&Host::Address(server).to_string(), ":", &path].concat()
    }
}

/// What stands before the `:/` behind a server, and the path from the `/` on.
fn server_end(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('/') {
        return None;
    }
    let (server, _) = cut(text, ":/")?;
    let rest = text.get(server.len().saturating_add(1)..)?;
    Some((server, rest))
}

fn words(options: &str) -> impl Iterator<Item = &str> {
    options.split(',').filter(|word| !word.is_empty())
}

/// The version that this option names.
fn version(word: &str) -> Option<&str> {
    match word {
        "v3" | "v4" | "v4.0" | "v4.1" | "v4.2" => word.get(1..),
        _ => word
            .strip_prefix("vers=")
            .or_else(|| word.strip_prefix("nfsvers=")),
    }
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => write!(f, "{server}:")?,
            None => f.write_str("?:")?,
        }
        f.write_str(self.path.as_deref().unwrap_or("?"))?;
        let comma = if self.options.is_empty() { "" } else { "," };
        write!(f, "{comma}{}", self.options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1));

    fn check_options(export: &str, version: &str, flags: &str, expected: &str) {
        let own = Some(IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 7)));
        let found = Export::parse(export, false);
        let found = found.options_for(version, SERVER, own, &Text::from(flags));
        assert_eq!(found, Text::from(expected), "{export} {flags}");
    }

    #[test]
    fn options_hold_what_the_kernel_does_not_find_by_itself() {
        let v3 = "vers=3,addr=192.0.2.1,proto=tcp,mountproto=tcp,nolock";
        let v4 = "vers=4.2,addr=192.0.2.1,clientaddr=192.0.2.7";
        check_options("/a", "3", "", v3);
        check_options("/a", "4.2", "", v4);
        check_options(
            "/a,vers=3,rsize=8192",
            "3",
            "hard",
            &format!("{v3},rsize=8192,hard"),
        );
        check_options(
            "/a,v4.2,nosuid",
            "4.2",
            "nfsvers=4,ro",
            &format!("{v4},nosuid,ro"),
        );
        let v6 = IpAddr::V6(core::net::Ipv6Addr::LOCALHOST);
        let found = Export::parse("/a", true).options_for("4.1", v6, None, &Text::default());
        assert_eq!(found, Text::from("vers=4.1,addr=::1"));
        assert_eq!(Export::parse("/a", true).source(v6, "x"), "[::1]:/a");
        let found = Export::parse("/a", false).options_for("3", v6, None, &Text::default());
        let expected = "vers=3,addr=::1,proto=tcp6,mountproto=tcp6,nolock";
        assert_eq!(found, Text::from(expected));
    }

    #[test]
    fn versions_are_tried_from_the_newest_unless_one_is_named() {
        for (export, v4, flags, expected) in [
            ("/a", false, "", "4.2 4.1 4.0 3"),
            ("/a", true, "", "4.2 4.1 4.0"),
            ("/a,vers=3", false, "", "3"),
            ("/a,nfsvers=4", false, "", "4.2 4.1 4.0"),
            ("/a,v3", false, "vers=4.1", "4.1"),
            ("/a", true, "v3", "3"),
        ] {
            let found = Export::parse(export, v4).versions(&Text::from(flags));
            assert_eq!(found.join(" "), expected, "{export} {flags}");
        }
    }

    #[test]
    fn this_machine_stands_where_the_path_says() {
        for (path, expected) in [
            ("/srv/%s/root", "/srv/box/root"),
            ("/srv/a", "/srv/a"),
            ("/%s%s", "/box%s"),
            ("", "/tftpboot/box"),
        ] {
            assert_eq!(Export::parse(path, false).path_for("box"), expected);
        }
        let lease = Export::parse("192.0.2.9:/lease", true);
        let typed = Export::parse("/typed,ro", false).or(&lease);
        assert_eq!(format!("{typed}"), "192.0.2.9:/typed,ro");
        let open = Export::default().or(&lease);
        assert!(open.v4 && open.path.as_deref() == Some("/lease"));
    }
}
