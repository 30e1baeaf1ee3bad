//! Vital product data of SCSI disks: who says what it is, page 0x83, and the serial number, 0x80.
//!
//! Which of several designators names the disk, and how, is scsi_id's choice: the same descriptor
//! must win. SPC-4 7.8.6 (device identification) and 7.8.15 (unit serial number); SAT-4 for what
//! an ATA disk says there.

use super::{in_serial, squeeze};
use crate::base::list::Listed;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const BINARY: u8 = 1;
const ASCII: u8 = 2;
const VENDOR_SPECIFIC: u8 = 0;
const T10_VENDOR: u8 = 1;
const EUI_64: u8 = 2;
const NAA: u8 = 3;

/// What the disk is called, best first: designator type, and for NAA its first digit.
const PREFERRED: [(u8, Option<u8>); 6] = [
    (NAA, Some(6)),
    (NAA, Some(5)),
    (NAA, None),
    (EUI_64, None),
    (T10_VENDOR, None),
    (VENDOR_SPECIFIC, None),
];

/// Lengths of an ATA disk's model and serial number in its T10 designator.
const ATA_MODEL: usize = 40;

/// One descriptor of page 0x83 that speaks of the disk, not of a port.
struct Designator<'a> {
    code: u8,
    kind: u8,
    bytes: &'a [u8],
}

impl Designator<'_> {
    fn starts_with_digit(&self, digit: Option<u8>) -> bool {
        digit.is_none_or(|digit| self.bytes.first().is_some_and(|b| b >> 4 == digit))
    }

    fn text(&self) -> Vec<u8> {
        match self.code {
            ASCII => self.bytes.to_vec(),
            _ => hex(self.bytes).into_bytes(),
        }
    }
}

fn designators(page: &[u8]) -> Vec<Designator<'_>> {
    let mut found = Vec::new();
    let mut rest = body(page, 0x83).unwrap_or_default();
    while let Some((&[code, kind, _, length], tail)) = rest.split_first_chunk() {
        let Some((bytes, next)) = tail.split_at_checked(usize::from(length)) else {
            break;
        };
        // Association 0: the logical unit.
        if kind & 0x30 == 0 {
            let (code, kind) = (code & 0xf, kind & 0xf);
            found.push(Designator { code, kind, bytes });
        }
        rest = next;
    }
    found
}

/// A page's contents.
fn body(page: &[u8], code: u8) -> Option<&[u8]> {
    let (&[_, own, high, low], rest) = page.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    (own == code).then(|| rest.get(..length).unwrap_or(rest))
}

/// A SCSI disk's serial number in udev's form, and its world wide name as hexadecimal digits.
pub fn scsi(page83: &[u8], page80: &[u8], vendor: &[u8], model: &[u8]) -> Option<Named> {
    let who = || padded(vendor, 8).chain(padded(model, 16));
    if let Some(old) = before_spc3(page83) {
        return Some(old);
    }
    let all = designators(page83);
    for (kind, digit) in PREFERRED {
        for code in [BINARY, ASCII] {
            let fits =
                |d: &&Designator| d.kind == kind && d.code == code && d.starts_with_digit(digit);
            let Some(best) = all.iter().find(fits) else {
                continue;
            };
            let mut serial = format!("{kind:x}").into_bytes();
            if kind == VENDOR_SPECIFIC {
                serial.extend(who());
            }
            let text = best.text();
            let wwn = (kind == NAA).then(|| in_serial(text.get(..32).unwrap_or(&text)));
            serial.extend(text);
            let serial = in_serial(&serial);
            return Some(Named { serial, wwn });
        }
    }
    let number = body(page80, 0x80).filter(|n| !n.is_empty())?;
    let serial: Vec<u8> = [b'S'].into_iter().chain(who()).listed();
    let serial = in_serial(&[&serial, number].concat());
    Some(Named { serial, wwn: None })
}

/// Pages in the form of SCSI-2: a number where later standards have a reserved zero.
fn before_spc3(page: &[u8]) -> Option<Named> {
    let bytes = body(page, 0x83)?;
    let old = bytes.get(2).is_some_and(|b| *b != 0);
    old.then(|| Named {
        serial: format!("3{}", hex(bytes)),
        wwn: None,
    })
}

