//! The buses, controllers and modules that simulated machines are made of.
//!
//! Names and dependencies are those of a distribution's kernel, so that a trace reads like one.

use crate::media;
use crate::rng::Rng;
use crate::world::{Catalog, Disk, Haste, Mod, Node, fs_alias};

/// Module, what it needs.
const TREE: &[(&str, &[&str])] = &[
    ("virtio", &[]),
    ("virtio_ring", &["virtio"]),
    (
        "virtio_pci",
        &[
            "virtio_ring",
            "virtio_pci_legacy_dev",
            "virtio",
            "virtio_pci_modern_dev",
        ],
    ),
    ("virtio_pci_legacy_dev", &[]),
    ("virtio_pci_modern_dev", &[]),
    ("virtio_blk", &["virtio", "virtio_ring"]),
    (
        "virtio_net",
        &["net_failover", "virtio_ring", "virtio", "failover"],
    ),
    ("net_failover", &["failover"]),
    ("failover", &[]),
    ("scsi_common", &[]),
    ("scsi_mod", &["scsi_common"]),
    (
        "sd_mod",
        &["scsi_mod", "crc_t10dif", "scsi_common", "crc64"],
    ),
    ("sg", &["scsi_mod", "scsi_common"]),
    ("crc_t10dif", &[]),
    ("crc64", &[]),
    ("libata", &["scsi_mod", "scsi_common"]),
    ("libahci", &["libata", "scsi_common", "scsi_mod"]),
    ("ahci", &["scsi_mod", "libahci", "libata", "scsi_common"]),
    ("nvme_core", &["crc64"]),
    ("nvme", &["nvme_core", "crc64"]),
    ("usb_common", &[]),
    ("usbcore", &["usb_common"]),
    ("xhci_hcd", &["usb_common", "usbcore"]),
    ("xhci_pci", &["xhci_hcd", "usbcore", "usb_common"]),
    (
        "usb_storage",
        &["usbcore", "scsi_mod", "scsi_common", "usb_common"],
    ),
    (
        "uas",
        &[
            "usb_storage",
            "scsi_mod",
            "usbcore",
            "usb_common",
            "scsi_common",
        ],
    ),
    ("odd_bus", &[]),
    ("odd_disk", &["odd_bus"]),
    ("snd_hda_intel", &["snd"]),
    ("snd", &[]),
    ("crc16", &[]),
    ("jbd2", &[]),
    ("mbcache", &[]),
    ("ext4", &["mbcache", "crc16", "jbd2"]),
    ("xfs", &["libcrc32c"]),
    ("libcrc32c", &[]),
    ("btrfs", &["raid6_pq", "xor", "libcrc32c"]),
    ("xor", &[]),
    ("raid6_pq", &[]),
    ("fat", &[]),
    ("vfat", &["fat"]),
    ("nls_ascii", &[]),
    ("crc32c_intel", &[]),
    ("crc32c_generic", &[]),
    ("xxhash_generic", &[]),
];

