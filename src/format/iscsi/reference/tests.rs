//! Disks as RFC 4173 and dracut name them.

use super::*;
use alloc::format;
use alloc::string::ToString;

const NAME: &str = "iqn.2026-01.com.example:disk";

fn check(text: &str, shown: &str) -> Reference {
    let found = Reference::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!(found.to_string(), shown, "{text}");
    let mut again = Reference::parse(shown).unwrap();
    again.password = found.password.clone();
    again.password_in = found.password_in.clone();
    assert_eq!(again, found, "{text}");
    found
}

#[test]
fn disks_are_named_as_rfc_4173_names_them() {
    for (text, shown) in [
        (
            "iscsi:192.0.2.1::::iqn.2026-01.com.example:disk",
            "iscsi:192.0.2.1::3260:0:iqn.2026-01.com.example:disk",
        ),
        (
            "iscsi:192.0.2.1:6:3261:1:iqn.2026-01.com.example:disk",
            "iscsi:192.0.2.1::3261:1:iqn.2026-01.com.example:disk",
        ),
        (
            "iscsi:[2001:db8::1]::::eui.0123456789abcdef",
            "iscsi:[2001:db8::1]::3260:0:eui.0123456789abcdef",
        ),
        (
            "iscsi:store.example::::naa.52004567BA64678D",
            "iscsi:store.example::3260:0:naa.52004567BA64678D",
        ),
        // The server is whoever the lease names.
        (
            "iscsi:::::iqn.2026-01.com.example:disk",
            "iscsi:::3260:0:iqn.2026-01.com.example:disk",
        ),
        (
            "192.0.2.1:::12:iqn.2026-01.com.example:a:b",
            "iscsi:192.0.2.1::3260:12:iqn.2026-01.com.example:a:b",
        ),
    ] {
        check(text, shown);
    }
}

#[test]
fn disks_are_named_as_dracut_names_them() {
    let found = check(
        &format!("iscsi:me:my secret@192.0.2.1::3260:default:eth0:2:{NAME}"),
        &format!("iscsi:me:@192.0.2.1::3260:default:eth0:2:{NAME}"),
    );
    assert_eq!(found.password.as_bytes(), b"my secret");
    assert_eq!((found.link.as_str(), found.lun), ("eth0", 2));
    let found = check(
        &format!("iscsi:me:one:them:two@192.0.2.1:::eth0:0:{NAME}"),
        &format!("iscsi:me::them:@192.0.2.1::3260:eth0:0:{NAME}"),
    );
    assert_eq!(found.password_in.as_bytes(), b"two");
    assert_eq!(found.problem(), None);
    // A sign in the target's name: dracut wants an empty user before the server.
    check(
        "iscsi:@192.0.2.1::3260::iqn.2009-01.com.example:testdi@sk",
        "iscsi:@192.0.2.1::3260:0:iqn.2009-01.com.example:testdi@sk",
    );
    check(
        "iscsi:192.0.2.1::3260::iqn.2009-01.com.example:testdi@sk",
        "iscsi:@192.0.2.1::3260:0:iqn.2009-01.com.example:testdi@sk",
    );
    // And one in the name of a link or an interface.
    for fields in ["eth@0:0", "us@er:eth0:0"] {
        let same = format!("iscsi:@192.0.2.1::3260:{fields}:{NAME}");
        check(&same, &same);
    }
}

#[test]
fn luns_are_decimal_or_what_the_rfc_means() {
    for (text, lun) in [
        ("", Some(0)),
        ("10", Some(10)),
        ("4186-0-0-0", Some(0x4186)),
        ("000a", Some(10)),
        ("4752-3A4F-6b7e-2F99", Some(0x2f99_6b7e_3a4f_4752)),
        ("6734-9-156f-127", Some(0x0127_156f_0009_6734)),
        ("1-2-3-4-5", None),
        ("12345-0", None),
        ("+1-0", None),
        ("x", None),
        ("18446744073709551616", None),
    ] {
        assert_eq!(lun_of(text), lun, "{text}");
    }
}

#[test]
fn passwords_never_show() {
    let text = format!("iscsi:me:hunter2:them:hunter3@192.0.2.1::::{NAME}");
    let found = Reference::parse(&text).unwrap();
    for shown in [format!("{found}"), format!("{found:?}")] {
        assert!(!shown.contains("hunter"), "{shown}");
    }
    assert_eq!(found.clone(), found);
}

#[test]
fn odd_references_are_refused() {
    let long = format!("iscsi:192.0.2.1::::iqn.{}", "a".repeat(220));
    for odd in [
        "",
        "iscsi:",
        "iscsi:192.0.2.1",
        "iscsi:192.0.2.1::::",
        "iscsi:192.0.2.1::::disk",
        "iscsi:192.0.2.1:::iqn.2026-01.com.example:disk",
        "iscsi:192.0.2.1:17:::iqn.2026-01.com.example:disk",
        "iscsi:192.0.2.1::0::iqn.2026-01.com.example:disk",
        "iscsi:192.0.2.1::65536::iqn.2026-01.com.example:disk",
        "iscsi:192.0.2.1:::x:iqn.2026-01.com.example:disk",
        "iscsi:192.0.2.1::1:2:3:4:5:iqn.2026-01.com.example:disk",
        "iscsi:a b::::iqn.2026-01.com.example:disk",
        "iscsi:192.0.2.1::::iqn.2026-01.com.example:a b",
        "iscsi:192.0.2.1::::eui.0123",
        "iscsi:1:2:3:4:5@192.0.2.1::::iqn.2026-01.com.example:disk",
        long.as_str(),
    ] {
        assert!(Reference::parse(odd).is_err(), "{odd}");
    }
}

#[test]
fn the_words_of_dracut_fill_in_the_rest() {
    let mut found = Reference::default();
    assert_eq!(found.problem(), Some("names no target"));
    for (key, value) in [
        ("target.name", NAME),
        ("target.ip", "2001:db8::1"),
        ("target.port", "3261"),
        ("target.group", "2"),
        ("initiator", "iqn.2026-01.com.example:me"),
        ("username", "me"),
        ("password", "one"),
        ("param", "node.session.timeo.replacement_timeout=30"),
    ] {
        assert_eq!(found.word(key, value), Ok(true), "{key}");
    }
    assert_eq!((found.group, found.recovery_s), (Some(2), 30));
    assert_eq!(found.problem(), None);
    let shown = format!("iscsi:me:@[2001:db8::1]::3261:0:{NAME}");
    assert_eq!(found.to_string(), shown);
    assert_eq!(found.word("in.username", "them"), Ok(true));
    assert!(found.problem().unwrap().contains("but one"));
    found.word("in.password", "one").unwrap();
    assert!(found.problem().unwrap().contains("same password"));
    found.word("in.password", "two").unwrap();
    assert_eq!(found.problem(), None);
    found.word("password", "").unwrap();
    assert!(found.problem().unwrap().contains("no password"));
    assert_eq!(found.word("firmware", "1"), Ok(false));
    assert_eq!(found.word("param", "node.startup=manual"), Ok(false));
    for (key, value) in [
        ("initiator", "me"),
        ("target.port", "x"),
        ("param", "node.session.timeo.replacement_timeout=x"),
    ] {
        assert!(found.word(key, value).is_err(), "{key}");
    }
}
