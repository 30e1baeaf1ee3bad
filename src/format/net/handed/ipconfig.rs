//! `/run/net-LINK.conf`: what klibc's ipconfig leaves behind, as assignments of a shell.
//!
//! Who reads it: scripts of Debian's initramfs-tools, and those that packages hook in, source it.
//! cloud-init takes it apart (cloudinit/net/cmdline.py): where `ip=` is on the command line, the
//! link is configured as the file says, and not by its own sources; `PROTO` is `dhcp` or `none`,
//! `IPV6PROTO` is `dhcp6` or `none`. It knows no word for an address that a router gave.
//!
//! Each value is in single quotes, within which a shell sees nothing but the quote that ends them.
//! Where there is no value it is empty, and not missing: scripts source the files of several
//! links, one after the other.
//! Source: klibc, usr/kinit/ipconfig (main.c, README.ipconfig). `IPV6…`: initramfs-tools.

use super::{File, Handed, visible};
use crate::base::list::Listed;
use crate::base::text::{Joined, Text};
use crate::format::net::address::Network;
use crate::format::net::domain::Name;
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Display;
use core::net::{IpAddr, Ipv4Addr};

/// `None`: the link has a name that cannot be in a path.
pub fn net_conf(handed: &Handed<'_>) -> Option<File> {
    let link = handed.link()?;
    let mut out = Assignments::default();
    out.text("DEVICE", link);
    let dhcp4 = handed.how.dhcp4.is_some();
    let protocol = if dhcp4 { "dhcp" } else { "none" };
    out.text("PROTO", protocol);
    ipv4(handed, &mut out);
    ipv6(handed, &mut out);
    let name = |name: &Option<Name>| name.as_ref().map(|n| n.as_str().into());
    out.value("HOSTNAME", name(&handed.hostname()));
    out.value("DNSDOMAIN", name(&handed.domain()));
    out.text("NISDOMAIN", "");
    out.value("ROOTSERVER", shown(handed.root_server()));
    let path = |text: Option<&Text>| text.and_then(visible).map(String::from);
    let leased = handed.leased(|lease| path(lease.root_path.as_ref()));
    out.value("ROOTPATH", path(handed.root_path).or(leased));
    let file = handed.leased(|lease| path(lease.boot_file.as_ref()));
    out.value("filename", file);
    out.value("UPTIME", shown(Some(handed.uptime_s)));
    let lifetime = handed.leased(|lease| Some(lease.lifetime));
    out.value("DHCPLEASETIME", shown(Some(lifetime.unwrap_or(0))));
    let search = handed.all_search();
    let search = search.iter().map(Name::as_str).listed();
    out.text("DOMAINSEARCH", &search.joined(" "));
    Some(File {
        path: format!("/run/net-{link}.conf"),
        mode: 0o644,
        bytes: out.0.into_bytes(),
    })
}

fn ipv4(handed: &Handed<'_>, out: &mut Assignments) {
    let first = handed.networks().find_map(|network| {
        let Network { address, prefix } = network;
        match address {
            IpAddr::V4(v4) => Some((v4, mask(prefix))),
            IpAddr::V6(_) => None,
        }
    });
    let [address, mask] = [first.map(|f| f.0), first.map(|f| f.1)];
    let all = first.map(|(address, mask)| Ipv4Addr::from(u32::from(address) | !u32::from(mask)));
    out.value("IPV4ADDR", shown(address));
    out.value("IPV4BROADCAST", shown(all));
    out.value("IPV4NETMASK", shown(mask));
    out.value("IPV4GATEWAY", shown(handed.gateway(false)));
    servers("IPV4DNS", handed, false, out);
}

fn ipv6(handed: &Handed<'_>, out: &mut Assignments) {
    let first = handed.networks().find(|network| network.address.is_ipv6());
    let protocol = match handed.how.address_by_dhcp6() {
        Some(_) => "dhcp6",
        None => "none",
    };
    out.value("IPV6PROTO", first.map(|_| protocol.into()));
    out.value("IPV6ADDR", shown(first.map(|network| network.address)));
    out.value("IPV6NETMASK", shown(first.map(|network| network.prefix)));
    out.value("IPV6GATEWAY", shown(handed.gateway(true)));
    servers("IPV6DNS", handed, true, out);
}

/// The first two name servers, of this family.
fn servers(key: &str, handed: &Handed<'_>, v6: bool, out: &mut Assignments) {
    let all = handed.all_dns();
    let mut all = all.iter().filter(|server| server.is_ipv6() == v6);
    out.value(&format!("{key}0"), shown(all.next()));
    out.value(&format!("{key}1"), shown(all.next()));
}

fn mask(prefix: u8) -> Ipv4Addr {
    let away = 32u32.saturating_sub(u32::from(prefix));
    u32::MAX.checked_shl(away).unwrap_or(0).into()
}

fn shown(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[derive(Default)]
struct Assignments(String);

impl Assignments {
    fn value(&mut self, key: &str, value: Option<String>) {
        self.text(key, &value.unwrap_or_default());
    }

    /// A quote in the value ends the quotes, stands behind a backslash, and begins them again.
    fn text(&mut self, key: &str, value: &str) {
        self.0.push_str(key);
        self.0.push_str("='");
        for c in value.chars() {
            match c {
                '\'' => self.0.push_str("'\\''"),
                c => self.0.push(c),
            }
        }
        self.0.push_str("'\n");
    }
}
