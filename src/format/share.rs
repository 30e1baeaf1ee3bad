//! Directories that a machine's host shares with it: virtiofs and 9p.
//!
//! A share is known by its tag. Nothing else names it: no device node, no number.
//! Sources: Documentation/filesystems/virtiofs.rst and 9p.rst, dracut.cmdline(7) (`virtfs:`).

use super::mount_options;
use crate::base::text::Text;
use alloc::string::String;
use alloc::vec::Vec;

/// The types of file systems that are shares.
pub const TYPES: [&str; 2] = ["virtiofs", "9p"];

/// The virtio driver that brings shares of this type; `None`: it is no type of shares.
pub fn driver_of(fstype: &str) -> Option<&'static str> {
    match fstype {
        "virtiofs" => Some("virtiofs"),
        "9p" => Some("9pnet_virtio"),
        _ => None,
    }
}

/// Does this driver bring shares?
pub fn is_driver(driver: &str) -> bool {
    let mut drivers = TYPES.iter().filter_map(|fstype| driver_of(fstype));
    drivers.any(|known| known == driver)
}

/// Can a device with this modalias be one that a share comes by? virtio 1.2 §5: 9p is device 9, a
/// file system 26; §4.1.2: the vendor of all of them on PCI is 1AF4.
pub fn is_way(modalias: &str) -> bool {
    let starts = |start: &&str| modalias.starts_with(start);
    let ways = [
        "virtio:d00000009v",
        "virtio:d0000001Av",
        "pci:v00001AF4d",
        // On a virtual machine without PCI.
        "acpi:LNRO0005",
    ];
    ways.iter().any(starts) || modalias.starts_with("of:") && modalias.ends_with("Cvirtio,mmio")
}

/// The tag that `root=` names, and the type where the word says it: `virtiofs:TAG`, `virtfs:TAG`,
/// or whatever stands there where `rootfstype=` says `virtiofs` or `9p`. `None`: no share is meant.
pub fn of_root(typed: &[u8], fstypes: &[String]) -> Option<(String, Vec<String>)> {
    let named = |prefix: &[u8], fstype: &str| {
        let tag = typed.strip_prefix(prefix)?;
        Some((tag, alloc::vec![String::from(fstype)]))
    };
    let known = named(b"virtiofs:", "virtiofs").or_else(|| named(b"virtfs:", "9p"));
    let by_type = || {
        let share = fstypes.first().is_some_and(|t| driver_of(t).is_some());
        share.then(|| (typed, fstypes.to_vec()))
    };
    let (tag, types) = known.or_else(by_type)?;
    let tag = core::str::from_utf8(tag).ok()?;
    (!tag.is_empty()).then(|| (tag.into(), types))
}

/// Does it come by virtio? So does 9p, unless the options name another transport.
pub fn is_by_virtio(fstype: &str, flags: &Text) -> bool {
    let elsewhere = || transport(flags).is_some_and(|named| named.0 != b"virtio");
    driver_of(fstype).is_some() && !(fstype == "9p" && elsewhere())
}

/// What keeps its files in memory: mounted without a device, and called after the archive that
/// it is filled from, if there is one.
pub const MEMORY: &str = "tmpfs";

/// The options that a share is mounted with. 9p must be told how it comes; the kernel's own default
/// is TCP where that is built in.
pub fn options(fstype: &str, flags: &Text) -> Text {
    if fstype == MEMORY {
        // The root directory of a tmpfs is everybody's, unless that is said.
        let more = if flags.0.is_empty() { "" } else { "," };
        return Text([b"mode=0755", more.as_bytes(), flags.as_bytes()].concat());
    }
    match fstype == "9p" && transport(flags).is_none() {
        true if flags.0.is_empty() => Text::from("trans=virtio"),
        true => Text([b"trans=virtio,", flags.as_bytes()].concat()),
        false => flags.clone(),
    }
}

/// The transport of 9p that the options name; the last one counts.
fn transport(flags: &Text) -> Option<Text> {
    let options = mount_options::sort(flags.as_bytes());
    let named = options.data.into_iter().rfind(|(key, _)| key.0 == b"trans");
    named.map(|(_, value)| value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn types(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| String::from(*name)).collect()
    }

    #[test]
    fn a_share_is_named_by_its_word_or_by_the_type() {
        for (typed, given, expected) in [
            ("virtiofs:myfs", &[][..], Some(("myfs", vec!["virtiofs"]))),
            ("virtfs:host0", &[], Some(("host0", vec!["9p"]))),
            ("virtiofs:a", &["ext4"], Some(("a", vec!["virtiofs"]))),
            ("myfs", &["virtiofs"], Some(("myfs", vec!["virtiofs"]))),
            // QEMU's machines for kernel tests call their share so.
            ("/dev/root", &["9p"], Some(("/dev/root", vec!["9p"]))),
            (
                "UUID=x",
                &["9p", "virtiofs"],
                Some(("UUID=x", vec!["9p", "virtiofs"])),
            ),
            ("myfs", &["ext4", "9p"], None),
            ("myfs", &[], None),
            ("virtiofs:", &[], None),
            ("", &["9p"], None),
        ] {
            let found = of_root(typed.as_bytes(), &types(given));
            let expected = expected.map(|(tag, names)| (String::from(tag), types(&names)));
            assert_eq!(found, expected, "{typed}");
        }
        assert_eq!(of_root(b"virtiofs:\xff", &[]), None);
    }

    #[test]
    fn the_transport_of_9p_is_virtio_unless_told() {
        for (fstype, flags, expected, by_virtio) in [
            ("9p", "", "trans=virtio", true),
            ("9p", "msize=262144", "trans=virtio,msize=262144", true),
            (
                "9p",
                "trans=virtio,cache=loose",
                "trans=virtio,cache=loose",
                true,
            ),
            (
                "9p",
                "cache=loose,trans=xen",
                "cache=loose,trans=xen",
                false,
            ),
            ("virtiofs", "dax", "dax", true),
            ("virtiofs", "", "", true),
        ] {
            let flags = Text::from(flags);
            assert_eq!(options(fstype, &flags), Text::from(expected), "{flags}");
            assert_eq!(is_by_virtio(fstype, &flags), by_virtio, "{flags}");
        }
    }

    #[test]
    fn drivers_and_ways_of_shares_are_known() {
        assert!(is_driver("virtiofs") && is_driver("9pnet_virtio"));
        assert!(!is_driver("virtio_blk") && !is_driver(""));
        for (modalias, expected) in [
            ("virtio:d00000009v00001AF4", true),
            ("virtio:d0000001Av00001AF4", true),
            ("virtio:d00000002v00001AF4", false),
            (
                "pci:v00001AF4d0000105Asv00001AF4sd00001100bc01sc80i00",
                true,
            ),
            (
                "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01",
                false,
            ),
            ("of:Nvirtio_mmioT(null)Cvirtio,mmio", true),
            ("acpi:LNRO0005:", true),
        ] {
            assert_eq!(is_way(modalias), expected, "{modalias}");
        }
    }
}
