//! Every form of `ip=`: the documents' examples, mixtures of them, and what is none of them.

use super::*;
use crate::base::text::Joined;
use alloc::format;
use alloc::string::ToString;

/// What a setup says, in a fixed order.
fn shown(setup: &Setup) -> String {
    let mut parts = Vec::new();
    parts.push(match &setup.link {
        None => "*".into(),
        Some(Which::Name(name)) => name.clone(),
        Some(Which::Mac(mac)) => mac.to_string(),
    });
    parts.push(format!("{:?}", setup.method));
    let mut one = |key: &str, value: Option<String>| {
        parts.extend(value.map(|value| format!("{key}={value}")));
    };
    one("address", setup.address.map(|a| a.to_string()));
    one("server", setup.server.map(|a| a.to_string()));
    one("peer", setup.peer.map(|a| a.to_string()));
    one("gateway", setup.gateway.map(|a| a.to_string()));
    one("host", setup.hostname.as_ref().map(Text::to_string));
    one("nis", setup.nis_domain.as_ref().map(Text::to_string));
    setup
        .dns
        .iter()
        .for_each(|a| one("dns", Some(a.to_string())));
    setup
        .ntp
        .iter()
        .for_each(|a| one("ntp", Some(a.to_string())));
    one("mtu", setup.mtu.map(|mtu| mtu.to_string()));
    one("mac", setup.mac.map(|mac| mac.to_string()));
    one("id", setup.client_id.clone().map(|id| Text(id).to_string()));
    parts.joined(" ")
}

/// `expected`: the setups, with ` + ` between them, and then ` ! ` and the beginning of each
/// complaint.
fn check(typed: &str, expected: &str) {
    let mut odd = Vec::new();
    let setups = read(typed.as_bytes(), &mut odd);
    let mut parts = expected.split(" ! ");
    let says: Vec<String> = setups.iter().map(shown).collect();
    assert_eq!(Some(says.join(" + ").as_str()), parts.next(), "{typed}");
    let expected: Vec<&str> = parts.collect();
    let same = odd
        .iter()
        .zip(&expected)
        .all(|(odd, start)| odd.starts_with(start));
    assert!(same && odd.len() == expected.len(), "{typed}: {odd:?}");
}

#[test]
fn a_method_alone_is_for_every_link() {
    for (typed, expected) in [
        ("dhcp", "* Dhcp4"),
        ("on", "* Dhcp4"),
        ("any", "* Dhcp4"),
        ("dhcp4", "* Dhcp4"),
        ("single-dhcp", "* Dhcp4"),
        ("single_dhcp", "* Dhcp4"),
        ("dhcp6", "* Dhcp6"),
        ("auto6", "* Auto6"),
        ("either6", "* Either6"),
        ("link6", "* LinkLocal"),
        ("link-local", "* LinkLocal"),
        ("ibft", "* Firmware"),
        ("dhcp,dhcp6", "* Dhcp4 + * Dhcp6"),
        ("dhcp,on,auto6", "* Dhcp4 + * Auto6"),
        ("off", ""),
        ("none", ""),
        ("", ""),
        ("none,off", ""),
        ("none,dhcp", "* Dhcp4"),
        (":::::::", "* Dhcp4"),
        ("::::::off", ""),
        ("::::::dhcp", "* Dhcp4"),
        ("::::::dhcp6", "* Dhcp6"),
        (":dhcp", "* Dhcp4"),
        (
            "bootp",
            "* Dhcp4 ! has the method 'bootp', which is not spoken here; DHCP is",
        ),
        ("rarp", "* Dhcp4 ! has the method 'rarp'"),
        ("both", "* Dhcp4 ! has the method 'both'"),
        (
            "eth0",
            "* Dhcp4 ! has the method 'eth0', which is none that is known here; DHCP",
        ),
        ("dhpc,auto6", "* Dhcp4 + * Auto6 ! has the method 'dhpc'"),
        ("DHCP", "* Dhcp4 ! has the method 'DHCP'"),
    ] {
        check(typed, expected);
    }
}

