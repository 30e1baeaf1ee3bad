//! What people type, what the kernel is told, and what is shown.

use super::image::Image;
use super::tree::Tree;
use super::*;

fn doors(cluster: &Cluster) -> Vec<SocketAddr> {
    cluster.doors(&|name| match name {
        "mon.example" => alloc::vec![IpAddr::from([192, 0, 2, 8]), IpAddr::from([192, 0, 2, 9]),],
        _ => Vec::new(),
    })
}

const NEW: &str = "ms_mode=prefer-crc,mount_timeout=30";

/// `shown`: as it is shown without a secret, which reads as the same again. `line`: what the driver
/// is told.
fn check_image(text: &str, shown: &str, line: &str) {
    let found = Image::parse(text).unwrap_or_else(|why| panic!("{text} {why}"));
    assert_eq!(found.to_string(), shown, "{text}");
    let rest = shown.strip_prefix("rbd:").unwrap();
    let mut again = Image::parse(rest).unwrap();
    again.cluster.who.secret = found.cluster.who.secret.clone();
    assert_eq!(again, found, "{text}");
    let told = found.line(&doors(&found.cluster), None);
    assert_eq!(told, line.replace("NEW", NEW), "{text}");
}

#[test]
fn images_are_named_by_pool_and_name() {
    check_image(
        "192.0.2.1:rbd/root",
        "rbd:192.0.2.1:rbd/root",
        "192.0.2.1:3300 name=admin,NEW rbd root -",
    );
    check_image(
        "192.0.2.1,[2001:db8::1]:3301,mon.example:rbd/space/root@then:name=me,ro:noatime",
        "rbd:192.0.2.1,[2001:db8::1]:3301,mon.example:rbd/space/root@then:name=me,ro:noatime",
        "192.0.2.1:3300,[2001:db8::1]:3301,192.0.2.8:3300,192.0.2.9:3300 \
         _pool_ns=space,name=me,NEW,ro rbd root then",
    );
    // A pool may be a number.
    check_image(
        "192.0.2.1:123/456:part=2",
        "rbd:192.0.2.1:123/456:part=2",
        "192.0.2.1:3300 name=admin,NEW 123 456 -",
    );
    check_image(
        "192.0.2.1:rbd/root:exclusive,part=1,secret=QUJD,mount_timeout=5,secretfile=/key",
        "rbd:192.0.2.1:rbd/root:secretfile=/key,exclusive,mount_timeout=5,part=1",
        "192.0.2.1:3300 name=admin,ms_mode=prefer-crc,exclusive,mount_timeout=5 rbd root -",
    );
}

#[test]
fn images_are_named_as_others_name_them_too() {
    check_image(
        "192.0.2.1,192.0.2.2:me:AQ/+==:rbd:root@then:3:noatime,_netdev",
        "rbd:192.0.2.1,192.0.2.2:rbd/root@then:name=me,part=3:noatime,_netdev",
        "192.0.2.1:3300,192.0.2.2:3300 name=me,NEW rbd root then",
    );
    check_image(
        "192.0.2.1:6789:me::rbd:root",
        "rbd:192.0.2.1:6789:rbd/root:name=me",
        "192.0.2.1:6789 name=me,mount_timeout=30 rbd root -",
    );
    let url = "//me:AQ/+==@192.0.2.1:6789,192.0.2.2:6789:/rbd/root";
    check_image(
        url,
        "rbd:192.0.2.1:6789,192.0.2.2:6789:rbd/root:name=me",
        "192.0.2.1:6789,192.0.2.2:6789 name=me,mount_timeout=30 rbd root -",
    );
    let found = Image::parse(url).unwrap();
    assert_eq!(found.cluster.who.secret.as_bytes(), b"AQ/+==");
    check_image(
        "//192.0.2.1:/rbd/root@then",
        "rbd:192.0.2.1:rbd/root@then",
        "192.0.2.1:3300 name=admin,NEW rbd root then",
    );
}

#[test]
fn no_image_is_a_sentence_without_the_secret() {
    for (text, why) in [
        ("", "neither address nor name"),
        ("192.0.2.1", "nothing behind them"),
        ("192.0.2.1:", "names no image"),
        ("192.0.2.1:rbd", "names no image"),
        ("192.0.2.1:rbd/", "without a possible name"),
        ("192.0.2.1:/root", "names no image"),
        ("192.0.2.1:rbd/a/b/c", "without a possible name"),
        ("192.0.2.1:rbd/root@a@b", "without a possible name"),
        ("192.0.2.1:rbd/x:part=0", "no number"),
        ("192.0.2.1:rbd/x y", "a blank"),
        ("192.0.2.1:rbd/x:ro key=a", "a blank"),
        ("192.0.2.1:0:rbd/x", "a port that is none"),
        ("192.0.2.1:70000:rbd/x", "a port that is none"),
        ("192.0.2.1,:rbd/x", "neither address nor name"),
        ("[192.0.2.1:rbd/x", "neither address nor name"),
        ("[]]:rbd/x", "neither address nor name"),
        ("192.0.2.1:me:SECRET:rbd", "names no image"),
        ("192.0.2.1:m,e:SECRET:rbd:x", "a user that is none"),
        ("//me,x:SECRET@192.0.2.1:/rbd/x", "a user that is none"),
    ] {
        let said = Image::parse(text).expect_err(text);
        assert!(
            said.contains(why) && !said.contains("SECRET"),
            "{text}: {said}"
        );
    }
    let many = ["192.0.2.1"; MONITORS_MAX + 1].join(",");
    let said = Image::parse(&format!("{many}:rbd/x")).expect_err("too many");
    assert!(said.contains("more monitors"), "{said}");
}

