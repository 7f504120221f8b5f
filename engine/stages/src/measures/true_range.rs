//! Average true range of bars, as Wilder has it.
//!
//! The true range of a bar is what price covered since the close before it: the higher of its high and that close, less the lower
//! of its low and that close; of the first bar it is high less low. The first average is the mean of as many true ranges as it is
//! asked for; from then on each bar moves it by its part. Bound: 24 bytes, a division a bar.

use super::gliding::Gliding;
use flow::{Px, Real};
use serde::{Deserialize, Serialize};

/// The average over bars, and the close of the last of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TrueRange {
    close: Px,
    /// In 1e-9.
    average: Gliding,
}

impl TrueRange {
    /// Adds a bar, and gives its true range; `of` bars make the first average.
    pub(super) fn add(&mut self, high: Px, low: Px, close: Px, of: u16) -> Px {
        let before = if self.average.is_empty() { low } else { self.close };
        let range = high.max(before).0.saturating_sub(low.min(before).0);
        self.close = close;
        self.average.wilder(range as f64, of);
        Px(range)
    }

    /// The average in 1e-9, once there are `of` bars.
    pub(super) fn known(&self, of: u16) -> Option<f64> {
        self.average.known(of)
    }

    /// The same in units of the price, for a record.
    pub(super) fn real(&self, of: u16) -> Real {
        Real::of(self.known(of).map(|value| value / Px::ONE as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked series of closes, with highs 0.30 above and lows 0.25 below, but for two.
    const CLOSES: [i64; 20] = [
        4434, 4409, 4415, 4361, 4433, 4483, 4510, 4542, 4584, 4608, 4589, 4603, 4561, 4628, 4628, 4600, 4603, 4641,
        4622, 4564,
    ];

    #[test]
    fn the_worked_numbers_are_those_of_wilder() {
        let mut range = TrueRange::default();
        let mut found = Vec::new();
        for (at, close) in CLOSES.into_iter().enumerate() {
            let (up, down) = (if at == 5 { 70 } else { 30 }, if at == 13 { 85 } else { 25 });
            let [high, low, close] = [close + up, close - down, close].map(|cents| Px(cents * 10_000_000));
            range.add(high, low, close, 5);
            found.extend(range.real(5).known());
        }
        assert_eq!(found.len(), 16, "the first is that of the fifth bar");
        for (found, expected) in found.iter().zip([0.692, 0.7936, 0.74888, 0.723104, 0.7224832, 0.68798656]) {
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        }
    }
}
