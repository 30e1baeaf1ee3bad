//! Tables made from the specification, whole and broken.

use super::*;
use tables::{Link, Nbft, Subsystem};

#[path = "../../../tests/lab/firmware.rs"]
mod tables;

const MAC: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];

fn table() -> Nbft {
    Nbft {
        host_nqn: "nqn.2026-01.example:host".into(),
        host_id: core::array::from_fn(|at| 1u8.saturating_add(at as u8)),
        hostname: "box".into(),
        links: vec![Link {
            vlan: 5,
            gateway: "192.0.2.1".parse().ok(),
            dns: "192.0.2.2".parse().ok(),
            ..Link::at(MAC, "192.0.2.7", 24)
        }],
        subsystems: vec![Subsystem::at("192.0.2.9", 4420, "nqn.2026-01.example:a")],
        discovery: Vec::new(),
    }
}

fn shown(found: &Firmware) -> Vec<String> {
    found.targets.iter().map(ToString::to_string).listed()
}

const HOST_WORDS: &str = "nqn.2026-01.example:host,01020304-0506-0708-090a-0b0c0d0e0f10";

#[test]
fn a_table_names_links_and_subsystems() {
    let found = parse(&table().bytes()).unwrap();
    let [used] = found.links.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((used.vlan, used.booted), (Some(5), true));
    let setup = &used.setup;
    assert_eq!(setup.link, Some(Which::Mac(Mac(MAC))));
    assert_eq!(setup.method, Method::Static);
    assert_eq!(setup.address, Network::parse("192.0.2.7/24"));
    assert_eq!(setup.gateway, "192.0.2.1".parse().ok());
    assert_eq!(setup.dns, ["192.0.2.2".parse::<IpAddr>().unwrap()]);
    assert_eq!(setup.hostname.as_ref().unwrap().as_bytes(), b"box");
    let target = "nvme:tcp,192.0.2.9,192.0.2.7,4420,nqn.2026-01.example:a";
    assert_eq!(shown(&found), [format!("{target},{HOST_WORDS}")]);
    assert!(found.odd.is_empty());
}

#[test]
fn an_address_that_was_leased_is_asked_for_again() {
    let method = |link: Link| {
        let links = vec![link];
        let found = parse(&Nbft { links, ..table() }.bytes()).unwrap();
        assert!(shown(&found)[0].starts_with("nvme:tcp,192.0.2.9,,4420,"));
        assert_eq!(found.links[0].setup.address, None);
        found.links[0].setup.method
    };
    let v4 = Link::at(MAC, "192.0.2.7", 24);
    let v6 = Link::at(MAC, "2001:db8::7", 64);
    assert_eq!(method(v4.clone().leased("192.0.2.1")), Method::Dhcp4);
    // Some firmware does not say which server it was.
    assert_eq!(method(v6.clone().leased("::")), Method::Dhcp6);
    assert_eq!(method(Link { origin: 4, ..v6 }), Method::Auto6);
}

#[test]
fn a_subsystem_is_reached_over_each_of_its_links_and_the_rest_is_said() {
    let plain = Subsystem::at("2001:db8::9", 4421, "nqn.b");
    let mut table = table();
    table.links.push(Link::at([2; 6], "198.51.100.7", 24));
    table.subsystems = vec![
        Subsystem {
            other_links: vec![2, 2],
            digests: 0b111,
            ..plain.clone()
        },
        Subsystem {
            flags: 0b101,
            security: 1,
            ..plain.clone()
        },
        Subsystem {
            flags: 0,
            ..plain.clone()
        },
        Subsystem {
            nqn: "nqn,evil=1".into(),
            ..plain
        },
    ];
    let found = parse(&table.bytes()).unwrap();
    let tail = format!("4421,nqn.b,{HOST_WORDS},hd");
    let own = ["192.0.2.7", "198.51.100.7"];
    let expected = own.map(|own| format!("nvme:tcp,2001:db8::9,{own},{tail}"));
    assert_eq!(shown(&found), expected);
    assert_eq!(
        found.odd,
        [
            "NBFT: subsystem 2 wants keys of a security profile, and is not connected to",
            "NBFT: subsystem 4 has no name",
        ]
    );
}

#[test]
fn a_discovery_controller_is_asked_where_it_has_led_to_nothing() {
    let mut table = table();
    table.subsystems[0].discovery = 1;
    table.discovery = vec![
        (1, "nvme+tcp://192.0.2.9:8009/".into()),
        (1, "nvme+tcp://[2001:db8::9]:8010/".into()),
        (1, "nvme+tcp://[2001:db8::a]/".into()),
        (1, "nvme+rdma://192.0.2.9/".into()),
    ];
    let found = parse(&table.bytes()).unwrap();
    let discovered = &shown(&found)[1..];
    assert!(discovered[0].starts_with("nvme:tcp,2001:db8::9,192.0.2.7,8010,,"));
    assert!(discovered[1].starts_with("nvme:tcp,2001:db8::a,192.0.2.7,,,"));
    assert_eq!((discovered.len(), found.odd.len()), (2, 1));
    // What was not found then may be found now.
    table.subsystems[0].nqn = DISCOVERY.into();
    let found = parse(&table.bytes()).unwrap();
    assert_eq!((found.targets.len(), found.odd.len()), (3, 1));
}

#[test]
fn a_table_that_is_not_whole_does_not_count() {
    let good = table().bytes();
    for (at, why) in [
        (0, "has no NBFT's signature"),
        (4, "is cut off"),
        (20, "has a wrong checksum"),
    ] {
        let mut bytes = good.clone();
        bytes[at] ^= 0xff;
        assert_eq!(parse(&bytes), Err(why));
    }
    for length in 0..good.len() {
        assert!(parse(&good[..length]).is_err());
    }
    // Whatever else stands there, it is read within bounds.
    for at in 10..good.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            let sum = bytes.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
            bytes[9] = bytes[9].wrapping_sub(sum);
            let _ = parse(&bytes);
        }
    }
}