/// What stands between the machine and a disk: modalias pattern, haste, drivers.
type Step = (&'static str, Haste, &'static [&'static str]);

const PCI_VIRTIO: Step = (
    "pci:v00001AF4d{}sv00001AF4sd00000002bc01sc00i00",
    Haste::AtOnce,
    &["virtio_pci"],
);
const PCI_AHCI: Step = (
    "pci:v00008086d{}sv0sd0bc01sc06i01",
    Haste::AtOnce,
    &["ahci"],
);
const PCI_NVME: Step = (
    "pci:v0000144Dd{}sv0sd0bc01sc08i02",
    Haste::AtOnce,
    &["nvme"],
);
const PCI_XHCI: Step = (
    "pci:v00001B36d{}sv0sd0bc0Csc03i30",
    Haste::WhenQuiet,
    &["xhci_pci"],
);
const VIRTIO_BLK: Step = ("virtio:d00000002v{}", Haste::AtOnce, &["virtio_blk"]);
const SCSI_DISK: Step = ("scsi:t-0x00", Haste::AtOnce, &["sd_mod", "sg"]);
const USB_DISK: Step = (
    "usb:v46F4p{}d0000dc00dsc00dp00ic08isc06ip62in00",
    Haste::AtOnce,
    &["usb_storage", "uas"],
);
const ODD: Step = ("odd:{}", Haste::SomeTime, &["odd_disk"]);

const WAYS: &[(&str, &[Step])] = &[
    ("vd", &[PCI_VIRTIO, VIRTIO_BLK]),
    ("sd", &[PCI_AHCI, SCSI_DISK]),
    ("nvme", &[PCI_NVME]),
    ("sd", &[PCI_XHCI, USB_DISK, SCSI_DISK]),
    ("xvd", &[]),
    ("odd", &[ODD]),
];

pub struct Hardware {
    pub nodes: Vec<Node>,
    pub catalog: Catalog,
    names: [u32; 3],
    /// Different ways used in this world: most machines have one or two kinds of disks.
    kinds: Vec<usize>,
    late: bool,
    serial: u64,
}

impl Hardware {
    pub fn new(rng: &mut Rng) -> Self {
        let mut kinds = vec![rng.index(WAYS.len())];
        if rng.chance(50) {
            kinds.push(rng.index(WAYS.len()));
        }
        Self {
            nodes: Vec::new(),
            catalog: catalog(rng),
            names: [0; 3],
            kinds,
            late: rng.chance(40),
            serial: 0x1000,
        }
    }

    /// One more disk, and the controllers that it hangs on.
    pub fn disk(&mut self, rng: &mut Rng) -> Disk {
        let (family, steps) = WAYS[*rng.pick(&self.kinds)];
        let mut parent = None;
        for (depth, step) in steps.iter().enumerate() {
            parent = Some(self.node(rng, step, parent, depth));
        }
        let name = self.name(family);
        Disk {
            name,
            node: parent,
            at: self.delay(rng),
            medium: media::medium(rng, true),
        }
    }

    fn delay(&self, rng: &mut Rng) -> u64 {
        match rng.below(10) {
            0..=5 => 0,
            6 | 7 => rng.below(300),
            8 if self.late => rng.below(100_000),
            _ => rng.below(4_000),
        }
    }

    fn node(&mut self, rng: &mut Rng, step: &Step, parent: Option<usize>, depth: usize) -> usize {
        let (pattern, haste, drivers) = step;
        self.serial += 1;
        let modalias = pattern.replace("{}", &format!("{:08X}", self.serial));
        let at = if depth == 0 {
            self.delay(rng)
        } else {
            rng.below(3) * 20
        };
        let path = format!("/devices/{:x}/{depth}", self.serial);
        let drivers: Vec<String> = drivers.iter().map(|d| d.to_string()).collect();
        self.catalog
            .aliases
            .insert(modalias.clone(), drivers.clone());
        // `sg` answers for disks too, but does not drive them.
        let drivers = drivers.into_iter().filter(|d| d != "sg").collect();
        self.nodes.push(Node {
            path,
            modalias,
            haste: *haste,
            parent,
            at,
            drivers,
        });
        self.nodes.len() - 1
    }

    /// Devices that have nothing to do with disks.
    pub fn noise(&mut self, rng: &mut Rng, about: u64) {
        const CARDS: [Step; 4] = [
            (
                "pci:v00001AF4d{}sv0sd0bc02sc00i00",
                Haste::SomeTime,
                &["virtio_net"],
            ),
            (
                "pci:v00008086d{}sv0sd0bc04sc03i00",
                Haste::SomeTime,
                &["snd_hda_intel"],
            ),
            ("cpu:type:x86,ven{}", Haste::SomeTime, &[]),
            ("pci:v00009999d{}sv0sd0bc01sc00i00", Haste::SomeTime, &[]),
        ];
        for _ in 0..rng.below(about + 3) {
            let step = *rng.pick(&CARDS);
            let index = self.node(rng, &step, None, 0);
            if step.2.is_empty() {
                self.catalog.aliases.remove(&self.nodes[index].modalias);
            }
        }
    }

    fn name(&mut self, family: &str) -> String {
        let (slot, letters) = match family {
            "sd" => (0, true),
            "nvme" => (1, false),
            _ => (2, true),
        };
        let number = self.names[slot];
        self.names[slot] += 1;
        if !letters {
            return format!("nvme{number}n1");
        }
        let letter = |n: u32| char::from(b'a' + (n % 26) as u8);
        match number / 26 {
            0 => format!("{family}{}", letter(number)),
            high => format!("{family}{}{}", letter(high - 1), letter(number)),
        }
    }
}

fn catalog(rng: &mut Rng) -> Catalog {
    let mut catalog = Catalog::default();
    for (name, needs) in TREE {
        let mut needs: Vec<String> = needs.iter().map(|n| n.to_string()).collect();
        rng.shuffle(&mut needs);
        catalog.mods.insert(
            name.to_string(),
            Mod {
                needs,
                ..Mod::default()
            },
        );
    }
    for kind in ["ext4", "xfs", "btrfs", "vfat"] {
        catalog.aliases.insert(fs_alias(kind), vec![kind.into()]);
    }
    catalog
        .aliases
        .insert(fs_alias("ext2"), vec!["ext4".into()]);
    let checksums = || vec!["crc32c_intel".to_string(), "crc32c_generic".to_string()];
    catalog.aliases.insert("crypto-crc32c".into(), checksums());
    catalog
        .aliases
        .insert("crypto-xxhash64".into(), vec!["xxhash_generic".into()]);
    for user in ["ext4", "libcrc32c", "jbd2"] {
        edit(&mut catalog, user, |m| m.before.push(checksums()));
    }
    edit(&mut catalog, "vfat", |m| {
        m.after.push(vec!["nls_ascii".into(), "nls_utf8".into()])
    });
    catalog
}

fn edit(catalog: &mut Catalog, module: &str, change: impl FnOnce(&mut Mod)) {
    if let Some(module) = catalog.mods.get_mut(module) {
        change(module);
    }
}

/// What is odd about the image's modules: built in, blacklisted, missing, going in circles.
pub fn spoil(rng: &mut Rng, catalog: &mut Catalog) {
    let names: Vec<String> = catalog.mods.keys().cloned().collect();
    for kind in ["ext4", "xfs", "btrfs", "vfat", "ext2"] {
        if rng.chance(10) {
            let alias = fs_alias(kind);
            catalog.aliases.remove(&alias);
            catalog.builtin.insert(alias);
        }
    }
    if rng.chance(8) {
        catalog.blacklist.insert(rng.pick(&names).clone());
    }
    if rng.chance(8) {
        catalog.mods.remove(&*rng.pick(&names).clone());
    }
    // Ouroboros: wishes in a circle, of two or of itself.
    if rng.chance(15) {
        let (one, other) = (rng.pick(&names).clone(), rng.pick(&names).clone());
        edit(catalog, &one, |m| m.before.push(vec![other.clone()]));
        edit(catalog, &other, |m| m.before.push(vec![one.clone()]));
    }
    // A wish with nobody to fulfil it, and one with a wish behind it.
    if rng.chance(15) {
        edit(catalog, &names[rng.index(names.len())], |m| {
            m.before.push(vec!["nonesuch".into()])
        });
        let other = rng.pick(&names).clone();
        edit(catalog, &names[rng.index(names.len())], |m| {
            m.after.push(vec![other])
        });
    }
    // A driver that makes the kernel ask while it loads.
    if rng.chance(20) {
        let ask = *rng.pick(&["crypto-crc32c", "crypto-xxhash64", "sched-none"]);
        let asker = *rng.pick(&["nvme_core", "sd_mod", "virtio_blk", "usbcore", "jbd2"]);
        let serves = catalog.closure(&catalog.resolve(ask).answers);
        // Where what serves the request waits for the asker, the kernel itself is stuck.
        if !serves.contains(asker) {
            edit(catalog, asker, |m| m.asks.push(ask.into()));
        }
    }
    // A broken index: two that need each other. Nobody can load them.
    if rng.chance(4) {
        edit(catalog, "snd", |m| m.needs.push("snd_hda_intel".into()));
    }
}
