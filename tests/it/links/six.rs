//! IPv6: whose an address is, and what routers say, by the kernel itself.

use super::{hear, ip, network, told, wire};
use crate::ns::in_namespaces;
use landfall::act::addresses::{Setting, set_ipv6};
use landfall::act::claim_address::{claim, own_address};
use landfall::act::configure_link::configure;
use landfall::act::links;
use landfall::act::watch_links::Watch;
use landfall::format::net::order::{Change, Placement};
use landfall::format::netlink::News;
use landfall::format::netlink::address::Wanted;
use landfall::format::netlink::router::{Flags, Said};
use landfall::sys::udp;
use rustix::net::sockopt::set_ipv6_multicast_hops;
use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};
use std::net::{Ipv6Addr, SocketAddrV6};

/// A wire whose far end has 2001:db8::1, and needs nobody's leave for it.
fn wire_of_ipv6() {
    wire();
    for setting in [Setting::AcceptRa, Setting::DadTransmits] {
        set_ipv6("far", setting, 0).unwrap();
    }
    for end in ["near", "far"] {
        links::raise(end, None, None).unwrap();
    }
    ip("addr add 2001:db8::1/64 dev far nodad");
}

/// Addresses of `near` that are tentative, or somebody else's, in the words of ip(8).
fn unusable() -> Vec<String> {
    let mut all = Vec::new();
    for link in told("-j -6 addr show dev near") {
        for one in link["addr_info"].as_array().unwrap() {
            if one["tentative"] == true || one["dadfailed"] == true {
                all.push(one["local"].as_str().unwrap().to_string());
            }
        }
    }
    all
}

#[test]
fn an_address_is_claimed_unless_somebody_has_it() {
    let name = "links::six::an_address_is_claimed_unless_somebody_has_it";
    in_namespaces(name, |_| {
        wire_of_ipv6();
        let near = links::find("near").unwrap().index;
        let own = own_address(near, 20_000).unwrap().unwrap();
        assert!(own.is_unicast_link_local());
        // It can be spoken with at once.
        let socket = udp::bind(SocketAddrV6::new(own, 546, 0, near)).unwrap();
        let far = links::find("far").unwrap().index;
        let server = own_address(far, 20_000).unwrap().unwrap();
        let server = udp::bind(SocketAddrV6::new(server, 547, 0, far)).unwrap();
        let to = SocketAddrV6::new(own, 546, 0, far);
        udp::send_to(&server, b"hello", to).unwrap();
        let mut buffer = [0; 64];
        let heard = (0..2_000).find_map(|_| {
            std::thread::yield_now();
            udp::receive_from(&socket, &mut buffer).unwrap()
        });
        assert_eq!(heard.map(|(length, _)| length), Some(5));

        for (address, free) in [("2001:db8::7/128", true), ("2001:db8::1/64", false)] {
            let wanted = Wanted::from(network(address));
            // Twice: what is there already is claimed at once.
            for _ in 0..2 {
                assert_eq!(claim("near", &wanted).unwrap(), free, "{address}");
            }
        }
        assert_eq!(unusable(), [""; 0]);
        let shown = ip("-6 addr show dev near");
        assert!(shown.contains("2001:db8::7/128"), "{shown}");
        assert!(!shown.contains("2001:db8::1/64"), "{shown}");

        let place = |address: &str| {
            Change::Address(Placement {
                address: network(address),
                leased: false,
                peer: None,
                routes: vec![],
                mtu: None,
            })
        };
        configure("near", &place("2001:db8::8/64")).unwrap();
        let fault = configure("near", &place("2001:db8::1/64")).unwrap_err();
        assert_eq!(
            fault.text,
            "give near the address 2001:db8::1/64: another machine on the link has it"
        );
        assert_eq!(own_address(99, 1).unwrap(), None);
    });
}

/// What a router on `far` says to all: flags; a network and name servers.
fn advertise(flags: u8) {
    let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    let mut message = vec![134, 0, 0, 0, 64, flags, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    message.extend([3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 7, 8, 0, 0, 0, 0]);
    message.extend(address("2001:db8:5::"));
    message.extend([25, 3, 0, 0, 0, 0, 2, 88]);
    message.extend(address("2001:db8::53"));
    message.extend(b"\x1f\x02\0\0\0\0\x02\x58\x03lab\0\0\0\0");
    let router = socket(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6)).unwrap();
    set_ipv6_multicast_hops(&router, 255).unwrap();
    let far = links::find("far").unwrap().index;
    let all = SocketAddrV6::new("ff02::1".parse().unwrap(), 0, 0, far);
    sendto(&router, &message, SendFlags::empty(), &all).unwrap();
}

#[test]
fn routers_are_heard() {
    in_namespaces("links::six::routers_are_heard", |_| {
        wire_of_ipv6();
        let [near, far] = ["near", "far"].map(|name| links::find(name).unwrap().index);
        for link in [near, far] {
            own_address(link, 20_000).unwrap().unwrap();
        }
        let listed = || {
            let mut adverts = links::adverts().unwrap().into_iter();
            adverts.find(|advert| advert.link == near)
        };
        assert_eq!(listed(), None);
        let mut watch = Watch::open().unwrap();
        advertise(0x80);
        let flags = Flags {
            managed: true,
            other: false,
        };
        let is = |news: &News, wanted: &dyn Fn(&Said) -> bool| match news {
            News::Advert(advert) => advert.link == near && wanted(&advert.said),
            _ => false,
        };
        let names = |said: &Said| match said {
            Said::Names { servers, .. } => {
                *servers == ["2001:db8::53".parse::<Ipv6Addr>().unwrap()]
            }
            Said::Flags(_) => false,
        };
        hear(&mut watch, &|news| {
            is(news, &|said| *said == Said::Flags(flags))
        });
        assert_eq!(listed().unwrap().said, Said::Flags(flags));
        advertise(0x40);
        hear(&mut watch, &|news| is(news, &names));
        let other = Flags {
            managed: false,
            other: true,
        };
        assert_eq!(listed().unwrap().said, Said::Flags(other));
        advertise(0xc0);
        let domains =
            |said: &Said| matches!(said, Said::Names { search, .. } if *search == ["lab"]);
        hear(&mut watch, &|news| is(news, &domains));
        let given = network("2001:db8:5::/64");
        hear(&mut watch, &|news| match news {
            News::Address(found) => {
                found.link == near && !found.is_tentative() && given.holds(found.network.address)
            }
            _ => false,
        });
    });
}
