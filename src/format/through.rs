//! Looking through a mapping: which bytes of which lower device a stretch of it is.
//!
//! What lies inside a volume or an array can so be identified without starting it. Only mappings
//! that keep data as they are can be looked through; each format says where in its `through`.
//!
//! A mapping is a few rows, as in a table of the device-mapper, however large it is: whoever is
//! told the rows finds every byte. Rows lie on devices, or on a layer of rows below.

use alloc::vec::Vec;

/// More than any look for a superblock needs; a larger stretch is to be asked for in parts.
const MAX_PIECES: usize = 4096;
/// More layers than volumes of any real group.
const MAX_LAYERS: usize = 1024;
/// More rows than the most scattered volume has.
const MAX_ROWS: usize = 65_536;

/// A stretch of a lower device, in bytes. Pieces follow one another in the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<M> {
    pub on: M,
    pub offset: u64,
    pub length: u64,
}

/// What a row lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg<M> {
    Device(M),
    /// A layer that was added before.
    Layer(usize),
}

/// A stretch of a layer, in bytes. Its chunks lie on the slots in turn; from a slot's chunk to the
/// next on the same slot it is `stride`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<M> {
    pub start: u64,
    pub length: u64,
    pub chunk: u64,
    pub stride: u64,
    /// Where the first chunk lies, each with its offset.
    pub slots: Vec<(Leg<M>, u64)>,
}

impl<M> Row<M> {
    /// All in one piece.
    pub fn linear(start: u64, length: u64, on: Leg<M>, offset: u64) -> Self {
        Self {
            start,
            length,
            chunk: length,
            stride: length,
            slots: alloc::vec![(on, offset)],
        }
    }

    /// Chunks by turns: after `chunks` of them, and `rows` of each member, all begins anew. `slot`
    /// tells where the first row has a chunk.
    pub fn turning(
        (start, length): (u64, u64),
        chunk: u64,
        (chunks, rows): (u64, u64),
        slot: &mut dyn FnMut(u64) -> Option<(Leg<M>, u64)>,
    ) -> Option<Self> {
        let mut slots = Vec::new();
        for number in 0..chunks {
            slots.push(slot(number)?);
        }
        Some(Self {
            start,
            length,
            chunk,
            stride: rows.checked_mul(chunk)?,
            slots,
        })
    }

    /// The same row without its slots.
    fn bare<N>(&self) -> Row<N> {
        Row {
            start: self.start,
            length: self.length,
            chunk: self.chunk,
            stride: self.stride,
            slots: Vec::new(),
        }
    }
}

/// What a device of a mapping is, in another naming.
pub enum Lower<N> {
    Device(N),
    Mapping(Through<N>),
}

/// A mapping: the last layer is what is looked at, the others lie below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Through<M> {
    layers: Vec<Vec<Row<M>>>,
}

impl<M> Default for Through<M> {
    fn default() -> Self {
        Self { layers: Vec::new() }
    }
}

impl<M: Clone + PartialEq> Through<M> {
    /// One more layer, over those that are there. `None`: it lies on one that is not, or there are
    /// too many.
    pub fn add(&mut self, rows: Vec<Row<M>>) -> Option<usize> {
        let number = self.layers.len();
        let others = self.layers.iter().map(Vec::len);
        let total = others.fold(rows.len(), usize::saturating_add);
        let below = |leg: &Leg<M>| matches!(leg, Leg::Layer(n) if *n >= number);
        let mut legs = rows.iter().flat_map(|row| &row.slots);
        if number >= MAX_LAYERS || total > MAX_ROWS || legs.any(|(leg, _)| below(leg)) {
            return None;
        }
        self.layers.push(rows);
        Some(number)
    }

    /// Layers, the lowest first.
    pub fn layers(&self) -> &[Vec<Row<M>>] {
        &self.layers
    }