/// What an ATA disk says behind its translation to SCSI: model and serial number, and its name.
pub fn ata(page83: &[u8]) -> Option<Named> {
    let all = designators(page83);
    let mut names = all.iter().filter(|d| d.kind == T10_VENDOR);
    let own = names.find_map(|d| d.bytes.strip_prefix(b"ATA     "))?;
    let (model, number) = own.split_at_checked(ATA_MODEL)?;
    let model = in_serial(model);
    let serial = match squeeze(number).is_empty() {
        true => model,
        false => format!("{model}_{}", in_serial(number)),
    };
    let wide = |d: &&Designator| d.kind == NAA && d.bytes.len() == 8;
    let wwn = all
        .iter()
        .filter(wide)
        .find(|d| d.starts_with_digit(Some(5)));
    let wwn = wwn.map(|d| hex(d.bytes));
    Some(Named { serial, wwn })
}

/// What a disk is called by its serial number.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// As it stands behind `ata-` or `scsi-`.
    pub serial: String,
    /// As it stands behind `wwn-0x`.
    pub wwn: Option<String>,
}

fn padded(text: &[u8], length: usize) -> impl Iterator<Item = u8> {
    let spaces = core::iter::repeat(b' ');
    text.iter().copied().chain(spaces).take(length)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(code: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[0, code, length[0], length[1]], body].concat()
    }

    fn designator(code: u8, kind: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).unwrap();
        [&[code, kind, 0, length], bytes].concat()
    }

    fn check(designators: &[Vec<u8>], serial: &str, wwn: Option<&str>) {
        let page = page(0x83, &designators.concat());
        let found = scsi(&page, &[], b"QEMU    ", b"QEMU HARDDISK").unwrap();
        assert_eq!((found.serial.as_str(), found.wwn.as_deref()), (serial, wwn));
    }

    #[test]
    fn the_best_designator_names_the_disk() {
        let five = designator(BINARY, NAA, &[0x50, 0, 0xc5, 0, 1, 2, 3, 4]);
        let six = designator(BINARY, NAA, &[0x60; 16]);
        let own = designator(ASCII, VENDOR_SPECIFIC, b"disk 7");
        let port = designator(BINARY, 0x13, &[0x51; 8]);
        let all = [own.clone(), port.clone(), five.clone(), six];
        let name = "60606060606060606060606060606060";
        check(&all, &format!("3{name}"), Some(name));
        let all = [own.clone(), port.clone(), five];
        check(&all, "35000c50001020304", Some("5000c50001020304"));
        check(&[port, own], "0QEMU_QEMU_HARDDISK_disk_7", None);
        let t10 = designator(ASCII, T10_VENDOR, b"LIO-ORG disk/a");
        check(&[t10], "1LIO-ORG_disk_a", None);
    }

    #[test]
    fn without_designators_the_serial_number_counts() {
        let found = scsi(&[], &page(0x80, b" 42 "), b"ACME", b"Disk").unwrap();
        assert_eq!(found.serial, "SACME_Disk_42");
        assert_eq!(scsi(&[], &[], b"ACME", b"Disk"), None);
        let old = page(0x83, &[0x60, 0x06, 0x04, 0x80]);
        let found = scsi(&old, &[], b"EMC", b"SYMMETRIX").unwrap();
        assert_eq!(found.serial, "360060480");
    }

    #[test]
    fn an_ata_disk_says_model_and_serial_number() {
        let mut t10 = b"ATA     ".to_vec();
        t10.extend(padded(b"QEMU HARDDISK", ATA_MODEL));
        t10.extend(padded(b"   QM00001", 20));
        let wide = designator(BINARY, NAA, &[0x50, 0, 0xc5, 0, 1, 2, 3, 4]);
        let all = [designator(ASCII, T10_VENDOR, &t10), wide].concat();
        let found = ata(&page(0x83, &all)).unwrap();
        assert_eq!(found.serial, "QEMU_HARDDISK_QM00001");
        assert_eq!(found.wwn.as_deref(), Some("5000c50001020304"));
        assert_eq!(ata(&page(0x83, b"")), None);
    }

    #[test]
    fn pages_that_lie_about_lengths_are_read_as_far_as_they_go() {
        let long = page(0x83, &[BINARY, NAA, 0, 200, 0x50]);
        assert_eq!(scsi(&long, &[0, 0x80, 255], b"", b""), None);
        let cut = [0, 0x83, 255, 255, ASCII, T10_VENDOR, 0, 1, b'x'];
        assert_eq!(scsi(&cut, &[], b"", b"").unwrap().serial, "1x");
    }
}
