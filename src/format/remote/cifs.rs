//! Shares of SMB servers, which the kernel mounts as `cifs`.
//!
//! `root=cifs://[USER[:PASSWORD]@]SERVER/SHARE[/PATH][,OPTIONS]` is dracut's (with `cifsuser=` and
//! `cifspass=`), `root=/dev/cifs cifsroot=//SERVER/SHARE[,OPTIONS]` the kernel's. What
//! mount.cifs(8) adds is added here: the server's address. A password on the command line is no
//! secret to whoever reads /proc/cmdline: it is passed on as it stands.
//! Sources: Documentation/admin-guide/cifs, fs/smb/client/cifsroot.c, dracut.cmdline(7).

use super::Host;
use crate::base::text::{Text, cut_last};
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub host: Host,
    /// `SHARE[/PATH]`.
    pub path: String,
    pub user: String,
    pub password: String,
    /// As typed, with commas.
    pub options: String,
}

impl Share {
    /// What stands behind `cifs:` or in `cifsroot=`: `//[USER[:PASSWORD]@]SERVER/PATH[,OPTIONS]`.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("//")?;
        let (place, options) = rest.split_once(',').unwrap_or((rest, ""));
        let (who, place) = cut_last(place, "@").unwrap_or(("", place));
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let (host, path) = place.split_once('/')?;
        let path = path.trim_end_matches('/');
        (!path.is_empty()).then_some(())?;
        Some(Self {
            host: Host::parse(host)?,
            path: path.into(),
            user: user.into(),
            password: password.into(),
            options: options.into(),
        })
    }

    /// What the kernel takes as the device.
    pub fn source(&self) -> String {
        format!("//{}/{}", self.host, self.path)
    }

    /// Where the server listens.
    pub fn port(&self) -> u16 {
        const SMB: u16 = 445;
        let mut words = self.options.split(',');
        let port = words.find_map(|word| word.strip_prefix("port="));
        port.and_then(|port| port.parse().ok()).unwrap_or(SMB)
    }

    /// The options of the mount. `flags`: `rootflags=`, which come last and so win.
    pub fn options_for(&self, server: IpAddr, flags: &Text) -> Text {
        let mut text = format!("ip={server}");
        let said = |key: &str| {
            let mut words = self.options.split(',');
            words.any(|word| word.split_once('=').is_some_and(|(k, _)| k == key))
        };
        if !self.user.is_empty() {
            let Self { user, password, .. } = self;
            text.push_str(&format!(",username={user},password={password}"));
        } else if !["user", "username", "sec"].iter().any(|key| said(key)) {
            // Whoever asks for nobody is nobody; the kernel wants it said.
            text.push_str(",sec=none");
        }
        let flags = flags.as_str().unwrap_or_default();
        for more in [self.options.as_str(), flags] {
            if !more.is_empty() {
                text.push(',');
                text.push_str(more);
            }
        }
        Text::from(text)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_named_as_dracut_and_the_kernel_name_them() {
        let server = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 1));
        for (text, source, options) in [
            (
                "//192.0.2.1/share",
                "//192.0.2.1/share",
                "ip=192.0.2.1,sec=none",
            ),
            (
                "//me:se@cret@store/share/root/,vers=3.0",
                "//store/share/root",
                "ip=192.0.2.1,username=me,password=se@cret,vers=3.0",
            ),
            (
                "//store/share,username=me,password=x,port=4450",
                "//store/share",
                "ip=192.0.2.1,username=me,password=x,port=4450",
            ),
        ] {
            let share = Share::parse(text).unwrap();
            assert_eq!(share.source(), source);
            let found = share.options_for(server, &Text::default());
            assert_eq!(found, Text::from(options), "{text}");
        }
        assert_eq!(Share::parse("//a/b,port=4450").unwrap().port(), 4450);
        for odd in [
            "",
            "//",
            "//store",
            "//store/",
            "/store/share",
            "//a b/share",
        ] {
            assert_eq!(Share::parse(odd), None, "{odd}");
        }
    }
}