    /// The same mapping over what its devices are: devices of another name, or mappings.
    /// `None`: one of them is not there, or there are too many layers.
    pub fn over<N: Clone + PartialEq>(
        &self,
        below: &dyn Fn(&M) -> Option<Lower<N>>,
    ) -> Option<Through<N>> {
        let mut whole = Through::default();
        // Mappings below, each added once, and where it is; the layers of this one follow.
        let mut added: Vec<(&M, usize)> = Vec::new();
        let mut own: Vec<usize> = Vec::new();
        for rows in &self.layers {
            let mut moved = Vec::new();
            for row in rows {
                let mut slots = Vec::new();
                for (leg, offset) in &row.slots {
                    let leg = match leg {
                        Leg::Layer(layer) => Leg::Layer(*own.get(*layer)?),
                        Leg::Device(device) => match below(device)? {
                            Lower::Device(other) => Leg::Device(other),
                            Lower::Mapping(mapping) => {
                                let known = added.iter().find(|(known, _)| *known == device);
                                let top = match known {
                                    Some((_, top)) => *top,
                                    None => whole.append(&mapping)?,
                                };
                                added.push((device, top));
                                Leg::Layer(top)
                            }
                        },
                    };
                    slots.push((leg, *offset));
                }
                moved.push(Row {
                    slots,
                    ..row.bare()
                });
            }
            own.push(whole.add(moved)?);
        }
        Some(whole)
    }

    /// Puts all layers of another mapping on top; yields its highest.
    fn append(&mut self, other: &Self) -> Option<usize> {
        let base = self.layers.len();
        for rows in &other.layers {
            let mut rows = rows.clone();
            for (leg, _) in rows.iter_mut().flat_map(|row| &mut row.slots) {
                if let Leg::Layer(layer) = leg {
                    *layer = layer.checked_add(base)?;
                }
            }
            self.add(rows)?;
        }
        self.layers.len().checked_sub(1)
    }

    /// Where `length` bytes at `offset` lie. `None`: not all of them can be told.
    pub fn pieces(&self, offset: u64, length: u64) -> Option<Vec<Piece<M>>> {
        let mut found = Vec::new();
        self.look(self.layers.len(), (offset, length), &mut found)?;
        Some(found)
    }

    /// In the last of the first `layers` layers. It ends: rows lie on earlier layers only.
    fn look(
        &self,
        layers: usize,
        (offset, length): (u64, u64),
        found: &mut Vec<Piece<M>>,
    ) -> Option<()> {
        let rows = self.layers.get(layers.checked_sub(1)?)?;
        let end = offset.checked_add(length)?;
        let mut at = offset;
        while at < end {
            let holds = |row: &&Row<M>| {
                let inside = at.checked_sub(row.start);
                inside.is_some_and(|inside| inside < row.length)
            };
            let row = rows.iter().find(holds)?;
            let inside = at.checked_sub(row.start)?;
            let in_chunk = inside.checked_rem(row.chunk)?;
            let rest = row.chunk.checked_sub(in_chunk)?;
            let rest = rest.min(row.length.checked_sub(inside)?);
            let part = rest.min(end.checked_sub(at)?);
            let number = inside.checked_div(row.chunk)?;
            let slots = row.slots.len() as u64;
            let slot = usize::try_from(number.checked_rem(slots)?).ok()?;
            let (leg, start) = row.slots.get(slot)?;
            let turns = number.checked_div(slots)?.checked_mul(row.stride)?;
            let on = start.checked_add(turns)?.checked_add(in_chunk)?;
            match leg {
                Leg::Device(device) => push(found, device, on, part)?,
                Leg::Layer(layer) => {
                    self.look(layer.checked_add(1)?, (on, part), found)?;
                }
            }
            at = at.checked_add(part)?;
        }
        Some(())
    }
}

/// Copies of chunks lie on `devices` devices one after another, `copies` of each chunk: after how
/// many chunks, and rows, the first copy is on the first device again. (Layout "near" of raid10.)
pub fn turns(devices: u64, copies: u64) -> Option<(u64, u64)> {
    let (mut a, mut b) = (devices, copies);
    while b > 0 {
        (a, b) = (b, a.checked_rem(b)?);
    }
    Some((devices.checked_div(a)?, copies.checked_div(a)?))
}

