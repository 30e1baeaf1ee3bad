//! The rows about roots on a network. (What each form says is tested where it is read.)

use super::*;
use crate::format::remote::Remote;
use crate::format::remote::nfs::Export;

fn check_remote(line: &str, remote: Remote, typed: &str) {
    check(line, |wish| {
        wish.root = Some(Source::Remote);
        wish.remote = Some(remote);
        wish.root_as_typed = typed.into();
    });
}

fn nfs(text: &str, v4: bool) -> Remote {
    Remote::Nfs(Export::parse(text, v4))
}

#[test]
fn nfsroot_says_which_export_root_is() {
    let export = "192.0.2.1:/srv/root,vers=3";
    let line = "root=/dev/nfs nfsroot=192.0.2.1:/srv/root,vers=3";
    check_remote(line, nfs(export, false), "/dev/nfs");
    let line = "nfsroot=192.0.2.1:/srv/root,vers=3 root=/dev/nfs";
    check_remote(line, nfs(export, false), "/dev/nfs");
    let open = Remote::Nfs(Export::default());
    check_remote("root=/dev/nfs", open, "/dev/nfs");
    let line = "root=nfs4:192.0.2.1:/srv/root";
    check_remote(
        line,
        nfs("192.0.2.1:/srv/root", true),
        "nfs4:192.0.2.1:/srv/root",
    );
    // The type says the version; it is no type to be tried one after the other.
    let line = "root=/dev/nfs rootfstype=nfs4 nfsroot=192.0.2.1:/srv";
    check_remote(line, nfs("192.0.2.1:/srv", true), "/dev/nfs");
    // Options of the export say what is to be written to, unless rootflags= does.
    for (line, writable) in [
        ("root=/dev/nfs nfsroot=/a,rw", true),
        ("root=/dev/nfs nfsroot=/a,rw rootflags=ro", false),
        ("root=/dev/nfs nfsroot=/a rw", true),
    ] {
        assert_eq!(wish(line).writable, writable, "{line}");
    }
}

#[test]
fn netroot_is_root_where_root_says_nothing() {
    check_remote("netroot=nfs:192.0.2.1:/a", nfs("192.0.2.1:/a", false), "");
    check_remote("root=dhcp", Remote::Lease, "dhcp");
    check_remote("root=/dev/root netroot=dhcp", Remote::Lease, "/dev/root");
    check("root=LABEL=x netroot=nfs:192.0.2.1:/a", |w| {
        w.root = Some(Source::Label("x".into()));
        w.root_as_typed = "LABEL=x".into();
    });
}

#[test]
fn links_get_ipv6_where_only_that_leads_to_root() {
    use crate::format::net::wanted::Method;
    for (line, expected) in [
        ("root=dhcp6", Method::Dhcp6),
        ("root=/dev/root netroot=dhcp6", Method::Dhcp6),
        ("root=nfs:[2001:db8::1]:/a", Method::Either6),
        ("root=/dev/nfs nfsroot=[2001:db8::1]:/a", Method::Either6),
        ("root=cifs://me:x@[2001:db8::1]/a", Method::Either6),
        ("root=nbd:[2001:db8::1]:a", Method::Either6),
        (
            "root=LABEL=a rd.nvmf.discover=tcp,[2001:db8::1]",
            Method::Either6,
        ),
        ("root=dhcp", Method::Dhcp4),
        ("root=nfs:192.0.2.1:/a", Method::Dhcp4),
        ("root=nfs:store.example:/a", Method::Dhcp4),
        ("root=LABEL=a", Method::Dhcp4),
    ] {
        assert_eq!(wish(line).net.usual, expected, "{line}");
    }
}

#[test]
fn controllers_of_nvme_gather() {
    use crate::format::remote::target::Target;
    let line = "rd.nvmf.discover=tcp,192.0.2.1 rd.nvmf.discover=tcp,192.0.2.2,,4420 \
                rd.nvmf.hostnqn=nqn.2026-01.example:me rd.nvmf.hostid=8d1f root=UUID=a";
    check(line, |w| {
        w.root = Some(Source::Uuid("a".into()));
        w.root_as_typed = "UUID=a".into();
        let host = "nqn.2026-01.example:me,8d1f";
        w.nvme_host = ("nqn.2026-01.example:me".into(), "8d1f".into());
        w.targets = [
            format!("192.0.2.1,,,,{host}"),
            format!("192.0.2.2,,4420,,{host}"),
        ]
        .map(|text| Target::parse(&format!("nvme:tcp,{text}")).unwrap())
        .to_vec();
    });
    check_complaint(
        "rd.nvmf.discover=rdma,192.0.2.1",
        "rd.nvmf.discover=rdma,192.0.2.1 has a transport that is not served here: only tcp is",
    );
    // Disks of ATA over Ethernet need a link, and no address.
    check("root=/dev/etherd/e0.1", |w| {
        w.root = Some(Source::Name("etherd/e0.1".into()));
        w.root_as_typed = "/dev/etherd/e0.1".into();
        w.targets = alloc::vec![Target::Aoe];
        w.net.off = true;
    });
}

