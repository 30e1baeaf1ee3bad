//! Messages made by hand after RFC 2131 and 2132, in hexadecimal digits.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::*;
use crate::base::hex;
use crate::base::text::Text;
use crate::format::net::address::Mac;
use crate::format::net::lease::Lease;
use crate::format::net::search;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt::Display;
use core::net::Ipv4Addr;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
const XID: u32 = 0x3903_f326;
const OFFER: &str = "350102 3604c0000201";

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits.replace([' ', '\n'], "").as_bytes()).expect(digits)
}

/// Offers 192.0.2.7 with `siaddr` 192.0.2.9 and a relay at 198.51.100.1.
fn message(options: &str, sname: &[u8], file: &[u8]) -> Vec<u8> {
    let mut message = bytes(
        "02010600 3903f326 0000 0000 00000000 c0000207 c0000209 c6336401 525400123456 \
         00000000000000000000",
    );
    message.extend_from_slice(sname);
    message.resize(108, 0);
    message.extend_from_slice(file);
    message.resize(236, 0);
    message.extend_from_slice(&bytes("63825363"));
    message.extend_from_slice(&bytes(options));
    message
}

fn lease(message: &[u8]) -> Result<Lease, Refused> {
    let answer = Answer::parse(message, XID, MAC)?;
    answer.lease(&[]).map_err(Refused::Unusable)
}

/// What a lease says, without what an offer without options has.
fn told(lease: &Lease) -> String {
    let mut told = Vec::new();
    let mut add = |name: &str, values: &[&dyn Display]| {
        for value in values {
            told.push(format!("{name}={value}"));
        }
    };
    lease.address.iter().for_each(|own| add("address", &[own]));
    if lease.lifetime != u32::MAX {
        add("time", &[&lease.lifetime, &lease.renew, &lease.rebind]);
    }
    for route in &lease.routes {
        match route.via {
            Some(via) => add("route", &[&format!("{},{via}", route.to)]),
            None => add("route", &[&route.to]),
        }
    }
    lease.dns.iter().for_each(|dns| add("dns", &[dns]));
    lease.ntp.iter().for_each(|ntp| add("ntp", &[ntp]));
    lease.search.iter().for_each(|name| add("search", &[name]));
    lease.mtu.iter().for_each(|mtu| add("mtu", &[mtu]));
    let next = lease.next_server.map(|address| address.to_string().into());
    for (name, text) in [
        ("hostname", &lease.hostname),
        ("domain", &lease.domain),
        ("root", &lease.root_path),
        ("next", &next.filter(|n: &Text| n.0 != b"192.0.2.9")),
        ("server", &lease.server_name),
        ("file", &lease.boot_file),
    ] {
        text.iter().for_each(|text| add(name, &[text]));
    }
    told.join(" ")
}

fn check(options: &str, expected: &str) {
    let message = message(&format!("{OFFER} {options} ff"), b"", b"");
    assert_eq!(told(&lease(&message).unwrap()), expected, "{options}");
}

#[test]
fn an_answer_is_a_lease() {
    let own = "address=192.0.2.7/24";
    check("", own);
    check("0104ffffff80", "address=192.0.2.7/25");
    check("0104ffffffff", "address=192.0.2.7/32");
    for (options, rest) in [
        ("00 00 fa03616263", ""),
        ("3304 00000e10", "time=3600 time=1800 time=3150"),
        ("3304ffffffff 3a0400000001", ""),
        (
            "3304 00000e10 3a04 00000064 3b04 000000c8",
            "time=3600 time=100 time=200",
        ),
        (
            "3304 00000e10 3a04 00000e10 3b04 00000e11",
            "time=3600 time=1800 time=3150",
        ),
        ("3304 00000e10 3b04 00000005", "time=3600 time=5 time=5"),
        (
            "0608 c0000202 c0000203 2a04 c0000204",
            "dns=192.0.2.2 dns=192.0.2.3 ntp=192.0.2.4",
        ),
        ("060a c0000202 00000000 c000", "dns=192.0.2.2"),
        (
            "0c03 626f78 0f08 6578616d706c6500",
            "hostname=box domain=example",
        ),
        ("0c03 620a78 0f00", ""),
        ("0c02 0000", ""),
        ("1102 2f78 1103 0a7900", "root=/x\\x0ay"),
        ("1a02 05dc", "mtu=1500"),
        ("1a02 0240", "mtu=576"),
        ("1a02 023f", ""),
        ("1a01 05", ""),
        ("4203 626f78 4303 2f6b00", "server=box file=/k"),
        (
            "770f 03656e67 056170706c65 03636f6d 00 77 0c 096d61726b6574696e67 c004",
            "search=eng.apple.com search=marketing.apple.com",
        ),
    ] {
        check(options, format!("{own} {rest}").trim_end());
    }
    let long = format!("0cff{}", "61".repeat(255));
    check(&long, &format!("{own} hostname={}", "a".repeat(255)));
    check(&format!("{long} 0c0161"), own);
}

