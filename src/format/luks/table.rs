//! The device-mapper devices that cryptsetup would make of a header: names, UUIDs, tables.
//!
//! Arguments stand in cryptsetup's order, so that its own tools take the volume for theirs. As
//! there, the `iv_tweak` of a volume with one segment is not used.
//! Source: kernel `Documentation/admin-guide/device-mapper/{dm-crypt,dm-integrity}.rst`.

use super::cipher::{self, Tagged};
use super::flags::{Flag, Flags};
use super::{Area, Crypt, Header, SECTOR, Segment, choice};
use crate::base::bytes::{le64, slice};
use crate::base::fault::Fault;
use crate::base::list::Listed;
use crate::base::secret::Secret;
use crate::base::text::Joined;
use alloc::format;
use alloc::string::String;

/// One device-mapper device with one target, which begins at sector 0.
pub struct Mapping {
    pub name: String,
    /// At most 128 bytes.
    pub uuid: String,
    /// Length of the target in sectors of 512 bytes.
    pub sectors: u64,
    pub target: &'static str,
    /// May hold the volume key.
    pub params: Secret,
}

/// The device below: as `MAJOR:MINOR`, and how many sectors of 512 bytes it has.
#[derive(Clone, Copy)]
pub struct Below<'a> {
    pub device: &'a str,
    pub sectors: u64,
}

/// Names of devices that exist only while a key slot is read begin so: see [`area`].
pub const FOR_A_MOMENT: &str = "landfall-slot-";

/// How the kernel gets the volume key.
pub enum Key<'a> {
    /// In the table, in hexadecimal. What cryptsetup does for LUKS1.
    Bytes(&'a [u8]),
    /// From its keyring, where it lies as [`key_description`] says. What cryptsetup does for
    /// LUKS2, with dm-crypt 1.18.1 or later.
    Keyring,
}

/// The name under which the volume key lies in the keyring, as a key of type `logon`.
pub fn key_description(header: &Header) -> Option<String> {
    let digest = header.digest()?.number;
    Some(format!("cryptsetup:{}-d{digest}", header.uuid))
}

/// Whether dm-integrity has to lie between the device and dm-crypt; its superblock is then the
/// first sector of the segment.
pub fn wants_integrity(header: &Header) -> bool {
    let inline = header.requirements.iter().any(|r| r == choice::INLINE_TAGS);
    let crypt = header.segments.first().and_then(|s| s.crypt.as_ref());
    !inline && crypt.is_some_and(|c| c.integrity.is_some())
}

/// The dm-integrity device below the volume `name`. `superblock`: the first sector of the segment.
/// `version` of the kernel's target, as in `(1, 10)`.
pub fn integrity(
    header: &Header,
    name: &str,
    below: Below,
    superblock: &[u8],
    version: (u32, u32),
) -> Result<Mapping, Fault> {
    let (segment, crypt) = encrypted(header)?;
    let tagged = tags(crypt)?.ok_or_else(|| Fault::plain("the volume has no integrity layer"))?;
    let sectors = provided(superblock).ok_or_else(|| {
        let at = segment.offset;
        Fault::plain(format!("there is no dm-integrity superblock at byte {at}"))
    })?;
    if segment.size.is_some_and(|size| size / SECTOR != sectors) {
        let text = "the dm-integrity superblock tells another size than the LUKS2 header";
        return Err(Fault::plain(text));
    }
    let words = [("fix_padding", (1, 4)), ("fix_hmac", (1, 7))];
    let words = words.iter().filter(|(_, since)| version >= *since);
    let options = words.clone().count().saturating_add(1);
    let mode = match header.flags.has(Flag::NoJournal) {
        true => 'D',
        false => 'J',
    };
    let mut params = format!(
        "{} {} {} {mode} {options} block_size:{}",
        below.device,
        segment.offset / SECTOR,
        tagged.tag_size,
        crypt.sector_size,
    );
    for (word, _) in words {
        params.push(' ');
        params.push_str(word);
    }
    let name = format!("{name}_dif");
    Ok(Mapping {
        // As cryptsetup before 2.8 has it. Later ones write SUBDEV, and take both.
        uuid: uuid("INTEGRITY", &header.uuid, &name),
        name,
        sectors,
        target: "integrity",
        params: Secret::copy_of(params.as_bytes()),
    })
}

