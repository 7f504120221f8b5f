//! Sweeps: an aggressor who takes several prices at once.
//!
//! A run is the trades of one aggressor, each at the price of the one before or at a worse one for him. For every price of the run the time
//! of its last trade is kept; those that lie close enough to now are the prices that he has taken.
//!
//! Bound: 16 prices. Worst case: a look at each.

use flow::{Ns, Px, Side};
use serde::{Deserialize, Serialize};

/// Prices of a run that are kept.
pub(super) const PRICES: usize = 16;

/// The run of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    side: Side,
    /// The last price.
    px: Px,
    /// Time of the last trade at each price, the newest first.
    times: [u64; PRICES],
    prices: u8,
}

impl Default for Run {
    fn default() -> Run {
        Run { side: Side::None, px: Px::NONE, times: [0; PRICES], prices: 0 }
    }
}

impl Run {
    /// Whether a saved one can be true.
    pub(super) fn is_sound(&self) -> bool {
        usize::from(self.prices) <= PRICES
    }

    /// Takes a trade that has an aggressor, and says how many prices he has taken since `since`.
    #[inline]
    pub(super) fn trade(&mut self, side: Side, px: Px, now: Ns, since: Ns) -> u8 {
        let goes_on = side == self.side && if side == Side::Buy { px >= self.px } else { px <= self.px };
        if !goes_on {
            *self = Run { side, px, prices: 0, ..Run::default() };
        }
        if self.prices == 0 || px != self.px {
            self.times.copy_within(..PRICES - 1, 1);
            self.prices = (self.prices + 1).min(PRICES as u8);
        }
        (self.px, self.times[0]) = (px, now.0);
        self.times[..usize::from(self.prices)].iter().take_while(|time| **time >= since.0).count() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Buy, Sell};

    fn prices(trades: &[(Side, i64, u64)]) -> Vec<u8> {
        let mut run = Run::default();
        trades.iter().map(|(side, px, ms)| run.trade(*side, Px(*px), Ns(*ms), Ns(ms.saturating_sub(100)))).collect()
    }

    #[test]
    fn prices_in_one_direction_count_while_they_are_fresh() {
        assert_eq!(prices(&[(Buy, 10, 0), (Buy, 11, 50), (Buy, 12, 100)]), [1, 2, 3], "both edges are in");
        assert_eq!(prices(&[(Buy, 10, 0), (Buy, 11, 50), (Buy, 12, 101)]), [1, 2, 2]);
        assert_eq!(
            prices(&[(Buy, 10, 0), (Buy, 10, 90), (Buy, 11, 120)]),
            [1, 1, 2],
            "the last trade at a price counts"
        );
        assert_eq!(prices(&[(Sell, 12, 0), (Sell, 11, 1), (Sell, 10, 2), (Sell, 10, 3)]), [1, 2, 3, 3]);
    }

    #[test]
    fn another_side_or_a_better_price_begins_anew() {
        assert_eq!(prices(&[(Buy, 10, 0), (Buy, 11, 1), (Sell, 11, 2), (Buy, 12, 3)]), [1, 2, 1, 1]);
        assert_eq!(prices(&[(Buy, 10, 0), (Buy, 11, 1), (Buy, 10, 2), (Buy, 11, 3)]), [1, 2, 1, 2]);
        let many: Vec<_> = (0..20).map(|n| (Buy, n, 0)).collect();
        assert_eq!(prices(&many).last(), Some(&16));
    }
}
