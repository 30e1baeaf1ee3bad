//! Words about roots on a network.

use super::{Parameter, Reading};

pub(super) const NFSROOT: Parameter = Parameter {
    names: &["nfsroot"],
    values: "`=[SERVER:]PATH[,OPTIONS]`",
    default: "what the lease says; then `/tftpboot/%s`",
    effect: "The export that `root=/dev/nfs` means. `%s` is this machine's host name, or its \
              address where it has none. Without `SERVER` it is the one of `ip=`, or of the lease.",
    gathers: false,
    tests: &["nfsroot_says_which_export_root_is"],
    read: Reading::nfsroot,
};

pub(super) const NETROOT: Parameter = Parameter {
    names: &["netroot"],
    values: "`=nfs:…`, `=nfs4:…`, `=dhcp`",
    default: "none",
    effect: "As `root=` with the same words, where `root=` says nothing that is understood.",
    gathers: false,
    tests: &["netroot_is_root_where_root_says_nothing"],
    read: Reading::netroot,
};