/// The volume itself. `below`: the data device, or the dm-integrity device where
/// [`wants_integrity`]. `flags`: those of the header are not added here.
pub fn crypt(
    header: &Header,
    name: &str,
    below: Below,
    key: &Key,
    flags: Flags,
) -> Result<Mapping, Fault> {
    let (segment, crypt) = encrypted(header)?;
    let tagged = tags(crypt)?;
    let layered = wants_integrity(header);
    let offset = if layered { 0 } else { segment.offset / SECTOR };
    let size = segment.size.map(|size| size / SECTOR);
    let room = below.sectors.checked_sub(offset).filter(|room| *room > 0);
    let sectors = match size {
        Some(size) => room.filter(|room| size <= *room).and(Some(size)),
        None => room,
    };
    let sectors = sectors.ok_or_else(|| {
        let (wanted, there) = (offset.saturating_add(size.unwrap_or(1)), below.sectors);
        let text = "sectors of 512 bytes, and the volume needs";
        Fault::plain(format!("the device has {there} {text} {wanted}"))
    })?;
    let unit = u64::from(crypt.sector_size) / SECTOR;
    if !sectors.is_multiple_of(unit.max(1)) {
        let (size, what) = (
            crypt.sector_size,
            "sectors of 512 bytes are no whole number of its",
        );
        return Err(Fault::plain(format!(
            "the volume's {sectors} {what} {size} byte sectors"
        )));
    }
    let head = tagged.as_ref().map_or(&*crypt.cipher, |t| &*t.cipher);
    let mut params = Secret::with_capacity(512);
    params.push(head.as_bytes());
    params.push(b" ");
    write_key(&mut params, header, crypt, key)?;
    params.push(format!(" 0 {} {offset}", below.device).as_bytes());
    params.push(options(crypt, tagged.as_ref(), flags).as_bytes());
    let kind = match header.version {
        1 => "LUKS1",
        _ => "LUKS2",
    };
    Ok(Mapping {
        name: name.into(),
        uuid: uuid(kind, &header.uuid, name),
        sectors,
        target: "crypt",
        params,
    })
}

/// The area of a key slot, decrypted by the kernel, where its cipher is not known here. To be
/// mapped read-only, read, and removed. `below`: the device with the header; `key`: of the area.
pub fn area(area: &Area, name: &str, below: Below, key: &[u8]) -> Result<Mapping, Fault> {
    let offset = area.at / SECTOR;
    let sectors = area.len as u64 / SECTOR;
    let end = offset.saturating_add(sectors);
    if end > below.sectors {
        let there = below.sectors;
        let text = "sectors of 512 bytes, and the key slot ends at sector";
        return Err(Fault::plain(format!("the device has {there} {text} {end}")));
    }
    let mut params = Secret::with_capacity(512);
    params.push(area.cipher.as_bytes());
    params.push(b" ");
    key.iter().for_each(|b| params.push(&hex(*b)));
    params.push(format!(" 0 {} {offset}", below.device).as_bytes());
    Ok(Mapping {
        name: name.into(),
        uuid: uuid("TEMP", "", name),
        sectors,
        target: "crypt",
        params,
    })
}

fn encrypted(header: &Header) -> Result<(&Segment, &Crypt), Fault> {
    let segment = header.segment()?;
    let crypt = segment.crypt.as_ref();
    let crypt = crypt.ok_or_else(|| Fault::plain("the segment is not encrypted"))?;
    Ok((segment, crypt))
}

