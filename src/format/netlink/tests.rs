//! Messages as Linux 6.18 sent them (little-endian), and what is made of damaged ones.
//!
//! From the message about the link, statistics and settings of protocols are cut out.

#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::ack::{Answer, End};
use super::address::{Lifetime, Wanted};
use super::message::{Attributes, Messages};
use super::request::Request;
use super::route::Besides;
use super::*;
use crate::base::hex;
use crate::base::text::Text;
use crate::format::net::address::{Mac, Network, Route};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

/// `veth` with the index 3, up, the other end up.
const LINK: &str = "\
    800000001000000007000000475d000000000100030000004310010000000000090003006574683000000000\
    050010000600000008000400dc05000005002100010000000a00010002000000000100000a000200ffffffff\
    ffff00001000120009000100766574680000000008000500020000000c0006006e6f717565756500";
/// 192.0.2.7/24, 1800 and 3600 seconds.
const ADDRESS: &str = "\
    580000001400020007000000d75c0000021800000300000008000100c000020708000200c000020708000400\
    c00002ff09000300657468300000000008000800000000001400060008070000100e00008235180082351800";
/// The default route via 192.0.2.1, metric 100; then that to the network itself.
const ROUTES: &str = "\
    3c0000001800020007000000d75c000002000000fe0300010000000008000f00fe0000000800060064000000\
    08000500c000020108000400030000003c0000001800020007000000d75c000002180000fe02fd0100000000\
    08000f00fe00000008000100c000020008000700c00002070800040003000000";
/// An MTU of 70000 was refused.
const REFUSED: &str = "\
    600000000200000207000000d75c0000eaffffff280000001300050007000000000000000000000003000000\
    00000000000000000800040070110100240001006d74752067726561746572207468616e2064657669636520\
    6d6178696d756d00";

fn told(text: &str) -> Vec<News> {
    let bytes = hex::decode(text.as_bytes()).unwrap();
    Messages(&bytes).filter_map(|m| news(&m)).collect()
}

