//! The programs of the cluster: a Debian tree, which is never changed.

use super::super::roots::Debian;
use std::path::PathBuf;

const PACKAGES: &str = "ceph-mon,ceph-osd,ceph-mds,ceph-common,dnsmasq-base";

pub fn tree() -> PathBuf {
    let debian = Debian {
        name: "ceph",
        packages: PACKAGES,
        files: &[],
        // Where things are mounted later.
        hook: "mkdir -p \"$1/var/lib/ceph\" \"$1/etc/ceph\"",
        recipe: "",
    };
    debian.made(|_| {})
}