#[test]
fn a_client_identifier_is_sent_as_typed() {
    for (typed, expected) in [
        ("dhcp,0,harbour", "* Dhcp4 id=\\x00harbour"),
        (
            "dhcp,0x01,52:54:00:12:34:56",
            "* Dhcp4 id=\\x0152:54:00:12:34:56",
        ),
        ("dhcp,255,a,b", "* Dhcp4 id=\\xffa,b"),
        ("eth0:dhcp,1,abc", "eth0 Dhcp4 id=\\x01abc"),
        (":::::eth0:dhcp,1,abc", "eth0 Dhcp4 id=\\x01abc"),
        (
            "dhcp,256,abc",
            "* Dhcp4 id=\\x00abc ! has the client identifier's type '256', which is",
        ),
        (
            "dhcp,,abc",
            "* Dhcp4 id=\\x00abc ! has the client identifier's type ''",
        ),
        ("dhcp,1,", "* Dhcp4 ! has an empty client identifier"),
        ("dhcp,1", "* Dhcp4 ! has the method '1'"),
        ("dhcp,auto6,dhcp6", "* Dhcp4 + * Auto6 + * Dhcp6"),
    ] {
        check(typed, expected);
    }
    let mut odd = Vec::new();
    let long = read(
        &[b"dhcp,1,".to_vec(), alloc::vec![b'x'; 300]].concat(),
        &mut odd,
    );
    assert_eq!(long[0].client_id.as_ref().unwrap().len(), 252);
    assert_eq!(
        odd,
        ["has a long client identifier; its first 251 bytes are sent"]
    );
}

#[test]
fn a_link_and_its_method() {
    for (typed, expected) in [
        ("eth0:dhcp", "eth0 Dhcp4"),
        ("eth0:", "eth0 Dhcp4"),
        ("eth0:none", "eth0 Up"),
        ("eth0:link6", "eth0 LinkLocal"),
        ("vlan0.5:auto6", "vlan0.5 Auto6"),
        ("enp0s3:dhcp,auto6", "enp0s3 Dhcp4 + enp0s3 Auto6"),
        ("eth0:dhcp:1530", "eth0 Dhcp4 mtu=1530"),
        (
            "eth0:dhcp:1530:00:11:22:33:44:55",
            "eth0 Dhcp4 mtu=1530 mac=00:11:22:33:44:55",
        ),
        (
            "eth0:dhcp:1530:00-11-22-33-44-55",
            "eth0 Dhcp4 mtu=1530 mac=00:11:22:33:44:55",
        ),
        (
            "eth0:dhcp::00:11:22:33:44:55",
            "eth0 Dhcp4 mac=00:11:22:33:44:55",
        ),
        (
            "eth0:dhcp:00:11:22:33:44:55",
            "eth0 Dhcp4 mac=00:11:22:33:44:55",
        ),
        ("eth0:dhcp,auto6:9000", "eth0 Dhcp4 mtu=9000 + eth0 Auto6"),
        ("eth0:on:10.0.0.53", "eth0 Dhcp4 dns=10.0.0.53"),
        ("52-54-00-12-34-56:dhcp", "52:54:00:12:34:56 Dhcp4"),
        ("[52:54:00:12:34:56]:dhcp", "52:54:00:12:34:56 Dhcp4"),
        (
            "52:54:00:12:34:56:dhcp:1400",
            "52:54:00:12:34:56 Dhcp4 mtu=1400",
        ),
        ("52:54:00:12:34:56", "52:54:00:12:34:56 Dhcp4"),
        ("eth0:ibft", "eth0 Firmware"),
        ("eth0:dchp", "eth0 Dhcp4 ! has the method 'dchp'"),
        (
            "eth0:dhcp:67",
            "eth0 Dhcp4 ! has the MTU or name server '67'",
        ),
        (
            "eth0:dhcp:1500:random",
            "eth0 Dhcp4 mtu=1500 ! has the hardware address or name server",
        ),
        ("eth0:dhcp:::", "eth0 Dhcp4"),
        (
            "eth0:dhcp::::x::y",
            "eth0 Dhcp4 ! has the further field 'x', which is one too many",
        ),
        (
            "a/b:dhcp",
            "* Dhcp4 ! has the link 'a/b', which is no name of one; every link",
        ),
        ("..:dhcp", "* Dhcp4 ! has the link '..'"),
        (
            "sixteen-bytes-16:dhcp",
            "* Dhcp4 ! has the link 'sixteen-bytes-16'",
        ),
    ] {
        check(typed, expected);
    }
}