fn network(text: &str) -> Network {
    Network::parse(text).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_link_is_read_as_the_kernel_tells_it() {
    let expected = Link {
        index: 3,
        name: "eth0".into(),
        mac: Mac::parse("02:00:00:00:00:01"),
        kind: link::ETHERNET,
        up: true,
        carrier: true,
        mtu: 1500,
        made: Some("veth".into()),
        master: None,
        below: Some(2),
        vlan: None,
    };
    assert!(!expected.is_loopback());
    assert_eq!(told(LINK), [News::Link(expected.clone())]);
    // RTM_DELLINK.
    let gone = LINK.replacen("10000000", "11000000", 1);
    assert_eq!(told(&gone), [News::LinkGone(expected)]);
    // AF_BRIDGE: a port left its bridge, and is still there.
    let port = gone.replacen("5d000000000100", "5d000007000100", 1);
    assert_eq!(told(&port), []);
}

#[test]
fn a_carrier_is_there_when_packets_go_through() {
    let carrier = |flags: &str, state: &str| {
        let text = LINK.replacen("43100100", flags, 1);
        let text = text.replacen("0500100006", &["05001000", state].concat(), 1);
        match told(&text).as_slice() {
            [News::Link(link)] => link.carrier,
            other => panic!("{other:?}"),
        }
    };
    for (flags, state, expected) in [
        ("43100100", "06", true),
        // A driver that says nothing more than that the cable is there.
        ("43100100", "00", true),
        // Somebody has to authenticate first: dormant.
        ("43100100", "05", false),
        ("43100000", "02", false),
        // Not raised.
        ("02100100", "06", false),
    ] {
        assert_eq!(carrier(flags, state), expected, "{flags} {state}");
    }
}

#[test]
fn an_address_is_read_with_its_lifetime_and_state() {
    let told = |text: &str| match told(text).as_slice() {
        [News::Address(address)] => address.clone(),
        other => panic!("{other:?}"),
    };
    let address = told(ADDRESS);
    assert_eq!(address.network, network("192.0.2.7/24"));
    assert_eq!(
        (address.link, address.peer, address.local),
        (3, None, false)
    );
    let (valid, preferred) = (3600, 1800);
    assert_eq!(address.lifetime, Lifetime { valid, preferred });
    for (flags, tentative, duplicate, permanent) in [
        ("00000000", false, false, false),
        ("80000000", false, false, true),
        ("40000000", true, false, false),
        ("c8000000", false, true, true),
    ] {
        let text = ADDRESS.replacen("0800080000000000", &["08000800", flags].concat(), 1);
        let address = told(&text);
        assert_eq!(address.is_tentative(), tentative, "{flags}");
        assert_eq!(address.is_duplicate(), duplicate, "{flags}");
        assert_eq!(address.is_permanent(), permanent, "{flags}");
    }
    let peer = told(&ADDRESS.replacen("08000100c0000207", "08000100c0000208", 1));
    assert_eq!(peer.peer, Some(ip("192.0.2.8")));
}

#[test]
fn routes_are_read_with_gateway_and_metric() {
    let told = told(ROUTES);
    let [News::Route(default), News::Route(near)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(default.is_default() && default.protocol == route::BOOT);
    assert_eq!(default.via, Some(ip("192.0.2.1")));
    assert_eq!((default.link, default.metric), (Some(3), 100));
    assert_eq!((near.to, near.via), (network("192.0.2.0/24"), None));
    assert_eq!(near.source, Some(ip("192.0.2.7")));
    assert!(!near.is_default() && near.table == route::MAIN);
}

fn end(text: &str) -> Answer {
    let bytes = hex::decode(text.as_bytes()).unwrap();
    ack::read(&Messages(&bytes).next().unwrap())
}

#[test]
fn a_request_ends_with_a_number_and_words() {
    let ended = |errno: i32, said: &str| {
        let said = Text::from(said);
        Answer::End(End { errno, said })
    };
    assert_eq!(end(REFUSED), ended(22, "mtu greater than device maximum"));
    // Without the flag that attributes follow.
    let older = REFUSED.replacen("02000002", "02000000", 1);
    assert_eq!(end(&older), ended(22, ""));
    // NLM_F_CAPPED: only the header of the request is repeated.
    let capped = "34000000020000030700000000000000ffffffff280000001300050007000000000000000\
        c00010077687900000000000000000000000000";
    assert_eq!(end(&capped.replace(' ', "")), ended(1, "why"));
    let done = "24000000020000010700000000000000000000001000000013000500070000000000000000";
    assert_eq!(end(done), ended(0, ""));
    // NLMSG_DONE, with and without its number.
    assert_eq!(
        end("1400000003000200070000000000000000000000"),
        ended(0, "")
    );
    assert_eq!(end("10000000030002000700000000000000"), ended(0, ""));
    assert_eq!(end(LINK), Answer::Item);
    assert_eq!(end("10000000010000000700000000000000"), Answer::Other);
}

/// Body of a request, behind `struct nlmsghdr`.
fn body(request: &Request) -> String {
    let message = request.message(7);
    let parsed: Vec<_> = Messages(&message).collect();
    assert_eq!((parsed.len(), parsed[0].sequence), (1, 7));
    hex::encode(parsed[0].body)
}

#[test]
fn requests_are_what_headers_say() {
    let raised = link::switch(3, true).message(9);
    let expected = "200000001300050009000000000000000000000003000000\
                    0100000001000000";
    assert_eq!(hex::encode(&raised), expected);
    assert_eq!(
        body(&link::rename(3, "lan0")),
        "00000000030000000000000000000000090003006c616e3000000000"
    );
    let wanted = Wanted::from(network("192.0.2.7/24"));
    assert_eq!(
        body(&address::add(3, &wanted)),
        "021800000300000008000200c000020708000100c000020708000400c00002ff"
    );
    let lifetime = Some(Lifetime {
        valid: 60,
        preferred: address::FOR_EVER,
    });
    let wanted = Wanted {
        peer: Some(ip("192.0.2.1")),
        lifetime,
        ..Wanted::from(network("192.0.2.7/32"))
    };
    assert_eq!(
        body(&address::add(3, &wanted)),
        "022000000300000008000200c000020708000100c0000201\
         140006003c0000003c0000000000000000000000"
    );
    let wanted = Wanted::from(network("192.0.2.7/32")).leased();
    assert_eq!(
        body(&address::add(3, &wanted)),
        "022000000300000008000200c000020708000100c0000207\
         14000600fefffffffeffffff0000000000000000"
    );
    // Bits of the host are not sent.
    let near = Route {
        to: network("198.51.100.9/24"),
        via: None,
        link: None,
    };
    assert_eq!(
        body(&route::add(&near, 3, Besides::default())),
        "02180000fe03fd010000000008000100c63364000800040003000000"
    );
    let default = Route {
        to: network("0.0.0.0/0"),
        via: Some(ip("fe80::1")),
        link: None,
    };
    let besides = Besides {
        metric: Some(100),
        source: None,
        force_link: true,
    };
    assert_eq!(
        body(&route::add(&default, 3, besides)),
        "02000000fe0300010400000008000400030000001600\
         12000a00fe8000000000000000000000000000010000\
         0800060064000000"
    );
}

#[test]
fn a_made_link_carries_its_kind_and_options() {
    let vlan = body(&link::new_vlan("eth0.5", 3, 5));
    let info = "1800 1280 0900 0100 766c616e 00000000 0c00 0280 0600 0100 05000000";
    assert!(
        vlan.contains(&info.replace(' ', "").replacen("1800", "1c00", 1)),
        "{vlan}"
    );
    let bridge = body(&link::new_bridge("br0"));
    assert!(bridge.contains("62726964676500"), "{bridge}");
    let typed = [
        ("mode", "active-backup"),
        ("miimon", "100"),
        ("primary", "eth1"),
    ];
    let options = options(&typed).unwrap();
    let bond = body(&link::new_bond("bond0", &options));
    let data = "1c000280 0500010001000000 0800030064000000 08000b0004000000";
    assert!(bond.contains(&data.replace(' ', "")), "{bond}");
    assert_ne!(
        link::new_bond("bond0", &options),
        link::change_bond("bond0", &options)
    );
}

fn options(typed: &[(&str, &str)]) -> Result<request::Attributes, String> {
    let typed = typed.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    bond::options(&typed.collect::<Vec<_>>(), &|name| {
        (name == "eth1").then_some(4)
    })
}

#[test]
fn odd_options_of_a_bond_are_named() {
    for (option, bytes) in [
        (("mode", "802.3ad"), "0500010004000000"),
        (("mode", "4"), "0500010004000000"),
        (("lacp_rate", "fast"), "0500150001000000"),
        (("xmit_hash_policy", "layer3+4"), "05000e0001000000"),
        (("arp_validate", "filter_backup"), "0800090006000000"),
        (
            ("ad_actor_system", "02:00:00:00:00:01"),
            "0a001a000200000000010000",
        ),
        (
            ("arp_ip_target", "192.0.2.1;192.0.2.2"),
            "1400088008000000c000020108000100c0000202",
        ),
    ] {
        let mut request = Request::new(0, 0, &[]);
        *request.attributes() = options(&[option]).unwrap();
        assert_eq!(body(&request), bytes, "{}", option.0);
    }
    for (option, text) in [
        (("mood", "1"), "bonds have no option mood"),
        (("max_bonds", "1"), "bonds have no option max_bonds"),
        (
            ("mode", "backup"),
            "mode=backup: the option has no such value",
        ),
        (("mode", "256"), "mode=256: the option has no such value"),
        (("miimon", ""), "miimon=: the option has no such value"),
        (("primary", "eth7"), "primary=eth7: there is no link eth7"),
        (
            ("arp_ip_target", "x"),
            "arp_ip_target=x: the option has no such value",
        ),
    ] {
        assert_eq!(options(&[option]).unwrap_err(), text);
    }
}

#[test]
fn a_name_fits_into_paths_and_structures() {
    for good in ["eth0", "eth0.5", "a", "fifteen-letters", "wlp1s0\u{e9}"] {
        assert!(link::is_name(good), "{good}");
    }
    for odd in [
        "",
        ".",
        "..",
        "a/b",
        "a b",
        "a:1",
        "sixteen--letters",
        "a\n",
        "a\0",
    ] {
        assert!(!link::is_name(odd), "{odd}");
    }
}

#[test]
fn nested_and_padded_attributes_come_back() {
    let mut inside = request::Attributes::default();
    inside.text(1, "abc");
    inside.u16(2, 0x1234);
    let request = Request::new(20, 0, &[0; 8]).with(|all| {
        all.nested(5, &inside);
        all.u8(6, 9);
        // Too long to be an attribute.
        all.bytes(7, &alloc::vec![0; 1 << 16]);
    });
    let message = request.message(1);
    let message = Messages(&message).next().unwrap();
    let all = Attributes::after(message.body, 8);
    assert_eq!(all.count(), 2);
    let nested = Attributes(all.find(5).unwrap());
    assert_eq!(nested.find(1), Some(&b"abc\0"[..]));
    assert_eq!(nested.find(2), Some(&0x1234u16.to_ne_bytes()[..]));
    assert_eq!((all.find(6), all.find(7)), (Some(&[9][..]), None));
}

/// Whatever it is: it is read, and what is told is bounded by it.
fn read_all(bytes: &[u8]) {
    for message in Messages(bytes) {
        assert!(message.body.len() < bytes.len());
        if let Answer::End(end) = ack::read(&message) {
            assert!(end.errno >= 0 && end.said.0.len() <= bytes.len());
        }
        if let Some(News::Link(link) | News::LinkGone(link)) = news(&message) {
            assert!(link.name.len() < bytes.len() && !link.name.is_empty());
        }
        // With any other header.
        for kind in [link::NEW, address::NEW, route::NEW] {
            let _ = news(&Message { kind, ..message });
        }
    }
}

#[test]
fn damaged_messages_never_panic() {
    let mut seed = 0x5eed_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for text in [LINK, ADDRESS, ROUTES, REFUSED] {
        let whole = hex::decode(text.as_bytes()).unwrap();
        for length in 0..whole.len() {
            read_all(&whole[..length]);
        }
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            bytes.truncate(random(bytes.len() + 1));
            read_all(&bytes);
        }
    }
}
