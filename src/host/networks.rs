//! What "network" means: the modules with which most machines reach a root on a server.
//!
//! Drivers of network cards, what links are made of, and the clients that the kernel has for
//! servers of files and blocks. Not in it: wireless networks, which take keys and programs of their
//! own, and what is only of use to servers.

/// Everything in these directories of the kernel's tree, except what `LEFT_OUT` names.
const DIRECTORIES: &[&str] = &[
    "kernel/drivers/net/ethernet/",
    "kernel/drivers/net/fjes/",
    "kernel/drivers/net/hyperv/",
    "kernel/drivers/net/mdio/",
    "kernel/drivers/net/pcs/",
    "kernel/drivers/net/phy/",
    "kernel/drivers/net/usb/",
    "kernel/drivers/net/vmxnet3/",
];

/// Telephones, and what only carries packets for others.
const LEFT_OUT: &[&str] = &[
    "kernel/drivers/net/ethernet/mellanox/mlxsw/",
    "kernel/drivers/net/usb/cdc-phonet.ko",
    "kernel/drivers/net/usb/hso.ko",
    "kernel/drivers/net/usb/kaweth.ko",
    "kernel/drivers/net/usb/sierra_net.ko",
];

/// Single modules and aliases. Those that a kernel does not have are passed over.
const NAMES: &[&str] = &[
    "virtio_net",
    "xen-netfront",
    "netvsc",
    "af_packet",
    "ipv6",
    "8021q",
    "bonding",
    "bridge",
    // Servers of files, and what they ask the kernel for.
    "fs-nfs",
    "nfsv3",
    "nfsv4",
    "nfs_layout_flexfiles",
    "rpcsec_gss_krb5",
    "fs-cifs",
    "nls_utf8",
    "crypto-md5",
    "crypto-ctr",
    "crypto-ghash",
    "crypto-hmac",
    "crypto-cmac",
    "crypto-ccm",
    "crypto-gcm",
    "crypto-aes",
    "crypto-ecb",
    "crypto-cbc",
    "crypto-sha256",
    "crypto-sha512",
    "fs-ceph",
    "9pnet",
    // Servers of blocks.
    "nbd",
    "aoe",
    "rbd",
    "nvme-tcp",
    "iscsi_tcp",
    "iscsi_ibft",
    "sd_mod",
    "crypto-crc32c",
];

/// Is a module with this path (as in modules.dep) part of the set?
pub fn has_path(path: &str) -> bool {
    let below = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    below(DIRECTORIES) && !below(LEFT_OUT)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_in_and_radios_are_out() {
        assert!(has_path(
            "kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko.xz"
        ));
        assert!(has_path("kernel/drivers/net/phy/realtek.ko"));
        assert!(!has_path(
            "kernel/drivers/net/wireless/intel/iwlwifi/iwlwifi.ko"
        ));
        assert!(!has_path(
            "kernel/drivers/net/ethernet/mellanox/mlxsw/mlxsw_core.ko"
        ));
    }
}
