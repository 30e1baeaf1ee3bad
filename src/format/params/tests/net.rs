//! The rows about the network. (What each form of a word says is tested where it is read.)

use super::*;
use crate::format::net::address::{Mac, Network};
use crate::format::net::wanted::{MadeOf, Method, Setup, Wanted, Which};

/// `expected`: what the words say about the network, without complaint.
fn check_net(line: &str, change: impl FnOnce(&mut Wanted)) {
    check(line, |wish| change(&mut wish.net));
}

fn on(link: &str, method: Method) -> Setup {
    let link = Some(Which::Name(link.into()));
    Setup {
        link,
        method,
        ..Setup::default()
    }
}

#[test]
fn links_get_addresses_as_ip_says() {
    check_net("ip=eth0:dhcp nfsaddrs=eth1:auto6,dhcp6", |net| {
        net.setups = alloc::vec![
            on("eth0", Method::Dhcp4),
            on("eth1", Method::Auto6),
            on("eth1", Method::Dhcp6)
        ];
    });
    check_net("ip=10.0.0.2:::24::eth0:off:1400", |net| {
        net.setups = alloc::vec![Setup {
            address: Network::parse("10.0.0.2/24"),
            mtu: Some(1400),
            ..on("eth0", Method::Static)
        }];
    });
    for line in ["ip=off", "ip=none", "ip=", "ip=eth0:dhcp ip=off"] {
        check_net(line, |net| net.off = true);
    }
    check_net("ip=off ip=dhcp", |net| {
        net.setups = alloc::vec![Setup::default()]
    });
    check_complaint("ip", "ip says nothing; it is ignored");
    let odd = check_complaint(
        "ip=eth0:dhpc",
        "ip=eth0:dhpc has the method 'dhpc', which is none",
    );
    assert_eq!(odd.net.setups, [on("eth0", Method::Dhcp4)]);
}

#[test]
fn more_than_a_machine_has_is_left_out() {
    for (word, count) in [
        ("ip=dhcp ", (|net| net.setups.len()) as fn(&Wanted) -> usize),
        ("nameserver=10.0.0.1 ", |net| net.dns.len()),
        ("rd.route=10.0.0.0/8::eth0 ", |net| net.routes.len()),
    ] {
        let wish = wish(&word.repeat(66));
        assert_eq!((count(&wish.net), wish.complaints.len()), (64, 2), "{word}");
    }
}

#[test]
fn name_servers_gather_and_those_of_leases_may_be_ignored() {
    check_net(
        "nameserver=10.0.0.1 nameserver=[2001:db8::53] nameserver=2001:db8::54",
        |net| {
            let all = ["10.0.0.1", "2001:db8::53", "2001:db8::54"];
            net.dns = all.map(|server| server.parse().unwrap()).to_vec();
        },
    );
    check_net("rd.peerdns=0", |net| net.ignore_dns = true);
    check_net("rd.peerdns=0 rd.peerdns", |_| {});
    check_complaint(
        "nameserver=dns.example",
        "nameserver=dns.example is no address",
    );
    check_complaint("nameserver=0.0.0.0", "nameserver=0.0.0.0 is no address");
}

#[test]
fn routes_gather() {
    let line = "rd.route=192.168.200.0/24:192.168.100.222:ens10 rd.route=[2001:db8::/32]::ens10";
    let told = wish(line).net.routes;
    let told: Vec<_> = told
        .iter()
        .map(|route| (route.to, route.via.is_some()))
        .collect();
    let to = |network| Network::parse(network).unwrap();
    assert_eq!(
        told,
        [(to("192.168.200.0/24"), true), (to("2001:db8::/32"), false)]
    );
    check_complaint("rd.route=x", "rd.route=x names no network; it is ignored");
}