fn tags(crypt: &Crypt) -> Result<Option<Tagged>, Fault> {
    let Some(integrity) = &crypt.integrity else {
        return Ok(None);
    };
    for journal in [&integrity.journal_encryption, &integrity.journal_integrity] {
        if journal != "none" {
            let text = "journals of dm-integrity with a key of their own are not known";
            return Err(Fault::plain(format!("{text} ({journal})")));
        }
    }
    cipher::tagged(&crypt.cipher, integrity).map(Some)
}

fn write_key(params: &mut Secret, header: &Header, crypt: &Crypt, key: &Key) -> Result<(), Fault> {
    match key {
        _ if cipher::is_null(&crypt.cipher) => params.push(b"-"),
        Key::Bytes(bytes) => bytes.iter().for_each(|b| params.push(&hex(*b))),
        Key::Keyring => {
            let described = header.key_size().zip(key_description(header));
            let missing = || Fault::plain("the header has no digest of the volume key");
            let (size, description) = described.ok_or_else(missing)?;
            params.push(format!(":{size}:logon:{description}").as_bytes());
        }
    }
    Ok(())
}

/// Two digits. No table and no branch: the time says nothing about the key.
fn hex(byte: u8) -> [u8; 2] {
    let digit = |n: u8| {
        let [letter, _] = 9u16.wrapping_sub(n.into()).to_be_bytes();
        n.wrapping_add(b'0')
            .wrapping_add(letter & (b'a' - b'0' - 10))
    };
    [digit(byte >> 4), digit(byte & 15)]
}

/// The optional arguments, with their number and a blank before them.
fn options(crypt: &Crypt, tagged: Option<&Tagged>, mut flags: Flags) -> String {
    if tagged.is_some() {
        // Discarded sectors would not match their tags.
        flags.clear(Flag::AllowDiscards);
    }
    let mut options: alloc::vec::Vec<String> = flags.words().map(Into::into).listed();
    if u64::from(crypt.sector_size) != SECTOR {
        options.push(format!("sector_size:{}", crypt.sector_size));
    }
    if let Some(Tagged {
        tag_size,
        kind,
        key_size,
        ..
    }) = tagged
    {
        options.push(format!("integrity:{tag_size}:{kind}"));
        options.extend(key_size.map(|size| format!("integrity_key_size:{size}")));
    }
    match options.is_empty() {
        true => String::new(),
        false => format!(" {} {}", options.len(), options.joined(" ")),
    }
}

/// As in `CRYPT-LUKS2-0123456789abcdef0123456789abcdef-name`; without a UUID `CRYPT-TEMP-name`.
pub(in crate::format) fn uuid(kind: &str, uuid: &str, name: &str) -> String {
    /// Room for the UUID of a device, without the final NUL.
    const LEN: usize = 128;
    let plain = uuid.split('-');
    let mut text = format!("CRYPT-{kind}-");
    plain.for_each(|part| text.push_str(part));
    if !uuid.is_empty() {
        text.push('-');
    }
    text.push_str(name);
    text.truncate(text.floor_char_boundary(LEN));
    text
}

/// Sectors that a dm-integrity device has for data. Kernel `drivers/md/dm-integrity.c`,
/// `struct superblock`.
fn provided(superblock: &[u8]) -> Option<u64> {
    let magic = slice(superblock, 0, 8)? == b"integrt\0";
    le64(superblock, 16).filter(|sectors| magic && *sectors > 0)
}

#[cfg(test)]
mod tests {
    use super::super::{Digest, Integrity, KeySlot, Priority};
    use super::*;
    use crate::format::luks::{Area, Kdf};

