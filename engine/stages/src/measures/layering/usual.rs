//! The usual quantity of each of the best levels of a side: the median of samples.
//!
//! Time is cut into thirtieths of the median's length; in each the first order that is displayed gives a sample of all levels, as they
//! stand with it. Levels are counted from the best, so a median goes on while prices move.
//!
//! Bound: [`SAMPLES`] samples a side. Worst case: an order that begins a piece sorts the samples of every level.

use crate::Space;
use crate::measures::{MeasureState, Rings};
use flow::{GrowingTable, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// Levels of a side that are looked at.
pub(super) const LEVELS: usize = 10;
/// Samples of a median.
pub(super) const SAMPLES: u16 = 30;

/// Quantities of the best levels; 0 = there is no such level.
pub(super) type Levels = [u64; LEVELS];

/// A sample, and the number of its piece of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sample {
    piece: u64,
    levels: Levels,
}

/// One side of all books.
pub(super) struct Usual {
    /// The fewest samples that say anything.
    least: usize,
    samples: Rings<Sample>,
    /// By instrument; 0 = not known.
    medians: GrowingTable<Levels>,
}

impl Usual {
    pub(super) fn new(space: Space, least: u16) -> Usual {
        let medians = GrowingTable::new(space.instruments as usize, [0; LEVELS]);
        Usual { least: least.into(), samples: Rings::new(space, SAMPLES), medians }
    }

    /// Takes a sample of the piece of time with that number, which is not 0.
    #[cold]
    pub(super) fn sample(&mut self, instrument: u32, piece: u64, levels: Levels) {
        self.samples.push(instrument, Sample { piece, levels });
        self.compute(instrument, piece);
    }

    fn compute(&mut self, instrument: u32, piece: u64) {
        let Some(medians) = self.medians.get_mut(instrument as usize) else { return };
        let fresh = self.samples.held(instrument).filter(|one| one.piece.saturating_add(u64::from(SAMPLES)) > piece);
        for (level, median) in medians.iter_mut().enumerate() {
            let (mut sorted, mut count) = ([0; SAMPLES as usize], 0);
            for (place, one) in sorted.iter_mut().zip(fresh.clone()) {
                *place = one.levels[level];
                count += 1;
            }
            sorted[..count].sort_unstable();
            // Of an even number the lower one of the two in the middle.
            *median = if count < self.least { 0 } else { sorted[(count - 1) / 2] };
        }
    }

    /// The median of a level, if it is known.
    #[inline]
    pub(super) fn of(&self, instrument: u32, level: usize) -> Option<u64> {
        self.medians.get(instrument as usize).map(|medians| medians[level]).filter(|median| *median > 0)
    }
}

impl MeasureState for Usual {
    fn list(&mut self, instrument: u32) {
        self.samples.list(instrument);
        self.medians.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.samples.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.samples.load(from)?;
        self.medians.clear();
        for instrument in 0..self.medians.bound() as u32 {
            let last = self.samples.held(instrument).last();
            if let Some(last) = last {
                self.medians.reach(instrument as usize);
                if self.samples.held(instrument).any(|one| one.piece > last.piece) {
                    return Err(StateError::Inconsistent("samples of levels that go back in time"));
                }
                self.compute(instrument, last.piece);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_that_of_the_last_pieces_of_time() {
        let mut usual = Usual::new(Space { instruments: 4, fills: 1, positions: 1 }, 15);
        usual.list(2);
        let of = |first: u64| std::array::from_fn(|level| first + level as u64);
        for piece in 1..=14 {
            usual.sample(2, piece, of(piece * 100));
        }
        assert_eq!(usual.of(2, 0), None, "fifteen at least");
        usual.sample(2, 20, of(100));
        assert_eq!((usual.of(2, 0), usual.of(2, 9), usual.of(1, 0)), (Some(700), Some(709), None));
        usual.sample(2, 31, of(5_000));
        // The piece 1 has gone: 100, 200, 300 ... 1400, 5000 are fifteen.
        assert_eq!(usual.of(2, 0), Some(800));
        usual.sample(2, 34, of(5_000));
        assert_eq!(usual.of(2, 0), None, "pieces 5 to 34 have thirteen");
    }

    #[test]
    fn a_level_that_is_mostly_not_there_has_none() {
        let mut usual = Usual::new(Space { instruments: 4, fills: 1, positions: 1 }, 15);
        usual.list(1);
        for piece in 1..=16 {
            usual.sample(1, piece, [if piece % 2 == 0 { 50 } else { 0 }; LEVELS]);
        }
        assert_eq!(usual.of(1, 3), None);
        usual.sample(1, 17, [60; LEVELS]);
        assert_eq!(usual.of(1, 3), Some(50));
    }
}
