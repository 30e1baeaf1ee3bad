//! Links, addresses, routes and packets, for real: in network namespaces of the tests' own, and
//! compared with what ip(8) of iproute2 says.

mod packets;
mod six;

use crate::ns::in_namespaces;
use landfall::act::addresses::{self, Setting, add_address, add_routes};
use landfall::act::links;
use landfall::act::watch_links::{Heard, Watch};
use landfall::format::net::address::{Mac, Network, Route};
use landfall::format::net::wanted::{Made, MadeOf};
use landfall::format::netlink::News;
use landfall::format::netlink::address::{FOR_EVER, Lifetime, Wanted};
use landfall::format::netlink::link::Link;
use landfall::sys::poll::Poll;
use serde_json::Value;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs ip(8), which has to succeed.
fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {words}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The same, of what it lists.
fn told(words: &str) -> Vec<Value> {
    let text = ip(words);
    serde_json::from_str(if text.is_empty() { "[]" } else { &text }).unwrap()
}

/// Does this kernel make links of this kind?
fn can_make(kind: &str) -> bool {
    let words = ["link", "add", "name", "tried", "type", kind];
    let tried = Command::new("ip").args(words).output().unwrap();
    if tried.status.success() {
        ip("link delete tried");
    }
    // Without its link below a VLAN is refused for another reason.
    !String::from_utf8_lossy(&tried.stderr).contains("Unknown device type")
}

/// `near` and `far`, two ends of a wire, both down.
fn wire() {
    ip("link add name near type veth peer name far");
}

fn network(text: &str) -> Network {
    Network::parse(text).unwrap()
}

fn route(to: &str, via: Option<&str>) -> Route {
    Route {
        to: network(to),
        via: via.map(|via| via.parse().unwrap()),
        link: None,
    }
}

/// What news say of `name` until `enough`; fails after a while.
fn hear(watch: &mut Watch, enough: &dyn Fn(&News) -> bool) {
    let poll = Poll::new().unwrap();
    poll.add(&*watch, 1).unwrap();
    let (began, mut all) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_secs(10) {
        let from = all.len();
        while watch.look(&mut |news| all.push(news)).unwrap() == Heard::Something {}
        if all[from..].iter().any(enough) {
            return;
        }
        poll.wait(Some(1000), &mut Vec::new()).unwrap();
    }
    panic!("{all:?}");
}

/// Every link, as ip(8) tells it.
fn assert_links_are_as_told() {
    let links = links::list().unwrap();
    let told = told("-j -d link");
    assert_eq!(links.len(), told.len());
    for (link, told) in links.iter().zip(&told) {
        let flag = |name: &str| {
            let flags = told["flags"].as_array().unwrap();
            flags.iter().any(|flag| flag == name)
        };
        assert_eq!(link.index, told["ifindex"]);
        assert_eq!(link.name, told["ifname"].as_str().unwrap());
        assert_eq!(link.mtu, told["mtu"]);
        assert_eq!(link.up, flag("UP"), "{link:?}");
        let works = ["UP", "UNKNOWN"].contains(&told["operstate"].as_str().unwrap());
        assert_eq!(link.carrier, flag("LOWER_UP") && works, "{link:?} {told}");
        assert_eq!(link.is_loopback(), told["link_type"] == "loopback");
        let mac = link.mac.map(|mac| mac.to_string()).unwrap_or_default();
        assert_eq!(mac, told["address"]);
        assert_eq!(link.made.as_deref(), told["linkinfo"]["info_kind"].as_str());
        let name_of = |index: u32| {
            let found = links.iter().find(|link| link.index == index);
            found.map(|link| link.name.as_str())
        };
        assert_eq!(link.master.and_then(name_of), told["master"].as_str());
        assert_eq!(link.below.and_then(name_of), told["link"].as_str());
        assert_eq!(
            link.vlan.map(u64::from),
            told["linkinfo"]["info_data"]["id"].as_u64()
        );
    }
}