#[test]
fn the_kernels_ten_fields() {
    for (typed, expected) in [
        (
            "192.168.0.10:192.168.0.2:192.168.0.1:255.255.255.0:harbour:eth0:off",
            "eth0 Static address=192.168.0.10/24 server=192.168.0.2 gateway=192.168.0.1 host=harbour",
        ),
        (
            "10.0.0.2::10.0.0.1::h.nis.example:eth0:none:10.0.0.3:10.0.0.4:10.0.0.5",
            "eth0 Static address=10.0.0.2/8 gateway=10.0.0.1 host=h nis=nis.example \
             dns=10.0.0.3 dns=10.0.0.4 ntp=10.0.0.5",
        ),
        (
            "172.16.0.2:::::eth0:off",
            "eth0 Static address=172.16.0.2/16",
        ),
        ("192.168.7.2", "* Static address=192.168.7.2/24"),
        ("240.0.0.1", "* Static address=240.0.0.1/32"),
        ("192.168.7.2:", "* Static address=192.168.7.2/24"),
        ("192.168.7.2::::::", "* Static address=192.168.7.2/24"),
        (
            "192.168.7.2:::::eth0:on",
            "eth0 Static address=192.168.7.2/24",
        ),
        (
            "192.168.7.2:::::eth0:any",
            "eth0 Static address=192.168.7.2/24",
        ),
        (
            "192.168.7.2:::::eth0:rarp",
            "eth0 Static address=192.168.7.2/24",
        ),
        (
            "192.168.7.2:::::eth0:dhcp",
            "eth0 Dhcp4 address=192.168.7.2/24",
        ),
        (
            "192.168.007.002:::024::eth0:off",
            "eth0 Static address=192.168.7.2/24",
        ),
        (":192.168.0.2", "* Dhcp4 server=192.168.0.2"),
        (
            ":192.168.0.2:::harbour::dhcp",
            "* Dhcp4 server=192.168.0.2 host=harbour",
        ),
        (
            "::192.168.0.1:::eth1:dhcp",
            "eth1 Dhcp4 gateway=192.168.0.1",
        ),
        (":::::eth1:", "eth1 Dhcp4"),
        (":::::eth1:off", "eth1 Up"),
        ("::::harbour::none", "* Up host=harbour"),
        (":::::eth0:dhcp::10.0.0.4", "eth0 Dhcp4 dns=10.0.0.4"),
        (":::::eth0:dhcp:::10.0.0.5", "eth0 Dhcp4 ntp=10.0.0.5"),
        (
            "0.0.0.0:0.0.0.0:0.0.0.0:0.0.0.0::eth0:dhcp:0.0.0.0",
            "eth0 Dhcp4",
        ),
        (
            "10.0.0.2:::0.0.0.0::eth0:off",
            "eth0 Static address=10.0.0.2/8",
        ),
    ] {
        check(typed, expected);
    }
}

