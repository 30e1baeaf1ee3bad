//! The time axis of the boot chart: linear, but long times in which nothing was done are folded.
//!
//! Times are milliseconds since the first record, places are pixels.

/// How wide a fold is.
const FOLD_PX: f64 = 64.0;
/// Less work than this is not worth a fold.
const WORTH_MS: u64 = 10;
/// Between two marks there is at least this much room.
const MARK_PX: f64 = 90.0;

/// A piece of time and where it is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    pub from: u64,
    pub to: u64,
    pub x: f64,
    pub width: f64,
    /// Nothing was done here.
    pub folded: bool,
}

pub struct Axis {
    pub pieces: Vec<Piece>,
    px_per_ms: f64,
}

impl Axis {
    /// An axis from 0 to `end` in `width` pixels from `x` on. `busy`: when something was done.
    pub fn new(busy: &[(u64, u64)], end: u64, x: f64, width: f64) -> Self {
        let mut folds = gaps(busy, end);
        let idle: u64 = folds.iter().map(|(from, to)| to - from).sum();
        let worked = end.saturating_sub(idle);
        // Short pauses are part of the picture; and where hardly anything was done, waiting is all
        // there is to see.
        folds.retain(|(from, to)| worked >= WORTH_MS && to - from > (worked / 4).max(50));
        let folded: u64 = folds.iter().map(|(from, to)| to - from).sum();
        let linear = end.saturating_sub(folded).max(1);
        let room = (width - FOLD_PX * folds.len() as f64).max(width / 4.0);
        let mut axis = Self {
            pieces: Vec::new(),
            px_per_ms: room / linear as f64,
        };
        let (mut at, mut x) = (0, x);
        for (from, to) in folds {
            x = axis.push(at, from, x, false);
            x = axis.push(from, to, x, true);
            at = to;
        }
        if axis.pieces.is_empty() || end > at {
            axis.push(at, end.max(at.saturating_add(1)), x, false);
        }
        axis
    }

    fn push(&mut self, from: u64, to: u64, x: f64, folded: bool) -> f64 {
        let linear = to.saturating_sub(from) as f64 * self.px_per_ms;
        let width = if folded { FOLD_PX } else { linear };
        if to > from {
            self.pieces.push(Piece {
                from,
                to,
                x,
                width,
                folded,
            });
        }
        x + width
    }

    /// The place of a time.
    pub fn x(&self, ms: u64) -> f64 {
        let piece = self.pieces.iter().find(|p| ms <= p.to);
        let Some(p) = piece.or(self.pieces.last()) else {
            return 0.0;
        };
        let part = ms.min(p.to).saturating_sub(p.from) as f64 / (p.to - p.from).max(1) as f64;
        p.x + part * p.width
    }

    /// Times to mark: round numbers, none inside of a fold.
    pub fn marks(&self) -> Vec<u64> {
        let steps = [1, 2, 5]
            .into_iter()
            .flat_map(|n| (0..12).map(move |power| n * 10_u64.pow(power)));
        let wide = steps.filter(|&step| step as f64 * self.px_per_ms >= MARK_PX);
        let step = wide.min().unwrap_or(u64::MAX);
        let mut marks = Vec::new();
        for piece in self.pieces.iter().filter(|p| !p.folded) {
            let first = piece.from.div_ceil(step);
            let within = (first..).map(|n| n.saturating_mul(step));
            marks.extend(within.take_while(|&ms| ms <= piece.to).take(100));
        }
        marks.dedup();
        marks
    }
}

/// When nothing was done, between 0 and `end`.
fn gaps(busy: &[(u64, u64)], end: u64) -> Vec<(u64, u64)> {
    let mut busy = busy.to_vec();
    busy.sort_unstable();
    let (mut gaps, mut at) = (Vec::new(), 0);
    for (from, to) in busy.into_iter().chain([(end, end)]) {
        if from > at {
            gaps.push((at, from));
        }
        at = at.max(to);
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_pauses_are_folded_and_the_rest_is_linear() {
        let axis = Axis::new(&[(0, 50), (60, 100), (1100, 1150)], 1150, 0.0, 360.0 + 64.0);
        let folded: Vec<_> = axis.pieces.iter().filter(|p| p.folded).collect();
        assert_eq!(folded.len(), 1);
        assert_eq!((folded[0].from, folded[0].to), (100, 1100));
        for (ms, x) in [
            (0, 0.0),
            (50, 120.0),
            (100, 240.0),
            (1100, 304.0),
            (1150, 424.0),
        ] {
            assert!((axis.x(ms) - x).abs() < 0.01, "{ms} is at {}", axis.x(ms));
        }
        assert_eq!(axis.marks(), [0, 50, 100, 1100, 1150]);
    }

    #[test]
    fn odd_times_stay_on_the_axis() {
        for (busy, end) in [
            (vec![], 0),
            (vec![(0, 0)], 0),
            (vec![(0, u64::MAX)], u64::MAX),
            (vec![(5, 6)], 1),
        ] {
            let axis = Axis::new(&busy, end, 10.0, 100.0);
            for ms in [0, 1, end] {
                assert!((9.9..=110.1).contains(&axis.x(ms)), "{ms} of {end}");
            }
            assert!(axis.marks().len() < 50);
        }
    }
}