#[test]
fn links_are_made_of_others() {
    let line = "vlan=vlan5:bond0 bond=bond0:eth0,eth1:mode=active-backup bridge=br1:eth2 \
                bridge=br1:eth2,eth3";
    let made = wish(line).net.made;
    let told: Vec<_> = made
        .iter()
        .map(|made| (made.name.as_str(), made.of.len()))
        .collect();
    assert_eq!(told, [("vlan5", 1), ("bond0", 2), ("br1", 2)]);
    assert_eq!(made[0].kind, MadeOf::Vlan(5));
    let bare = wish("bond bridge").net.made;
    assert_eq!(
        bare.iter().map(|made| made.of.len()).collect::<Vec<_>>(),
        [2, 1]
    );
    check_complaint("vlan=vlan5", "vlan=vlan5 is not a name and the link below");
    check_complaint("bond=a/b", "bond=a/b has no name");
}

#[test]
fn teams_are_refused_aloud() {
    let odd = check_complaint(
        "team=team0:eth0,eth1",
        "team=team0:eth0,eth1 asks for a team",
    );
    assert_eq!(odd.net, Wanted::default());
}

#[test]
fn links_may_be_renamed() {
    let line = "ifname=a:00:11:22:33:44:55 ifname=b:00:11:22:33:44:66 ifname=a:00:11:22:33:44:77";
    check_net(line, |net| {
        let name = |name: &str, last| (name.into(), Mac([0, 0x11, 0x22, 0x33, 0x44, last]));
        net.names = alloc::vec![name("b", 0x66), name("a", 0x77)];
    });
    check_complaint(
        "ifname=a:b",
        "ifname=a:b has no hardware address of Ethernet",
    );
}

#[test]
fn the_link_of_the_firmware_counts_unless_that_is_off() {
    let line = "BOOTIF=01-52-54-00-ab-cd-ef";
    check_net(line, |net| {
        net.boot_link = Mac::parse("52:54:00:ab:cd:ef");
    });
    check_net(&alloc::format!("rd.bootif=0 {line}"), |_| {});
    check_complaint("BOOTIF=eth0", "BOOTIF=eth0 is no hardware address");
}

#[test]
fn the_link_of_root_is_the_last_one_named() {
    check_net("bootdev=eth0 bootdev=eth1", |net| {
        net.boot_device = Some(Which::Name("eth1".into()));
    });
    check_complaint(
        "bootdev=a/b",
        "bootdev=a/b has the link 'a/b', which is no name",
    );
}

#[test]
fn the_network_may_be_wanted_for_its_own_sake() {
    for line in ["rd.neednet", "rd.neednet=1", "rd.neednet=0 rd.neednet=yes"] {
        check_net(line, |net| net.always = true);
    }
    check_net("rd.neednet=1 rd.neednet=0", |_| {});
}

#[test]
fn patience_with_links_and_servers_is_in_seconds() {
    check_net("carrier_timeout=120", |net| net.carrier_ms = Some(120_000));
    check_net("carrier_timeout=120 rd.net.timeout.carrier=5", |net| {
        net.carrier_ms = Some(5_000);
    });
    check_net("rd.net.timeout.dhcp=7 rd.net.dhcp.retry=3", |net| {
        net.dhcp_ms = Some(7_000);
        net.dhcp_tries = Some(3);
    });
    for odd in [
        "carrier_timeout=x",
        "rd.net.timeout.dhcp=0",
        "rd.net.dhcp.retry=-1",
    ] {
        let start = alloc::format!("{odd} is no positive number; it is ignored");
        assert_eq!(check_complaint(odd, &start).net, Wanted::default());
    }
}

#[test]
fn servers_are_told_the_vendor_class() {
    for name in ["rd.net.dhcp.vendor-class", "dhcpclass"] {
        check_net(&alloc::format!("{name}=anaconda-Linux"), |net| {
            net.vendor_class = Some(Text::from("anaconda-Linux"));
        });
        let long = alloc::format!("{name}={}", "x".repeat(256));
        assert_eq!(check_complaint(&long, name).net, Wanted::default());
    }
}

#[test]
fn timeouts_without_meaning_are_accepted() {
    for name in ["iflink", "ifup", "route", "ipv6dad", "ipv6auto"] {
        let word = alloc::format!("rd.net.timeout.{name}");
        check_net(&alloc::format!("{word}=60"), |_| {});
        check_complaint(&word, &word);
    }
}
