//! What of IPv6 is handed over: leases of DHCPv6, and what routers gave.

use super::*;
use crate::format::net::dhcp6::duid_of;

fn lease6(address: Option<&str>) -> Lease {
    Lease {
        address: address.map(network),
        server: "fe80::a".parse().unwrap(),
        routes: vec![],
        dns: addresses(&["2001:db8::53"]),
        hostname: None,
        domain: None,
        mtu: None,
        root_path: Some("nfs:[2001:db8::1]:/srv".into()),
        next_server: None,
        boot_file: Some("nfs://[2001:db8::1]/srv".into()),
        client_id: duid_of(MAC),
        ..lease()
    }
}

/// Of `net_conf`, what is not empty.
fn said(handed: &Handed<'_>) -> String {
    let conf = net_conf(handed).unwrap();
    let lines = text(&conf).lines().filter(|line| !line.ends_with("=''"));
    lines.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_lease_of_dhcp6_is_handed_over_in_each_form() {
    let lease = lease6(Some("2001:db8::7/128"));
    let how = How {
        dhcp6: Some(&lease),
        ..How::default()
    };
    let handed = handed(how);
    assert_eq!(
        said(&handed),
        "DEVICE='eth0' PROTO='none' IPV6PROTO='dhcp6' IPV6ADDR='2001:db8::7' IPV6NETMASK='128' \
         IPV6DNS0='2001:db8::53' ROOTPATH='nfs:[2001:db8::1]:/srv' \
         filename='nfs://[2001:db8::1]/srv' UPTIME='3' DHCPLEASETIME='3600' \
         DOMAINSEARCH='eng.example example'"
    );
    assert_eq!(
        text(&super::super::network(&handed).unwrap()),
        "[Match]\nMACAddress=52:54:00:12:34:56\nKind=!*\n\n\
         [Network]\nDHCP=ipv6\nIPv6AcceptRA=yes\nKeepConfiguration=yes\n\n\
         [DHCPv6]\nDUIDType=3\nDUIDRawData=00:01:52:54:00:12:34:56\nIAID=1193046\n\
         WithoutRA=solicit\n"
    );
    let profile = connection(&handed).unwrap();
    let (_, ip) = text(&profile).split_once("[ipv4]\n").unwrap();
    assert_eq!(
        ip,
        "method=disabled\n\n[ipv6]\nmethod=auto\naddr-gen-mode=eui64\n\
         dhcp-duid=00:03:00:01:52:54:00:12:34:56\ndhcp-iaid=1193046\n\
         dhcp-timeout=2147483647\n"
    );
    assert_eq!(
        text(&pnp(&handed)),
        "#PROTO: DHCP\nnameserver 2001:db8::53\n"
    );
}

#[test]
fn what_routers_gave_is_handed_over_in_each_form() {
    let lease = lease6(None);
    let (dns, search) = (addresses(&["2001:db8::54"]), ["lab".into()]);
    for told in [None, Some(&lease)] {
        let how = How {
            dhcp6: told,
            advertised: Some(network("2001:db8::9/64")),
            ..How::default()
        };
        let handed = Handed {
            router_dns: &dns,
            router_search: &search,
            ..handed(how)
        };
        let conf = said(&handed);
        let own = "PROTO='none' IPV6PROTO='none' IPV6ADDR='2001:db8::9' IPV6NETMASK='64' ";
        assert!(conf.contains(own), "{conf}");
        let servers = match told {
            None => "IPV6DNS0='2001:db8::54' UPTIME",
            Some(_) => "IPV6DNS0='2001:db8::53' IPV6DNS1='2001:db8::54' ROOTPATH",
        };
        assert!(conf.contains(servers), "{conf}");
        let file = super::super::network(&handed).unwrap();
        let (_, file) = text(&file).split_once("[Network]\n").unwrap();
        assert!(
            file.starts_with("IPv6AcceptRA=yes\nKeepConfiguration=yes\n"),
            "{file}"
        );
        assert!(!file.contains("Domains=") && !file.contains("WithoutRA"));
        assert_eq!(file.contains("[DHCPv6]"), told.is_some());
        let profile = connection(&handed).unwrap();
        let (_, ip) = text(&profile).split_once("[ipv4]\n").unwrap();
        let begin = "method=disabled\n\n[ipv6]\nmethod=auto\naddr-gen-mode=eui64\n";
        assert!(ip.starts_with(begin), "{ip}");
        let file = resolv_conf(&[handed]);
        assert!(text(&file).contains("nameserver 2001:db8::54\n"));
        assert!(text(&file).contains("lab"));
        let ignored = Handed {
            ignore_dns: true,
            ..handed
        };
        assert!(!said(&ignored).contains("IPV6DNS"));
        let file = super::super::network(&ignored).unwrap();
        assert!(text(&file).ends_with("[IPv6AcceptRA]\nUseDNS=no\n"));
        let profile = connection(&ignored).unwrap();
        assert!(text(&profile).contains("ignore-auto-dns=true"));
    }
}

#[test]
fn both_kinds_of_leases_stand_side_by_side() {
    let (four, six) = (lease(), lease6(Some("2001:db8::7/128")));
    let fixed = [network("192.0.2.99/24"), network("2001:db8::99/64")];
    let how = How {
        dhcp4: Some(&four),
        dhcp6: Some(&six),
        fixed: &fixed,
        advertised: None,
    };
    let handed = handed(how);
    let conf = said(&handed);
    for word in [
        "PROTO='dhcp'",
        "IPV4ADDR='192.0.2.99'",
        "IPV6PROTO='dhcp6'",
        "IPV6ADDR='2001:db8::99'",
        "IPV4DNS0='192.0.2.1'",
        "IPV6DNS0='2001:db8::53'",
        "filename='linux.0'",
    ] {
        assert!(conf.contains(word), "{word}: {conf}");
    }
    let file = super::super::network(&handed).unwrap();
    let (_, file) = text(&file).split_once("[Network]\n").unwrap();
    assert_eq!(
        file,
        "DHCP=yes\nIPv6AcceptRA=yes\nAddress=192.0.2.99/24\nAddress=2001:db8::99/64\n\
         KeepConfiguration=yes\n\n[DHCPv4]\nClientIdentifier=mac\nRequestAddress=192.0.2.7\n\n\
         [DHCPv6]\nDUIDType=3\nDUIDRawData=00:01:52:54:00:12:34:56\nIAID=1193046\n\
         WithoutRA=solicit\n"
    );
    let profile = connection(&handed).unwrap();
    let (_, ip) = text(&profile).split_once("[ipv4]\n").unwrap();
    assert!(
        ip.starts_with("method=auto\naddress1=192.0.2.99/24\ndhcp-client-id="),
        "{ip}"
    );
    assert!(
        ip.contains("[ipv6]\nmethod=auto\naddress1=2001:db8::99/64\naddr-gen-mode=eui64\n"),
        "{ip}"
    );
}
