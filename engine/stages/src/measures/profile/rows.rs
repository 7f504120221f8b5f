//! Profiles, and the rows of all of them.
//!
//! A profile is volume by price: for each row of its [`Grid`] what was traded, bought and sold, from the lowest row with volume to
//! the highest without a gap. Rows lie in blocks of sixteen, and the blocks of all profiles in one pool, found by profile and place.
//! Whoever owns a profile gives it a number of its own and hands the pool to every call, so the profiles of a session, of an hour
//! and of a leg share memory and are bounded apart.
//!
//! What is taken out is as if it had never been added. Sums saturate, and one that did stays.
//!
//! Bound: each profile spans at most so many rows, and the pool has so many blocks. What finds no row is left out, counted, and said.
//! Worst case: taking the last volume of an edge row looks for the next row with volume.

use super::Grid;
use crate::by_key::{ByKey, Keyed};
use crate::measures::trade::take_out;
use crate::pool::NONE;
use flow::{Qty, Side};
use serde::{Deserialize, Serialize};

/// Rows in a block.
const BLOCK: usize = 16;

/// What was traded in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSums {
    /// All of it.
    pub volume: u64,
    /// What aggressors bought.
    pub bought: u64,
    /// What they sold.
    pub sold: u64,
}

impl RowSums {
    /// Whether nothing was traded.
    pub fn is_empty(&self) -> bool {
        self.volume == 0
    }

    /// One trade.
    #[inline]
    pub fn of(qty: Qty, side: Side) -> RowSums {
        let when = |of: Side| if side == of { qty.0 } else { 0 };
        RowSums { volume: qty.0, bought: when(Side::Buy), sold: when(Side::Sell) }
    }
}

#[derive(Clone, Copy)]
struct Block {
    key: u64,
    volumes: [u64; BLOCK],
    bought: [u64; BLOCK],
    sold: [u64; BLOCK],
}

impl Keyed for Block {
    const VACANT: Block = Block { key: 0, volumes: [0; BLOCK], bought: [0; BLOCK], sold: [0; BLOCK] };

    fn key(&self) -> u64 {
        self.key
    }
}

/// The rows of all profiles.
pub struct Rows {
    blocks: ByKey<Block>,
    most: i64,
}

impl Rows {
    /// The most rows of a profile that may be asked for.
    pub const MOST: usize = 4_096;

    /// Room for so many blocks, of profiles of at most so many rows.
    pub fn new(blocks: usize, most: usize) -> Rows {
        Rows { blocks: ByKey::new(blocks), most: most.min(Rows::MOST) as i64 }
    }

    /// The most rows of a profile.
    pub fn most(&self) -> usize {
        self.most as usize
    }

    /// Whether no profile has a row.
    pub fn is_empty(&self) -> bool {
        self.blocks.len() == 0
    }

    /// Forgets the rows of every profile.
    pub fn clear(&mut self) {
        self.blocks.clear();
    }
}

/// Volume by price. Its rows lie in [`Rows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    number: u32,
    /// The place of the block that was added to last: prices seldom leave it, so it need not be looked for.
    near: u32,
    grid: Grid,
    /// The lowest and the highest row with volume; without any, the first is above the second.
    low: i64,
    high: i64,
    left_out: u64,
    volume: u64,
}

impl Profile {
    /// An empty profile with a number that no other one of the same [`Rows`] has, from 1.
    pub fn new(number: u32, grid: Grid) -> Profile {
        Profile { number, near: NONE, grid, low: 0, high: -1, left_out: 0, volume: 0 }
    }

    /// Its grid.
    #[inline]
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The volume of all rows.
    pub fn volume(&self) -> u64 {
        self.volume
    }

    /// The quantity that found no row.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether no row has volume.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// The lowest row with volume.
    pub fn low(&self) -> i64 {
        self.low
    }

    /// How many rows there are from the lowest to the highest.
    #[inline]
    pub fn len(&self) -> usize {
        (self.high - self.low + 1) as usize
    }

    /// The block of a row, and the place in it. A profile spans fewer rows than would give two blocks one key.
    #[inline]
    fn place(&self, row: i64) -> (u64, usize) {
        let block = row.div_euclid(BLOCK as i64) as u32;
        (u64::from(self.number) << 32 | u64::from(block), row.rem_euclid(BLOCK as i64) as usize)
    }

    /// What was traded in a row.
    #[inline]
    pub fn row(&self, rows: &Rows, row: i64) -> RowSums {
        let (key, at) = self.place(row);
        let block = rows.blocks.get_near(key, self.near).filter(|_| self.low <= row && row <= self.high);
        block.map_or_else(RowSums::default, |block| block.sums(at))
    }