#[test]
fn routes_are_in_the_order_in_which_the_kernel_takes_them() {
    let own = "address=192.0.2.7/24";
    for (options, routes) in [
        ("0304 c0000201", "route=0.0.0.0/0,192.0.2.1"),
        ("0308 00000000 c0000202", "route=0.0.0.0/0,192.0.2.2"),
        ("0308 c0000203 c0000202", "route=0.0.0.0/0,192.0.2.3"),
        (
            "0304 c6336401",
            "route=198.51.100.1/32 route=0.0.0.0/0,198.51.100.1",
        ),
        ("0304 c0000207", "route=0.0.0.0/0"),
        (
            "2110 0a000000 c0000201 cb007105 c0000202 2108 00000000 c0000201",
            "route=10.0.0.0/8,192.0.2.1 route=203.0.113.5/32,192.0.2.2",
        ),
        // RFC 3442's examples of destinations.
        (
            "7946 00c0000201 08 0a c0000201 18 0a0000 c0000201 10 0a11 c0000201 \
             18 0a1b81 c0000201 19 0ae50080 c0000201 20 0ac67a2f c0000201 \
             08 0b c0000201 08 0c c0000201 08 0d c0000201",
            "route=0.0.0.0/0,192.0.2.1 route=10.0.0.0/8,192.0.2.1 route=10.0.0.0/24,192.0.2.1 \
             route=10.17.0.0/16,192.0.2.1 route=10.27.129.0/24,192.0.2.1 \
             route=10.229.0.128/25,192.0.2.1 route=10.198.122.47/32,192.0.2.1 \
             route=11.0.0.0/8,192.0.2.1 route=12.0.0.0/8,192.0.2.1 route=13.0.0.0/8,192.0.2.1",
        ),
        // They beat the others; bits behind the prefix do not count.
        (
            "0304 c0000201 2108 0a000000 c0000201 7906 01 ff c0000202",
            "route=128.0.0.0/1,192.0.2.2",
        ),
        ("f905 00 c0000203", "route=0.0.0.0/0,192.0.2.3"),
        (
            "f905 00 c0000203 7905 00 c0000204",
            "route=0.0.0.0/0,192.0.2.4",
        ),
        // A gateway behind a network that is on the link itself, whatever the order.
        (
            "7914 00 0a010101 10 0a01 00000000 18 c00002 00000000",
            "route=10.1.0.0/16 route=0.0.0.0/0,10.1.1.1",
        ),
        (
            "790a 00 0a010101 00 0a010102",
            "route=10.1.1.1/32 route=10.1.1.2/32 route=0.0.0.0/0,10.1.1.1",
        ),
        // Broken: the others count.
        (
            "7905 21 00000000 0304 c0000201",
            "route=0.0.0.0/0,192.0.2.1",
        ),
        (
            "7905 08 c0000201 0304 c0000201",
            "route=0.0.0.0/0,192.0.2.1",
        ),
        ("7905 00 e0000001", ""),
    ] {
        check(options, format!("{own} {routes}").trim_end());
    }
    check(
        "0104ffffffff 0304 c0000201",
        "address=192.0.2.7/32 route=192.0.2.1/32 route=0.0.0.0/0,192.0.2.1",
    );
    let many: String = (0..255)
        .map(|n| format!("790818{n:02x}0000c0000201"))
        .collect();
    let lease = lease(&message(&format!("{OFFER} {many}"), b"", b"")).unwrap();
    assert_eq!(lease.routes.len(), 64);
}

#[test]
fn fixed_fields_are_text_or_options() {
    let check = |options: &str, sname: &str, file: &str, expected: &str| {
        let text = |field: &str| match field.strip_prefix("hex ") {
            Some(digits) => bytes(digits),
            None => field.as_bytes().to_vec(),
        };
        let message = message(&format!("{OFFER} {options}"), &text(sname), &text(file));
        let told = told(&lease(&message).unwrap());
        assert_eq!(told, format!("address=192.0.2.7/24 {expected}").trim_end());
    };
    check("", "box", "/kernel", "server=box file=/kernel");
    check("4201 79 4301 78", "box", "/kernel", "server=y file=x");
    let full = "k".repeat(128);
    check("", "", &full, &format!("file={full}"));
    // 1: file holds options, 2: sname, 3: both; the pieces are one value.
    check("340101", "box", "hex 0c0162", "hostname=b server=box");
    check("340102", "hex 0c0162", "/k", "hostname=b file=/k");
    check(
        "340103 0c0161",
        "hex 0c0163",
        "hex 0c0162 ff 0c0178",
        "hostname=abc",
    );
    // In there the option counts no more, nor does another number.
    check("340101", "hex 0c0163", "hex 340103", "server=\\x0c\\x01c");
    check("340104 ff", "box", "", "server=box");
    check("3400 340101", "", "hex 0c0162", "hostname=b");
}

