//! Bytes of disks, sparse, and what containers write on them: labels and metadata of lvm,
//! superblocks of md, headers of LUKS, partition tables, file systems. As much of each as
//! identification, assembly and activation look at.

use landfall::format::identity::{Range, lvm_sum};
use std::collections::BTreeMap;

pub const MIB: u64 = 1 << 20;

/// Where the bytes of a device are: stretches of disks, in order. (Mirrors have several.)
#[derive(Clone, Debug)]
pub struct Place {
    pub copies: Vec<Vec<Stretch>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub disk: usize,
    pub offset: u64,
    pub length: u64,
}

impl Place {
    pub fn disk(disk: usize, length: u64) -> Self {
        let whole = Stretch {
            disk,
            offset: 0,
            length,
        };
        Self {
            copies: vec![vec![whole]],
        }
    }

    pub fn size(&self) -> u64 {
        self.copies[0].iter().map(|s| s.length).sum()
    }

    /// A part of it.
    pub fn part(&self, offset: u64, length: u64) -> Self {
        let cut = |copy: &Vec<Stretch>| {
            let (mut at, mut out) = (0, Vec::new());
            for s in copy {
                let (from, to) = (offset.max(at), (offset + length).min(at + s.length));
                if from < to {
                    out.push(Stretch {
                        offset: s.offset + from - at,
                        length: to - from,
                        ..*s
                    });
                }
                at += s.length;
            }
            out
        };
        Self {
            copies: self.copies.iter().map(cut).collect(),
        }
    }

    /// One behind the other. What is mirrored below is read from its first copy, and written to
    /// all.
    pub fn joined(parts: &[Self]) -> Self {
        let most = parts.iter().map(|p| p.copies.len()).max().unwrap_or(1);
        let copy = |n: usize| {
            let of = |p: &Self| p.copies[n.min(p.copies.len() - 1)].clone();
            parts.iter().flat_map(of).collect()
        };
        Self {
            copies: (0..most).map(copy).collect(),
        }
    }

    pub fn mirrored(parts: &[Self]) -> Self {
        Self {
            copies: parts.iter().flat_map(|p| p.copies.clone()).collect(),
        }
    }
}

/// All disks.
#[derive(Clone, Default)]
pub struct Disks {
    written: Vec<BTreeMap<u64, u8>>,
}

impl Disks {
    pub fn add(&mut self) -> usize {
        self.written.push(BTreeMap::new());
        self.written.len() - 1
    }

    pub fn write(&mut self, on: &Place, at: u64, bytes: &[u8]) {
        let target = on.part(at, bytes.len() as u64);
        for copy in &target.copies {
            let mut rest = bytes;
            for s in copy {
                let (now, later) = rest.split_at(s.length as usize);
                let disk = &mut self.written[s.disk];
                disk.extend((s.offset..).zip(now.iter().copied()));
                rest = later;
            }
        }
    }

    pub fn read(&self, on: &Place, range: Range) -> Option<Vec<u8>> {
        (range.end() <= on.size()).then_some(())?;
        let mut bytes = Vec::new();
        for s in &on.part(range.at, range.len as u64).copies[0] {
            let start = bytes.len();
            bytes.resize(start + s.length as usize, 0);
            let span = s.offset..s.offset + s.length;
            for (at, byte) in self.written[s.disk].range(span) {
                bytes[start + (at - s.offset) as usize] = *byte;
            }
        }
        Some(bytes)
    }

    pub fn file_system(&mut self, on: &Place, uuid: u8) {
        let mut sb = vec![0; 1024];
        sb[0x38..0x3a].copy_from_slice(&0xef53u16.to_le_bytes());
        sb[0x5c] = 4;
        sb[0x60] = 0x40;
        sb[0x68..0x78].fill(uuid);
        self.write(on, 1024, &sb);
    }

    pub fn luks(&mut self, on: &Place, uuid: &str) {
        let mut header = vec![0; 512];
        header[..8].copy_from_slice(b"LUKS\xba\xbe\0\x02");
        header[168..168 + uuid.len()].copy_from_slice(uuid.as_bytes());
        self.write(on, 0, &header);
    }