    /// Adds to a row; `false` if that was left out.
    #[inline]
    pub fn add(&mut self, rows: &mut Rows, row: i64, sums: &RowSums) -> bool {
        let (low, high) = if self.is_empty() { (row, row) } else { (self.low.min(row), self.high.max(row)) };
        let (key, at) = self.place(row);
        let fits = high.checked_sub(low).is_some_and(|above| above < rows.most);
        let vacant = || Block { key, ..Block::VACANT };
        let block = if fits { rows.blocks.open_near(key, &mut self.near, vacant) } else { None };
        let Some(block) = block else {
            self.leave_out(sums.volume);
            return false;
        };
        block.volumes[at] = block.volumes[at].saturating_add(sums.volume);
        block.bought[at] = block.bought[at].saturating_add(sums.bought);
        block.sold[at] = block.sold[at].saturating_add(sums.sold);
        self.volume = self.volume.saturating_add(sums.volume);
        (self.low, self.high) = (low, high);
        true
    }

    /// Takes out of a row what was added; `false` if it had been left out.
    pub fn take(&mut self, rows: &mut Rows, row: i64, sums: &RowSums) -> bool {
        let had = self.row(rows, row).volume >= sums.volume;
        if had {
            self.take_row(rows, row, sums);
        } else {
            self.leave_out_less(sums.volume);
        }
        had
    }

    /// Counts a quantity that has no row.
    #[inline]
    pub fn leave_out(&mut self, volume: u64) {
        self.left_out = self.left_out.saturating_add(volume);
    }

    /// Takes such a quantity out again.
    pub fn leave_out_less(&mut self, volume: u64) {
        take_out(&mut self.left_out, volume);
    }

    /// Adds all that a profile of another grid holds: each of its rows to the row that its middle is in.
    pub fn add_all(&mut self, rows: &mut Rows, other: &Profile) {
        for row in other.low..=other.high {
            let sums = other.row(rows, row);
            if sums.volume > 0 {
                self.add(rows, self.grid.row(other.grid.middle(row)), &sums);
            }
        }
        self.leave_out(other.left_out);
    }

    /// Takes out all that another profile of the same grid holds.
    pub fn take_all(&mut self, rows: &mut Rows, other: &Profile) {
        for row in other.low..=other.high {
            let sums = other.row(rows, row);
            if sums.volume > 0 {
                self.take_row(rows, row, &sums);
            }
        }
        self.leave_out_less(other.left_out);
    }

    fn take_row(&mut self, rows: &mut Rows, row: i64, sums: &RowSums) {
        let (key, at) = self.place(row);
        let Some(block) = rows.blocks.get_mut(key) else { return };
        take_out(&mut block.volumes[at], sums.volume);
        take_out(&mut block.bought[at], sums.bought);
        take_out(&mut block.sold[at], sums.sold);
        take_out(&mut self.volume, sums.volume);
        if block.volumes[at] > 0 {
            return;
        }
        if block.volumes == [0; BLOCK] {
            rows.blocks.remove(key);
        }
        while self.low <= self.high && self.row(rows, self.low).volume == 0 {
            self.low += 1;
        }
        while self.low <= self.high && self.row(rows, self.high).volume == 0 {
            self.high -= 1;
        }
        if self.is_empty() {
            (self.low, self.high, self.near) = (0, -1, NONE);
        }
    }

    /// Empties it, and lays it on another grid.
    pub fn begin(&mut self, rows: &mut Rows, grid: Grid) {
        for block in self.blocks() {
            rows.blocks.remove(block);
        }
        *self = Profile::new(self.number, grid);
    }

    /// The keys of the blocks that it spans.
    fn blocks(&self) -> impl Iterator<Item = u64> + use<> {
        let (number, block) = (u64::from(self.number) << 32, |row: i64| row.div_euclid(BLOCK as i64));
        let span = if self.is_empty() { 0..0 } else { block(self.low)..block(self.high) + 1 };
        span.map(move |block| number | u64::from(block as u32))
    }