#[test]
fn the_long_form_of_dracut_and_systemd() {
    let base = "192.168.0.10::192.168.0.1:255.255.255.0:harbour:eth0";
    let says = "address=192.168.0.10/24 gateway=192.168.0.1 host=harbour";
    for (end, method, more) in [
        ("on", "Static", ""),
        ("none:1530", "Static", " mtu=1530"),
        (
            "none:1530:00:11:22:33:44:55",
            "Static",
            " mtu=1530 mac=00:11:22:33:44:55",
        ),
        (
            "none::00:11:22:33:44:55",
            "Static",
            " mac=00:11:22:33:44:55",
        ),
        ("none:10.10.10.10", "Static", " dns=10.10.10.10"),
        (
            "none:10.10.10.10:10.10.10.11",
            "Static",
            " dns=10.10.10.10 dns=10.10.10.11",
        ),
        ("none::[2001:db8::53]", "Static", " dns=2001:db8::53"),
        (
            "none:[2001:db8::53]:10.0.0.1",
            "Static",
            " dns=2001:db8::53 dns=10.0.0.1",
        ),
        ("auto6", "Auto6", ""),
        ("dhcp6:10.10.10.10", "Dhcp6", " dns=10.10.10.10"),
    ] {
        check(
            &format!("{base}:{end}"),
            &format!("eth0 {method} {says}{more}"),
        );
    }
    for (typed, expected) in [
        (
            "[2001:1234:56:8f63::10]::[2001:1234:56:8f63::1]:64:harbour:eth0:on",
            "eth0 Static address=2001:1234:56:8f63::10/64 gateway=2001:1234:56:8f63::1 host=harbour",
        ),
        (
            "[2001:db8::10]:[2001:db8::2]:[2001:db8::1]:60:harbour:eth0:none:[2001:db8::53]",
            "eth0 Static address=2001:db8::10/60 server=2001:db8::2 gateway=2001:db8::1 \
             host=harbour dns=2001:db8::53",
        ),
        (
            "[2001:db8::10/48]:::::eth0:none",
            "eth0 Static address=2001:db8::10/48",
        ),
        (
            "[2001:db8::10]/48:::64::eth0:none",
            "eth0 Static address=2001:db8::10/48",
        ),
        (
            "[2001:db8::10]:::::eth0:none",
            "eth0 Static address=2001:db8::10/64",
        ),
        (
            "192.0.2.7/25:::::eth0:none",
            "eth0 Static address=192.0.2.7/25",
        ),
        (
            "192.0.2.7:::25::52-54-00-12-34-56:none",
            "52:54:00:12:34:56 Static address=192.0.2.7/25",
        ),
        (
            "192.0.2.7:::25::52:54:00:12:34:56:none:1400",
            "52:54:00:12:34:56 Static address=192.0.2.7/25 mtu=1400",
        ),
        (
            "192.0.2.7:::25::eth0:none,auto6",
            "eth0 Auto6 address=192.0.2.7/25",
        ),
        (
            "192.0.2.7:::25::eth0:dhcp,auto6:1400",
            "eth0 Dhcp4 address=192.0.2.7/25 mtu=1400 + eth0 Auto6",
        ),
    ] {
        check(typed, expected);
    }
}

#[test]
fn a_server_is_the_other_end_where_nothing_else_leads_to_it() {
    for (typed, expected) in [
        (
            "10.0.0.1:10.0.0.2::24::x:none",
            "address=10.0.0.1/24 server=10.0.0.2",
        ),
        (
            "10.0.0.1:10.0.0.2::32::x:none",
            "address=10.0.0.1/32 server=10.0.0.2 peer=10.0.0.2",
        ),
        (
            "10.0.0.1:10.0.0.2:10.0.0.2:32::x:none",
            "address=10.0.0.1/32 server=10.0.0.2 peer=10.0.0.2 gateway=10.0.0.2",
        ),
        (
            "10.0.0.1:10.0.0.2:10.0.0.3:32::x:none",
            "address=10.0.0.1/32 server=10.0.0.2 gateway=10.0.0.3",
        ),
        (
            "10.0.0.1:10.0.0.2/32:::h:x:none",
            "address=10.0.0.1/32 peer=10.0.0.2 host=h",
        ),
        (
            "10.0.0.1/8:10.0.0.2/30::24::x:none",
            "address=10.0.0.1/30 peer=10.0.0.2",
        ),
        (
            "[2001:db8::1]:[2001:db8:1::2]:::h:x:none",
            "address=2001:db8::1/64 server=2001:db8:1::2 peer=2001:db8:1::2 host=h",
        ),
        (
            "10.0.0.1:[2001:db8::2/48]::24::x:none",
            "address=10.0.0.1/24 server=2001:db8::2 ! has a prefix behind the server",
        ),
    ] {
        check(typed, &format!("x Static {expected}"));
    }
    check(
        ":10.0.0.2/24::::x:dhcp",
        "x Dhcp4 server=10.0.0.2 ! has a prefix",
    );
}