    /// One partition, from the first MiB on.
    pub fn table(&mut self, on: &Place) -> Place {
        let (start, length) = (MIB, on.size() - MIB);
        let mut mbr = vec![0; 512];
        mbr[440..444].copy_from_slice(&[1, 2, 3, 4]);
        mbr[446 + 4] = 0x83;
        mbr[446 + 8..446 + 12].copy_from_slice(&((start / 512) as u32).to_le_bytes());
        mbr[446 + 12..446 + 16].copy_from_slice(&((length / 512) as u32).to_le_bytes());
        mbr[510..].copy_from_slice(&[0x55, 0xaa]);
        self.write(on, 0, &mbr);
        on.part(start, length)
    }

    /// The label of a physical volume, and the metadata of its group.
    pub fn physical_volume(&mut self, on: &Place, id: char, text: &str) {
        const AREA: (u64, u64) = (4096, 64 << 10);
        let mut label = vec![0; 512];
        label[..8].copy_from_slice(b"LABELONE");
        label[8] = 1;
        label[20] = 32;
        label[24..32].copy_from_slice(b"LVM2 001");
        label[32..64].fill(id as u8);
        label[64..72].copy_from_slice(&on.size().to_le_bytes());
        label[72 + 16..72 + 24].copy_from_slice(&AREA.0.to_le_bytes());
        label[72 + 24..72 + 32].copy_from_slice(&AREA.1.to_le_bytes());
        let sum = lvm_sum(&label[20..]);
        label[16..20].copy_from_slice(&sum.to_le_bytes());
        self.write(on, 512, &label);
        let mut header = vec![0; 512];
        header[4..20].copy_from_slice(b" LVM2 x[5A%r0N*>");
        header[20] = 1;
        header[24..32].copy_from_slice(&AREA.0.to_le_bytes());
        header[32..40].copy_from_slice(&AREA.1.to_le_bytes());
        header[40..48].copy_from_slice(&512u64.to_le_bytes());
        header[48..56].copy_from_slice(&(text.len() as u64).to_le_bytes());
        header[56..60].copy_from_slice(&lvm_sum(text.as_bytes()).to_le_bytes());
        let sum = lvm_sum(&header[4..]);
        header[..4].copy_from_slice(&sum.to_le_bytes());
        self.write(on, AREA.0, &header);
        self.write(on, AREA.0 + 512, text.as_bytes());
    }

    /// Version 1.2: a superblock at 4 KiB, data from the first MiB on.
    pub fn member(&mut self, on: &Place, array: u8, level: u32, slot: u8) -> Place {
        let (data, size) = (MIB, on.size() - MIB);
        let mut sb = vec![0; 4096];
        let mut put = |at: usize, bytes: &[u8]| sb[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &0xa92b_4efcu32.to_le_bytes());
        put(4, &1u32.to_le_bytes());
        put(16, &[array; 16]);
        put(32, b"any:r");
        put(72, &level.to_le_bytes());
        put(80, &(size / 512).to_le_bytes());
        put(92, &2u32.to_le_bytes());
        put(128, &(data / 512).to_le_bytes());
        put(136, &(size / 512).to_le_bytes());
        put(144, &8u64.to_le_bytes());
        put(160, &u32::from(slot).to_le_bytes());
        put(168, &[array ^ (slot + 1); 16]);
        put(200, &10u64.to_le_bytes());
        put(208, &u64::MAX.to_le_bytes());
        put(220, &2u32.to_le_bytes());
        put(256, &[0, 0, 1, 0]);
        let words = sb[..260].chunks_exact(4);
        let words = words.map(|w| u64::from(u32::from_le_bytes([w[0], w[1], w[2], w[3]])));
        let sum: u64 = words.sum();
        let sum = (sum as u32).wrapping_add((sum >> 32) as u32);
        sb[216..220].copy_from_slice(&sum.to_le_bytes());
        self.write(on, 4096, &sb);
        on.part(data, size)
    }
}
