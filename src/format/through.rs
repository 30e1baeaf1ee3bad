//! Looking through a mapping: which bytes of which lower device a stretch of it is.
//!
//! What lies inside a volume or an array can so be identified without starting it. Only mappings
//! that keep data as they are can be looked through; each format says where in its `through`.

use alloc::vec::Vec;

/// More than any look for a superblock needs; a larger stretch is to be asked for in parts.
const MAX_PIECES: usize = 4096;

/// A stretch of a lower device, in bytes. Pieces follow one another in the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<M> {
    pub on: M,
    pub offset: u64,
    pub length: u64,
}

/// Collects pieces; `None` where there are too many.
pub struct Pieces<M>(Vec<Piece<M>>);

impl<M: PartialEq> Pieces<M> {
    #[allow(
        clippy::new_without_default,
        reason = "nothing is collected by default"
    )]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// One more; joined with the last where it follows it.
    pub fn push(&mut self, on: M, offset: u64, length: u64) -> Option<()> {
        if let Some(last) = self.0.last_mut()
            && last.on == on
            && last.offset.checked_add(last.length)? == offset
        {
            last.length = last.length.checked_add(length)?;
            return Some(());
        }
        (self.0.len() < MAX_PIECES).then(|| self.0.push(Piece { on, offset, length }))
    }

    pub fn finish(self) -> Vec<Piece<M>> {
        self.0
    }
}

/// Cuts a stretch where chunks end, and hands over each part: number of the chunk, offset in it,
/// length. `None`: a part could not be placed, or chunks have no size.
pub fn chunks(
    offset: u64,
    length: u64,
    chunk: u64,
    place: &mut dyn FnMut(u64, u64, u64) -> Option<()>,
) -> Option<()> {
    let end = offset.checked_add(length)?;
    let mut at = offset;
    while at < end {
        let inside = at.checked_rem(chunk)?;
        let part = chunk.checked_sub(inside)?.min(end.checked_sub(at)?);
        place(at.checked_div(chunk)?, inside, part)?;
        at = at.checked_add(part)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_cut_where_chunks_end() {
        let cut = |offset, length, chunk| {
            let mut parts = Vec::new();
            let done = chunks(offset, length, chunk, &mut |n, at, length| {
                parts.push((n, at, length));
                Some(())
            });
            done.map(|()| parts)
        };
        assert_eq!(cut(5, 12, 8).unwrap(), [(0, 5, 3), (1, 0, 8), (2, 0, 1)]);
        assert_eq!(cut(8, 8, 8).unwrap(), [(1, 0, 8)]);
        assert_eq!(cut(0, 0, 8).unwrap(), []);
        assert_eq!((cut(0, 1, 0), cut(u64::MAX, 1, 8)), (None, None));
    }

    #[test]
    fn pieces_that_follow_one_another_are_one() {
        let mut pieces = Pieces::new();
        pieces.push('a', 0, 8).unwrap();
        pieces.push('a', 8, 8).unwrap();
        pieces.push('b', 16, 8).unwrap();
        let lengths: Vec<u64> = pieces.finish().iter().map(|p| p.length).collect();
        assert_eq!(lengths, [16, 8]);
        let mut many = Pieces::new();
        let placed = (0..5000).try_for_each(|n| many.push(n, 0, 1));
        assert_eq!(placed, None);
    }
}
