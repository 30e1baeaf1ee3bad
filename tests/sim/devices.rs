//! The devices of a simulated machine: how they appear, change and leave, and what uevents say.

use crate::faults::Fault;
use crate::machine::{Coming, Live, Machine};
use crate::world::Medium;
use landfall::plan::event::{Block, Event};

impl Machine<'_> {
    pub fn uevent(&mut self, event: Event) {
        if !self.losing {
            self.at(self.now + self.lag, Coming::Report(event));
        }
    }

    /// Everything that hangs on this node (or on the machine itself) starts to appear.
    pub fn children_of(&mut self, parent: Option<usize>) {
        let world = self.world;
        let delay = |at: u64| {
            if parent.is_none() && at > 0 {
                world.start + at
            } else {
                self.now + at
            }
        };
        let mut coming = Vec::new();
        for (index, node) in world
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, n)| n.parent == parent)
        {
            coming.push((delay(node.at), Coming::NodeUp(index)));
        }
        for (index, disk) in world
            .disks
            .iter()
            .enumerate()
            .filter(|(_, d)| d.node == parent)
        {
            coming.push((delay(disk.at), Coming::Attach(index, disk.medium.clone())));
        }
        for (time, coming) in coming {
            self.at(time, coming);
        }
    }

    pub fn node_up(&mut self, index: usize) {
        let node = &self.world.nodes[index];
        self.nodes_up.insert(index);
        self.uevent(Event::Bus {
            path: node.path.clone(),
            modalias: node.modalias.clone(),
        });
        self.bind();
    }

    /// Devices whose driver is there are driven, and what hangs on them appears.
    pub fn bind(&mut self) {
        let up: Vec<usize> = self.nodes_up.difference(&self.bound).copied().collect();
        for index in up {
            let drivers = &self.world.nodes[index].drivers;
            if drivers.is_empty() || drivers.iter().any(|d| self.loaded.contains(d)) {
                self.bound.insert(index);
                self.children_of(Some(index));
            }
        }
    }

    pub fn attach(&mut self, disk: usize, medium: Medium) {
        if self.disks.contains_key(&disk) {
            return;
        }
        let still = |at: u64| self.world.start + at > self.now;
        let held =
            |f: &Fault| matches!(f, Fault::Empty { disk: d, at } if *d == disk && still(*at));
        let empty = self.world.faults.iter().any(held);
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.disks.insert(
            disk,
            Live {
                medium,
                sequence,
                empty,
            },
        );
        let twice = |f: &Fault| matches!(f, Fault::Twice { disk: d } if *d == disk);
        let times = if self.world.faults.iter().any(twice) {
            2
        } else {
            1
        };
        for _ in 0..times {
            for block in self.blocks(disk) {
                self.uevent(Event::Block(block.into()));
            }
        }
        if times == 2 && self.now <= self.world.start {
            for block in self.blocks(disk) {
                let late = self.world.start + 1 + self.rng.below(1 + self.world.pace);
                self.at(late, Coming::Report(Event::Block(block.into())));
            }
        }
    }

    pub fn detach(&mut self, disk: usize) {
        let blocks = self.blocks(disk);
        if self.disks.remove(&disk).is_some() {
            self.pulled.insert(disk);
        }
        for block in blocks.into_iter().rev() {
            self.uevent(Event::BlockGone { name: block.name });
        }
    }

    pub fn rewrite(&mut self, disk: usize, medium: Medium) {
        let old = self.blocks(disk);
        let Some(live) = self.disks.get_mut(&disk) else {
            return;
        };
        live.medium = medium;
        for block in old.into_iter().skip(1).rev() {
            self.uevent(Event::BlockGone { name: block.name });
        }
        self.announce_change(disk);
    }

    pub fn announce_change(&mut self, disk: usize) {
        for (index, block) in self.blocks(disk).into_iter().enumerate() {
            self.uevent(if index == 0 {
                Event::BlockChanged(block.into())
            } else {
                Event::Block(block.into())
            });
        }
    }

    pub fn touch(&mut self, disk: usize) {
        for block in self.blocks(disk) {
            self.uevent(Event::BlockChanged(block.into()));
        }
    }

    pub fn insert(&mut self, disk: usize) {
        if let Some(live) = self.disks.get_mut(&disk).filter(|l| l.empty) {
            live.empty = false;
            live.sequence = self.next_sequence;
            self.next_sequence += 1;
            self.announce_change(disk);
        }
    }

    /// The whole disk first, then its partitions, as the kernel would report them now.
    pub fn blocks(&self, disk: usize) -> Vec<Block> {
        let Some(live) = self.disks.get(&disk) else {
            return Vec::new();
        };
        let spec = &self.world.disks[disk];
        let major = 8 + disk as u32;
        let sectors = if live.empty { 0 } else { live.medium.sectors };
        let whole = Block {
            name: spec.name.clone(),
            major,
            minor: 0,
            sectors,
            part_of: None,
            sequence: live.sequence,
            mapped: None,
        };
        let parts = live
            .medium
            .parts
            .iter()
            .filter(|_| !live.empty)
            .map(|part| Block {
                name: spec.part_name(part.number),
                major,
                minor: part.number,
                sectors: part.sectors,
                part_of: Some((spec.name.clone(), part.number)),
                sequence: live.sequence,
                mapped: None,
            });
        std::iter::once(whole).chain(parts).collect()
    }

    /// The disk behind a device's name, if it is there, and which medium that is.
    pub fn disk_behind(&self, device: &str) -> Option<(usize, u64)> {
        let (disk, live) = self.disks.iter().find(|(disk, live)| {
            let spec = &self.world.disks[**disk];
            let mut parts = live.medium.parts.iter().filter(|_| !live.empty);
            spec.name == device
                || (device.starts_with(&spec.name)
                    && parts.any(|p| spec.part_name(p.number) == device))
        })?;
        Some((*disk, live.sequence))
    }
}
