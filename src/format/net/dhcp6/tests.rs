//! Messages made by hand after RFC 8415, in hexadecimal digits.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test that overflows fails"
)]

use super::*;
use crate::base::hex;
use crate::base::list::Listed;
use crate::base::text::Text;
use crate::format::net::lease::Lease;
use alloc::string::{String, ToString};
use alloc::{format, vec};
use core::net::IpAddr;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
const TRANSACTION: u32 = 0x0012_3456;
const FROM: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// The client's and a server's identifiers.
const IDS: &str = "0001 000a 00030001525400123456  0002 0004 000200aa";
/// 2001:db8::7, preferred for 1800 and valid for 3600 seconds.
const ADDRESS: &str = "0005 0018 20010db8000000000000000000000007 00000708 00000e10";

fn bytes(digits: &str) -> Vec<u8> {
    hex::decode(digits.replace([' ', '\n'], "").as_bytes()).expect(digits)
}

fn machine() -> Machine {
    Machine {
        duid: duid_of(MAC),
        iaid: iaid_of(MAC),
        vendor_class: None,
    }
}

/// An option by its code, with what is in it.
fn option(code: u16, value: &str) -> String {
    let value = value.replace([' ', '\n'], "");
    format!("{code:04x}{:04x}{value}", value.len() / 2)
}

/// IA_NA of this machine, with T1, T2 and options.
fn association(times: &str, inside: &str) -> String {
    option(3, &["00123456", times, inside].concat())
}

fn message(kind: u8, options: &str) -> Vec<u8> {
    bytes(&[&format!("{kind:02x}123456"), IDS, options].concat())
}

fn lease_of(options: &str) -> Result<Lease, String> {
    let message = message(7, options);
    let answer = Answer::parse(&message, TRANSACTION, &machine().duid);
    let answer = answer.map_err(|refused| format!("{refused:?}"))?;
    answer.lease(&machine(), FROM)
}

const NO_TIMES: &str = "0000000000000000";

#[test]
fn a_machine_is_known_by_its_hardware_address() {
    assert_eq!(hex::encode(&duid_of(MAC)), "00030001525400123456");
    assert_eq!(iaid_of(MAC), 0x0012_3456);
}

#[test]
fn each_message_is_built_as_the_document_has_it() {
    let client = "0001000a00030001525400123456";
    // Name servers, domains, time servers twice, the boot file.
    let asked = "0006000a00170018001f0038003b";
    let server = [0, 2, 0, 0xaa];
    let address = "2001:db8::7".parse().unwrap();
    let mut plain = machine();
    let build = |request: Request<'_>, machine: &Machine, elapsed| {
        hex::encode(&request.build(machine, TRANSACTION, elapsed))
    };
    assert_eq!(
        build(Request::Solicit, &plain, 0),
        [
            "01123456",
            client,
            "000800020000",
            asked,
            "000e0000",
            "0003000c001234560000000000000000"
        ]
        .concat()
    );
    let inside = "0005001820010db80000000000000000000000070000000000000000";
    let association = ["00030028001234560000000000000000", inside].concat();
    let select = Request::Select {
        server: &server,
        address,
    };
    assert_eq!(
        build(select, &plain, 0x0102),
        [
            "03123456",
            client,
            "00020004000200aa",
            "000800020102",
            asked,
            &association
        ]
        .concat()
    );
    assert_eq!(
        build(Request::Information, &plain, 7),
        ["0b123456", client, "000800020007", asked].concat()
    );
    plain.vendor_class = Some("pxe".into());
    let decline = Request::Decline {
        server: &server,
        address,
    };
    assert_eq!(
        build(decline, &plain, 0),
        [
            "09123456",
            client,
            "00020004000200aa",
            "000800020000",
            &association
        ]
        .concat()
    );
    let told = build(Request::Information, &plain, 7);
    assert!(told.ends_with("00100009000000000003707865"), "{told}");
    // What is too long is cut.
    plain.vendor_class = Some(Text(vec![b'x'; 70_000]));
    assert_eq!(
        Request::Information.build(&plain, 0, 0).len(),
        4 + 14 + 6 + 14 + 10 + 255
    );
}

