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
    values: "`=nfs:…`, `=nfs4:…`, `=dhcp`, `=ceph:…`, `=nbd:…`, `=iscsi:…`, `=iscsi`, `=rbd:…`",
    default: "none",
    effect: "As `root=` with the same words, where `root=` says nothing that is understood. A \
              server of blocks is connected to whatever `root=` says; `iscsi` alone: those \
              that the firmware left, as `rd.iscsi.firmware`.",
    gathers: false,
    tests: &[
        "netroot_is_root_where_root_says_nothing",
        "boot_rbd_snapshot_by_label_with_a_keyring",
    ],
    read: Reading::netroot,
};

pub(super) const NVME: Parameter = Parameter {
    names: &["rd.nvmf.discover"],
    values: "`=tcp,ADDRESS[,OWN-ADDRESS[,PORT[,NQN]]]`",
    default: "none",
    effect: "Connects by NVMe over TCP to what a discovery controller lists (ports 8009, then \
              4420), or to the subsystem `NQN`; `root=` names the disk as any other.",
    gathers: true,
    tests: &["controllers_of_nvme_gather"],
    read: Reading::nvme,
};

pub(super) const NVME_HOST: Parameter = Parameter {
    names: &["rd.nvmf.hostnqn", "rd.nvmf.hostid"],
    values: "`=NAME`",
    default: "`/etc/nvme/hostnqn` and `/etc/nvme/hostid` of the image, then the firmware's UUID",
    effect: "What this machine calls itself there.",
    gathers: false,
    tests: &["controllers_of_nvme_gather"],
    read: Reading::nvme_host,
};

pub(super) const CIFS: Parameter = Parameter {
    names: &["cifsroot", "cifsuser", "cifspass"],
    values: "`=//SERVER/SHARE[,OPTIONS]`; `=NAME`; `=PASSWORD`",
    default: "none",
    effect: "The share that `root=/dev/cifs` means; who mounts it, where that or `root=cifs://…` \
              does not say.",
    gathers: false,
    tests: &["shares_of_smb_servers_are_roots"],
    read: Reading::cifs,
};

pub(super) const ISCSI: Parameter = Parameter {
    names: &[
        "rd.iscsi.initiator",
        "rd.iscsi.username",
        "rd.iscsi.password",
        "rd.iscsi.in.username",
        "rd.iscsi.in.password",
        "rd.iscsi.target.group",
        "rd.iscsi.param",
    ],
    values: "`=NAME`; `=PASSWORD`; `=NUMBER`; `=node.session.timeo.replacement_timeout=SECONDS`",
    default: "`/etc/iscsi/initiatorname.iscsi` of the image, then the firmware; nobody is asked",
    effect: "Who this machine is to an iSCSI target, and who that has to be (`in`).",
    gathers: true,
    tests: &["words_about_iscsi_count_for_its_target"],
    read: Reading::iscsi,
};

pub(super) const FIRMWARE_LINKS: Parameter = Parameter {
    names: &["rd.iscsi.ibft"],
    values: "bare, `=1`, `=0`",
    default: "`0`",
    effect: "Links are set up as the firmware's iSCSI table (iBFT) says, as with `ip=ibft`: an \
              address, or DHCP, and a VLAN where there is one.",
    gathers: false,
    tests: &["the_firmware_may_say_how_links_are_set_up"],
    read: Reading::firmware_links,
};

pub(super) const FIRMWARE_ALL: Parameter = Parameter {
    names: &["rd.iscsi.mp"],
    values: "bare, `=1`, `=0`",
    default: "`0`",
    effect: "Of that table all links count, and not only those that the firmware booted over.",
    gathers: false,
    tests: &["the_firmware_may_say_how_links_are_set_up"],
    read: Reading::firmware_all,
};

pub(super) const FIRMWARE_DISKS: Parameter = Parameter {
    names: &["rd.iscsi.firmware", "iscsi_firmware"],
    values: "bare, `=1`, `=0`",
    default: "`0`",
    effect: "Logs in to the iSCSI targets of that table, as who and with the passwords that it \
              says. Without `ip=` links are set up as it says, too. Where `root=` says nothing, \
              root is the disk that the firmware booted from.",
    gathers: false,
    tests: &["the_firmware_may_say_which_disks_there_are"],
    read: Reading::firmware_disks,
};

pub(super) const NO_NBFT: Parameter = Parameter {
    names: &["rd.nvmf.nonbft", "rd.nonvmf"],
    values: "bare, `=1`, `=0`",
    default: "`0`",
    effect: "The firmware's NVMe table (NBFT) does not count. Otherwise, where a machine has one \
              and root is not a server's, its links are set up and its subsystems of the \
              transport TCP are connected to.",
    gathers: false,
    tests: &["the_table_of_nvme_counts_unless_that_is_off"],
    read: Reading::no_nbft,
};

pub(super) const CEPH: Parameter = Parameter {
    names: &["rd.ceph.user", "rd.ceph.secret", "cephuser", "cephpass"],
    values: "`=NAME`; `=SECRET` (Base64)",
    default: "`admin`; `/etc/ceph/ceph.client.NAME.keyring`, `/etc/ceph/ceph.keyring` or \
              `/etc/ceph/keyring` of the image, or none",
    effect: "Who this machine is to a Ceph cluster, where `rbd:…` or `ceph:…` of `root=` or a \
              lease does not say (`name=`, `secret=` or `secretfile=` among its options).",
    gathers: false,
    tests: &[
        "words_about_ceph_count_where_root_says_nothing",
        "boot_cephfs_writable",
        "boot_cephfs_by_the_root_path_of_a_lease",
    ],
    read: Reading::ceph,
};

pub(super) const RBDROOT: Parameter = Parameter {
    names: &["rbdroot"],
    values: "`=MON[,MON…]:USER:SECRET:POOL:IMAGE[@SNAPSHOT][:PART[:FLAGS]]`",
    default: "none",
    effect: "As `netroot=rbd:…`.",
    gathers: false,
    tests: &["words_about_ceph_count_where_root_says_nothing"],
    read: Reading::rbdroot,
};
