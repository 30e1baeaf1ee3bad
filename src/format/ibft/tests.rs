//! Files as the kernel's module shows them.

use super::*;
use alloc::string::ToString;
use alloc::vec::Vec;

/// Files as lines: `target0/flags=3`.
fn read_lines(lines: &str) -> Firmware {
    let files = || lines.split_whitespace().filter_map(|l| l.split_once('='));
    let mut folders: Vec<String> = Vec::new();
    for (name, _) in files() {
        let folder = name.split('/').next().unwrap_or_default();
        if !folders.iter().any(|known| known == folder) {
            folders.push(folder.into());
        }
    }
    read(&folders, &|wanted| {
        let found = files().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value.into())
    })
}

const TARGET: &str = "
    initiator/initiator-name=iqn.2026-01.a:me
    target0/flags=3 target0/ip-addr=192.0.2.9 target0/port=3261 target0/lun=01000000
    target0/chap-type=2 target0/chap-name=me target0/rev-chap-name=you
    target0/target-name=iqn.2026-01.a:b";

#[test]
fn a_target_is_one_of_iscsi_whose_passwords_are_elsewhere() {
    let found = read_lines(TARGET);
    let [Target::Iscsi(target)] = found.targets.as_slice() else {
        panic!("{found:?}");
    };
    let shown = "iscsi:me::you:@192.0.2.9::3261:1:iqn.2026-01.a:b";
    assert_eq!(target.to_string(), shown);
    assert_eq!(target.initiator, "iqn.2026-01.a:me");
    assert_eq!(target.firmware, Some(0));
    assert!(target.password.is_empty() && found.odd.is_empty());
}

#[test]
fn who_does_not_count_as_proof_is_left_out() {
    for (kind, shown) in [
        ("0", "iscsi:192.0.2.9::3261:1:iqn.2026-01.a:b"),
        ("1", "iscsi:me:@192.0.2.9::3261:1:iqn.2026-01.a:b"),
    ] {
        let text = TARGET.replace("chap-type=2", &["chap-type=", kind].concat());
        assert_eq!(read_lines(&text).targets[0].to_string(), shown);
    }
}

#[test]
fn what_the_firmware_booted_from_stands_first() {
    let second = TARGET.replace("target0", "target1").replace(":b", ":c");
    let first = TARGET.replace("flags=3", "flags=1");
    let third = TARGET
        .replace("target0", "target2")
        .replace("flags=3", "flags=0");
    let found = read_lines(&[first, second, third].concat());
    let names = found.targets.iter().map(ToString::to_string).listed();
    assert!(names[0].ends_with(":c") && names[1].ends_with(":b"));
    assert_eq!(names.len(), 2);
}

#[test]
fn luns_are_read_as_the_kernel_writes_them() {
    for (text, lun) in [
        ("00000000", Some(0)),
        ("01000000", Some(1)),
        ("0a000000", Some(10)),
        ("010000000", Some(16)),
        ("0ff000000", Some(255)),
        ("400000000", Some(0x4000)),
        ("410000000", Some(0x4100)),
        ("411000000", Some(0x4101)),
        ("41ff000000", Some(0x41ff)),
        ("1ff000000", Some(0x1ff)),
        ("", None),
        ("0100000", None),
        ("00000001", None),
        ("41fff000000", None),
        ("0x1000000", None),
    ] {
        assert_eq!(lun_of(text), lun, "{text}");
    }
}

fn setup(lines: &str) -> (Setup, Option<u16>) {
    let lines = lines.replace("e/", "ethernet0/");
    let found = read_lines(&["ethernet0/mac=52:54:00:00:00:01 ", &lines].concat());
    let [used] = found.links.as_slice() else {
        panic!("{found:?}");
    };
    let mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
    assert_eq!(used.setup.link, Some(Which::Mac(mac)));
    (used.setup.clone(), used.vlan)
}

#[test]
fn a_link_has_an_address_or_asks_for_one() {
    let fixed = "e/ip-addr=192.0.2.7 e/gateway=192.0.2.1 e/primary-dns=192.0.2.2 e/vlan=5 \
                 e/secondary-dns=0.0.0.0 e/hostname=box ";
    for mask in ["e/prefix-len=24", "e/subnet-mask=255.255.255.0"] {
        let (setup, vlan) = setup(&[fixed, mask].concat());
        assert_eq!(setup.method, Method::Static);
        assert_eq!(setup.address, Network::parse("192.0.2.7/24"));
        assert_eq!(setup.gateway, "192.0.2.1".parse().ok());
        assert_eq!(setup.dns, ["192.0.2.2".parse::<IpAddr>().unwrap()]);
        assert_eq!(setup.hostname.unwrap().as_bytes(), b"box");
        assert_eq!(vlan, Some(5));
    }
    for (lines, method) in [
        ("e/ip-addr=192.0.2.7 e/dhcp=192.0.2.1", Method::Dhcp4),
        ("e/origin=3 e/vlan=0", Method::Dhcp4),
        ("e/ip-addr=2001:0db8:0000::7 e/origin=3", Method::Dhcp6),
        ("e/ip-addr=2001:db8::7 e/origin=4", Method::Auto6),
    ] {
        assert_eq!(setup(lines).0.method, method);
        assert_eq!(
            setup(lines),
            (
                Setup {
                    address: None,
                    ..setup(lines).0
                },
                None
            )
        );
    }
}

#[test]
fn what_makes_no_sense_is_left_out_and_said() {
    for (lines, odd) in [
        ("ethernet0/flags=3 ethernet0/mac=x", 1),
        (
            "ethernet0/mac=52:54:00:00:00:01 ethernet0/ip-addr=0.0.0.0",
            1,
        ),
        (
            "ethernet0/mac=52:54:00:00:00:01 ethernet0/ip-addr=192.0.2.7",
            1,
        ),
        (
            "target0/flags=3 target0/target-name=iqn.a target0/ip-addr=::",
            1,
        ),
        ("target0/target-name=none target0/ip-addr=192.0.2.1", 1),
        ("targetx/flags=3 acpi_header/signature=iBFT", 0),
    ] {
        let found = read_lines(lines);
        assert!(
            found.links.is_empty() && found.targets.is_empty(),
            "{lines}"
        );
        assert_eq!(found.odd.len(), odd, "{lines}");
    }
}
