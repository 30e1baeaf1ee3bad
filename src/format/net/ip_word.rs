//! `ip=`, and `nfsaddrs=` as it was called first.
//!
//! | Form | Whose |
//! |---|---|
//! | `METHOD[,METHOD…]`, `dhcp,TYPE,VALUE` | everybody's; client identifiers the kernel's |
//! | `LINK:METHOD[:…]` | dracut's and systemd's |
//! | `CLIENT:SERVER:GATEWAY:MASK:HOST:LINK:METHOD[:…]` | everybody's |
//! | `…:DNS[:DNS[:NTP]]` | the kernel's, dracut's without `NTP` |
//! | `…:MTU[:MAC]` | dracut's and systemd's |
//!
//! The forms are told apart by what stands in them, so that each end may follow each beginning.
//! Where the authors mean different things by the same word, these rules hold:
//! - What the second field of the long form names is a server, as for the kernel. It is the other
//!   end of the link besides, as for dracut and systemd, where nothing else could lead to it: it
//!   is not in the link's network, and there is no gateway, or it is the gateway. With a prefix
//!   it is that other end and no server.
//! - With an address, `on`, `any` and no method ask nobody, as in the kernel. What asks by name
//!   (`dhcp`, `auto6`, …) is asked besides the address, as systemd does.
//! - A prefix behind the second field counts before one behind the address, that before the mask.
//!   Without any of them the prefix is that of the address's class, as in the kernel; of IPv6, 64.
//! - `0.0.0.0` and `::` are as good as nothing, everywhere.
//! - A method that nobody knows, and BOOTP and RARP, which are not spoken here, are DHCP.
//!
//! Sources: Documentation/admin-guide/nfs/nfsroot.rst and net/ipv4/ipconfig.c of the kernel (6.12),
//! dracut.cmdline(7), systemd-network-generator(8), initramfs-tools(7).

use super::address::Network;
use super::fields::{Fields, PASSED, address, mtu, odd_field, prefix_for, with_prefix};
use super::wanted::{Method, Setup, Which};
use crate::base::list::Listed;
use crate::base::text::Text;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

/// `__NEW_UTS_LEN` (include/uapi/linux/utsname.h): bytes of a name of a host or of its domain.
const HOST_MAX: usize = 64;

/// Bytes of a client identifier behind its type, as many as the kernel keeps.
const CLIENT_ID_MAX: usize = 251;

/// What one word asks for. Nothing: no address for any link. What is odd becomes the rest of a
/// sentence that begins with the word.
pub fn read(value: &[u8], odd: &mut Vec<String>) -> Vec<Setup> {
    // As in the kernel. A field that is empty asks for whatever there is.
    if value.is_empty() {
        return Vec::new();
    }
    let mut word = Reading {
        fields: Fields::of(value),
        setup: Setup::default(),
        odd,
    };
    // The value of a client identifier may have colons in it.
    if word.client_id(value) {
        return alloc::vec![word.setup];
    }
    let methods = word.beginning();
    word.tail();
    word.fields.end(word.odd);
    if methods == [Method::Up] && word.setup == Setup::default() {
        return Vec::new();
    }
    // The first has what the word says, the others are about the same link.
    let link = word.setup.link.clone();
    let mut first = Some(word.setup);
    let each = methods.into_iter().map(|method| {
        let rest = first.take().unwrap_or_else(|| Setup {
            link: link.clone(),
            ..Setup::default()
        });
        Setup { method, ..rest }
    });
    each.listed()
}

struct Reading<'a, 'b> {
    fields: Fields<'a>,
    setup: Setup,
    odd: &'b mut Vec<String>,
}

impl Reading<'_, '_> {
    /// Everything up to the method.
    fn beginning(&mut self) -> Vec<Method> {
        if with_prefix(self.fields.peek()).is_some() {
            return self.long_form();
        }
        if let Some(mac) = self.fields.mac() {
            self.setup.link = Some(Which::Mac(mac));
            return self.methods();
        }
        let second = self.fields.second();
        match self.fields.count() {
            1 => self.methods(),
            count if is_method(second) || count == 2 && address(second).is_none() => {
                self.setup.link = self.fields.link(self.odd);
                self.methods()
            }
            _ => self.long_form(),
        }
    }

