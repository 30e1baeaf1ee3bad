//! Words about links that are made of others, and about their names: `vlan=`, `bond=`, `bridge=`,
//! `ifname=`, `BOOTIF=`, and about ways to networks: `rd.route=`.
//!
//! An error is the rest of a sentence about the whole word. What is odd about a part of it goes to
//! `odd` in the same form.
//!
//! Sources: dracut.cmdline(7), Documentation/networking/bonding.rst, the PXELINUX manual (`IPAPPEND
//! 2`).

use super::address::{Mac, Network, Route};
use super::fields::{Fields, PASSED, address, is_name, mtu, odd_field, with_prefix};
use super::wanted::{Made, MadeOf, Which};
use crate::base::list::Listed;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// The kernel keeps 4095 for itself (`VLAN_VID_MASK`).
const VLAN_MAX: u16 = 4094;

const NO_NAME: &str = "has no name that a link can have; it is ignored";

/// `vlan=NAME:PARENT`. The number is at the end of the name, whatever is in front of it.
pub fn vlan(value: &[u8]) -> Result<Made, &'static str> {
    let mut fields = Fields::of(value);
    let (name, parent) = (fields.next(), fields.next());
    let front = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.strip_prefix(front).unwrap_or_default().parse().ok();
    let number = number.filter(|number| *number <= VLAN_MAX && !front.is_empty());
    match number {
        _ if !is_name(name) => Err(NO_NAME),
        _ if !is_name(parent) || fields.count() > 0 => {
            Err("is not a name and the link below; it is ignored")
        }
        None => Err("ends its name in no number from 0 to 4094; it is ignored"),
        Some(number) => Ok(Made {
            name: name.into(),
            kind: MadeOf::Vlan(number),
            of: alloc::vec![parent.into()],
            mtu: None,
        }),
    }
}

/// `bond[=NAME[:LINKS[:OPTIONS[:MTU]]]]`.
pub fn bond(value: &[u8], odd: &mut Vec<String>) -> Result<Made, &'static str> {
    let mut fields = Fields::of(value);
    let name = or(fields.next(), "bond0");
    let of = links(or(fields.next(), "eth0,eth1"), odd);
    let comma = |c: char| if c == ';' { ',' } else { c };
    let mut options = Vec::new();
    for option in or(fields.next(), "mode=balance-rr").split(',') {
        match option.split_once('=') {
            // A comma within a list is typed as a semicolon.
            Some((name, list)) => options.push((name.into(), list.chars().map(comma).collect())),
            None if option.is_empty() => {}
            None => odd_field(odd, "option", option, "not NAME=VALUE", PASSED),
        }
    }
    let typed = fields.next();
    let mtu = mtu(typed);
    if mtu.is_none() && !typed.is_empty() {
        odd_field(odd, "MTU", typed, "none", PASSED);
    }
    fields.end(odd);
    let kind = MadeOf::Bond(options);
    made(name, kind, of, mtu)
}

/// `bridge[=NAME[:LINKS]]`.
pub fn bridge(value: &[u8], odd: &mut Vec<String>) -> Result<Made, &'static str> {
    let mut fields = Fields::of(value);
    let name = or(fields.next(), "br0");
    let of = links(or(fields.next(), "eth0"), odd);
    fields.end(odd);
    made(name, MadeOf::Bridge, of, None)
}

fn made(name: &str, kind: MadeOf, of: Vec<String>, mtu: Option<u32>) -> Result<Made, &'static str> {
    let name = is_name(name).then(|| name.into()).ok_or(NO_NAME)?;
    Ok(Made {
        name,
        kind,
        of,
        mtu,
    })
}

fn or<'a>(typed: &'a str, default: &'a str) -> &'a str {
    if typed.is_empty() { default } else { typed }
}

fn links(typed: &str, odd: &mut Vec<String>) -> Vec<String> {
    let (names, others): (Vec<&str>, Vec<&str>) = typed.split(',').partition(|name| is_name(name));
    for other in others.into_iter().filter(|other| !other.is_empty()) {
        odd_field(odd, "link", other, "no name of one", PASSED);
    }
    names.into_iter().map(String::from).listed()
}

/// `ifname=NAME:MAC`.
pub fn name(value: &[u8]) -> Result<(String, Mac), &'static str> {
    let mut fields = Fields::of(value);
    let name = fields.next();
    match fields.mac().filter(|_| fields.count() == 0) {
        _ if !is_name(name) => Err(NO_NAME),
        None => Err("has no hardware address of Ethernet behind the name; it is ignored"),
        Some(mac) => Ok((name.into(), mac)),
    }
}

/// `BOOTIF=`: a hardware address, with `:` or `-`, and the type of the hardware in front of it.
pub fn boot_link(value: &[u8]) -> Option<Mac> {
    let text = core::str::from_utf8(value).ok()?;
    let behind = |(kind, behind): (&str, &'_ str)| {
        let hex = kind.len() == 2 && kind.bytes().all(|b| b.is_ascii_hexdigit());
        hex.then(|| Mac::parse(behind)).flatten()
    };
    Mac::parse(text).or_else(|| text.split_once([':', '-']).and_then(behind))
}