    const BELOW: Below = Below {
        device: "8:1",
        sectors: 100_000,
    };
    const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    fn volume(version: u8, cipher: &str, sector_size: u32, integrity: Option<&str>) -> Header {
        let slot = KeySlot {
            number: 3,
            priority: Priority::Normal,
            key_size: 64,
            kdf: Kdf::Other(String::new()),
            af_hash: "sha256".into(),
            stripes: 4000,
            area: Area {
                at: 32768,
                len: 256_000,
                cipher: "aes-xts-plain64".into(),
                key_size: 64,
            },
        };
        let digest = Digest {
            number: 1,
            hash: "sha256".into(),
            iterations: 1000,
            salt: alloc::vec![0; 32],
            value: alloc::vec![0; 32],
            slots: alloc::vec![3],
            segments: alloc::vec![0],
        };
        let integrity = integrity.map(|kind| Integrity {
            kind: kind.into(),
            journal_encryption: "none".into(),
            journal_integrity: "none".into(),
            key_size: None,
        });
        let segment = Segment {
            number: 0,
            kind: "crypt".into(),
            offset: 32768 * 512,
            size: None,
            crypt: Some(Crypt {
                cipher: cipher.into(),
                sector_size,
                iv_tweak: 0,
                integrity,
            }),
            flags: alloc::vec![],
        };
        Header {
            version,
            uuid: UUID.into(),
            slots: alloc::vec![slot],
            digests: alloc::vec![digest],
            segments: alloc::vec![segment],
            ..Header::default()
        }
    }

    fn text(mapping: &Result<Mapping, Fault>) -> (u64, &str) {
        let mapping = mapping.as_ref().unwrap_or_else(|e| panic!("{e}"));
        let params = core::str::from_utf8(mapping.params.as_bytes()).unwrap();
        (mapping.sectors, params)
    }

    #[test]
    fn a_volume_of_each_version_is_mapped_as_cryptsetup_maps_it() {
        let header = volume(1, "aes-cbc-essiv:sha256", 512, None);
        let key = Key::Bytes(&[0x00, 0x9f, 0xa5, 0xff]);
        let made = crypt(&header, "x", BELOW, &key, Flags::default());
        let line = "aes-cbc-essiv:sha256 009fa5ff 0 8:1 32768";
        assert_eq!(text(&made), (67232, line));
        let uuid = "CRYPT-LUKS1-0123456789abcdef0123456789abcdef-x";
        assert_eq!(made.unwrap().uuid, uuid);

        let header = volume(2, "aes-xts-plain64", 4096, None);
        let mut flags = Flags::default();
        flags.set(Flag::NoWriteWorkqueue);
        flags.set(Flag::AllowDiscards);
        let made = crypt(&header, "a-b", BELOW, &Key::Keyring, flags);
        let line = "aes-xts-plain64 :64:logon:cryptsetup:01234567-89ab-cdef-0123-456789abcdef-d1 \
                    0 8:1 32768 3 allow_discards no_write_workqueue sector_size:4096";
        assert_eq!(text(&made), (67232, line));
        let uuid = "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-a-b";
        assert_eq!(made.unwrap().uuid, uuid);

        let header = volume(2, "cipher_null-ecb", 512, None);
        let made = crypt(&header, "x", BELOW, &Key::Keyring, Flags::default());
        assert_eq!(text(&made).1, "cipher_null-ecb - 0 8:1 32768");
    }

    fn superblock(sectors: u64) -> [u8; 512] {
        let mut bytes = [0; 512];
        bytes[..8].copy_from_slice(b"integrt\0");
        bytes[16..24].copy_from_slice(&sectors.to_le_bytes());
        bytes
    }