#[test]
fn what_is_odd_is_named_and_the_rest_holds() {
    for (typed, expected) in [
        (
            "10.0.0.300:10.0.0.x:[fe80:1]:24:h:et/0:dchp",
            "* Dhcp4 host=h ! has the address '10.0.0.300', which is no address; there is none \
             ! has the server '10.0.0.x' ! has the gateway '[fe80:1]' ! has the mask '24', which \
             ! has the link 'et/0' ! has the method 'dchp'",
        ),
        (
            "10.0.0.2:::255.0.255.0::e:off",
            "e Static address=10.0.0.2/8 ! has the mask '255.0.255.0', which is none; the usual",
        ),
        (
            "10.0.0.2:::33::e:off",
            "e Static address=10.0.0.2/8 ! has the mask '33'",
        ),
        (
            "[fe80::1]:::129::e:off",
            "e Static address=fe80::1/64 ! has the mask '129'",
        ),
        (
            "10.0.0.2/33:10.0.0.1:::h:e:off",
            "e Up server=10.0.0.1 host=h ! has the address '10.0.0.2/33'",
        ),
        (
            "10.0.0.2::10.0.0.1/8:::e:off",
            "e Static address=10.0.0.2/8 ! has the gateway",
        ),
        (
            "::::.nis::dhcp",
            "* Dhcp4 ! has the host name '.nis', which is none that",
        ),
        ("::::a/b::dhcp", "* Dhcp4 ! has the host name 'a/b'"),
        (
            "10.0.0.2:::::e:fish",
            "e Dhcp4 address=10.0.0.2/8 ! has the method 'fish'",
        ),
        (
            "10.0.0.2:::::e:off:a:b:c:d",
            "e Static address=10.0.0.2/8 ! has the MTU or name server 'a', which is none; it is \
             ! has the hardware address or name server 'b' ! has the time server 'c' \
             ! has the further field 'd'",
        ),
    ] {
        check(typed, expected);
    }
    check(
        &format!("::::{}::dhcp", "h".repeat(65)),
        "* Dhcp4 ! has the host name 'hhhhhhhhhh",
    );
    for typed in [
        &b"[2001:db8::1:::64::eth0:off"[..],
        b"2001:db8::1::[fe80::1]:64::eth0:off",
        b"10.0.0.2:::::eth0:off:1500:52:54:00:12:34",
        b"10.0.0.2::\xff::h\xff:eth0:off",
    ] {
        let mut odd = Vec::new();
        assert!(
            !read(typed, &mut odd).is_empty() && odd.len() > 1,
            "{odd:?}"
        );
    }
}

#[test]
fn no_word_is_taken_apart_for_ever() {
    let mut odd = Vec::new();
    assert_eq!(read(&b"x,".repeat(9_000), &mut odd), [Setup::default()]);
    assert_eq!(odd.len(), 16);
    odd.clear();
    assert_eq!(read(&b":".repeat(9_000), &mut odd), [Setup::default()]);
    assert_eq!(odd.len(), 1, "{odd:?}");
}

/// xorshift64*.
fn roll(state: &mut u64, below: usize) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    let number = (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize;
    number.checked_rem(below).unwrap_or(0)
}

#[test]
fn damaged_words_are_read_without_a_panic() {
    let words = [
        "192.168.0.10:192.168.0.2:192.168.0.1:255.255.255.0:harbour.nis:eth0:off:10.0.0.1:10.0.0.2",
        "[2001:db8::10/48]:[2001:db8::2]:[2001:db8::1]:60:h:52:54:00:12:34:56:dhcp6:[2001:db8::53]",
        "eth0:dhcp,auto6:1530:00:11:22:33:44:55",
        "dhcp,0x01,52:54:00:12:34:56",
    ];
    let pieces = [
        "[", "]", ":", "/", ",", "::", "dhcp,", "1,", "0", "\u{e9}", "none", "52-", "",
    ];
    for seed in 1..=20_000u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut word = words[roll(&mut state, words.len())].as_bytes().to_vec();
        for _ in 0..=roll(&mut state, 4) {
            let at = roll(&mut state, word.len() + 1);
            let end = (at + roll(&mut state, 4)).min(word.len());
            let piece = pieces[roll(&mut state, pieces.len())];
            word.splice(at..end, piece.bytes());
            let at = roll(&mut state, word.len() + 1);
            if let (Some(byte), 0) = (word.get_mut(at), roll(&mut state, 3)) {
                *byte = roll(&mut state, 256) as u8;
            }
        }
        let mut odd = Vec::new();
        let setups = read(&word, &mut odd);
        assert!(
            setups.len() <= word.len() + 1 && odd.len() <= word.len() + 1,
            "seed {seed}"
        );
        for setup in &setups {
            let fits = |a: Network| a.prefix <= Network::longest(a.address);
            assert!(setup.address.is_none_or(fits), "seed {seed}");
        }
        let first = setups.first().map(|setup| &setup.link);
        assert!(
            setups.iter().all(|setup| Some(&setup.link) == first),
            "seed {seed}"
        );
    }
}
