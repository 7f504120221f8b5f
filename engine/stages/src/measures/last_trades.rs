//! The last trades of every instrument with a weight each, and their mean weight by quantity.
//!
//! A trade that comes takes the place of the one that came so many before it; sums go along. They are integers, and those of a saved
//! state are added up again from its trades, so equal pasts are equal numbers.
//!
//! Bound: 16 bytes a trade of the window and 64 bytes, for every instrument. Worst case: that of every trade, one slot and the sums.

use super::piece::piece_of;
use super::{MeasureState, PerInstrument, Rings};
use crate::Space;
use flow::{GrowingTable, Ns, Qty, StateError, StateReader, StateWriter};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Weights are integers: parts of 1 / 10,000.
pub(super) const SCALE: f64 = 10_000.0;

/// The nearest weight to a number from -1 to 1.
pub(super) fn weight_of(number: f64) -> i16 {
    (number * SCALE).round().clamp(-SCALE, SCALE) as i16
}

/// Marks that a trade may have.
pub(super) const MARKS: usize = 3;

/// A trade of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Weighed {
    pub(super) qty: u64,
    pub(super) weight: i16,
    /// Bits of the first [`MARKS`] numbers.
    pub(super) marks: u8,
}

/// Sums over the trades of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    /// Quantity times weight.
    weighed: i128,
    volume: u128,
    /// Quantity of the trades with a mark.
    marked_volume: u128,
    /// Trades by mark.
    pub(super) marks: [u16; MARKS],
    pub(super) trades: u16,
}

impl Sums {
    fn add(&mut self, trade: Weighed) {
        self.weighed += i128::from(trade.qty) * i128::from(trade.weight);
        self.volume += u128::from(trade.qty);
        self.marked_volume += u128::from(if trade.marks == 0 { 0 } else { trade.qty });
        (0..MARKS).for_each(|mark| self.marks[mark] += u16::from(trade.marks >> mark & 1));
        self.trades += 1;
    }

    fn take(&mut self, trade: Weighed) {
        self.weighed -= i128::from(trade.qty) * i128::from(trade.weight);
        self.volume -= u128::from(trade.qty);
        self.marked_volume -= u128::from(if trade.marks == 0 { 0 } else { trade.qty });
        (0..MARKS).for_each(|mark| self.marks[mark] -= u16::from(trade.marks >> mark & 1));
        self.trades -= 1;
    }

    /// The mean weight by quantity; `None` without a trade.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.volume > 0).then(|| self.weighed as f64 / (self.volume as f64 * SCALE))
    }

    /// That of the trades with a mark, where those without one weigh nothing.
    pub(super) fn mean_of_marked(&self) -> Option<f64> {
        (self.marked_volume > 0).then(|| self.weighed as f64 / (self.marked_volume as f64 * SCALE))
    }

    pub(super) fn volume(&self) -> Qty {
        Qty(u64::try_from(self.volume).unwrap_or(u64::MAX))
    }

    pub(super) fn marked_volume(&self) -> Qty {
        Qty(u64::try_from(self.marked_volume).unwrap_or(u64::MAX))
    }
}

/// The windows of all instruments.
pub(super) struct LastTrades {
    rings: Rings<Weighed>,
    sums: GrowingTable<Sums>,
}

impl LastTrades {
    /// Windows of so many trades.
    pub(super) fn new(space: Space, window: u16) -> LastTrades {
        let sums = GrowingTable::new(space.instruments as usize, Sums::default());
        LastTrades { rings: Rings::new(space, window), sums }
    }

    /// Adds a trade, and gives the sums with it.
    #[inline]
    pub(super) fn push(&mut self, instrument: u32, trade: Weighed) -> Option<&Sums> {
        let sums = self.sums.get_mut(instrument as usize)?;
        if let Some(gone) = self.rings.push(instrument, trade) {
            sums.take(gone);
        }
        sums.add(trade);
        Some(sums)
    }
}

impl MeasureState for LastTrades {
    fn list(&mut self, instrument: u32) {
        self.rings.list(instrument);
        self.sums.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.rings.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.rings.load(from)?;
        self.sums.clear();
        for at in 0..self.sums.bound() as u32 {
            let mut sums = Sums::default();
            self.rings.held(at).for_each(|trade| sums.add(trade));
            if sums.trades > 0 {
                self.sums[at as usize] = sums;
            }
        }
        Ok(())
    }
}

/// What a measure keeps of an instrument beside its window.
pub trait Kept: Clone + Default + PartialEq + Send + Serialize + DeserializeOwned {
    /// Why a saved one cannot be true.
    ///
    /// # Errors
    /// When it cannot.
    fn check(&self) -> Result<(), StateError> {
        Ok(())
    }
}

/// The state of a measure of the last trades: their windows, and what it keeps beside them.
pub struct Beside<K: Kept> {
    pub(super) kept: PerInstrument<K>,
    pub(super) trades: LastTrades,
}

impl<K: Kept> Beside<K> {
    /// Windows of so many trades.
    pub(super) fn new(space: Space, window: u16) -> Beside<K> {
        Beside { kept: PerInstrument::new(space), trades: LastTrades::new(space, window) }
    }
}

impl<K: Kept> MeasureState for Beside<K> {
    fn list(&mut self, instrument: u32) {
        self.kept.list(instrument);
        self.trades.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.kept.save(to);
        self.trades.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.kept.load(from)?;
        self.kept.iter().try_for_each(|(_, kept)| kept.check())?;
        self.trades.load(from)
    }
}

/// Whether a row is due: the first trade of every interval, or every trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Every {
    /// 0 = at every trade.
    pub(super) seconds: u32,
}

impl Every {
    /// Whether a row is due at this time, and the number of its interval, which was `last` at the last row.
    #[inline]
    pub(super) fn is_due(self, ts: Ns, last: &mut u64) -> bool {
        if self.seconds == 0 {
            return true;
        }
        // Interval 0 is that of no row yet.
        let now = piece_of(ts, u64::from(self.seconds) * Ns::SECOND, last.saturating_sub(1)) + 1;
        std::mem::replace(last, now) != now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_the_nearest_integers() {
        assert_eq!([0.7, 0.9, -0.5, 1.5, -3.0, 0.0].map(weight_of), [7_000, 9_000, -5_000, 10_000, -10_000, 0]);
    }

    #[test]
    fn a_window_is_the_sum_of_its_trades() {
        let space = Space { instruments: 4, fills: 1, positions: 1 };
        let mut windows = LastTrades::new(space, 3);
        windows.list(2);
        let trades: Vec<Weighed> = (1..20_u64)
            .map(|n| Weighed { qty: n * 7 % 5 + 1, weight: (n as i16 % 3 - 1) * 9_000, marks: (n % 8) as u8 })
            .collect();
        for last in 1..=trades.len() {
            let sums = *windows.push(2, trades[last - 1]).unwrap();
            let mut expected = Sums::default();
            trades[last.saturating_sub(3)..last].iter().for_each(|trade| expected.add(*trade));
            assert_eq!(sums, expected);
        }
        assert!(windows.push(9, trades[0]).is_none());
    }

    #[test]
    fn the_first_trade_of_an_interval_is_due() {
        let (every, mut last) = (Every { seconds: 1 }, 0);
        let due =
            [0, 999_999_999, 1_000_000_000, 1_000_000_001, 5_000_000_000].map(|ts| every.is_due(Ns(ts), &mut last));
        assert_eq!(due, [true, false, true, false, true]);
        let (every, mut last) = (Every { seconds: 0 }, 0);
        assert!(every.is_due(Ns(1), &mut last) && every.is_due(Ns(1), &mut last));
    }
}
