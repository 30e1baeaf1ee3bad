//! Exports as they are typed.

#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::*;
use alloc::string::ToString;

#[test]
fn an_export_is_named_in_several_ways() {
    for (typed, expected) in [
        ("nbd:192.0.2.1:2000", "nbd://192.0.2.1:2000"),
        ("nbd:192.0.2.1:root", "nbd://192.0.2.1:10809/root"),
        ("nbd:192.0.2.1:2000/root", "nbd://192.0.2.1:2000/root"),
        ("nbd:192.0.2.1:2000/a/b", "nbd://192.0.2.1:2000/a/b"),
        ("nbd:192.0.2.1:a/b", "nbd://192.0.2.1:10809/a/b"),
        ("nbd:192.0.2.1:/root", "nbd://192.0.2.1:10809/root"),
        ("nbd:192.0.2.1", "nbd://192.0.2.1:10809"),
        ("nbd:192.0.2.1:", "nbd://192.0.2.1:10809"),
        // As dracut has it: what is no port is a name.
        ("nbd:192.0.2.1:0", "nbd://192.0.2.1:10809/0"),
        ("nbd:192.0.2.1:70000", "nbd://192.0.2.1:10809/70000"),
        ("nbd:192.0.2.1:+7", "nbd://192.0.2.1:10809/+7"),
        ("nbd:store.example:root", "nbd://store.example:10809/root"),
        ("nbd:[2001:db8::1]:2000", "nbd://[2001:db8::1]:2000"),
        ("nbd:[2001:db8::1]:root", "nbd://[2001:db8::1]:10809/root"),
        ("nbd:[2001:db8::1]", "nbd://[2001:db8::1]:10809"),
        ("nbd://192.0.2.1", "nbd://192.0.2.1:10809"),
        ("nbd://192.0.2.1/", "nbd://192.0.2.1:10809"),
        ("nbd://192.0.2.1:2000/root", "nbd://192.0.2.1:2000/root"),
        ("nbd://me@192.0.2.1:/root", "nbd://192.0.2.1:10809/root"),
        ("nbd://[::1]:2000//disk", "nbd://[::1]:2000//disk"),
        ("nbd://store/a%20%C3%A9", "nbd://store:10809/a é"),
        ("nbd:store::::name=a/b", "nbd://store:10809/a/b"),
    ] {
        assert!(Reference::is_one(typed), "{typed}");
        let found = Reference::parse(typed).unwrap();
        assert_eq!(found.to_string(), expected, "{typed}");
    }
}

#[test]
fn what_cannot_be_attached_is_refused_in_words() {
    for (typed, why) in [
        ("nbd::2000", "it names no server"),
        ("nbd:", "it names no server"),
        ("nbd:///root", "it names no server"),
        ("nbd:a b:2000", "neither an address nor a name"),
        ("nbd:[::1:2000", "a bracket is open"),
        ("nbd:[::1]2000", "no port"),
        ("nbd:[store]:2000", "neither an address nor a name"),
        ("nbd://store:root", "no number from 1 to 65535"),
        ("nbd://store:0/a", "no number from 1 to 65535"),
        ("nbd://store/%", "not UTF-8"),
        ("nbd://store/%4", "not UTF-8"),
        ("nbd://store/%zz", "not UTF-8"),
        ("nbd://store/%ff", "not UTF-8"),
        ("nbd://store/a%00", "no export has such a name"),
        ("nbds://store/a", "TLS is not supported"),
        ("nbd://store/a?tls-type=anon", "TLS is not supported"),
        ("nbd+unix:///a?socket=b", "of this machine"),
        ("iscsi:x", "does not begin with nbd:"),
        ("", "does not begin with nbd:"),
    ] {
        let fault = Reference::parse(typed).unwrap_err();
        assert!(fault.text.contains(why), "{typed}: {fault}");
    }
    let long = alloc::format!("nbd:store:{}", "x".repeat(NAME_MAX + 1));
    assert!(Reference::parse(&long).is_err());
    assert!(!Reference::is_one("/dev/nbd0") && !Reference::is_one("nbd"));
}

#[test]
fn fields_and_options_are_those_of_dracut_and_nbd_client() {
    let typed = "nbd:192.0.2.1:root:ext4:ro,noatime:-readonly,bs=4096,timeout=30,--persist,\
                 connections=4,dead-conn-timeout=60";
    let found = Reference::parse(typed).unwrap();
    assert_eq!(found.fstype.as_deref(), Some("ext4"));
    assert_eq!(found.mount_options, "ro,noatime");
    let options = Options {
        read_only: true,
        timeout_s: Some(30),
        dead_connection_s: Some(60),
        block_size: Some(4096),
        connections: Some(4),
        ignored: Vec::new(),
    };
    assert_eq!(found.options, options);
    for typed in ["nbd:a:b:auto", "nbd:a:b::", "nbd:a:b:::"] {
        let found = Reference::parse(typed).unwrap();
        assert_eq!((found.fstype, found.mount_options.as_str()), (None, ""));
        assert_eq!(found.options, Options::default());
    }
    // The root is not written to through a mount that is read-only, but may be later.
    let found = Reference::parse("nbd:a:b:ext4:ro").unwrap();
    assert!(!found.options.read_only);
}

#[test]
fn what_is_not_understood_is_kept_to_be_told() {
    let typed = "nbd:a:b:::swab,bs=1000,bs=,timeout=x,timeout,connections=0,connections=17,name=,\
                 persist=1,swap,systemd-mark";
    let found = Reference::parse(typed).unwrap();
    let ignored = found.options.ignored.join(" ");
    let expected = "swab bs=1000 bs= timeout=x timeout connections=0 connections=17 name= \
                    persist=1";
    assert_eq!(ignored, expected);
    let found = Reference::parse("nbd://a/b?x=1&&y").unwrap();
    assert_eq!(found.options.ignored.join(" "), "x=1 y");
}

#[test]
fn no_damage_of_a_name_does_harm() {
    let seeds = [
        "nbd:[2001:db8::1]:2000/root:ext4:ro,noatime:-ro,bs=4096,name=x",
        "nbd://me@[::1]:2000/a%20b?tls-type=anon&x=1",
    ];
    let mut dice = 1u64;
    for round in 0..20_000usize {
        let mut bytes = seeds[round % 2].as_bytes().to_vec();
        for _ in 0..=round % 3 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (dice >> 33) as usize % bytes.len();
            bytes[at] = (dice >> 56) as u8;
        }
        if let Ok(found) = Reference::parse(&String::from_utf8_lossy(&bytes)) {
            assert!(found.port > 0 && found.export.len() <= NAME_MAX);
        }
    }
}
