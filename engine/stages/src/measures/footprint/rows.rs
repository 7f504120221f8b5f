//! The rows of all footprints, in one pool.
//!
//! The rows of a bar are a list in the order of their prices, so neighbours are neighbours and the end of a bar is one walk. A trade is looked for from
//! the row of the trade before it, which is near.
//!
//! Bound: the rows of the pool. Worst case: a trade walks over all rows of its bar.

use super::super::take_out;
use crate::pool::{NONE, Pool};
use flow::{Qty, Side};
use serde::{Deserialize, Serialize};

/// Volumes of a row: unsigned, bought, sold, indexed by the side's number.
pub(super) type Sums = [u64; 3];

/// A row of a bar.
#[derive(Clone, Copy)]
pub(super) struct Row {
    /// Its lowest price, in sizes of a row.
    pub(super) index: i64,
    pub(super) sums: Sums,
    /// The rows next to it, by price.
    below: u32,
    above: u32,
}

impl Row {
    const VACANT: Row = Row { index: 0, sums: [0; 3], below: NONE, above: NONE };

    pub(super) fn bought(&self) -> u64 {
        self.sums[Side::Buy as usize]
    }

    pub(super) fn sold(&self) -> u64 {
        self.sums[Side::Sell as usize]
    }

    /// All volume.
    pub(super) fn volume(&self) -> u128 {
        self.sums.iter().map(|sum| u128::from(*sum)).sum()
    }
}

/// A bar: its sums, and where its rows lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct BarRows {
    /// Start of the bar, Unix time; [`BarRows::NO_START`] = there is none.
    pub(super) start_s: u32,
    lowest: u32,
    highest: u32,
    /// The row of the last trade.
    at: u32,
    pub(super) running: Running,
}

/// The sums of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    /// Bought less sold, now, and the largest and the smallest that it was after a trade.
    pub(super) delta: i64,
    pub(super) most: i64,
    pub(super) least: i64,
    /// What found no room for its row.
    pub(super) left_out: u64,
}

impl BarRows {
    pub(super) const NO_START: u32 = u32::MAX;
    /// No bar.
    pub(super) const NONE: BarRows = BarRows::at(BarRows::NO_START);

    /// A bar without a trade.
    pub(super) const fn at(start_s: u32) -> BarRows {
        let running = Running { delta: 0, most: i64::MIN, least: i64::MAX, left_out: 0 };
        BarRows { start_s, lowest: NONE, highest: NONE, at: NONE, running }
    }
}

impl Running {
    /// Adds to the delta what one side traded, or takes it out.
    fn add(&mut self, side: Side, qty: u64, is_broken: bool) {
        let qty = i64::try_from(qty).unwrap_or(i64::MAX);
        self.delta = match (side, is_broken) {
            (Side::None, _) => self.delta,
            (Side::Buy, false) | (Side::Sell, true) => self.delta.saturating_add(qty),
            (Side::Sell, false) | (Side::Buy, true) => self.delta.saturating_sub(qty),
        };
        (self.most, self.least) = (self.most.max(self.delta), self.least.min(self.delta));
    }
}

/// The rows of all bars.
pub(super) struct Rows(Pool<Row>);

impl Rows {
    /// Room for so many.
    pub(super) fn new(limit: u32) -> Rows {
        Rows(Pool::new(limit, Row::VACANT))
    }

    /// The row of that index, or its neighbours to be.
    fn seek(&self, bar: &BarRows, index: i64) -> Result<u32, (u32, u32)> {
        let mut at = bar.at;
        if at == NONE {
            return Err((NONE, NONE));
        }
        while self.0[at].index < index {
            let above = self.0[at].above;
            if above == NONE || self.0[above].index > index {
                return Err((at, above));
            }
            at = above;
        }
        while self.0[at].index > index {
            let below = self.0[at].below;
            if below == NONE || self.0[below].index < index {
                return Err((below, at));
            }
            at = below;
        }
        Ok(at)
    }

    /// Puts a row between two others; `None` when there is no room.
    fn link(&mut self, bar: &mut BarRows, index: i64, (below, above): (u32, u32)) -> Option<u32> {
        let at = self.0.take()?;
        self.0[at] = Row { index, below, above, ..Row::VACANT };
        *(if below == NONE { &mut bar.lowest } else { &mut self.0[below].above }) = at;
        *(if above == NONE { &mut bar.highest } else { &mut self.0[above].below }) = at;
        Some(at)
    }

    fn unlink(&mut self, bar: &mut BarRows, at: u32) {
        let Row { below, above, .. } = self.0[at];
        *(if below == NONE { &mut bar.lowest } else { &mut self.0[below].above }) = above;
        *(if above == NONE { &mut bar.highest } else { &mut self.0[above].below }) = below;
        bar.at = if below == NONE { above } else { below };
        self.0.give(at);
    }

    /// Adds a trade to the row of that index and says what the row comes to; `None` when there is no room for the row, and the trade is left
    /// out of it.
    #[inline]
    pub(super) fn add(&mut self, bar: &mut BarRows, index: i64, qty: Qty, side: Side) -> Option<Sums> {
        bar.running.add(side, qty.0, false);
        let at = self.seek(bar, index).ok().or_else(|| self.make(bar, index));
        let Some(at) = at else {
            bar.running.left_out = bar.running.left_out.saturating_add(qty.0);
            return None;
        };
        bar.at = at;
        let sum = &mut self.0[at].sums[side as usize];
        *sum = sum.saturating_add(qty.0);
        Some(self.0[at].sums)
    }

    #[cold]
    fn make(&mut self, bar: &mut BarRows, index: i64) -> Option<u32> {
        let neighbours = self.seek(bar, index).err()?;
        self.link(bar, index, neighbours)
    }

    /// Takes a broken trade out, and its row too if that was all of it; says what the row comes to, if there is one.
    #[cold]
    pub(super) fn take_out(&mut self, bar: &mut BarRows, index: i64, qty: Qty, side: Side) -> Option<Sums> {
        let row = self.seek(bar, index).ok();
        if row.is_some() || bar.running.left_out > 0 {
            bar.running.add(side, qty.0, true);
        }
        let Some(at) = row else {
            take_out(&mut bar.running.left_out, qty.0);
            return None;
        };
        take_out(&mut self.0[at].sums[side as usize], qty.0);
        let sums = self.0[at].sums;
        if sums == [0; 3] {
            self.unlink(bar, at);
        }
        Some(sums)
    }

    /// The rows of a bar from the lowest up.
    pub(super) fn of<'a>(&'a self, bar: &BarRows) -> impl Iterator<Item = &'a Row> + Clone + use<'a> {
        let row = |at: u32| self.0.get(at);
        std::iter::successors(row(bar.lowest), move |last| row(last.above))
    }

    /// Gives the rows of a bar back.
    pub(super) fn give(&mut self, bar: &BarRows) {
        let mut at = bar.lowest;
        while at != NONE {
            let above = self.0[at].above;
            self.0.give(at);
            at = above;
        }
    }

    /// Puts a row above all others of a bar, as it was saved; `false` if it is not above them or there is no room.
    pub(super) fn restore(&mut self, bar: &mut BarRows, (index, sums): (i64, Sums)) -> bool {
        let below = bar.highest;
        if below != NONE && self.0[below].index >= index {
            return false;
        }
        let Some(at) = self.link(bar, index, (below, NONE)) else { return false };
        self.0[at].sums = sums;
        bar.at = at;
        true
    }

    /// Gives all rows back.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
