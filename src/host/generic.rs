//! What "generic" means: the modules with which an image boots most machines from their own disks.
//!
//! Storage and the buses it hangs on, file systems that roots lie on, shares of a virtual machine's
//! host, and keyboards, so that a person can answer when a boot fails. Not in it: network,
//! graphics, sound, and storage that is reached over a network.

/// Everything in these directories of the kernel's tree, except what `LEFT_OUT` names.
const DIRECTORIES: &[&str] = &[
    "kernel/drivers/ata/",
    "kernel/drivers/cdrom/",
    "kernel/drivers/hv/",
    "kernel/drivers/message/fusion/",
    "kernel/drivers/misc/cardreader/",
    "kernel/drivers/mmc/",
    "kernel/drivers/nvdimm/",
    "kernel/drivers/nvme/host/",
    "kernel/drivers/pci/controller/",
    "kernel/drivers/scsi/",
    "kernel/drivers/ufs/",
    "kernel/drivers/usb/dwc3/",
    "kernel/drivers/usb/host/",
    "kernel/drivers/usb/storage/",
    "kernel/drivers/virtio/",
];

/// On boards with a device tree a disk works only after the clocks, regulators, pins and buses
/// that its node points to; which, only the tree of that board says.
const UNDER_DISKS: &[&str] = &[
    "kernel/drivers/bus/",
    "kernel/drivers/clk/",
    "kernel/drivers/extcon/",
    "kernel/drivers/gpio/",
    "kernel/drivers/hwspinlock/",
    "kernel/drivers/i2c/busses/",
    "kernel/drivers/i2c/muxes/",
    "kernel/drivers/interconnect/",
    "kernel/drivers/iommu/",
    "kernel/drivers/irqchip/",
    "kernel/drivers/mailbox/",
    "kernel/drivers/mfd/",
    "kernel/drivers/mux/",
    "kernel/drivers/nvmem/",
    "kernel/drivers/phy/",
    "kernel/drivers/pinctrl/",
    "kernel/drivers/pmdomain/",
    "kernel/drivers/regulator/",
    "kernel/drivers/reset/",
    "kernel/drivers/rpmsg/",
    "kernel/drivers/soc/",
    "kernel/drivers/spi/",
    "kernel/drivers/usb/chipidea/",
    "kernel/drivers/usb/dwc2/",
    "kernel/drivers/usb/musb/",
    "kernel/drivers/usb/phy/",
    "kernel/drivers/usb/roles/",
];

/// Storage over networks (whole network drivers hang on it), tests, tapes, back ends for guests.
const LEFT_OUT: &[&str] = &[
    "kernel/drivers/nvme/host/nvme-rdma.ko",
    "kernel/drivers/nvme/host/nvme-tcp.ko",
    "kernel/drivers/nvme/host/nvme-fc.ko",
    "kernel/drivers/nvme/host/nvme-fabrics.ko",
    "kernel/drivers/scsi/be2iscsi/",
    "kernel/drivers/scsi/bnx2fc/",
    "kernel/drivers/scsi/bnx2i/",
    "kernel/drivers/scsi/csiostor/",
    "kernel/drivers/scsi/cxgbi/",
    "kernel/drivers/scsi/fcoe/",
    "kernel/drivers/scsi/iscsi_tcp.ko",
    "kernel/drivers/scsi/pcmcia/",
    "kernel/drivers/scsi/qedf/",
    "kernel/drivers/scsi/qedi/",
    "kernel/drivers/scsi/qla4xxx/",
    "kernel/drivers/scsi/qla2xxx/tcm_qla2xxx.ko",
    "kernel/drivers/scsi/scsi_debug.ko",
    "kernel/drivers/scsi/st.ko",
    "kernel/drivers/scsi/xen-scsiback.ko",
];

