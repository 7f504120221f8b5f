//! The grid of a profile: which row a price is in, and which prices a row stands for.
//!
//! Rows are equally high, a whole number of ticks, and laid from price 0 on, so two profiles with rows of one height have the
//! same rows. A price belongs to the row that its floor names, in integers. Bound: two numbers. Worst case: one division a price.

use flow::Px;
use serde::{Deserialize, Serialize};

/// Height of the rows, and the tick of their prices, in 1e-9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    row: i64,
    tick: i64,
}

impl Grid {
    /// Rows of so many ticks. A tick that is not known (0 or less) is the smallest step of a price.
    pub fn of_ticks(ticks: u64, tick: Px) -> Grid {
        let tick = tick.0.max(1);
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX).max(1);
        Grid { row: tick.saturating_mul(ticks), tick }
    }

    /// Rows of 0.05 % of a price, rounded half up to ticks, and one tick at least.
    pub fn of_price(px: Px, tick: Px) -> Grid {
        const PARTS: u128 = 2_000;
        let unit = u128::from(tick.0.max(1).unsigned_abs());
        let ticks = (u128::from(px.0.unsigned_abs()) + PARTS / 2 * unit) / (PARTS * unit);
        Grid::of_ticks(u64::try_from(ticks).unwrap_or(u64::MAX), tick)
    }

    /// Whether these can be the numbers of a grid.
    pub(in crate::measures) fn is_valid(self) -> bool {
        self.tick >= 1 && self.row >= self.tick
    }

    /// A grid of these numbers, if they can be ones.
    pub(super) fn decoded(row: i64, tick: i64) -> Option<Grid> {
        Some(Grid { row, tick }).filter(|grid| grid.is_valid())
    }

    /// Height of a row.
    pub fn height(self) -> Px {
        Px(self.row)
    }

    /// The tick.
    pub fn tick(self) -> Px {
        Px(self.tick)
    }

    /// The row that a price is in.
    #[inline]
    pub fn row(self, px: Px) -> i64 {
        px.0.div_euclid(self.row)
    }

    /// The lowest price of a row.
    pub fn lowest(self, row: i64) -> Px {
        Px(row.saturating_mul(self.row))
    }

    /// The highest tick of a row.
    pub fn highest(self, row: i64) -> Px {
        Px(self.lowest(row).0.saturating_add(self.row - self.tick))
    }

    /// Half-way between its lowest and its highest tick.
    pub fn middle(self, row: i64) -> Px {
        Px(self.lowest(row).0.saturating_add((self.row - self.tick) / 2))
    }
}

impl Default for Grid {
    fn default() -> Grid {
        Grid { row: 1, tick: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CENT: i64 = 10_000_000;

    #[test]
    fn a_row_is_a_twentieth_of_a_percent_rounded_half_up_to_ticks() {
        let ticks = |px: i64| Grid::of_price(Px(px * CENT), Px(CENT)).height().0 / CENT;
        assert_eq!([1, 999, 2_999, 3_000, 16_790, 18_250, -16_790].map(ticks), [1, 1, 1, 2, 8, 9, 8]);
        assert_eq!(Grid::of_price(Px(3_000), Px(0)), Grid::of_ticks(2, Px(1)), "a tick that is not known");
    }

    #[test]
    fn a_row_has_the_ticks_from_its_floor_on() {
        let grid = Grid::of_ticks(8, Px(CENT));
        let row = grid.row(Px(16_790 * CENT));
        let prices = [grid.lowest(row), grid.middle(row), grid.highest(row)];
        assert_eq!(prices, [Px(16_784 * CENT), Px(167_875 * CENT / 10), Px(16_791 * CENT)]);
        assert_eq!([16_783, 16_784, 16_791, 16_792].map(|px| grid.row(Px(px * CENT)) - row), [-1, 0, 0, 1]);
        assert_eq!(grid.row(Px(-1)), -1, "floor, not towards 0");
        let extreme = Grid::of_ticks(1 << 40, Px(CENT));
        let of = |px: i64| extreme.lowest(extreme.row(Px(px))) <= extreme.highest(extreme.row(Px(px)));
        assert!([i64::MIN, i64::MAX - 1, 0].map(of).into_iter().all(|rises| rises));
    }
}
