//! Options of bonds, as typed for the driver, in the form that netlink takes.
//!
//! What the driver's module options alone know (`max_bonds`, `tx_queues`) is not among them, and
//! nothing is checked that the kernel checks itself: which option goes with which mode.
//! Source: Documentation/networking/bonding.rst, drivers/net/bonding/bond_netlink.c (Linux 6.12).

use super::request::Attributes;
use crate::format::net::address::Mac;
use alloc::format;
use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an option's value is.
enum Value {
    /// 8, 16 or 32 bits: a number, or the word at that place.
    Small(&'static [&'static str]),
    Medium,
    Large(&'static [&'static str]),
    /// The name of a link.
    Link,
    /// A list of addresses.
    Ipv4,
    Ipv6,
    Mac,
}

use Value::{Large, Link, Medium, Small};

const ANY: &[&str] = &[];
const OFF_ON: &[&str] = &["off", "on"];
const MODES: &[&str] = &[
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
];
const HASHES: &[&str] = &[
    "layer2",
    "layer3+4",
    "layer2+3",
    "encap2+3",
    "encap3+4",
    "vlan+srcmac",
];
const ARP_CHECKS: &[&str] = &[
    "none",
    "active",
    "backup",
    "all",
    "filter",
    "filter_active",
    "filter_backup",
];

/// Names, `IFLA_BOND_*`, and kinds of values. `active_slave` is left out: it is a state.
const OPTIONS: &[(&str, u16, Value)] = &[
    ("mode", 1, Small(MODES)),
    ("miimon", 3, Large(ANY)),
    ("updelay", 4, Large(ANY)),
    ("downdelay", 5, Large(ANY)),
    ("use_carrier", 6, Small(OFF_ON)),
    ("arp_interval", 7, Large(ANY)),
    ("arp_ip_target", 8, Value::Ipv4),
    ("arp_validate", 9, Large(ARP_CHECKS)),
    ("arp_all_targets", 10, Large(&["any", "all"])),
    ("primary", 11, Link),
    (
        "primary_reselect",
        12,
        Small(&["always", "better", "failure"]),
    ),
    ("fail_over_mac", 13, Small(&["none", "active", "follow"])),
    ("xmit_hash_policy", 14, Small(HASHES)),
    ("resend_igmp", 15, Large(ANY)),
    // Two names of one thing.
    ("num_grat_arp", 16, Small(ANY)),
    ("num_unsol_na", 16, Small(ANY)),
    ("all_slaves_active", 17, Small(OFF_ON)),
    ("min_links", 18, Large(ANY)),
    ("lp_interval", 19, Large(ANY)),
    ("packets_per_slave", 20, Large(ANY)),
    ("lacp_rate", 21, Small(&["slow", "fast"])),
    ("ad_select", 22, Small(&["stable", "bandwidth", "count"])),
    ("ad_actor_sys_prio", 24, Medium),
    ("ad_user_port_key", 25, Medium),
    ("ad_actor_system", 26, Value::Mac),
    ("tlb_dynamic_lb", 27, Small(OFF_ON)),
    ("peer_notif_delay", 28, Large(ANY)),
    ("lacp_active", 29, Small(OFF_ON)),
    ("arp_missed_max", 30, Small(ANY)),
    ("ns_ip6_target", 31, Value::Ipv6),
];

/// Sixteen is all that the driver takes (`BOND_MAX_ARP_TARGETS`).
const MOST_TARGETS: u16 = 16;

/// The options of a bond that is made. `index_of` tells the index of a link by its name.
///
/// The error names the option that is unknown, or whose value is.
pub fn options(
    typed: &[(String, String)],
    index_of: &dyn Fn(&str) -> Option<u32>,
) -> Result<Attributes, String> {
    let mut all = Attributes::default();
    for (name, value) in typed {
        let Some((_, kind, form)) = OPTIONS.iter().find(|(known, ..)| known == name) else {
            return Err(format!("bonds have no option {name}"));
        };
        if add(&mut all, *kind, form, value, index_of).is_none() {
            return Err(match form {
                Link => format!("{name}={value}: there is no link {value}"),
                _ => format!("{name}={value}: the option has no such value"),
            });
        }
    }
    Ok(all)
}

fn add(
    all: &mut Attributes,
    kind: u16,
    form: &Value,
    value: &str,
    index_of: &dyn Fn(&str) -> Option<u32>,
) -> Option<()> {
    match form {
        Small(words) => all.u8(kind, number(words, value)?.try_into().ok()?),
        Medium => all.u16(kind, value.parse().ok()?),
        Large(words) => all.u32(kind, number(words, value)?),
        Link => all.u32(kind, index_of(value)?),
        Value::Mac => all.bytes(kind, &Mac::parse(value)?.0),
        Value::Ipv4 => all.nested(
            kind,
            &targets(value, |v| Some(v.parse::<Ipv4Addr>().ok()?.into()))?,
        ),
        Value::Ipv6 => all.nested(
            kind,
            &targets(value, |v| Some(v.parse::<Ipv6Addr>().ok()?.into()))?,
        ),
    }
    Some(())
}

fn number(words: &[&str], value: &str) -> Option<u32> {
    match words.iter().position(|word| *word == value) {
        Some(place) => place.try_into().ok(),
        None => value.parse().ok(),
    }
}

/// Where options are separated by commas, as in `bond=`, addresses are by semicolons.
fn targets(value: &str, parse: fn(&str) -> Option<IpAddr>) -> Option<Attributes> {
    let mut all = Attributes::default();
    for (number, target) in (0u16..).zip(value.split([',', ';'])) {
        let address = parse(target).filter(|_| number < MOST_TARGETS)?;
        all.address(number, address);
    }
    Some(all)
}