    #[test]
    fn tags_lie_in_a_device_of_their_own() {
        let mut header = volume(2, "aes-xts-plain64", 4096, Some("hmac(sha256)"));
        assert!(wants_integrity(&header));
        let below = integrity(&header, "x", BELOW, &superblock(60000), (1, 10));
        let line = "8:1 32768 32 J 3 block_size:4096 fix_padding fix_hmac";
        assert_eq!(text(&below), (60000, line));
        let uuid = "CRYPT-INTEGRITY-0123456789abcdef0123456789abcdef-x_dif";
        let below = below.unwrap();
        assert_eq!((&*below.name, &*below.uuid), ("x_dif", uuid));
        header.flags.set(Flag::NoJournal);
        let old = integrity(&header, "x", BELOW, &superblock(60000), (1, 3));
        assert_eq!(text(&old).1, "8:1 32768 32 D 1 block_size:4096");

        let dif = Below {
            device: "253:0",
            sectors: 60000,
        };
        let mut flags = Flags::default();
        flags.set(Flag::AllowDiscards);
        let made = crypt(&header, "x", dif, &Key::Bytes(&[1]), flags);
        let line = "capi:authenc(hmac(sha256),xts(aes))-plain64 01 0 253:0 0 \
                    2 sector_size:4096 integrity:32:aead";
        assert_eq!(text(&made), (60000, line));

        header.requirements.push(choice::INLINE_TAGS.into());
        assert!(!wants_integrity(&header));
        let made = crypt(&header, "x", BELOW, &Key::Bytes(&[1]), Flags::default());
        assert!(text(&made).1.contains(" 01 0 8:1 32768 2 "));
    }

    #[test]
    fn the_area_of_a_slot_can_be_left_to_the_kernel() {
        let mut header = volume(1, "serpent-xts-plain64", 512, None);
        let slot = header.slots.remove(0);
        let made = area(&slot.area, "landfall-slot", BELOW, &[0xab, 0x0c]);
        assert_eq!(text(&made), (500, "aes-xts-plain64 ab0c 0 8:1 64"));
        assert_eq!(made.unwrap().uuid, "CRYPT-TEMP-landfall-slot");
        let small = Below {
            device: "8:1",
            sectors: 563,
        };
        let error = area(&slot.area, "x", small, &[]).err().unwrap();
        assert!(error.text.contains("has 563 sectors"), "{error}");
        assert!(error.text.ends_with("sector 564"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_figures() {
        let small = |sectors| Below {
            device: "8:1",
            sectors,
        };
        let refused = |header: &Header, below, expected: &str| {
            let made = crypt(header, "x", below, &Key::Keyring, Flags::default());
            let error = made.err().unwrap();
            assert!(error.text.contains(expected), "{error}");
        };
        let mut header = volume(2, "aes-xts-plain64", 4096, None);
        refused(
            &header,
            small(32768),
            "has 32768 sectors of 512 bytes, and the volume needs 32769",
        );
        refused(
            &header,
            small(32769),
            "no whole number of its 4096 byte sectors",
        );
        header.segments[0].size = Some(8 * 512);
        refused(
            &header,
            small(32775),
            "has 32775 sectors of 512 bytes, and the volume needs 32776",
        );
        let made = crypt(&header, "x", small(32776), &Key::Keyring, Flags::default());
        assert_eq!(text(&made).0, 8);
        header.digests.clear();
        refused(&header, BELOW, "no digest");
        header.requirements.push("opal".into());
        refused(&header, BELOW, "opal");

        let header = volume(2, "aes-xts-plain64", 512, Some("hmac(sha256)"));
        let none = integrity(&header, "x", BELOW, &[0; 512], (1, 10))
            .err()
            .unwrap();
        assert!(
            none.text
                .contains("no dm-integrity superblock at byte 16777216"),
            "{none}"
        );
    }

    #[test]
    fn a_long_name_leaves_a_uuid_that_the_kernel_takes() {
        let header = volume(2, "aes-xts-plain64", 512, None);
        let made = crypt(
            &header,
            &"é".repeat(60),
            BELOW,
            &Key::Keyring,
            Flags::default(),
        );
        let uuid = made.unwrap().uuid;
        assert!(uuid.len() <= 128 && uuid.ends_with('é'), "{uuid}");
    }
}