#[test]
fn a_server_that_is_named_by_its_address_is_one() {
    let mut message = message(OFFER, b"192.0.2.33", b"");
    let next = |message: &[u8]| lease(message).unwrap().next_server;
    assert_eq!(next(&message), Some(Ipv4Addr::new(192, 0, 2, 9).into()));
    message[20..24].fill(0);
    assert_eq!(next(&message), Some(Ipv4Addr::new(192, 0, 2, 33).into()));
    message[44] = b'x';
    assert_eq!(next(&message), None);
}

#[test]
fn whatever_is_no_answer_is_refused_with_the_reason() {
    let with = |at: usize, with: &str| {
        let mut message = message(OFFER, b"", b"");
        let with = bytes(with);
        message[at..at + with.len()].copy_from_slice(&with);
        message
    };
    let of = |options: &str| message(options, b"", b"");
    use Refused::{NotForUs, Unusable};
    let no_host = Unusable("gives no address that a machine can have");
    let no_mask = Unusable("gives a netmask that is none");
    for (message, why) in [
        (with(0, "01"), NotForUs("is not a server's")),
        (with(4, "3903f327"), NotForUs("is for another machine")),
        (with(33, "57"), NotForUs("is for another machine")),
        (with(1, "06"), Unusable("is not for Ethernet")),
        (with(2, "10"), Unusable("is not for Ethernet")),
        (with(236, "00"), Unusable("is of BOOTP and not of DHCP")),
        (with(16, "00000000"), no_host),
        (with(16, "00000001"), no_host),
        (with(16, "7f000001"), no_host),
        (with(16, "e0000001"), no_host),
        (with(16, "ffffffff"), no_host),
        (
            of("3604c0000201"),
            Unusable("does not say of which kind it is"),
        ),
        (
            of("350101 3604c0000201"),
            Unusable("is of a kind that servers do not send"),
        ),
        (of("350102"), Unusable("has no server identifier")),
        (
            of("350102 360400000000"),
            Unusable("has no server identifier"),
        ),
        (
            of("350102 3603c00002"),
            Unusable("has no server identifier"),
        ),
        (of(&format!("{OFFER} 0104ff00ff00")), no_mask),
        (of(&format!("{OFFER} 010400000000")), no_mask),
        (
            of(&format!("{OFFER} 330400000000")),
            Unusable("gives an address for no time"),
        ),
    ] {
        assert_eq!(lease(&message), Err(why));
    }
}

#[test]
fn a_refusal_has_its_text() {
    let nak = message("350106 3604c0000201 3807 6e6f20726f6f6d", b"", b"");
    let answer = Answer::parse(&nak, XID, MAC).unwrap();
    assert_eq!(answer.kind, Kind::Nak);
    assert_eq!(answer.message(), Some("no room".into()));
    let long = format!("350106 3604c0000201 38ff{}", "61".repeat(255));
    let message = message(&long, b"", b"");
    let answer = Answer::parse(&message, XID, MAC).unwrap();
    assert_eq!(answer.message().map(|text| text.0.len()), Some(160));
}

#[test]
fn domain_names_end() {
    for (value, names) in [
        ("", vec![]),
        ("0161 00 0162 00", vec!["a", "b"]),
        ("0161 00 0162", vec!["a"]),
        ("00 0161 00", vec!["a"]),
        ("c000", vec![]),
        ("0161 c000", vec![]),
        ("0161 00 c003 0162 00", vec!["a"]),
        ("0161 00 c005 c003", vec!["a"]),
        ("0161 00 c000 c003", vec!["a", "a", "a"]),
        ("0161 00 0162 c000 0163 c003", vec!["a", "b.a", "c.b.a"]),
        ("0161 00 40", vec!["a"]),
        ("0161 00 c0", vec!["a"]),
        ("0120 00 0162 00", vec!["b"]),
        ("010a 00 01ff 00 0162 00", vec!["b"]),
        ("012e 00 0162 00", vec![]),
    ] {
        assert_eq!(search::names(&bytes(value)), names, "{value}");
    }
    // Each name leads through all those before it.
    let chain = |count: u16| {
        let mut value = bytes("0161 00");
        for n in 1..count {
            let before = if n == 1 { 0 } else { 3 + (n - 2) * 4 };
            value.extend_from_slice(&[1, b'a']);
            value.extend_from_slice(&(0xc000 | before).to_be_bytes());
        }
        search::names(&value)
    };
    assert_eq!(chain(4_000).len(), 32);
    let label = format!("3f{}", "61".repeat(63));
    let long = format!("{label}{label}{label}3d{}00", "61".repeat(61));
    assert_eq!(search::names(&bytes(&long))[0].len(), 253);
    let long = format!("{label}{label}{label}3e{}00", "61".repeat(62));
    assert_eq!(search::names(&bytes(&long)).len(), 0);
}

