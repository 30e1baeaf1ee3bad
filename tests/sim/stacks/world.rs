//! Worlds of nested containers: root at the top of up to three layers.
//!
//! Each layer lies on the one below and on further disks. Beside root, each volume group has a
//! volume that nobody asked for.

use super::bytes::{Disks, MIB, Place};

/// What one layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The partition of a table.
    Part,
    /// A volume over two physical volumes.
    Volume,
    /// A mirror of two.
    Mirror,
    Luks,
}

pub const LAYERS: [Layer; 4] = [Layer::Part, Layer::Volume, Layer::Mirror, Layer::Luks];

pub struct World {
    pub layers: Vec<Layer>,
    pub disks: Disks,
    /// Bytes of each real disk, in the order of their names. What only shows when a volume is
    /// opened lies on further ones.
    pub real: Vec<u64>,
    /// What is in an encrypted device, by the UUID in its header.
    pub opened: Vec<(String, Place)>,
    /// The data of each array, by the byte that its UUID is made of.
    pub arrays: Vec<(u8, Place)>,
    /// Where root is.
    pub root: Place,
    /// What a file on the file system at the top holds.
    pub file: Option<Place>,
}

const DISK: u64 = 64 * MIB;
const EXTENT: u64 = 4 * MIB;

impl World {
    pub fn new(layers: &[Layer]) -> Self {
        let mut world = Self {
            layers: layers.to_vec(),
            disks: Disks::default(),
            real: Vec::new(),
            opened: Vec::new(),
            arrays: Vec::new(),
            root: Place { copies: Vec::new() },
            file: None,
        };
        // All real disks first, so that their numbers are their names.
        let more = |layer: &&Layer| matches!(layer, Layer::Volume | Layer::Mirror);
        for _ in 0..=layers.iter().filter(more).count() {
            world.disks.add();
            world.real.push(DISK);
        }
        let mut spare = 1;
        let mut place = Place::disk(0, DISK);
        for (depth, layer) in layers.iter().enumerate() {
            let other = Place::disk(spare, DISK);
            spare += usize::from(more(&layer));
            place = world.wrap(depth as u8, *layer, place, other);
        }
        world.disks.file_system(&place, 0xaa);
        world.root = place;
        world
    }

    /// Root is in a file on what would be root: all of it, or behind a table. A disk beside holds
    /// the same file system.
    pub fn with_file(layers: &[Layer], table: bool) -> Self {
        let mut world = Self::new(layers);
        let clone = Place::disk(world.disks.add(), DISK);
        // What only shows when a volume is opened has numbers of its own.
        let beside = layers.contains(&Layer::Luks);
        if !beside {
            world.disks.file_system(&clone, 0xcc);
            world.real.push(DISK);
        }
        let file = Place::disk(world.disks.add(), DISK);
        world.root = match table {
            true => world.disks.table(&file),
            false => file.clone(),
        };
        world.disks.file_system(&world.root, 0xcc);
        world.file = Some(file);
        world
    }

    fn wrap(&mut self, depth: u8, layer: Layer, below: Place, other: Place) -> Place {
        let disks = &mut self.disks;
        match layer {
            Layer::Part => disks.table(&below),
            Layer::Luks => {
                let uuid = format!("0000000{depth}-0000-4000-8000-000000000000");
                disks.luks(&below, &uuid);
                let inside = disks.add();
                let place = Place::disk(inside, below.size() - 2 * MIB);
                self.opened.push((uuid, place.clone()));
                place
            }
            Layer::Mirror => {
                let size = below.size().min(other.size());
                let parts = [below.part(0, size), other.part(0, size)];
                let array = 0x10 + depth;
                let data = [0u8, 1].map(|slot| {
                    let part = &parts[usize::from(slot)];
                    disks.member(part, array, 1, slot)
                });
                let place = Place::mirrored(&data);
                self.arrays.push((array, place.clone()));
                place
            }
            Layer::Volume => {
                let ids = [b'A' + 2 * depth, b'B' + 2 * depth].map(char::from);
                let text = metadata(depth, ids);
                let pvs = [below, other];
                for (pv, id) in pvs.iter().zip(ids) {
                    disks.physical_volume(pv, id, &text);
                }
                let extents = |pv: &Place, first: u64, count: u64| {
                    pv.part(MIB + first * EXTENT, count * EXTENT)
                };
                // A volume that looks like root, too, but has another UUID.
                let beside = extents(&pvs[0], 0, 1);
                disks.file_system(&beside, 0xbb);
                Place::joined(&[extents(&pvs[0], 1, 4), extents(&pvs[1], 0, 4)])
            }
        }
    }
}

fn metadata(depth: u8, ids: [char; 2]) -> String {
    let id = |letter: char| {
        let run = |n: usize| letter.to_string().repeat(n);
        let (four, six) = (run(4), run(6));
        format!("{six}-{four}-{four}-{four}-{four}-{four}-{six}")
    };
    let lower = |n: u8| id(char::from(b'a' + 3 * depth + n));
    let segment = |start: u64, count: u64, on: &str| {
        format!(
            "{{ start_extent = {start} extent_count = {count} type = \"striped\" \
             stripe_count = 1 stripes = [ {on} ] }}\n"
        )
    };
    let status = "status = [\"READ\", \"WRITE\", \"VISIBLE\"] flags = []";
    format!(
        "vg{depth} {{\nid = \"{}\"\nseqno = 3\nformat = \"lvm2\"\n\
         status = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\nflags = []\nextent_size = {}\n\
         physical_volumes {{\n\
         pv0 {{ id = \"{}\" pe_start = 2048 pe_count = 5 }}\n\
         pv1 {{ id = \"{}\" pe_start = 2048 pe_count = 4 }}\n}}\n\
         logical_volumes {{\n\
         beside {{ id = \"{}\" {status} segment_count = 1\nsegment1 {}}}\n\
         root {{ id = \"{}\" {status} segment_count = 2\nsegment1 {}segment2 {}}}\n\
         }}\n}}\n",
        lower(0),
        EXTENT / 512,
        id(ids[0]),
        id(ids[1]),
        lower(1),
        segment(0, 1, "\"pv0\", 0"),
        lower(2),
        segment(0, 4, "\"pv0\", 1"),
        segment(4, 4, "\"pv1\", 0"),
    )
}
