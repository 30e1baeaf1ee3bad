//! Filling one segment: which blocks each new one is made of. RFC 9106, section 3.4.

use super::block::Block;
use super::{Cost, SLICES};
use alloc::vec::Vec;

/// The blocks of one lane in one slice. Empty until the first pass comes by.
pub type Segment = Vec<Block>;

/// One lane in one slice of one pass, and all it may look at: the segments of other slices.
pub struct Lane<'a> {
    pub cost: Cost,
    pub pass: u32,
    pub slice: usize,
    pub number: usize,
    /// Blocks in a segment.
    pub segment_len: usize,
    pub before: &'a [Vec<Segment>],
    pub after: &'a [Vec<Segment>],
}

/// Where the references come from that do not depend on the password.
struct Addresses {
    /// The words that stand first in the input; one of them counts.
    front: [u64; 8],
    block: Block,
}

impl Lane<'_> {
    /// Makes the blocks of this segment in the first pass, and adds to them later.
    pub fn fill(&mut self, own: &mut Segment) {
        let independent = !self.cost.id || (self.pass == 0 && self.slice < SLICES / 2);
        let mut addresses = independent.then(|| self.addresses());
        // The first two blocks of each lane came from the password.
        let first = if self.pass == 0 && self.slice == 0 {
            2
        } else {
            0
        };
        if let Some(addresses) = addresses.as_mut().filter(|_| first > 0) {
            addresses.next();
        }
        let mut mixed = Block::zero();
        let wrapped = self.elsewhere((self.slice + SLICES - 1) % SLICES, self.number);
        let wrapped = wrapped.and_then(|segment| segment.last());
        for place in first..self.segment_len {
            if self.pass == 0 {
                own.push(Block::zero());
            }
            // Within this segment only what is before the new block may be pointed to.
            let Some((done, [new, ..])) = own.split_at_mut_checked(place) else {
                return;
            };
            let Some(previous) = done.last().or(wrapped) else {
                return;
            };
            let random = match &mut addresses {
                Some(addresses) => addresses.word(place),
                None => previous.first(),
            };
            let Some(reference) = self.reference(random, place, done) else {
                return;
            };
            new.add_made_of(previous, reference, &mut mixed);
        }
        mixed.wipe();
    }

    /// The segment of a slice that is not this one.
    fn elsewhere(&self, slice: usize, lane: usize) -> Option<&Segment> {
        let row = match slice.checked_sub(self.slice) {
            None => self.before.get(slice),
            Some(behind) => self.after.get(behind.checked_sub(1)?),
        };
        row?.get(lane)
    }

    /// The block that `random` points to, for the new block at `place`.
    fn reference<'b>(&'b self, random: u64, place: usize, own: &'b [Block]) -> Option<&'b Block> {
        let (j1, j2) = (random & 0xffff_ffff, random >> 32);
        let lane = match (self.pass, self.slice) {
            (0, 0) => self.number,
            // Both have 32 bits: the short division is the quick one.
            _ => (j2 as u32 % self.cost.lanes) as usize,
        };
        // How many blocks may be pointed to: those of finished segments, and of this lane's own
        // one. The block just before this one is no choice.
        let finished = match self.pass {
            0 => self.slice,
            _ => SLICES - 1,
        } * self.segment_len;
        let count = match lane == self.number {
            true => finished + place - 1,
            false => finished - usize::from(place == 0),
        } as u64;
        let squared = (j1 * j1) >> 32;
        let back = (count * squared) >> 32;
        let start = match self.pass {
            0 => 0,
            _ => (self.slice + 1) % SLICES,
        };
        let chosen = usize::try_from(count - 1 - back).ok()?;
        // No division: blocks are many.
        let (mut slice, mut at) = (start, chosen);
        while at >= self.segment_len {
            at -= self.segment_len;
            slice = (slice + 1) % SLICES;
        }
        match slice == self.slice {
            true => own.get(at),
            false => self.elsewhere(slice, lane)?.get(at),
        }
    }

    fn addresses(&self) -> Addresses {
        let kind = if self.cost.id { 2 } else { 1 };
        let lanes = u64::from(self.cost.lanes);
        let blocks = (SLICES * self.segment_len) as u64 * lanes;
        let (lane, slice) = (self.number as u64, self.slice as u64);
        let passes = u64::from(self.cost.passes);
        Addresses {
            front: [self.pass.into(), lane, slice, blocks, passes, kind, 0, 0],
            block: Block::zero(),
        }
    }
}

impl Addresses {
    /// The next 128 of them.
    fn next(&mut self) {
        let [.., count, _] = &mut self.front;
        *count += 1;
        let zero = Block::zero();
        let input = Block::starting_with(self.front);
        let mut once = Block::zero();
        let mut mixed = Block::zero();
        once.add_made_of(&zero, &input, &mut mixed);
        self.block = Block::zero();
        self.block.add_made_of(&zero, &once, &mut mixed);
    }

    /// The one for this place; places are asked for in turn.
    fn word(&mut self, place: usize) -> u64 {
        if place.is_multiple_of(128) {
            self.next();
        }
        self.block.word(place % 128)
    }
}