    /// Writes the volumes of its rows from the lowest up, and says how many there are.
    #[inline]
    pub fn volumes<'a>(&self, rows: &Rows, to: &'a mut [u64]) -> &'a [u64] {
        let to = &mut to[..self.len()];
        // The first block may begin below the lowest row.
        let mut skipped = if self.is_empty() { 0 } else { self.place(self.low).1 };
        let mut filled = 0;
        for key in self.blocks() {
            let volumes = rows.blocks.get(key).map_or(&[0; BLOCK], |block| &block.volumes);
            let part = &volumes[skipped..][..(BLOCK - skipped).min(to.len() - filled)];
            to[filled..filled + part.len()].copy_from_slice(part);
            (filled, skipped) = (filled + part.len(), 0);
        }
        to
    }

    /// Sets the volume of all rows as it was saved: it may have saturated.
    pub(super) fn recall_volume(&mut self, volume: u64) {
        self.volume = volume;
    }

    /// The rows with volume, from the lowest up.
    pub fn rows<'a>(&'a self, rows: &'a Rows) -> impl Iterator<Item = (i64, RowSums)> + 'a {
        (self.low..=self.high).map(|row| (row, self.row(rows, row))).filter(|(_, sums)| sums.volume > 0)
    }
}

impl Block {
    #[inline]
    fn sums(&self, at: usize) -> RowSums {
        RowSums { volume: self.volumes[at], bought: self.bought[at], sold: self.sold[at] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Px;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn volumes(profile: &Profile, rows: &Rows) -> Vec<u64> {
        profile.volumes(rows, &mut [7; 64]).to_vec()
    }

    #[test]
    fn what_finds_no_row_is_left_out_and_counted() {
        let (mut rows, grid) = (Rows::new(2, 4), Grid::of_ticks(10, Px(1)));
        let (mut one, mut other) = (Profile::new(1, grid), Profile::new(2, grid));
        let five = RowSums::of(Qty(5), Side::Buy);
        let add = |profile: &mut Profile, rows: &mut Rows, row| profile.add(rows, row, &five);
        assert_eq!([7, 6, 9].map(|row| add(&mut one, &mut rows, row)), [true; 3]);
        assert_eq!([5, 10].map(|row| add(&mut one, &mut rows, row)), [false; 2], "a fifth row");
        assert_eq!((volumes(&one, &rows), one.volume(), one.left_out()), (vec![5, 5, 0, 5], 15, 10));
        assert!(add(&mut other, &mut rows, -1));
        assert!(!add(&mut other, &mut rows, 0), "no block is left");
        assert!(!one.take(&mut rows, 10, &five));
        assert_eq!(one.left_out(), 5);
        one.begin(&mut rows, grid);
        assert!(add(&mut other, &mut rows, 0));
        other.begin(&mut rows, grid);
        assert!(rows.is_empty() && one == Profile::new(1, grid));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn a_profile_is_what_its_trades_come_to(
            steps in prop::collection::vec((any::<bool>(), -30_i64..30, 1_u64..9, 0_u8..3), 1..120),
        ) {
            let (mut rows, grid) = (Rows::new(64, 64), Grid::of_ticks(2, Px(1)));
            let (mut profile, mut part) = (Profile::new(1, grid), Profile::new(2, grid));
            let mut trades = Vec::new();
            for (adds, px, qty, side) in steps {
                let side = [Side::None, Side::Buy, Side::Sell][usize::from(side)];
                if adds || trades.is_empty() {
                    profile.add(&mut rows, px, &RowSums::of(Qty(qty), side));
                    trades.push((px, qty, side));
                } else {
                    let (px, qty, side) = trades.swap_remove(qty as usize % trades.len());
                    prop_assert!(profile.take(&mut rows, px, &RowSums::of(Qty(qty), side)));
                }
                let mut model = BTreeMap::<i64, RowSums>::new();
                for (px, qty, side) in &trades {
                    let (row, sums) = (model.entry(*px).or_default(), RowSums::of(Qty(*qty), *side));
                    (row.volume, row.bought, row.sold) =
                        (row.volume + sums.volume, row.bought + sums.bought, row.sold + sums.sold);
                }
                prop_assert!(profile.rows(&rows).eq(model.iter().map(|(row, sums)| (*row, *sums))));
                let span = model.keys().next().copied().zip(model.keys().last().copied());
                let dense = span.map_or(Vec::new(), |(low, high)| {
                    (low..=high).map(|row| model.get(&row).map_or(0, |sums| sums.volume)).collect()
                });
                prop_assert_eq!(volumes(&profile, &rows), dense);
            }
            for (px, qty, side) in &trades {
                part.add(&mut rows, *px, &RowSums::of(Qty(*qty), *side));
            }
            profile.take_all(&mut rows, &part);
            prop_assert_eq!(profile, Profile::new(1, grid));
            part.begin(&mut rows, grid);
            prop_assert!(rows.is_empty());
        }
    }
}