/// One more piece; joined with the last where it follows it.
fn push<M: Clone + PartialEq>(
    found: &mut Vec<Piece<M>>,
    on: &M,
    offset: u64,
    length: u64,
) -> Option<()> {
    if let Some(last) = found.last_mut()
        && last.on == *on
        && last.offset.checked_add(last.length)? == offset
    {
        last.length = last.length.checked_add(length)?;
        return Some(());
    }
    let on = on.clone();
    (found.len() < MAX_PIECES).then(|| found.push(Piece { on, offset, length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(through: &Through<char>, at: (u64, u64), expected: Option<&[(char, u64, u64)]>) {
        let found = through.pieces(at.0, at.1);
        let found = found.map(|pieces| {
            let told = |p: Piece<char>| (p.on, p.offset, p.length);
            pieces.into_iter().map(told).collect::<Vec<_>>()
        });
        assert_eq!(found.as_deref(), expected, "{at:?}");
    }

    #[test]
    fn a_stretch_is_cut_where_chunks_and_rows_end() {
        let mut striped = Through::default();
        let slots = [('a', 100), ('b', 200)].map(|(on, at)| (Leg::Device(on), at));
        let row = |start, length| Row {
            start,
            length,
            chunk: 8,
            stride: 8,
            slots: slots.to_vec(),
        };
        let rows = [row(0, 32), Row::linear(40, 10, Leg::Device('c'), 5)];
        striped.add(rows.to_vec()).unwrap();
        check(&striped, (5, 5), Some(&[('a', 105, 3), ('b', 200, 2)]));
        check(&striped, (16, 8), Some(&[('a', 108, 8)]));
        check(&striped, (31, 1), Some(&[('b', 215, 1)]));
        check(&striped, (41, 9), Some(&[('c', 6, 9)]));
        check(&striped, (0, 0), Some(&[]));
        // A gap, what lies behind the end, and what is no place at all.
        for at in [(31, 2), (45, 6), (u64::MAX, 2)] {
            check(&striped, at, None);
        }
    }

    #[test]
    fn rows_lie_on_earlier_layers_and_pieces_join() {
        let mut through = Through::default();
        let on = |n| Leg::Layer(n);
        let halves = [
            Row::linear(0, 4, Leg::Device('a'), 10),
            Row::linear(4, 4, Leg::Device('a'), 14),
        ];
        assert_eq!(through.add(halves.to_vec()), Some(0));
        assert_eq!(through.add([Row::linear(0, 6, on(0), 2)].to_vec()), Some(1));
        check(&through, (0, 6), Some(&[('a', 12, 6)]));
        assert_eq!(through.add([Row::linear(0, 6, on(2), 2)].to_vec()), None);
    }

    #[test]
    fn copies_take_turns() {
        for (devices, copies, expected) in [
            (4, 2, Some((2, 1))),
            (3, 2, Some((3, 2))),
            (2, 1, Some((2, 1))),
            (4, 3, Some((4, 3))),
            (0, 0, None),
        ] {
            assert_eq!(turns(devices, copies), expected, "{devices} {copies}");
        }
    }

    #[test]
    fn nonsense_has_no_pieces() {
        let bad = |chunk, stride, slots: &[(Leg<char>, u64)]| {
            let mut through = Through::default();
            let slots = slots.to_vec();
            let (start, length) = (0, 1 << 40);
            let row = Row {
                start,
                length,
                chunk,
                stride,
                slots,
            };
            through.add([row].to_vec()).unwrap();
            check(&through, (1 << 39, 4), None);
        };
        let here = [(Leg::Device('a'), 0)];
        bad(0, 8, &here);
        bad(8, u64::MAX, &here);
        bad(8, 8, &[]);
        bad(8, 8, &[(Leg::Device('a'), u64::MAX)]);
        // Too many pieces for one look.
        let mut through = Through::default();
        let slots = [(Leg::Device('a'), 0), (Leg::Device('b'), 0)].to_vec();
        let (start, length, chunk, stride) = (0, 1 << 20, 1, 1);
        through
            .add(
                [Row {
                    start,
                    length,
                    chunk,
                    stride,
                    slots,
                }]
                .to_vec(),
            )
            .unwrap();
        check(&through, (0, 1 << 20), None);
    }
}
