//! The bytes of each file, and what a hostile server cannot put there.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

mod six;

use super::*;
use crate::base::list::Listed;
use crate::format::net::dhcp4::client_id_of;
use alloc::string::ToString;
use alloc::{format, vec};
use std::io::Write as _;
use std::process::{Command, Stdio};

const MAC: Mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);

fn network(text: &str) -> Network {
    Network::parse(text).expect(text)
}

fn route(to: &str, via: &str, link: Option<&str>) -> Route {
    Route {
        to: network(to),
        via: via.parse().ok(),
        link: link.map(String::from),
    }
}

fn addresses(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|a| a.parse().unwrap()).listed()
}

fn lease() -> Lease {
    Lease {
        address: Some(network("192.0.2.7/24")),
        server: "192.0.2.1".parse().unwrap(),
        lifetime: 3600,
        renew: 1800,
        rebind: 3150,
        routes: vec![
            route("0.0.0.0/0", "192.0.2.1", None),
            route("10.0.0.0/8", "192.0.2.2", None),
        ],
        dns: addresses(&["192.0.2.1", "192.0.2.53"]),
        ntp: vec![],
        hostname: Some("box".into()),
        domain: Some("lab.example".into()),
        search: vec!["eng.example".into(), "example".into()],
        mtu: Some(1400),
        root_path: Some("/srv/it's $(root)".into()),
        next_server: "192.0.2.9".parse().ok(),
        server_name: None,
        boot_file: Some("linux.0".into()),
        client_id: client_id_of(MAC),
    }
}