/// Single modules and aliases. Those that a kernel does not have are passed over.
const NAMES: &[&str] = &[
    // Disks that have no directory of their own.
    "virtio_blk",
    "xen-blkfront",
    "vmd",
    "loop",
    "dm-mod",
    "dm-verity",
    // Encrypted volumes, and what they ask the kernel for.
    "dm-crypt",
    "dm-integrity",
    "crypto-aes",
    "crypto-xts",
    "crypto-cbc",
    "crypto-ecb",
    "crypto-ctr",
    "crypto-essiv",
    "crypto-serpent",
    "crypto-twofish",
    "crypto-camellia",
    "crypto-adiantum",
    "crypto-gcm",
    "crypto-ccm",
    "crypto-authenc",
    "crypto-hmac",
    "crypto-sha1",
    "crypto-sha512",
    "crypto-rmd160",
    "crypto-wp512",
    "crypto-chacha20",
    "crypto-poly1305",
    "crypto-rfc7539",
    "crypto-aegis128",
    "firewire-ohci",
    "firewire-sbp2",
    "uas",
    "nfit",
    "tifm_7xx1",
    "mtip32xx",
    // Volumes and arrays.
    "md-mod",
    "md-level--1",
    "md-level-0",
    "md-level-1",
    "md-level-4",
    "md-level-5",
    "md-level-6",
    "md-level-10",
    "dm-mirror",
    "dm-raid",
    "dm-snapshot",
    "dm-thin-pool",
    "dm-cache",
    "dm-cache-smq",
    "dm-writecache",
    "dm-zero",
    // File systems, and what they ask the kernel for while they mount.
    "fs-ext4",
    "fs-xfs",
    "fs-btrfs",
    "fs-vfat",
    "fs-exfat",
    "fs-f2fs",
    "fs-erofs",
    "fs-squashfs",
    "fs-iso9660",
    "fs-udf",
    "fs-overlay",
    "fs-jfs",
    "fs-nilfs2",
    "fs-bcachefs",
    // What a virtual machine's host shares.
    "virtiofs",
    "9pnet_virtio",
    "fs-9p",
    // What the firmware says of the boot.
    "fs-efivarfs",
    "nls_cp437",
    "nls_ascii",
    "nls_iso8859-1",
    "nls_utf8",
    "crypto-crc32",
    "crypto-crc32c",
    "crypto-crct10dif",
    "crypto-xxhash64",
    "crypto-blake2b-256",
    "crypto-sha256",
    "crypto-sha512",
    "crypto-sha1",
    // Keyboards, and what those of laptops hang on.
    "atkbd",
    "i8042",
    "hid-generic",
    "usbhid",
    "hid-hyperv",
    "hyperv-keyboard",
    "xen-kbdfront",
    "i2c-hid",
    "i2c-hid-acpi",
    "i2c-hid-of",
    "i2c-designware-pci",
    "i2c-designware-platform",
    "i2c-amd-mp2-plat",
    "intel-lpss-acpi",
    "intel-lpss-pci",
    "spi-pxa2xx-pci",
    "spi-pxa2xx-platform",
    "applespi",
    "cros_ec_keyb",
    "cros_ec_lpcs",
    "surface_aggregator_registry",
    "surface_hid",
    "surface_kbd",
    "virtio_input",
    "evdev",
];

/// Keyboards that the kernel's generic driver leaves to one of their own (`hid_have_special_driver`
/// in drivers/hid/hid-quirks.c), or that need it to be of use.
const KEYBOARD_MAKERS: &[&str] = &[
    "a4tech",
    "apple",
    "belkin",
    "cherry",
    "chicony",
    "corsair",
    "cougar",
    "cypress",
    "elan",
    "ezkey",
    "gembird",
    "glorious",
    "google-hammer",
    "holtek-kbd",
    "icade",
    "ite",
    "keytouch",
    "lenovo",
    "lg-g15",
    "logitech",
    "logitech-dj",
    "logitech-hidpp",
    "macally",
    "maltron",
    "microsoft",
    "monterey",
    "multitouch",
    "nti",
    "ortek",
    "petalynx",
    "primax",
    "redragon",
    "roccat-arvo",
    "roccat-isku",
    "roccat-ryos",
    "samsung",
    "semitek",
    "steelseries",
    "sunplus",
    "topseed",
    "vivaldi",
    "zydacron",
];

/// Is a module with this path (as in modules.dep) part of the generic set?
pub fn has_path(path: &str) -> bool {
    let below = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    below(DIRECTORIES) && !below(LEFT_OUT)
}

/// Is a module with this path one that disks may need on a board with a device tree?
pub fn carries_disks(path: &str) -> bool {
    UNDER_DISKS.iter().any(|place| path.starts_with(place))
}

pub fn names() -> impl Iterator<Item = String> {
    let plain = NAMES.iter().map(|name| name.to_string());
    plain.chain(KEYBOARD_MAKERS.iter().map(|maker| format!("hid-{maker}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_is_in_and_networks_are_out() {
        assert!(has_path("kernel/drivers/scsi/virtio_scsi.ko"));
        assert!(has_path("kernel/drivers/nvme/host/nvme.ko.xz"));
        assert!(!has_path("kernel/drivers/scsi/iscsi_tcp.ko.zst"));
        assert!(!has_path("kernel/drivers/net/virtio_net.ko"));
        let phy = "kernel/drivers/phy/marvell/phy-mvebu-sata.ko";
        assert!(carries_disks(phy) && !has_path(phy));
    }
}