/// `bootdev=LINK`.
pub fn link(value: &[u8], odd: &mut Vec<String>) -> Option<Which> {
    let mut fields = Fields::of(value);
    let link = fields.link(odd);
    fields.end(odd);
    link
}

/// `rd.route=NETWORK[/PREFIX]:GATEWAY[:LINK]`; the gateway or the link may be left out.
pub fn route(value: &[u8], odd: &mut Vec<String>) -> Result<Route, &'static str> {
    let mut fields = Fields::of(value);
    let to = with_prefix(fields.next());
    let to = to.and_then(|(to, prefix)| Network::new(to, prefix.unwrap_or(Network::longest(to))));
    let to = to.ok_or("names no network; it is ignored")?;
    let typed = fields.next();
    let via = address(typed).filter(|via| via.is_ipv4() == to.address.is_ipv4());
    if via.is_none() && !typed.is_empty() {
        return Err("names no gateway of the network's kind; it is ignored");
    }
    let via = via.filter(|via| !via.is_unspecified());
    let link = match (fields.mac(), fields.next()) {
        (None, name) if is_name(name) => Some(name.into()),
        (None, "") => None,
        _ => return Err("names no link by its name; it is ignored"),
    };
    fields.end(odd);
    if via.is_none() && link.is_none() {
        return Err("names neither gateway nor link; it is ignored");
    }
    let to = to.first();
    Ok(Route { to, via, link })
}