#[test]
fn a_link_is_raised_and_its_carrier_is_heard() {
    in_namespaces("links::a_link_is_raised_and_its_carrier_is_heard", |_| {
        wire();
        let mut watch = Watch::open().unwrap();
        let mac = Mac([2, 0, 0, 0, 0, 7]);
        links::raise("near", Some(1400), Some(mac)).unwrap();
        let near = links::find("near").unwrap();
        assert!(near.up && !near.carrier);
        assert_eq!((near.mac, near.mtu), (Some(mac), 1400));
        assert_links_are_as_told();
        let is = |news: &News, carrier| {
            let is = |link: &Link| link.name == "near" && link.carrier == carrier;
            matches!(news, News::Link(link) if is(link))
        };
        ip("link set far up");
        hear(&mut watch, &|news| is(news, true));
        assert_links_are_as_told();
        ip("link set far down");
        hear(&mut watch, &|news| is(news, false));
        // Another address while it is up, and an MTU that is too large.
        let other = Mac([2, 0, 0, 0, 0, 8]);
        links::raise("near", Some(70000), Some(other)).unwrap();
        let near = links::find("near").unwrap();
        assert_eq!((near.up, near.mac, near.mtu), (true, Some(other), 1400));
        links::lower("near").unwrap();
        links::rename("near", "lan0").unwrap();
        assert_links_are_as_told();
        let fault = links::rename("lan0", "far").unwrap_err();
        let text = "rename lan0 to far: File exists (17): another link has that name";
        assert_eq!(fault.text, text);
        let fault = links::raise("near", None, None).unwrap_err();
        assert!(
            fault.text.starts_with("there is no link near; there are "),
            "{fault}"
        );
        links::remove("lan0").unwrap();
        hear(
            &mut watch,
            &|news| matches!(news, News::LinkGone(link) if link.name == "far"),
        );
        let fault = links::find("far").unwrap_err();
        assert!(fault.text.contains("a driver is missing"), "{fault}");
    });
}

/// Addresses of `near` in the words of ip(8): `ADDRESS/PREFIX`, and broadcast.
fn addresses_told() -> Vec<(String, Option<String>)> {
    let mut all = Vec::new();
    for link in told("-j addr show dev near") {
        for one in link["addr_info"].as_array().unwrap() {
            let text = |key: &str| one[key].as_str().map(String::from);
            let address = format!("{}/{}", text("local").unwrap(), one["prefixlen"]);
            all.push((address, text("broadcast")));
        }
    }
    all
}

/// Routes over `near` in the words of ip(8): `DST via GATEWAY METRIC`.
fn routes_told(words: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_string();
    let routes = told(words);
    let shown = routes.iter().map(|route| {
        let (to, via) = (text(&route["dst"]), text(&route["gateway"]));
        format!("{to} via {via} {}", route["metric"])
    });
    shown.collect()
}

#[test]
fn addresses_and_routes_come_and_go() {
    in_namespaces("links::addresses_and_routes_come_and_go", |_| {
        wire();
        ip("link set far up");
        addresses::set_ipv6("near", Setting::DadTransmits, 0).unwrap();
        addresses::set_ipv6("near", Setting::AcceptRa, 0).unwrap();
        links::raise("near", None, None).unwrap();
        let mut wanted = Wanted::from(network("192.0.2.7/24"));
        for valid in [600, 900] {
            let preferred = FOR_EVER;
            wanted.lifetime = Some(Lifetime { valid, preferred });
            add_address("near", &wanted).unwrap();
        }
        for further in ["192.0.2.8/24", "198.51.100.7/32", "2001:db8::7/64"] {
            add_address("near", &Wanted::from(network(further))).unwrap();
        }
        let told_addresses = addresses_told();
        for (address, broadcast) in [
            ("192.0.2.7/24", Some("192.0.2.255")),
            ("192.0.2.8/24", Some("192.0.2.255")),
            ("198.51.100.7/32", None),
            ("2001:db8::7/64", None),
        ] {
            let expected = (address.to_string(), broadcast.map(String::from));
            assert!(told_addresses.contains(&expected), "{told_addresses:?}");
        }
        let index = links::find("near").unwrap().index;
        let ours: Vec<_> = addresses::addresses().unwrap();
        let ours: Vec<_> = ours.iter().filter(|a| a.link == index).collect();
        let shown: Vec<_> = ours.iter().map(|a| a.network.to_string()).collect();
        let expected: Vec<_> = told_addresses.iter().map(|(a, _)| a.clone()).collect();
        assert_eq!(shown, expected);
        assert!((800..=900).contains(&ours[0].lifetime.valid) && !ours[0].is_permanent());
        assert!(ours[1].is_permanent() && !ours[1].is_tentative());

        // The first leads through what the second explains; the fourth is explained by nothing.
        let all = [
            route("203.0.113.0/24", Some("198.51.100.1")),
            route("198.51.100.1", None),
            route("0.0.0.0/0", Some("192.0.2.1")),
            route("233.252.0.0/24", Some("100.64.0.1")),
            route("2001:db8:1::/48", Some("2001:db8::1")),
            route("::/0", Some("fe80::1")),
        ];
        for _ in 0..2 {
            add_routes("near", &all, Some(50)).unwrap();
        }
        let four = routes_told("-j -4 route show dev near proto boot");
        assert_eq!(
            four,
            [
                "default via 192.0.2.1 50",
                "198.51.100.1 via - 50",
                "203.0.113.0/24 via 198.51.100.1 50",
                "233.252.0.0/24 via 100.64.0.1 50",
            ]
        );
        let six = routes_told("-j -6 route show dev near proto boot");
        assert_eq!(
            six,
            [
                "2001:db8:1::/48 via 2001:db8::1 50",
                "default via fe80::1 50"
            ]
        );
        let known = addresses::routes().unwrap();
        let boot = known.iter().filter(|route| route.protocol == 3);
        assert_eq!(
            boot.filter(|r| r.link == Some(index) && r.metric == 50)
                .count(),
            6
        );
        assert_eq!(
            known
                .iter()
                .filter(|r| r.is_default() && r.protocol == 3)
                .count(),
            2
        );

        for _ in 0..2 {
            addresses::flush("near").unwrap();
            assert_eq!(addresses_told(), []);
            assert_eq!(routes_told("-j -4 route show table all dev near"), [""; 0]);
            assert_eq!(routes_told("-j -6 route show table all dev near"), [""; 0]);
        }
    });
}