    /// `CLIENT:SERVER:GATEWAY:MASK:HOST:LINK:METHOD`.
    fn long_form(&mut self) -> Vec<Method> {
        let client = self.read("address", with_prefix, "there is none");
        let client = client.filter(|(address, _)| !address.is_unspecified());
        let server = self.read("server", with_prefix, PASSED);
        let gateway = self.read("gateway", address, "none is set");
        self.setup.gateway = gateway.filter(|gateway| !gateway.is_unspecified());
        let mask = self.fields.next();
        if let Some((address, own)) = client {
            let like = |(server, _): &(IpAddr, _)| server.is_ipv4() == address.is_ipv4();
            let prefix = server.filter(like).and_then(|(_, prefix)| prefix).or(own);
            let prefix = prefix.unwrap_or_else(|| self.mask(address, mask));
            self.setup.address = Network::new(address, prefix);
        } else if !mask.is_empty() && prefix_for(Ipv4Addr::UNSPECIFIED.into(), mask) != Some(0) {
            let is = "of no use without an address";
            odd_field(self.odd, "mask", mask, is, PASSED);
        }
        if let Some((server, prefix)) = server.filter(|(server, _)| !server.is_unspecified()) {
            self.server_or_peer(server, prefix.is_some());
        }
        self.host();
        self.setup.link = self.fields.link(self.odd);
        self.methods()
    }

    /// The next field by `read`, if it is not empty.
    fn read<T>(&mut self, what: &str, read: fn(&str) -> Option<T>, instead: &str) -> Option<T> {
        let field = self.fields.next();
        let found = read(field);
        if found.is_none() && !field.is_empty() {
            odd_field(self.odd, what, field, "no address", instead);
        }
        found
    }

    /// The prefix that the mask says, or the usual one.
    fn mask(&mut self, address: IpAddr, mask: &str) -> u8 {
        let prefix = prefix_for(address, mask);
        if prefix.is_none() && !mask.is_empty() {
            let instead = "the usual one for the address is taken";
            odd_field(self.odd, "mask", mask, "none", instead);
        }
        let class = match address {
            IpAddr::V6(_) => 64,
            IpAddr::V4(v4) => match v4.octets() {
                [..128, _, _, _] => 8,
                [..192, _, _, _] => 16,
                [..224, _, _, _] => 24,
                _ => 32,
            },
        };
        prefix.filter(|prefix| *prefix > 0).unwrap_or(class)
    }

    /// See the rules above.
    fn server_or_peer(&mut self, server: IpAddr, with_prefix: bool) {
        let like = |network: &Network| network.address.is_ipv4() == server.is_ipv4();
        let Some(network) = self.setup.address.filter(like) else {
            self.setup.server = Some(server);
            if with_prefix {
                let sentence = "has a prefix behind the server and no address that it is about";
                self.odd.push(format!("{sentence}; {PASSED}"));
            }
            return;
        };
        let gateway = self.setup.gateway;
        let no_way = !network.holds(server) && gateway.is_none_or(|gateway| gateway == server);
        self.setup.server = (!with_prefix).then_some(server);
        self.setup.peer = (with_prefix || no_way).then_some(server);
    }

    fn host(&mut self) {
        let field = self.fields.next();
        let (host, domain) = field.split_once('.').unwrap_or((field, ""));
        let fits = |name: &str| {
            name.len() <= HOST_MAX && !name.contains(|c: char| c.is_control() || c == '/')
        };
        let some = |name: &str| (!name.is_empty()).then(|| Text::from(name));
        if fits(host) && fits(domain) && (field.is_empty() || !host.is_empty()) {
            (self.setup.hostname, self.setup.nis_domain) = (some(host), some(domain));
        } else {
            let (what, is) = ("host name", "none that the kernel takes whole");
            odd_field(self.odd, what, field, is, PASSED);
        }
    }

