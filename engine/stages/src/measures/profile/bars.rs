//! The volume of a bar, spread over its prices: what a profile does where there are no trades.
//!
//! A bar says between which prices its volume was traded, and not where. So it is spread by a rule that has a name, and every row
//! says which. Spread evenly over n rows, the k-th gets what the first k parts of n come to, rounded down, less what came before:
//! nothing is lost to rounding. Bound: one bar an instrument. Worst case: a print for each row of the bar.

use super::market::Print;
use super::{Grid, RowSums};
use flow::records::Bar;
use flow::{Ns, Px, VolumeFrom};
use serde::{Deserialize, Serialize};

/// The prices of a bar whose volume comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) open: Px,
    high: Px,
    low: Px,
    close: Px,
    start_s: u32,
}

impl Waiting {
    /// The prices of a bar, if it has all of them.
    pub(super) fn of(bar: &Bar) -> Option<Waiting> {
        let Bar { open, high, low, close, start_s, .. } = *bar;
        let known = [open, high, low, close].into_iter().all(|px| px != Px::NONE) && low <= high;
        known.then_some(Waiting { open, high, low, close, start_s })
    }

    /// When the bar began.
    pub(super) fn start(&self) -> Ns {
        Ns(u64::from(self.start_s) * Ns::SECOND)
    }

    /// The parts of its volume. Over more than so many rows it is not spread, and goes to the close.
    pub(super) fn spread(
        self,
        sums: &RowSums,
        grid: Grid,
        most: usize,
        volume_from: VolumeFrom,
    ) -> impl Iterator<Item = Print> {
        let typical =
            (i128::from(self.high.0) + i128::from(self.low.0) + i128::from(self.close.0)).div_euclid(3) as i64;
        let (low, high) = (grid.row(self.low), grid.row(self.high));
        let fits = high.checked_sub(low).is_some_and(|above| above < most as i64);
        let (first, rows) = match volume_from {
            VolumeFrom::BarsEvenly if fits => (low, (high - low + 1) as u64),
            VolumeFrom::BarsTypical => (grid.row(Px(typical)), 1),
            _ => (grid.row(self.close), 1),
        };
        let (ts, RowSums { volume, bought, sold }) = (self.start(), *sums);
        let parts = (0..rows).map(move |at| {
            let part = |of: u64| {
                let before = |rows_before: u64| (u128::from(of) * u128::from(rows_before) / u128::from(rows)) as u64;
                before(at + 1) - before(at)
            };
            let sums = RowSums { volume: part(volume), bought: part(bought), sold: part(sold) };
            Print { ts, px: grid.lowest(first + at as i64), sums }
        });
        parts.filter(|print| print.sums.volume > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(volume_from: VolumeFrom, volume: u64) -> Vec<(i64, u64, u64)> {
        let bar = Waiting { open: Px(100), high: Px(109), low: Px(98), close: Px(107), start_s: 60 };
        let sums = RowSums { volume, bought: volume / 2, sold: 0 };
        bar.spread(&sums, Grid::of_ticks(4, Px(1)), 4, volume_from)
            .map(|p| (p.px.0, p.sums.volume, p.sums.bought))
            .collect()
    }

    #[test]
    fn a_bar_is_spread_by_the_rule_that_is_named() {
        assert_eq!(spread(VolumeFrom::BarsEvenly, 10), [(96, 2, 1), (100, 3, 1), (104, 2, 1), (108, 3, 2)]);
        assert_eq!(spread(VolumeFrom::BarsEvenly, 2), [(100, 1, 0), (108, 1, 1)]);
        assert_eq!(spread(VolumeFrom::BarsClose, 10), [(104, 10, 5)]);
        assert_eq!(spread(VolumeFrom::BarsTypical, 10), [(104, 10, 5)]);
    }
}