/// `head`: from `secs` to `ciaddr`.
fn check_request(request: Request, head: &str, options: &str) {
    let machine = Machine {
        mac: MAC,
        client_id: client_id_of(MAC),
        hostname: Some("box".into()),
        vendor_class: Some("lf".into()),
        broadcast: true,
    };
    let mut expected = bytes(&format!("01010600 3903f326 {head}"));
    expected.resize(28, 0);
    expected.extend_from_slice(&MAC.0);
    expected.resize(236, 0);
    expected.extend_from_slice(&bytes(&format!("63825363 {options} ff")));
    expected.resize(300, 0);
    let built = request.build(&machine, XID, 0x102);
    assert_eq!(hex::encode(&built), hex::encode(&expected), "{request:?}");
}

#[test]
fn each_request_says_what_rfc_2131_lets_it_say() {
    let (server, address) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 7));
    let id = "3d07 01525400123456";
    let wanted = "3204 c0000207 3604 c0000201";
    let asked = "3902 05c0 0c03 626f78 3c02 6c66 \
        3712 79f9010321060c0f77111a2a33363a3b4243";
    check_request(
        Request::Discover,
        "0102 8000 00000000",
        &format!("350101 {id} {asked}"),
    );
    check_request(
        Request::Select { server, address },
        "0102 8000 00000000",
        &format!("350103 {id} {wanted} {asked}"),
    );
    check_request(
        Request::Extend { address },
        "0102 0000 c0000207",
        &format!("350103 {id} {asked}"),
    );
    check_request(
        Request::Decline { server, address },
        "0000 0000 00000000",
        &format!("350104 {id} {wanted}"),
    );
    check_request(
        Request::Release { server, address },
        "0000 0000 c0000207",
        &format!("350107 {id} 3604 c0000201"),
    );
    // Long values are in pieces, and a machine says no more than it knows.
    let machine = Machine {
        mac: MAC,
        vendor_class: Some("v".repeat(300).as_str().into()),
        ..Machine::default()
    };
    let built = Request::Discover.build(&machine, XID, 0);
    let start = bytes("63825363 350101 3902 05c0 3cff");
    assert_eq!(built[10..12], [0, 0]);
    assert_eq!(built[236..236 + start.len()], start);
    assert_eq!(built[236 + start.len() + 255..][..3], [0x3c, 45, b'v']);
}

#[test]
fn damaged_answers_are_leases_or_refused() {
    let whole = message(
        &format!(
            "{OFFER} 340103 0104ffffff00 330400000e10 0304c0000201 0c03626f78 \
             770f03656e67056170706c6503636f6d00 0a7761726d c004 790a00c000020110ac10c0000201 ff"
        ),
        &bytes("2108 0a000000 c0000201 7702 c000 ff"),
        &bytes("790700c0000201 79010a 1a0205dc ff"),
    );
    assert!(lease(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(lease(&whole[..end]).is_ok() == (end >= 240 + 9), "{end}");
    }
    let mut seed = 0x5eed_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for _ in 0..20_000 {
        let mut message = whole.clone();
        for _ in 0..=random(4) {
            // Mostly where the options are.
            let at = if random(4) == 0 { 0 } else { 240 };
            let at = at + random(message.len() - at);
            message[at] = random(256) as u8;
        }
        message.truncate(message.len() - random(40));
        if let Ok(lease) = lease(&message) {
            assert!(lease.renew <= lease.rebind && lease.rebind <= lease.lifetime);
            assert!((1..=32).contains(&lease.address.unwrap().prefix));
            assert!(lease.mtu.is_none_or(|mtu| mtu >= 576));
            let name = |name: &Option<Text>| name.as_ref().map_or(0, |name| name.0.len());
            assert!(name(&lease.hostname).max(name(&lease.domain)) <= 255);
        }
    }
}