#[test]
fn refused_addresses_and_routes_tell_why() {
    in_namespaces("links::refused_addresses_and_routes_tell_why", |_| {
        wire();
        let fault = add_routes("near", &[route("0.0.0.0/0", Some("192.0.2.1"))], None);
        let text = fault.unwrap_err().into_text();
        let what = "add the route to 0.0.0.0/0 via 192.0.2.1 over near: ";
        assert!(
            text.starts_with(what) && text.ends_with(": the link is down"),
            "{text}"
        );
        addresses::set_ipv6("near", Setting::Disable, 1).unwrap();
        let fault = add_address("near", &Wanted::from(network("2001:db8::7/64")));
        let text = fault.unwrap_err().into_text();
        assert!(
            text.starts_with("give near the address 2001:db8::7/64: "),
            "{text}"
        );
        assert!(
            text.ends_with(": IPv6 is switched off, or not in the kernel"),
            "{text}"
        );
        let fault = addresses::set_ipv6("nonesuch", Setting::Disable, 1).unwrap_err();
        assert!(
            fault
                .text
                .ends_with("there is no such link, or the kernel has no IPv6")
        );
        assert!(addresses::set_ipv6("../all", Setting::Disable, 1).is_err());
        // A wire between two: the prefix is the other end's.
        let wanted = Wanted {
            peer: Some("192.0.2.1".parse().unwrap()),
            ..Wanted::from(network("192.0.2.7/32"))
        };
        links::raise("near", None, None).unwrap();
        add_address("near", &wanted).unwrap();
        let told = told("-j -4 addr show dev near");
        let told = &told[0]["addr_info"][0];
        assert_eq!(
            (&told["local"], &told["address"]),
            (&"192.0.2.7".into(), &"192.0.2.1".into())
        );
        let known = addresses::addresses().unwrap();
        assert!(known.iter().any(|address| address.peer == wanted.peer));
        addresses::flush("near").unwrap();
        assert_eq!(addresses_told(), []);
        // What daemons know a lease by.
        add_address("near", &Wanted::from(network("192.0.2.9/24")).leased()).unwrap();
        let shown = self::told("-j -4 addr show dev near");
        assert_eq!(shown[0]["addr_info"][0]["dynamic"], true, "{shown:?}");
    });
}

fn made(name: &str, kind: MadeOf, of: &[&str]) -> Made {
    Made {
        name: name.into(),
        kind,
        of: of.iter().map(ToString::to_string).collect(),
        mtu: Some(1400),
    }
}