fn check_tree(text: &str, source: &str, options: &str) {
    let found = Tree::parse(text).unwrap_or_else(|why| panic!("{text} {why}"));
    let told = found.source(&doors(&found.cluster));
    assert_eq!(told, source, "{text}");
    let options = options.replace("NEW", NEW);
    assert_eq!(found.options().to_string(), options, "{text}");
    assert!(!found.to_string().contains("SECRET"), "{text}");
}

#[test]
fn trees_are_named_as_mount_ceph_names_them() {
    for (text, source, options) in [
        ("192.0.2.1:/", "192.0.2.1:3300:/", "name=admin,NEW"),
        (
            "192.0.2.1,mon.example:3301:/srv/root:name=me,secret=SECRET,fs=b,noatime",
            "192.0.2.1:3300,192.0.2.8:3301,192.0.2.9:3301:/srv/root",
            "name=me,NEW,mds_namespace=b,noatime",
        ),
        (
            "192.0.2.1:6789:/a,ms_mode=secure",
            "192.0.2.1:6789:/a",
            "name=admin,mount_timeout=30,ms_mode=secure",
        ),
        (
            "192.0.2.1:/a,ms_mode=legacy",
            "192.0.2.1:6789:/a",
            "name=admin,mount_timeout=30,ms_mode=legacy",
        ),
        (
            "//me:SECRET@192.0.2.1:6789,[2001:db8::1]:6789:/a",
            "192.0.2.1:6789,[2001:db8::1]:6789:/a",
            "name=me,mount_timeout=30",
        ),
        (
            "me@4b1e.files=/a:mon_addr=192.0.2.1:3300/[2001:db8::1],secret=SECRET,ro",
            "192.0.2.1:3300,[2001:db8::1]:3300:/a",
            "name=me,NEW,mds_namespace=files,fsid=4b1e,ro",
        ),
        (
            "me@.files=/:mon_addr=192.0.2.1",
            "192.0.2.1:3300:/",
            "name=me,NEW,mds_namespace=files",
        ),
    ] {
        check_tree(text, source, options);
    }
    for (text, why) in [
        ("/a", "neither address nor name"),
        ("192.0.2.1", "nothing behind them"),
        ("192.0.2.1:a", "no directory"),
        ("192.0.2.1:6789", "nothing behind them"),
        ("me@files=/a:mon_addr=192.0.2.1", "no file system"),
        ("me@.files=/a", "no monitor"),
        ("me@.files=/a:mon_addr=192.0.2.1/", "neither address"),
        ("me@.=/a:mon_addr=192.0.2.1", "no file system"),
        ("192.0.2.1:/a:name=", "a user that is none"),
        ("192.0.2.1:/a:secret=", "a secret that is none"),
    ] {
        let said = Tree::parse(text).expect_err(text);
        assert!(said.contains(why), "{text}: {said}");
    }
}

#[test]
fn the_key_of_a_user_is_found_in_a_keyring() {
    let both: &[u8] = b"# of the cluster\n[client.admin]\n\tkey = QUJD\n\tcaps mon = \"allow *\"\n\
                        [client.me]\n  key=REVG\r\n";
    for (text, user, expected) in [
        (both, "admin", Some("QUJD")),
        (both, "me", Some("REVG")),
        (both, "m", None),
        (b"QUJD==\n", "me", Some("QUJD==")),
        (b"\n QUJD\n\n", "me", Some("QUJD")),
        (b"QUJD\nREVG\n", "me", None),
        (b"", "me", None),
        (b"[client.me]\nkey\n", "me", None),
        (b"[client.me\nkey = a\n", "me", None),
        (b"\xff\xfe", "me", Some("")),
    ] {
        let found = keyring::secret(text, user);
        match expected {
            // Not Base64, which is found out later.
            Some("") => assert!(found.is_some()),
            _ => assert_eq!(found, expected.map(str::as_bytes), "{user}"),
        }
    }
    assert_eq!(keyring::places("me")[0], "/etc/ceph/ceph.client.me.keyring");
}

#[test]
fn the_log_tells_who_was_not_let_in() {
    for (line, expected) in [
        (
            "libceph: auth protocol 'cephx' msgr authentication failed: -13",
            true,
        ),
        (
            "libceph: auth protocol 'cephx' mauth authentication failed: -1",
            true,
        ),
        ("libceph: auth protocol 'none' not allowed", true),
        ("libceph: preferred mode 'crc' not allowed", true),
        ("libceph: no secret set (for auth_x protocol)", true),
        ("libceph: auth method 'x' error -1", true),
        // A monitor that cannot say yet.
        (
            "libceph: auth protocol 'cephx' msgr authentication failed: -11",
            false,
        ),
        // Another daemon, to which a ticket that has expired is renewed.
        (
            "libceph: auth protocol 'cephx' authorization to osd0 failed: -13",
            false,
        ),
        (
            "libceph: mon0 (2)192.0.2.1:3300 socket closed (con state OPEN)",
            false,
        ),
        ("ceph: No mds server is up or the cluster is laggy", false),
        ("nfs: auth protocol 'none' not allowed", false),
        ("", false),
    ] {
        assert_eq!(refusal::is_one(line.as_bytes()), expected, "{line}");
    }
    assert!(!refusal::is_one(b"libceph: \xff' not allowed"));
}