#[test]
fn only_answers_to_this_machine_count() {
    let duid = machine().duid;
    let good = message(2, "");
    let parsed = Answer::parse(&good, TRANSACTION, &duid).ok().unwrap();
    assert_eq!(
        (parsed.kind, parsed.server),
        (Kind::Advertise, &[0, 2, 0, 0xaa][..])
    );
    assert_eq!((parsed.preference, parsed.rapid), (0, false));
    let more = message(7, &[option(7, "ff"), option(14, "")].concat());
    let parsed = Answer::parse(&more, TRANSACTION, &duid).ok().unwrap();
    assert_eq!(
        (parsed.kind, parsed.preference, parsed.rapid),
        (Kind::Reply, 255, true)
    );
    let refused = |message: &[u8], transaction, duid: &[u8]| match Answer::parse(
        message,
        transaction,
        duid,
    ) {
        Err(Refused::NotForUs(why) | Refused::Unusable(why)) => why,
        Ok(_) => "taken",
    };
    for kind in [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 255] {
        let other = message(kind, "");
        assert_eq!(
            refused(&other, TRANSACTION, &duid),
            "is not a server's",
            "{kind}"
        );
    }
    let other = "is for another machine";
    assert_eq!(refused(&good, TRANSACTION ^ 1, &duid), other);
    assert_eq!(refused(&good, TRANSACTION, &duid[1..]), other);
    assert_eq!(refused(&bytes("02123456"), TRANSACTION, &duid), other);
    let (client, _) = IDS.split_at(34);
    let no_server = "has no server identifier";
    for server in ["", "00020000", &option(2, &"aa".repeat(131))] {
        let message = bytes(&["02123456", client, server].concat());
        assert_eq!(refused(&message, TRANSACTION, &duid), no_server);
    }
    // Cut off anywhere it is one of these, and never more than it is.
    for end in 0..good.len() {
        assert_ne!(refused(&good[..end], TRANSACTION, &duid), "taken");
    }
}

#[test]
fn a_reply_is_a_lease() {
    let options = [
        association("0000 0384 0000 05a0", ADDRESS),
        option(
            23,
            "20010db8000000000000000000000053 fe800000000000000000000000000001",
        ),
        option(23, "20010db8000000000000000000000054 ff"),
        option(24, "03656e67 076578616d706c65 00 00 036c6162 00"),
        option(31, "20010db8000000000000000000000123"),
        option(56, &option(1, "20010db8000000000000000000000124")),
        option(
            56,
            &[
                option(3, "0174 00"),
                option(1, "ff020000000000000000000000000001"),
            ]
            .concat(),
        ),
        option(56, &option(1, "20010db8000000000000000000000123")),
        option(59, &hex::encode(b"tftp://[2001:db8::1]/x\0")),
    ];
    let lease = lease_of(&options.concat()).unwrap();
    assert_eq!(lease.address.unwrap().to_string(), "2001:db8::7/128");
    assert_eq!(
        (lease.lifetime, lease.renew, lease.rebind),
        (3600, 900, 1440)
    );
    let shown = |all: &[IpAddr]| all.iter().map(ToString::to_string).listed();
    assert_eq!(shown(&lease.dns), ["2001:db8::53", "2001:db8::54"]);
    assert_eq!(shown(&lease.ntp), ["2001:db8::123", "2001:db8::124"]);
    assert_eq!(lease.search, ["eng.example", "lab"]);
    assert_eq!(lease.boot_file, Some("tftp://[2001:db8::1]/x".into()));
    assert_eq!(lease.root_path, None);
    assert_eq!(lease.server, IpAddr::V6(FROM));
    assert_eq!(lease.client_id, duid_of(MAC));
    assert_eq!(lease.boot_server(), None);
    assert!(lease.routes.is_empty() && lease.mtu.is_none());
}

#[test]
fn times_that_the_server_leaves_open_are_the_usual_ones() {
    for (times, address, expected) in [
        (NO_TIMES, ADDRESS, (3600, 900, 1440)),
        // T1 behind T2, T2 behind the end.
        ("0000 0500 0000 0400", ADDRESS, (3600, 900, 1024)),
        ("0000 0500 0000 ffff", ADDRESS, (3600, 1280, 1440)),
        (
            NO_TIMES,
            "0005 0018 20010db8000000000000000000000007 ffffffff ffffffff",
            (u32::MAX, u32::MAX, u32::MAX),
        ),
        (
            NO_TIMES,
            "0005 0018 20010db8000000000000000000000007 ffffffff 00000064",
            (100, 50, 80),
        ),
        (
            NO_TIMES,
            "0005 0018 20010db8000000000000000000000007 00000000 00000064",
            (100, 0, 0),
        ),
    ] {
        let lease = lease_of(&association(times, address)).unwrap();
        assert_eq!(
            (lease.lifetime, lease.renew, lease.rebind),
            expected,
            "{times}"
        );
    }
}