#[test]
fn a_bridge_is_made_of_what_is_there() {
    in_namespaces("links::a_bridge_is_made_of_what_is_there", |_| {
        wire();
        ip("link set far up");
        let bridge = made("br0", MadeOf::Bridge, &["near", "later"]);
        links::make(&bridge).unwrap();
        links::raise("br0", None, None).unwrap();
        ip("link add name later type veth peer name other");
        links::make(&bridge).unwrap();
        let index = links::find("br0").unwrap().index;
        let links = links::list().unwrap();
        let ports = links.iter().filter(|link| link.master == Some(index));
        let ports: Vec<_> = ports.map(|link| (link.name.as_str(), link.up)).collect();
        assert_eq!(ports, [("near", true), ("later", true)]);
        assert_eq!(links::find("br0").unwrap().mtu, 1400);
        assert_links_are_as_told();
        let mut watch = Watch::open().unwrap();
        let is = |news: &News| {
            let is = |link: &Link| link.name == "near" && link.master.is_none();
            matches!(news, News::Link(link) if is(link))
        };
        ip("link set near nomaster");
        hear(&mut watch, &is);

        let fault = links::make(&made("far", MadeOf::Bridge, &["near"])).unwrap_err();
        assert_eq!(
            fault.text,
            "make the bridge far: another link has that name"
        );
        let fault = links::make(&made("br1", MadeOf::Bridge, &["no", "none"])).unwrap_err();
        let text = "make br1: there is no link no, none; there are ";
        assert!(fault.text.starts_with(text), "{fault}");
        let fault = links::make(&made("a/b", MadeOf::Bridge, &["near"])).unwrap_err();
        assert!(
            fault.text.ends_with(": a link cannot be called so"),
            "{fault}"
        );
    });
}

/// The kernel's own view of bonds: `NAME VALUE` and further words.
fn bond_says(name: &str) -> String {
    fs::read_to_string(format!("/proc/net/bonding/{name}")).unwrap()
}

#[test]
fn vlans_and_bonds_are_made_or_their_modules_named() {
    in_namespaces(
        "links::vlans_and_bonds_are_made_or_their_modules_named",
        |_| {
            wire();
            let vlan = made("near.5", MadeOf::Vlan(5), &["near"]);
            if can_make("vlan") {
                for _ in 0..2 {
                    links::make(&vlan).unwrap();
                }
                links::raise("near.5", None, None).unwrap();
                assert_eq!(links::find("near.5").unwrap().vlan, Some(5));
                assert_links_are_as_told();
                let fault = links::make(&made("near.5", MadeOf::Vlan(6), &["near"])).unwrap_err();
                assert_eq!(fault.text, "make near.5: another link has that name");
                links::remove("near.5").unwrap();
            } else {
                let fault = links::make(&vlan).unwrap_err();
                assert!(
                    fault
                        .text
                        .ends_with("its module, 8021q, is not in the image"),
                    "{fault}"
                );
            }
            let two = MadeOf::Vlan(5);
            let fault = links::make(&made("v", two, &["near", "far"])).unwrap_err();
            assert_eq!(fault.text, "make v: a VLAN lies on one link");

            let typed = [
                ("mode", "active-backup"),
                ("miimon", "50"),
                ("primary", "later"),
            ];
            let typed = typed.map(|(name, value)| (name.to_string(), value.to_string()));
            let bond = made("bond0", MadeOf::Bond(typed.to_vec()), &["near", "later"]);
            if can_make("bond") {
                links::raise("near", None, None).unwrap();
                links::make(&bond).unwrap();
                links::raise("bond0", None, None).unwrap();
                let says = bond_says("bond0");
                assert!(
                    says.contains("Bonding Mode: fault-tolerance (active-backup)"),
                    "{says}"
                );
                assert!(says.contains("MII Polling Interval (ms): 50"), "{says}");
                ip("link add name later type veth peer name other");
                links::make(&bond).unwrap();
                let says = bond_says("bond0");
                assert!(says.contains("Primary Slave: later"), "{says}");
                assert!(says.contains("Slave Interface: near"), "{says}");
                assert_eq!(links::find("later").unwrap().mtu, 1400);
                assert_links_are_as_told();
            } else {
                let fault = links::make(&bond).unwrap_err();
                assert!(
                    fault
                        .text
                        .ends_with("its module, bonding, is not in the image"),
                    "{fault}"
                );
            }
            let odd = MadeOf::Bond(vec![("mood".into(), "1".into())]);
            let fault = links::make(&made("bond1", odd, &["near"])).unwrap_err();
            assert_eq!(fault.text, "make bond1: bonds have no option mood");
        },
    );
}

/// The address of a link that has one.
fn mac_of(name: &str) -> [u8; 6] {
    let Link { mac, .. } = links::find(name).unwrap();
    mac.unwrap().0
}