/// `nameserver=`: an address.
pub fn name_server(value: &[u8]) -> Option<IpAddr> {
    address(core::str::from_utf8(value).ok()?).filter(|server| !server.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::text::Joined;
    use alloc::format;
    use alloc::string::ToString;

    /// `expected`: what is made, or the error, and then ` ! ` and the beginning of each complaint.
    fn check<T>(
        read: impl Fn(&[u8], &mut Vec<String>) -> Result<T, &'static str>,
        show: impl Fn(T) -> String,
        cases: &[(&str, &str)],
    ) {
        for (typed, expected) in cases {
            let mut odd = Vec::new();
            let found = read(typed.as_bytes(), &mut odd);
            let mut parts = expected.split(" ! ");
            let start = parts.next().unwrap();
            match found {
                Ok(found) => assert_eq!(show(found), start, "{typed}"),
                Err(why) => assert!(why.starts_with(start), "{typed}: {why}"),
            }
            let expected: Vec<&str> = parts.collect();
            let same = odd
                .iter()
                .zip(&expected)
                .all(|(odd, start)| odd.starts_with(start));
            assert!(same && odd.len() == expected.len(), "{typed}: {odd:?}");
        }
    }

    fn shown(made: Made) -> String {
        let kind = match made.kind {
            MadeOf::Vlan(number) => format!("vlan {number}"),
            MadeOf::Bond(options) => {
                let option = |(name, value): (String, String)| format!("{name}={value}");
                format!(
                    "bond {}",
                    options.into_iter().map(option).listed().joined(" ")
                )
            }
            MadeOf::Bridge => "bridge".into(),
        };
        let mtu = made.mtu.map_or(String::new(), |mtu| format!(" mtu={mtu}"));
        format!("{} of {}: {kind}{mtu}", made.name, made.of.joined("+"))
    }

    #[test]
    fn a_vlan_has_its_number_at_the_end_of_its_name() {
        check(
            |value, _| vlan(value),
            shown,
            &[
                ("vlan0005:eth0", "vlan0005 of eth0: vlan 5"),
                ("vlan5:eth0", "vlan5 of eth0: vlan 5"),
                ("eth0.0005:eth0", "eth0.0005 of eth0: vlan 5"),
                ("eth0.5:eth0", "eth0.5 of eth0: vlan 5"),
                ("vlan0:bond0", "vlan0 of bond0: vlan 0"),
                ("x4094:eth0", "x4094 of eth0: vlan 4094"),
                ("vlan4095:eth0", "ends its name in no number"),
                ("vlan99999999999:x", "ends its name in no number"),
                ("vlan:eth0", "ends its name in no number"),
                ("5:eth0", "ends its name in no number"),
                ("vlan5", "is not a name and the link"),
                ("vlan5:", "is not a name and the link"),
                ("vlan5:eth0:1500", "is not a name and the link"),
                ("", "has no name"),
                ("a/b5:eth0", "has no name"),
            ],
        );
    }

    #[test]
    fn bonds_and_bridges_have_the_defaults_of_dracut() {
        check(
            bond,
            shown,
            &[
                ("", "bond0 of eth0+eth1: bond mode=balance-rr"),
                ("b", "b of eth0+eth1: bond mode=balance-rr"),
                ("b:x", "b of x: bond mode=balance-rr"),
                (
                    "b:x,y:mode=802.3ad,miimon=100",
                    "b of x+y: bond mode=802.3ad miimon=100",
                ),
                (
                    "b:x,y:arp_ip_target=10.0.0.1;10.0.0.2,arp_interval=200:9000",
                    "b of x+y: bond arp_ip_target=10.0.0.1,10.0.0.2 arp_interval=200 mtu=9000",
                ),
                ("b:x,y::1530", "b of x+y: bond mode=balance-rr mtu=1530"),
                (
                    "b:x,,a/b:mode,miimon=1:big:z",
                    "b of x: bond miimon=1 ! has the link 'a/b' ! has the option 'mode' \
                     ! has the MTU 'big' ! has the further field 'z'",
                ),
                ("a/b:x", "has no name that a link can have"),
            ],
        );
        check(
            bridge,
            shown,
            &[
                ("", "br0 of eth0: bridge"),
                ("b", "b of eth0: bridge"),
                ("b:eth0,eth1", "b of eth0+eth1: bridge"),
                ("b:,eth1,", "b of eth1: bridge"),
                ("b:x:1", "b of x: bridge ! has the further field '1'"),
                ("..:x", "has no name"),
            ],
        );
    }

    #[test]
    fn links_are_renamed_by_their_hardware_address() {
        check(
            |value, _| name(value),
            |(name, mac)| format!("{name} {mac}"),
            &[
                ("net:00:11:22:33:44:55", "net 00:11:22:33:44:55"),
                ("net:00-11-22-AA-44-55", "net 00:11:22:aa:44:55"),
                ("net", "has no hardware address"),
                ("net:00:11:22:33:44", "has no hardware address"),
                ("net:00:11:22:33:44:55:66", "has no hardware address"),
                (":00:11:22:33:44:55", "has no name"),
                ("a b:00:11:22:33:44:55", "has no name"),
            ],
        );
    }

    #[test]
    fn the_boot_loader_names_its_link_by_type_and_address() {
        let mac = Mac::parse("52:54:00:ab:cd:ef");
        for typed in [
            "01-52-54-00-ab-cd-ef",
            "01:52:54:00:AB:CD:EF",
            "06-52-54-00-ab-cd-ef",
            "52-54-00-ab-cd-ef",
            "52:54:00:ab:cd:ef",
        ] {
            assert_eq!(boot_link(typed.as_bytes()), mac, "{typed}");
        }
        for odd in [
            "",
            "01",
            "1-52-54-00-ab-cd-ef",
            "xx-52-54-00-ab-cd-ef",
            "eth0",
            "01-01-52-54",
        ] {
            assert_eq!(boot_link(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn routes_go_over_a_gateway_or_a_link() {
        let shown = |route: Route| {
            let via = route.via.map_or("-".into(), |via| via.to_string());
            format!("{} {via} {}", route.to, route.link.unwrap_or("-".into()))
        };
        check(
            route,
            shown,
            &[
                (
                    "192.168.200.0/24:192.168.100.222:ens10",
                    "192.168.200.0/24 192.168.100.222 ens10",
                ),
                (
                    "192.168.200.0/24:192.168.100.222",
                    "192.168.200.0/24 192.168.100.222 -",
                ),
                ("192.168.200.0/24::ens10", "192.168.200.0/24 - ens10"),
                (
                    "[2001:DB8:3::/8]:[2001:DB8:2::1]:ens10",
                    "2000::/8 2001:db8:2::1 ens10",
                ),
                (
                    "[2001:db8:3::]/48:[2001:db8::1]",
                    "2001:db8:3::/48 2001:db8::1 -",
                ),
                ("10.1.2.3/16:10.0.2.3", "10.1.0.0/16 10.0.2.3 -"),
                ("10.1.0.0/255.255.0.0:10.0.2.3", "10.1.0.0/16 10.0.2.3 -"),
                ("10.1.2.3:10.0.2.3", "10.1.2.3/32 10.0.2.3 -"),
                ("0.0.0.0/0:10.0.2.3", "0.0.0.0/0 10.0.2.3 -"),
                ("10.0.0.0/8:0.0.0.0:eth0", "10.0.0.0/8 - eth0"),
                (
                    "10.0.0.0/8:10.0.2.3:eth0:x",
                    "10.0.0.0/8 10.0.2.3 eth0 ! has the further",
                ),
                ("10.0.0.0/8", "names neither gateway nor link"),
                ("10.0.0.0/8:x", "names no gateway"),
                ("10.0.0.0/8:[fe80::1]:eth0", "names no gateway"),
                ("10.0.0.0/33:10.0.2.3", "names no network"),
                ("", "names no network"),
                ("10.0.0.0/8:10.0.2.3:a/b", "names no link"),
                ("10.0.0.0/8:10.0.2.3:52-54-00-12-34-56", "names no link"),
            ],
        );
    }
}