#[test]
fn shares_of_smb_servers_are_roots() {
    use crate::format::remote::cifs::Share;
    let share = |text| Remote::Cifs(Share::parse(text).unwrap());
    let line = "root=/dev/cifs cifsroot=//192.0.2.1/share,vers=3.0 cifsuser=me cifspass=x";
    check_remote(line, share("//me:x@192.0.2.1/share,vers=3.0"), "/dev/cifs");
    let typed = "cifs://you:y@192.0.2.1/share";
    let line = format!("root={typed} cifsuser=me cifspass=x");
    // Pages and the log show root= without the password.
    let shown = "cifs://192.0.2.1/share";
    check_remote(&line, share("//you:y@192.0.2.1/share"), shown);
}

#[test]
fn words_about_iscsi_count_for_its_target() {
    use crate::format::remote::target::Target;
    let all = "rd.iscsi.initiator=iqn.2026-01.example:me rd.iscsi.username=me \
               rd.iscsi.password=secret rd.iscsi.in.username=it rd.iscsi.in.password=own \
               rd.iscsi.target.group=2 \
               rd.iscsi.param=node.session.timeo.replacement_timeout=60";
    let found = wish(&format!(
        "netroot=iscsi:192.0.2.1::::iqn.2026-01.example:disk {all}"
    ));
    assert_eq!(found.remote, Some(Remote::Target(0)));
    let [Target::Iscsi(target)] = found.targets.as_slice() else {
        panic!("{:?}", found.targets)
    };
    assert_eq!(
        (target.user.as_str(), target.user_in.as_str()),
        ("me", "it")
    );
    assert_eq!(target.initiator, "iqn.2026-01.example:me");
    assert_eq!((target.group, target.recovery_s), (Some(2), 60));
    assert!(!target.password.is_empty() && !target.password_in.is_empty());
    // No password is shown.
    let shown = format!("{}", found.targets[0]);
    assert!(
        !shown.contains("secret") && !shown.contains("own"),
        "{shown}"
    );
    let typed = "iscsi:me:secret@192.0.2.1::::iqn.2026-01.example:disk";
    let found = wish(&format!("root={typed}"));
    let shown = found.word();
    assert!(
        shown.contains("disk") && !shown.contains("secret"),
        "{shown}"
    );
    let odd = wish("root=iscsi:me:secret@nowhere");
    let said = format!("{} {}", odd.word(), odd.complaints.concat());
    assert!(!said.contains("secret"), "{said}");
    let found = wish("root=LABEL=x netroot=iscsi:192.0.2.1::::iqn.2026-01.example:disk");
    assert_eq!((found.remote, found.targets.len()), (None, 1));
}

#[test]
fn the_firmware_may_say_how_links_are_set_up() {
    use crate::format::net::wanted::{Method, Setup};
    let by_firmware = Setup {
        method: Method::Firmware,
        ..Setup::default()
    };
    for line in ["rd.iscsi.ibft", "rd.iscsi.ibft=1 ip=ibft", "ip=ibft"] {
        check(line, |wish| {
            wish.net.setups.push(by_firmware.clone());
            wish.net.awaits_firmware = true;
        });
    }
    check("rd.iscsi.ibft=0 rd.iscsi.mp", |wish| {
        wish.net.all_of_firmware = true;
    });
    let found = wish("ip=eth0:ibft ip=eth1:dhcp rd.iscsi.mp=0");
    assert!(found.net.awaits_firmware && !found.net.all_of_firmware);
    // Nothing is brought up for the sake of it.
    assert!(!found.needs_net());
}

