//! Roots on a Ceph cluster: images of RBD, directories of CephFS.

use super::nfs::networked;
use crate::lab::ceph::{MONITOR, SECRET, USER, WRONG_SECRET, cluster};
use crate::lab::disks::EXT4;
use crate::lab::images;
use crate::lab::outcome::Outcome;
use crate::lab::shelf;
use std::fs;

/// Boots a machine of the cluster's network with these words.
fn boot(words: &str) -> Outcome {
    cluster().to(networked()).cmdline(words).boot()
}

/// A secret on the command line is in the words that the trace begins with, and nowhere else.
#[track_caller]
fn assert_hidden(outcome: &Outcome, secret: &str) {
    let typed = |line: &&str| line.contains(" < boot ") || line.contains("Command line:");
    let trace = outcome.fact("trace").lines();
    let console = outcome.lines.iter().map(String::as_str);
    let shown = trace
        .chain(console)
        .filter(|line| !typed(line))
        .find(|line| line.contains(secret) && !line.contains("ommand line"));
    outcome.check(shown.is_none(), &format!("the secret is shown: {shown:?}"));
}

#[test]
fn boot_rbd_by_the_name_of_its_image() {
    let words = format!("root=rbd:{MONITOR}:rbd/root:name={USER},secret={SECRET} ro");
    let outcome = boot(&words);
    outcome.assert_root("/dev/rbd0", "ext4", "ro");
    assert_hidden(&outcome, SECRET);
    // Mapped writable, and nothing was written.
    let changed = cluster().run("rbd diff --from-snap made rbd/root");
    assert_eq!(changed.trim(), "", "the image was changed");
}

#[test]
fn boot_rbd_snapshot_by_label_with_a_keyring() {
    let text = format!("[client.{USER}]\n\tkey = {SECRET}\n");
    let keyring = shelf::made("files", "keyring", text.as_bytes(), |at| {
        fs::write(at, &text).expect("a writable target directory");
    });
    let file = format!("{}:/etc/ceph/keyring", keyring.display());
    let machine = networked();
    let options = ["--network", "--add-file", &file];
    let image = images::image_with(&machine.kernel, "generic-keyring", &options);
    // By the older protocol. Of two monitors one is not there.
    let words = format!(
        "root=LABEL={} rw netroot=rbd:10.66.100.9:6789,{MONITOR}:6789:rbd/root@made \
         rd.ceph.user={USER}",
        EXT4.label
    );
    let machine = cluster().to(machine.image(image)).cmdline(&words);
    // What is mapped of a snapshot cannot be written to.
    machine.boot().assert_root("/dev/rbd0", "ext4", "ro");
}

#[test]
fn boot_rbd_of_an_image_that_there_is_not_ends_at_once() {
    let outcome = boot(&format!(
        "root=rbd:{MONITOR}:rbd/roof rd.ceph.user={USER} rd.ceph.secret={SECRET}"
    ));
    outcome.assert_gave_up(&[
        "the disk of a server was not mounted",
        "the cluster has no such pool, image or snapshot",
        "image rbd/roof does not exist",
    ]);
}

#[test]
fn boot_rbd_with_a_wrong_key_ends_at_once() {
    let outcome = boot(&format!(
        "root=rbd:{MONITOR}:{USER}:{WRONG_SECRET}:rbd:root"
    ));
    outcome.assert_gave_up(&[
        &format!("rbd/root was not mapped as client.{USER}"),
        "the cluster does not let this user in",
    ]);
}

#[test]
fn boot_rbd_that_no_osd_serves_names_what_it_waited_for() {
    // Of two OSDs that are to agree there is one.
    cluster().run(
        "ceph osd pool create hungry; ceph osd pool set hungry size 2; \
         ceph osd pool set hungry min_size 2",
    );
    let words = format!("root=rbd:{MONITOR}:hungry/root rd.ceph.user={USER}");
    let outcome = boot(&format!("{words} rd.ceph.secret={SECRET} rd.timeout=25"));
    outcome.assert_gave_up(&[
        "within 25 s",
        &format!("rbd:{MONITOR}:hungry/root:name={USER} is not mapped yet"),
    ]);
}

#[test]
fn boot_cephfs_writable() {
    let words = format!("root=ceph:{MONITOR}:/srv/root rd.ceph.user={USER} rw");
    let outcome = boot(&format!("{words} rd.ceph.secret={SECRET}"));
    let source = format!("{MONITOR}:3300:/srv/root");
    outcome.assert_root(&source, "ceph", "rw");
    assert_eq!(outcome.list("writable_root"), ["yes"]);
    assert_hidden(&outcome, SECRET);
}

#[test]
fn boot_cephfs_as_others_name_it() {
    let words = format!("root=ceph://{USER}:{SECRET}@{MONITOR}:6789:/srv/root ro");
    let outcome = boot(&words);
    let source = format!("{MONITOR}:6789:/srv/root");
    outcome.assert_root(&source, "ceph", "ro");
}

#[test]
fn boot_cephfs_by_the_root_path_of_a_lease() {
    let words = format!("root=dhcp rd.ceph.user={USER} rd.ceph.secret={SECRET}");
    let outcome = cluster().to_leased(networked()).cmdline(&words).boot();
    outcome.assert_root(&format!("{MONITOR}:3300:/srv/root"), "ceph", "ro");
    assert_hidden(&outcome, SECRET);
}

/// Refused at once: the page of the deadline names another cause.
#[track_caller]
fn assert_refused(words: &str, why: &str) {
    // By the newer protocol, and by the older one.
    for monitor in [format!("{MONITOR}"), format!("{MONITOR}:6789")] {
        let outcome = boot(&format!("root=ceph:{monitor}:/srv/root {words}"));
        let cause = format!("cause:   {monitor}:/srv/root was not mounted");
        outcome.assert_gave_up(&[&cause, why]);
    }
}

#[test]
fn boot_cephfs_without_a_key_ends_at_once() {
    assert_refused("", "the cluster may want a key, and there is none");
}

#[test]
fn boot_cephfs_with_a_wrong_key_ends_at_once() {
    let words = format!("rd.ceph.user={USER} rd.ceph.secret={WRONG_SECRET}");
    assert_refused(&words, "the cluster does not let this user in");
}

#[test]
fn boot_cephfs_of_a_directory_that_there_is_not_ends_at_once() {
    let words = format!("root=ceph:{USER}@.files=/srv/nothing:mon_addr={MONITOR},secret={SECRET}");
    boot(&words).assert_gave_up(&[
        "/srv/nothing was not mounted",
        "the cluster has no such file system, or no such directory in it",
    ]);
}
