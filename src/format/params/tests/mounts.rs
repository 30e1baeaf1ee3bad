//! The rows about what is mounted besides root.

use super::*;
use crate::format::mounts::{Entry, Extra};

fn extra(what: &str, at: &str, fstype: &str, options: &str) -> Extra {
    let entry = Entry {
        what: what.as_bytes(),
        at: at.as_bytes(),
        fstype: fstype.as_bytes(),
        options: options.as_bytes(),
    };
    entry.extra().unwrap()
}

fn usr(what: &str, fstype: &str, options: &str, writable: bool) -> Vec<Extra> {
    let extra = extra(what, "/usr", fstype, options);
    alloc::vec![Extra { writable, ..extra }]
}

#[test]
fn usr_is_named_by_its_words_or_by_those_of_root() {
    let found = |line: &str| wish(line).mounts;
    assert_eq!(found("mount.usr=LABEL=u"), usr("LABEL=u", "", "", false));
    assert_eq!(found("mount.usr=/dev/a rw"), usr("/dev/a", "", "", true));
    assert_eq!(
        found("root=UUID=1 rootfstype=btrfs rootflags=subvol=@ mount.usrflags=subvol=u,ro rw"),
        usr("UUID=1", "btrfs", "subvol=u,ro", false)
    );
    assert_eq!(
        found("root=UUID=1 rootflags=noatime mount.usrfstype=xfs,ext4"),
        usr("UUID=1", "xfs,ext4", "noatime", false)
    );
    assert_eq!(
        found("mount.usr=/dev/a mount.usrflags=rw mount.usrfstype=auto"),
        usr("/dev/a", "", "rw", true)
    );
    let hash = "0".repeat(64);
    let line = format!("root=/dev/a usrhash={hash}");
    assert_eq!(found(&line), usr("/dev/mapper/usr", "", "", false));
    assert_eq!(found("root=/dev/a mount.usr="), []);
    check_complaint(
        "mount.usr=what",
        "mount.usr=what is not mounted: it is neither",
    );
}

#[test]
fn fstab_may_be_left_alone() {
    for word in ["rd.fstab", "fstab"] {
        check(&format!("{word}=0"), |w| w.fstab = false);
        check(&format!("{word}=0 {word}=1"), |_| {});
    }
}

#[test]
fn more_mounts_are_named_by_words() {
    let line = "rd.systemd.mount-extra=LABEL=a:/sysroot/var:ext4:noatime \
                systemd.mount-extra=/dev/b\\:c:/var/log::x-initrd.mount,ro \
                systemd.mount-extra=/dev/d:/home";
    let expected = [
        extra("LABEL=a", "/var", "ext4", "noatime"),
        extra("/dev/b:c", "/var/log", "", "x-initrd.mount,ro"),
    ];
    assert_eq!(wish(line).mounts, expected);
    for line in [
        "rd.systemd.mount-extra=/dev/a:/var",
        "rd.systemd.mount-extra=/dev/a:/sysroot",
    ] {
        check_complaint(line, &alloc::format!("{line} is not below /sysroot"));
    }
    let line = "systemd.mount-extra=what:/usr:nfs";
    check_complaint(line, &alloc::format!("{line} is not mounted"));
}