#[test]
fn the_firmware_may_say_which_disks_there_are() {
    for (line, remote, links) in [
        ("rd.iscsi.firmware", Some(Remote::Firmware), true),
        ("root=iscsi", Some(Remote::Firmware), true),
        ("iscsi_firmware=1", Some(Remote::Firmware), true),
        ("netroot=iscsi", Some(Remote::Firmware), true),
        ("root=iscsi: ip=dhcp", Some(Remote::Firmware), false),
        ("root=LABEL=x rd.iscsi.firmware=1", None, true),
        ("root=LABEL=x netroot=iscsi ip=ibft", None, true),
        ("root=dhcp rd.iscsi.firmware", Some(Remote::Lease), true),
    ] {
        let found = wish(line);
        assert!(found.ibft.is_some() && found.needs_net(), "{line}");
        assert_eq!(found.remote, remote, "{line}");
        assert_eq!(found.net.awaits_firmware, links, "{line}");
        assert!(found.complaints.is_empty(), "{line}");
    }
    let words = "rd.iscsi.initiator=iqn.2026-01.example:me \
                 rd.iscsi.param=node.session.timeo.replacement_timeout=30";
    let all = wish(&format!("netroot=iscsi rd.iscsi.firmware=1 {words}"))
        .ibft
        .unwrap();
    assert_eq!(all.initiator, "iqn.2026-01.example:me");
    assert_eq!(all.recovery_s, 30);
    check("rd.iscsi.firmware=0", |_| {});
}

#[test]
fn the_table_of_nvme_counts_unless_that_is_off() {
    for line in ["rd.nvmf.nonbft", "rd.nonvmf=1"] {
        check(line, |wish| wish.net.ignore_nbft = true);
    }
    check("rd.nvmf.nonbft rd.nvmf.nonbft=0", |_| {});
    check("rd.nvmf.hostnqn=nqn.b rd.nvmf.hostid=a", |wish| {
        wish.nvme_host = ("nqn.b".into(), "a".into());
    });
}

#[test]
fn words_about_ceph_count_where_root_says_nothing() {
    use crate::format::ceph::Credentials;
    use crate::format::remote::target::Target;
    let who = |wish: &Wish| -> Credentials {
        match (&wish.remote, wish.targets.as_slice()) {
            (Some(Remote::Ceph(tree)), []) => tree.cluster.who.clone(),
            (_, [Target::Rbd(image)]) => image.cluster.who.clone(),
            other => panic!("{other:?}"),
        }
    };
    for (root, user) in [
        ("root=rbd:192.0.2.1:rbd/root", "me"),
        ("root=rbd:192.0.2.1:rbd/root:name=you", "you"),
        ("rbdroot=192.0.2.1:you:U0VDUkVU:rbd:root", "you"),
        ("root=LABEL=x netroot=rbd:192.0.2.1:rbd/root", "me"),
        ("root=ceph:192.0.2.1:/a", "me"),
        ("root=ceph:192.0.2.1:/a:secret=U0VDUkVU", "me"),
        ("root=ceph://you:U0VDUkVU@192.0.2.1:6789:/a", "you"),
        (
            "netroot=ceph:192.0.2.1:/a rootflags=name=you,secret=U0VDUkVU",
            "you",
        ),
    ] {
        for words in [
            "rd.ceph.user=client.me rd.ceph.secret=U0VDUkVU",
            "cephuser=me cephpass=U0VDUkVU",
        ] {
            let found = wish(&format!("{root} {words}"));
            assert_eq!(found.complaints, [""; 0], "{root}");
            assert_eq!(who(&found).user, user, "{root}");
            assert_eq!(who(&found).secret.as_bytes(), b"U0VDUkVU", "{root}");
            // Nothing that pages, the log or traces show of it holds the secret.
            let targets: Vec<String> = found.targets.iter().map(|t| format!("{t}")).collect();
            let shown = format!("{} {found:?} {targets:?}", found.word());
            assert!(!shown.contains("U0VDUkVU"), "{shown}");
        }
    }
    // Flags of the mount are the file system's options, and say whether it is written to.
    let found = wish("root=ceph:192.0.2.1:/a:noatime rootflags=rw,fs=b");
    let Some(Remote::Ceph(tree)) = &found.remote else {
        panic!("{:?}", found.remote)
    };
    assert_eq!(tree.cluster.options, "noatime,rw,mds_namespace=b");
    assert!(found.writable && found.flags.0.is_empty());
    let found = wish("root=rbd:192.0.2.1:a:QQ==:rbd:root:1:noatime");
    assert_eq!(
        (found.remote, found.flags),
        (Some(Remote::Target(0)), "noatime".into())
    );
    for (line, complaint) in [
        (
            "rd.ceph.secret=",
            "rd.ceph.secret has a secret that is none; it is ignored",
        ),
        (
            "cephuser=a,b",
            "cephuser has a user that is none; it is ignored",
        ),
        (
            "root=ceph:/a",
            "ceph: it has a monitor that is neither address nor name",
        ),
        (
            "root=rbd:192.0.2.1:a:U0VDUkVU:x",
            "rbd: it names no image (POOL/IMAGE)",
        ),
    ] {
        let found = wish(line);
        let said = found.complaints.join("\n");
        assert!(said.starts_with(complaint), "{line}: {said}");
        let said = format!("{said}{}", found.word());
        assert!(!said.contains("U0VDUkVU"), "{said}");
    }
}