#[test]
fn an_answer_without_a_usable_address_says_why() {
    let none = "gives no address that a machine can have";
    let refuses =
        |code: u16, text: &[u8]| option(13, &[format!("{code:04x}"), hex::encode(text)].concat());
    let with = |address: &str| {
        let inside = option(5, &[address, "00000708 00000e10"].concat());
        association(NO_TIMES, &inside)
    };
    for (options, why) in [
        (String::new(), none),
        (association(NO_TIMES, ""), none),
        (option(3, "00999999 0000000000000000"), none),
        (option(3, "0012"), none),
        (with("00000000000000000000000000000000"), none),
        (with("00000000000000000000000000000001"), none),
        (with("ff020000000000000000000000000001"), none),
        (with("fe800000000000000000000000000007"), none),
        (with("00000000000000000000ffffc0000207"), none),
        (
            association(
                NO_TIMES,
                &option(5, "20010db8000000000000000000000007 00000708"),
            ),
            none,
        ),
        (
            association(
                NO_TIMES,
                &option(5, "20010db8000000000000000000000007 00000708 00000000"),
            ),
            "gives an address for no time",
        ),
        (refuses(2, b""), "has no address for this machine"),
        (
            association(NO_TIMES, &refuses(2, b"full")),
            "has no address for this machine: full",
        ),
        (
            association(NO_TIMES, &[ADDRESS, &refuses(4, b"moved\x07")].concat()),
            "says that the address does not fit this link: moved\\x07",
        ),
        (
            association(
                NO_TIMES,
                &option(
                    5,
                    &[
                        "20010db8000000000000000000000007 00000708 00000e10",
                        &refuses(1, b"no"),
                    ]
                    .concat(),
                ),
            ),
            "refuses: no",
        ),
        (refuses(3, b""), "does not know this machine"),
        (refuses(5, b""), "wants to be asked with all others"),
        (
            refuses(77, &[b'x'; 500]),
            &["refuses: ", &"x".repeat(160)].concat(),
        ),
    ] {
        assert_eq!(lease_of(&options), Err(why.into()), "{options}");
    }
    // Success may be said, and a usable one may stand behind others.
    let first = option(5, "fe800000000000000000000000000007 00000708 00000e10");
    let inside = [&first, ADDRESS].concat();
    let both = [
        association(NO_TIMES, ""),
        association(NO_TIMES, &inside),
        refuses(0, b"fine"),
    ];
    assert!(lease_of(&both.concat()).is_ok());
}

#[test]
fn information_needs_no_address() {
    let message = message(7, &option(23, "20010db8000000000000000000000053"));
    let answer = Answer::parse(&message, TRANSACTION, &machine().duid)
        .ok()
        .unwrap();
    let lease = answer.information(&machine(), FROM).unwrap();
    assert_eq!((lease.address, lease.dns.len()), (None, 1));
    assert_eq!(lease.lifetime, u32::MAX);
}

#[test]
fn a_boot_file_may_name_a_root() {
    let good = association(NO_TIMES, ADDRESS);
    for (url, root) in [
        (
            "nfs://[2001:db8::1]/srv/root",
            Some("nfs:[2001:db8::1]:/srv/root"),
        ),
        (
            "nfs://store.example/srv/%s",
            Some("nfs:store.example:/srv/%s"),
        ),
        (
            "nfs:[2001:db8::1]:/srv/root",
            Some("nfs:[2001:db8::1]:/srv/root"),
        ),
        (
            "nfs4:[2001:db8::1]:/srv/root",
            Some("nfs4:[2001:db8::1]:/srv/root"),
        ),
        (
            "iscsi:[2001:db8::1]::::iqn.2026-01.example:a",
            Some("iscsi:[2001:db8::1]::::iqn.2026-01.example:a"),
        ),
        ("nbd:[2001:db8::1]:root", Some("nbd:[2001:db8::1]:root")),
        (
            "ceph:[2001:db8::1]:/srv/root",
            Some("ceph:[2001:db8::1]:/srv/root"),
        ),
        (
            "rbd:[2001:db8::1]:rbd/root",
            Some("rbd:[2001:db8::1]:rbd/root"),
        ),
        ("nfs://store.example", None),
        ("https://[2001:db8::1]/boot.efi", None),
        ("/srv/root", None),
        ("dhcp", None),
    ] {
        let options = [&good, &option(59, &hex::encode(url.as_bytes()))[..]].concat();
        let lease = lease_of(&options).unwrap();
        assert_eq!(
            lease.root_path.map(|path| path.to_string()).as_deref(),
            root,
            "{url}"
        );
        assert_eq!(lease.boot_file, Some(url.into()));
    }
}

#[test]
fn nothing_that_is_cut_or_changed_is_more_than_a_refusal() {
    let options = [
        association(NO_TIMES, &[ADDRESS, &option(13, "0000")].concat()),
        option(23, "20010db8000000000000000000000053"),
        option(24, "036c6162 00"),
        option(56, &option(1, "20010db8000000000000000000000124")),
    ];
    let whole = message(7, &options.concat());
    let duid = machine().duid;
    let mut leases = 0;
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut changed = whole.clone();
            changed[at] = value;
            let both = [&changed[..], &whole[..at]];
            for message in both {
                let answer = Answer::parse(message, TRANSACTION, &duid).ok();
                let lease = answer.and_then(|answer| answer.lease(&machine(), FROM).ok());
                leases += usize::from(lease.is_some());
            }
        }
    }
    assert!(leases > 0);
}