/// What the words say: nothing.
fn handed(how: How<'_>) -> Handed<'_> {
    Handed {
        link: "eth0",
        mac: MAC,
        by_name: false,
        made: false,
        how,
        dns: &[],
        ignore_dns: false,
        search: &[],
        router_dns: &[],
        router_search: &[],
        routes: &[],
        hostname: None,
        mtu: None,
        root_server: None,
        root_path: None,
        uptime_s: 3,
    }
}

fn text(file: &File) -> &str {
    core::str::from_utf8(&file.bytes).unwrap()
}

#[test]
fn a_lease_is_handed_over_in_each_form() {
    let lease = lease();
    let handed = handed(How::dhcp4(&lease));
    let file = net_conf(&handed).unwrap();
    assert_eq!(
        (file.path.as_str(), file.mode),
        ("/run/net-eth0.conf", 0o644)
    );
    assert_eq!(
        text(&file),
        "DEVICE='eth0'\nPROTO='dhcp'\nIPV4ADDR='192.0.2.7'\nIPV4BROADCAST='192.0.2.255'\n\
         IPV4NETMASK='255.255.255.0'\nIPV4GATEWAY='192.0.2.1'\nIPV4DNS0='192.0.2.1'\n\
         IPV4DNS1='192.0.2.53'\nIPV6PROTO=''\nIPV6ADDR=''\nIPV6NETMASK=''\nIPV6GATEWAY=''\n\
         IPV6DNS0=''\nIPV6DNS1=''\nHOSTNAME='box'\nDNSDOMAIN='lab.example'\nNISDOMAIN=''\n\
         ROOTSERVER='192.0.2.9'\nROOTPATH='/srv/it'\\''s $(root)'\nfilename='linux.0'\n\
         UPTIME='3'\nDHCPLEASETIME='3600'\nDOMAINSEARCH='eng.example example'\n"
    );
    let file = super::network(&handed).unwrap();
    let path = "/run/systemd/network/69-landfall-eth0.network";
    assert_eq!((file.path.as_str(), file.mode), (path, 0o644));
    assert_eq!(
        text(&file),
        "[Match]\nMACAddress=52:54:00:12:34:56\nKind=!*\n\n[Link]\nMTUBytes=1400\n\n\
         [Network]\nDHCP=ipv4\nKeepConfiguration=yes\n\n\
         [DHCPv4]\nClientIdentifier=mac\nRequestAddress=192.0.2.7\n"
    );
    let file = identity(&handed).unwrap();
    let path = "/run/systemd/network/69-landfall-eth0.link";
    assert_eq!((file.path.as_str(), file.mode), (path, 0o644));
    assert_eq!(
        text(&file),
        "[Match]\nMACAddress=52:54:00:12:34:56\nKernelVersion=<6.2\n\n\
         [Link]\nAlternativeNamesPolicy=database onboard slot path\n"
    );
    let file = connection(&handed).unwrap();
    let path = "/run/NetworkManager/system-connections/landfall-eth0.nmconnection";
    assert_eq!((file.path.as_str(), file.mode), (path, 0o600));
    assert_eq!(
        text(&file),
        "[connection]\nid=landfall eth0\nuuid=6c616e64-6661-8c6c-8000-525400123456\n\
         type=ethernet\nautoconnect=true\nautoconnect-priority=-100\n\n\
         [ethernet]\nmac-address=52:54:00:12:34:56\nmtu=1400\n\n\
         [ipv4]\nmethod=auto\ndhcp-client-id=01:52:54:00:12:34:56\n\
         dhcp-timeout=2147483647\n\n[ipv6]\nmethod=auto\n"
    );
    let file = pnp(&handed);
    assert_eq!(
        (file.path.as_str(), file.mode),
        ("/run/landfall/pnp", 0o644)
    );
    assert_eq!(
        text(&file),
        "#PROTO: DHCP\ndomain lab.example\nnameserver 192.0.2.1\nnameserver 192.0.2.53\n\
         bootserver 192.0.2.9\n"
    );
    let file = resolv_conf(&[handed, handed]);
    assert_eq!(
        (file.path.as_str(), file.mode),
        ("/run/landfall/resolv.conf", 0o644)
    );
    assert_eq!(
        text(&file),
        "# Written by landfall: what the network said in the initramfs.\n\
         search eng.example example\nnameserver 192.0.2.1\nnameserver 192.0.2.53\n"
    );
}

#[test]
fn what_the_words_say_counts_before_the_lease() {
    let (lease, dns) = (lease(), addresses(&["198.51.100.1", "2001:db8::53"]));
    let search = ["x.example".into(), "example".into(), "a b".into()];
    let routes = [
        route("203.0.113.0/24", "192.0.2.3", None),
        route("0.0.0.0/0", "198.51.100.9", Some("eth0")),
        route("10.0.0.0/8", "192.0.2.3", Some("eth1")),
        route("2001:db8:1::/48", "", None),
    ];
    let (hostname, root_path) = ("nas".into(), "/other".into());
    let handed = Handed {
        dns: &dns,
        ignore_dns: true,
        search: &search,
        routes: &routes,
        hostname: Some(&hostname),
        mtu: Some(9000),
        root_server: "192.0.2.99".parse().ok(),
        root_path: Some(&root_path),
        ..handed(How::dhcp4(&lease))
    };
    let conf = net_conf(&handed).unwrap();
    for line in [
        "IPV4GATEWAY='198.51.100.9'",
        "IPV4DNS0='198.51.100.1'",
        "IPV4DNS1=''",
        "IPV6DNS0='2001:db8::53'",
        "HOSTNAME='nas'",
        "ROOTSERVER='192.0.2.99'",
        "ROOTPATH='/other'",
        "DOMAINSEARCH='x.example example eng.example'",
    ] {
        assert!(text(&conf).lines().any(|l| l == line), "{line}");
    }
    assert_eq!(
        text(&super::network(&handed).unwrap()),
        "[Match]\nMACAddress=52:54:00:12:34:56\nKind=!*\n\n[Link]\nMTUBytes=9000\n\n\
         [Network]\nDHCP=ipv4\nKeepConfiguration=yes\nDNS=198.51.100.1\nDNS=2001:db8::53\n\n\
         [DHCPv4]\nClientIdentifier=mac\nRequestAddress=192.0.2.7\nUseDNS=no\n\n\
         [Route]\nDestination=203.0.113.0/24\nGateway=192.0.2.3\n\n\
         [Route]\nGateway=198.51.100.9\nGatewayOnLink=yes\n\n\
         [Route]\nDestination=2001:db8:1::/48\n"
    );
    let profile = connection(&handed).unwrap();
    let (_, ip) = text(&profile).split_once("[ipv4]\n").unwrap();
    assert_eq!(
        ip,
        "method=auto\ndhcp-client-id=01:52:54:00:12:34:56\ndhcp-timeout=2147483647\n\
         route1=203.0.113.0/24,192.0.2.3\n\
         route2=0.0.0.0/0,198.51.100.9\nroute2_options=onlink=true\ndns=198.51.100.1;\n\
         ignore-auto-dns=true\n\n\
         [ipv6]\nmethod=auto\nroute1=2001:db8:1::/48\ndns=2001:db8::53;\nignore-auto-dns=true\n"
    );
}

#[test]
fn static_addresses_are_handed_over_in_each_form() {
    let networks = ["192.0.2.7/23", "2001:db8::7/64", "192.0.2.8/32"].map(network);
    let dns = addresses(&["192.0.2.1", "2001:db8::53"]);
    let search = ["lab".into()];
    let routes = [
        route("0.0.0.0/0", "192.0.3.1", None),
        route("::/0", "fe80::1", None),
        route("10.0.0.0/8", "192.0.3.2", None),
    ];
    let handed = Handed {
        dns: &dns,
        search: &search,
        routes: &routes,
        ..handed(How::fixed(&networks))
    };
    let conf = net_conf(&handed).unwrap();
    assert!(
        text(&conf).starts_with(
            "DEVICE='eth0'\nPROTO='none'\nIPV4ADDR='192.0.2.7'\nIPV4BROADCAST='192.0.3.255'\n\
             IPV4NETMASK='255.255.254.0'\nIPV4GATEWAY='192.0.3.1'\nIPV4DNS0='192.0.2.1'\n\
             IPV4DNS1=''\nIPV6PROTO='none'\nIPV6ADDR='2001:db8::7'\nIPV6NETMASK='64'\n\
             IPV6GATEWAY='fe80::1'\nIPV6DNS0='2001:db8::53'\nIPV6DNS1=''\nHOSTNAME=''\n"
        ),
        "{}",
        text(&conf)
    );
    assert_eq!(
        text(&super::network(&handed).unwrap()),
        "[Match]\nMACAddress=52:54:00:12:34:56\nKind=!*\n\n\
         [Network]\nAddress=192.0.2.7/23\nAddress=2001:db8::7/64\nAddress=192.0.2.8/32\n\
         KeepConfiguration=yes\nDNS=192.0.2.1\nDNS=2001:db8::53\nDomains=lab\n\n\
         [Route]\nGateway=192.0.3.1\n\n[Route]\nGateway=fe80::1\n\n\
         [Route]\nDestination=10.0.0.0/8\nGateway=192.0.3.2\n"
    );
    let profile = connection(&handed).unwrap();
    let (_, ip) = text(&profile).split_once("[ipv4]\n").unwrap();
    assert_eq!(
        ip,
        "method=manual\naddress1=192.0.2.7/23\naddress2=192.0.2.8/32\ngateway=192.0.3.1\n\
         route1=10.0.0.0/8,192.0.3.2\ndns=192.0.2.1;\ndns-search=lab;\n\n\
         [ipv6]\nmethod=manual\naddress1=2001:db8::7/64\ngateway=fe80::1\n\
         dns=2001:db8::53;\ndns-search=lab;\n"
    );
    assert_eq!(
        text(&pnp(&handed)),
        "#MANUAL\nnameserver 192.0.2.1\nnameserver 2001:db8::53\n"
    );
    let none = super::tests::handed(How::fixed(&[]));
    assert!(text(&net_conf(&none).unwrap()).contains("IPV4ADDR=''\nIPV4BROADCAST=''\n"));
    let profile = connection(&none).unwrap();
    assert!(text(&profile).ends_with("[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=auto\n"));
}

#[test]
fn the_server_hears_the_same_identifier_as_before() {
    let duid = b"\xff\x01\x02\x03\x04\0\x03\0\x01\x52\x54\0\x12\x34\x56";
    let said = "ClientIdentifier=duid\nIAID=16909060\nDUIDType=3\n\
                DUIDRawData=00:01:52:54:00:12:34:56\n";
    let other_mac = client_id_of(Mac([2; 6]));
    for (id, networkd, manager) in [
        (
            client_id_of(MAC),
            "ClientIdentifier=mac\n",
            "01:52:54:00:12:34:56",
        ),
        (vec![], "ClientIdentifier=mac\n", "mac"),
        (
            duid.to_vec(),
            said,
            "ff:01:02:03:04:00:03:00:01:52:54:00:12:34:56",
        ),
        // networkd has no words for these.
        (duid[..7].to_vec(), "", "ff:01:02:03:04:00:03"),
        (b"\0box".to_vec(), "", "00:62:6f:78"),
        (other_mac, "", "01:02:02:02:02:02:02"),
    ] {
        let lease = Lease {
            client_id: id,
            ..lease()
        };
        let handed = handed(How::dhcp4(&lease));
        let file = super::network(&handed).unwrap();
        let section = format!("[DHCPv4]\n{networkd}RequestAddress=192.0.2.7\n");
        assert!(text(&file).ends_with(&section), "{}", text(&file));
        let profile = connection(&handed).unwrap();
        let line = format!("dhcp-client-id={manager}");
        assert!(text(&profile).lines().any(|l| l == line), "{line}");
    }
}

#[test]
fn a_link_that_others_look_like_is_known_by_its_name() {
    let lease = lease();
    let vlan = Handed {
        link: "eth0.100",
        by_name: true,
        made: true,
        ..handed(How::dhcp4(&lease))
    };
    let file = super::network(&vlan).unwrap();
    assert!(text(&file).starts_with("[Match]\nName=eth0.100\n\n[Link]\n"));
    assert_eq!(connection(&vlan), None);
    assert_eq!(
        text(&identity(&vlan).unwrap()),
        "[Match]\nOriginalName=eth0.100\n\n[Link]\nNamePolicy=keep\nMACAddressPolicy=none\n"
    );
    let another_mac = Handed {
        by_name: true,
        ..handed(How::dhcp4(&lease))
    };
    assert_eq!(
        text(&identity(&another_mac).unwrap()),
        "[Match]\nOriginalName=eth0\nKernelVersion=<6.2\n\n\
         [Link]\nAlternativeNamesPolicy=database onboard slot path\n"
    );
    for link in [
        "",
        ".",
        "..",
        "a/b",
        "a b",
        "a*",
        "a'b",
        "a\nb",
        "[x]",
        "sixteen-bytes-xx",
    ] {
        let odd = Handed {
            link,
            ..handed(How::dhcp4(&lease))
        };
        assert_eq!(
            (net_conf(&odd), super::network(&odd), identity(&odd)),
            (None, None, None),
            "{link}"
        );
        assert_eq!(connection(&odd), None);
    }
}

/// Each is sent as every text that a lease has.
const HOSTILE: [&str; 16] = [
    "';reboot;'",
    "'\\''",
    "\\",
    "\\'",
    "$(reboot)`reboot`${HOME}",
    "a\nROOTPATH=b",
    "a\r[Match]\nName=*",
    "a\0b",
    "\u{1b}]0;x\u{7}",
    "\u{9b}2J",
    "a;b;c",
    "[Network]",
    "# a",
    "a b!!",
    "\"\u{e4}\"",
    "!'!",
];

fn hostile(value: &str) -> Lease {
    Lease {
        hostname: Some(value.into()),
        domain: Some(value.into()),
        search: vec![value.into()],
        root_path: Some(value.into()),
        server_name: Some(value.into()),
        boot_file: Some(value.into()),
        ..lease()
    }
}

#[test]
fn a_hostile_server_adds_no_line_and_no_key() {
    let plain = Lease {
        hostname: None,
        domain: None,
        search: vec![],
        ..lease()
    };
    let plain = handed(How::dhcp4(&plain));
    let keys = |file: &File| {
        let key = |line: &str| line.split('=').next().unwrap().to_string();
        text(file).lines().map(key).listed()
    };
    for value in HOSTILE {
        let lease = hostile(value);
        let handed = handed(How::dhcp4(&lease));
        for write in [super::network, connection] {
            assert_eq!(write(&handed), write(&plain), "{value}");
        }
        assert_eq!(resolv_conf(&[handed]), resolv_conf(&[plain]), "{value}");
        assert_eq!(pnp(&handed), pnp(&plain), "{value}");
        let conf = net_conf(&handed).unwrap();
        assert_eq!(keys(&conf), keys(&net_conf(&plain).unwrap()), "{value}");
        assert!(
            text(&conf).contains("HOSTNAME=''\nDNSDOMAIN=''\n"),
            "{value}"
        );
    }
    let long = hostile(&"a".repeat(TEXT_MAX + 1));
    let long = net_conf(&handed(How::dhcp4(&long))).unwrap();
    assert!(text(&long).contains("ROOTPATH=''\n"));
}

#[test]
fn a_shell_that_sources_the_file_sees_the_values() {
    let path = "/a 'b' \"c\" \\d $e `f` !g *";
    let words = Text::from(path);
    let script = ". /dev/stdin; printf '%s|' \"$DEVICE\" \"$ROOTPATH\" \"$filename\" \"$UPTIME\"";
    for value in HOSTILE.into_iter().chain([path]) {
        let lease = hostile(value);
        let handed = Handed {
            link: "eth0.1-a_b",
            root_path: Some(&words),
            ..handed(How::dhcp4(&lease))
        };
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let bytes = net_conf(&handed).unwrap().bytes;
        shell.stdin.take().unwrap().write_all(&bytes).unwrap();
        let done = shell.wait_with_output().unwrap();
        let seen = if value.chars().any(char::is_control) {
            ""
        } else {
            value
        };
        let expected = format!("eth0.1-a_b|{path}|{seen}|3|");
        assert_eq!(String::from_utf8_lossy(&done.stdout), expected);
        assert!(
            done.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

#[test]
fn a_resolver_gets_no_more_than_it_takes() {
    let dns = addresses(&[
        "192.0.2.1",
        "192.0.2.2",
        "192.0.2.1",
        "192.0.2.3",
        "192.0.2.4",
    ]);
    let long = "a".repeat(60) + "." + &"b".repeat(60);
    let search: Vec<String> = (0..9).map(|n| format!("d{n}.example")).listed();
    let many = Handed {
        dns: &dns,
        search: &search,
        ..handed(How::fixed(&[]))
    };
    assert_eq!(
        text(&resolv_conf(&[many])),
        "# Written by landfall: what the network said in the initramfs.\n\
         search d0.example d1.example d2.example d3.example d4.example d5.example\n\
         nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
    );
    let search = [long.clone(), long.clone() + "c", "x".into()];
    let long_names = Handed {
        search: &search,
        ..handed(How::fixed(&[]))
    };
    let file = resolv_conf(&[long_names]);
    let line = text(&file).lines().nth(1).unwrap();
    assert_eq!(line, format!("search {long} x"));
    let none = resolv_conf(&[]);
    assert_eq!(text(&none).lines().count(), 1);
}