    /// Takes the field that lists methods. There is one at least.
    fn methods(&mut self) -> Vec<Method> {
        let typed = self.fields.next();
        let mut methods = Vec::new();
        if self.client_id(typed.as_bytes()) {
            methods.push(Method::Dhcp4);
            return methods;
        }
        for name in typed.split(',') {
            let known = method(name, self.setup.address.is_some());
            let is = match name {
                "bootp" | "rarp" | "both" => "not spoken here",
                _ => "none that is known here",
            };
            let method = known.unwrap_or_else(|| {
                let instead = "DHCP is asked instead";
                odd_field(self.odd, "method", name, is, instead);
                Method::Dhcp4
            });
            if !methods.contains(&method) {
                methods.push(method);
            }
        }
        // An address that is typed holds whatever else is asked for.
        if methods.len() > 1 {
            methods.retain(|method| !matches!(method, Method::Up | Method::Static));
        }
        methods
    }

    /// `dhcp,TYPE,VALUE` of the kernel: is it this? The value's bytes are sent as typed.
    fn client_id(&mut self, typed: &[u8]) -> bool {
        let behind = typed.strip_prefix(b"dhcp,").unwrap_or_default();
        let mut parts = behind.splitn(2, |&b| b == b',');
        let (Some(kind), Some(value)) = (parts.next(), parts.next()) else {
            return false;
        };
        let kind = core::str::from_utf8(kind).unwrap_or("?");
        if !kind.is_empty() && method(kind, false).is_some() {
            return false;
        }
        let number = match kind.strip_prefix("0x") {
            Some(hex) => u8::from_str_radix(hex, 16),
            None => kind.parse(),
        };
        let what = "client identifier's type";
        let number = number.unwrap_or_else(|_| {
            let is = "no number up to 255";
            odd_field(self.odd, what, kind, is, "0 is taken");
            0
        });
        if value.is_empty() {
            self.odd
                .push("has an empty client identifier; none is sent".into());
            return true;
        }
        if value.len() > CLIENT_ID_MAX {
            self.odd
                .push("has a long client identifier; its first 251 bytes are sent".into());
        }
        let value = value.get(..CLIENT_ID_MAX).unwrap_or(value);
        self.setup.client_id = Some([&[number], value].concat());
        true
    }

    /// What follows the method: name servers and a time server, or MTU and hardware address.
    fn tail(&mut self) {
        const WHAT: [&str; 3] = [
            "MTU or name server",
            "hardware address or name server",
            "time server",
        ];
        for (place, what) in WHAT.into_iter().enumerate() {
            if let Some(mac) = self.fields.mac() {
                self.setup.mac = Some(mac);
                continue;
            }
            let field = self.fields.next();
            match (address(field), mtu(field)) {
                (Some(nothing), _) if nothing.is_unspecified() => {}
                (Some(server), _) if place < 2 => self.setup.dns.push(server),
                (Some(server), _) => self.setup.ntp.push(server),
                (None, Some(mtu)) if place == 0 => self.setup.mtu = Some(mtu),
                _ if field.is_empty() => {}
                _ => odd_field(self.odd, what, field, "none", PASSED),
            }
        }
    }
}

/// The method of this name; `fixed`: the word has an address.
fn method(name: &str, fixed: bool) -> Option<Method> {
    Some(match name {
        "none" | "off" | "static" if fixed => Method::Static,
        "none" | "off" | "static" => Method::Up,
        "" | "on" | "any" | "all" | "both" | "bootp" | "rarp" if fixed => Method::Static,
        "" | "on" | "any" | "all" => Method::Dhcp4,
        "dhcp" | "dhcp4" | "single-dhcp" | "single_dhcp" => Method::Dhcp4,
        "dhcp6" => Method::Dhcp6,
        "auto6" => Method::Auto6,
        "either6" => Method::Either6,
        "link6" | "link-local" => Method::LinkLocal,
        "ibft" => Method::Firmware,
        _ => return None,
    })
}

/// Does a field begin with a method that is known?
fn is_method(field: &str) -> bool {
    let first = field.split(',').next().unwrap_or_default();
    // BOOTP and the like are known if there is an address.
    !first.is_empty() && method(first, true).is_some()
}

#[cfg(test)]
mod tests;
