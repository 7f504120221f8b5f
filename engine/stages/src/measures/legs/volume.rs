//! The volume of a leg by price: up to its extreme, and behind it.
//!
//! What comes behind the extreme is of the leg only if price goes beyond the extreme again, so there are two profiles, and the second is
//! added to the first when the extreme moves. Their rows are a tick high, and twice as high as often as it takes for the leg to fit
//! in the rows of a profile; so a leg of up to [`Rows::most`] ticks is exact. Bound: three profiles, one to move rows to. Worst case: the
//! leg grows out of its rows, and all of them are added up in pairs.

use super::minutes::Spot;
use crate::measures::profile::{Grid, Profile, RowSums, Rows};
use flow::Px;

/// The volume of the leg of an instrument.
#[derive(Clone, Copy)]
pub(super) struct LegVolume {
    /// From the start to the extreme, both inside.
    pub(super) upto: Profile,
    /// Behind the extreme.
    pub(super) behind: Profile,
    spare: Profile,
    pub(super) tick: Px,
    /// Height of the rows.
    pub(super) ticks: u64,
}

impl LegVolume {
    const PROFILES: u32 = 3;

    /// That of the instrument with this number among all, from 0.
    pub(super) fn new(number: u32) -> LegVolume {
        let profile = |at: u32| Profile::new(1 + number * LegVolume::PROFILES + at, Grid::default());
        LegVolume { upto: profile(0), behind: profile(1), spare: profile(2), tick: Px(1), ticks: 1 }
    }

    /// Empties it, for a leg between two prices; `ticks` is the least height of a row.
    pub(super) fn begin(&mut self, rows: &mut Rows, tick: Px, ticks: u64, between: [Px; 2]) {
        (self.tick, self.ticks) = (tick, ticks);
        while !self.fits(rows, between) {
            self.ticks *= 2;
        }
        let grid = self.grid();
        self.upto.begin(rows, grid);
        self.behind.begin(rows, grid);
    }

    /// Gives all rows back.
    pub(super) fn end(&mut self, rows: &mut Rows) {
        self.begin(rows, Px(1), 1, [Px(0); 2]);
    }

    fn grid(&self) -> Grid {
        Grid::of_ticks(self.ticks, self.tick)
    }

    /// Whether the rows between two prices are not more than a profile has. No rows are higher than a quarter of all prices.
    fn fits(&self, rows: &Rows, between: [Px; 2]) -> bool {
        let [one, other] = between.map(|px| self.grid().row(px));
        let height = i128::from(self.ticks) * i128::from(self.tick.0.max(1));
        one.abs_diff(other) < rows.most() as u64 || height > i128::from(i64::MAX / 4)
    }

    /// Adds volume up to the extreme, or behind it.
    #[inline]
    pub(super) fn add(&mut self, rows: &mut Rows, px: Px, qty: u64, is_behind: bool) {
        let profile = if is_behind { &mut self.behind } else { &mut self.upto };
        let row = profile.grid().row(px);
        profile.add(rows, row, &RowSums { volume: qty, ..RowSums::default() });
    }

    /// The extreme has moved to a trade: all that was behind it is of the leg, and the trade too.
    pub(super) fn extend(&mut self, rows: &mut Rows, start: Px, extreme: Spot, qty: u64) {
        while !self.fits(rows, [start, extreme.px]) {
            self.double(rows);
        }
        if !self.behind.is_empty() || self.behind.left_out() > 0 {
            self.upto.add_all(rows, &self.behind);
            let grid = self.grid();
            self.behind.begin(rows, grid);
        }
        self.add(rows, extreme.px, qty, false);
    }

    /// Makes rows twice as high.
    #[cold]
    fn double(&mut self, rows: &mut Rows) {
        self.ticks *= 2;
        let grid = self.grid();
        for profile in [&mut self.upto, &mut self.behind] {
            self.spare.begin(rows, grid);
            self.spare.add_all(rows, profile);
            profile.begin(rows, grid);
            std::mem::swap(&mut self.spare, profile);
        }
    }

    /// Takes out a broken trade that was up to the extreme, or behind it.
    #[cold]
    pub(super) fn take(&mut self, rows: &mut Rows, px: Px, qty: u64, is_behind: bool) {
        let profile = if is_behind { &mut self.behind } else { &mut self.upto };
        let row = profile.grid().row(px);
        profile.take(rows, row, &RowSums { volume: qty, ..RowSums::default() });
    }

    /// Adds up the rows from the start to the extreme in rows of a grid, from `low` up.
    pub(super) fn in_rows(&self, rows: &Rows, grid: Grid, low: i64, to: &mut [u64]) {
        to.fill(0);
        let highest = to.len() as i64 - 1;
        for (row, sums) in self.upto.rows(rows) {
            let at = (grid.row(self.upto.grid().middle(row)) - low).clamp(0, highest);
            to[at as usize] = to[at as usize].saturating_add(sums.volume);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Ns;

    #[test]
    fn a_leg_that_outgrows_its_rows_keeps_its_volume() {
        let mut rows = Rows::new(64, 16);
        let mut volume = LegVolume::new(0);
        volume.begin(&mut rows, Px(10), 1, [Px(1_000), Px(1_100)]);
        assert_eq!(volume.ticks, 1);
        (100..=110).for_each(|at| volume.add(&mut rows, Px(at * 10), 1, false));
        volume.add(&mut rows, Px(1_050), 5, true);
        volume.extend(&mut rows, Px(1_000), Spot { px: Px(1_400), ts: Ns(1) }, 7);
        assert_eq!((volume.ticks, volume.upto.volume(), volume.behind.is_empty()), (4, 23, true));
        let mut to = [9; 11];
        volume.in_rows(&rows, Grid::of_ticks(4, Px(10)), 25, &mut to);
        assert_eq!(to, [4, 9, 3, 0, 0, 0, 0, 0, 0, 0, 7]);
        volume.end(&mut rows);
        assert!(rows.is_empty());
    }

    #[test]
    fn prices_as_far_apart_as_can_be_fit() {
        let mut rows = Rows::new(64, 16);
        let mut volume = LegVolume::new(0);
        volume.begin(&mut rows, Px(1), 1, [Px(i64::MIN), Px(i64::MAX - 1)]);
        volume.add(&mut rows, Px(i64::MIN), 1, false);
        volume.add(&mut rows, Px(i64::MAX - 1), 1, false);
        assert_eq!((volume.upto.volume(), volume.upto.left_out()), (2, 0));
    }
}
