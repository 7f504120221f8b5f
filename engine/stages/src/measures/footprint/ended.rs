//! What the rows of a bar that is over come to: imbalances, stacks, its busiest row, its extremes.
//!
//! One walk from the lowest row up. A row is compared with the one directly below or above it; where nothing traded there, that
//! row has no volume. Bound: the rows of the bar.

use super::rows::Row;
use flow::Extremes;

/// When a row is imbalanced, when rows are a stack, and when an extreme is exhausted.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// So many times the volume of the other side, or more.
    pub(super) ratio: f64,
    /// Of the volume of the bar, or more, in per cent.
    pub(super) least_part: f64,
    /// Rows in a line, or more.
    pub(super) stack_rows: u16,
    /// Of the largest row, or less, in per cent.
    pub(super) exhaustion_part: f64,
}

/// Imbalanced rows of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Imbalances {
    /// How many there are.
    pub(super) rows: u16,
    /// How many stacks they make.
    pub(super) stacks: u16,
    /// The longest stack, of equals the highest: rows and the index of the lowest.
    pub(super) longest: u16,
    pub(super) from: i64,
    /// The line that is open: its rows and its last index.
    line: u16,
    last: i64,
}

impl Imbalances {
    /// The row of that index is imbalanced.
    fn add(&mut self, index: i64, stack_rows: u16) {
        self.rows = self.rows.saturating_add(1);
        let goes_on = self.line > 0 && self.last.checked_add(1) == Some(index);
        self.line = if goes_on { self.line.saturating_add(1) } else { 1 };
        self.last = index;
        if self.line == stack_rows {
            self.stacks = self.stacks.saturating_add(1);
        }
        if self.line >= stack_rows && self.line >= self.longest {
            (self.longest, self.from) = (self.line, index - i64::from(self.line - 1));
        }
    }
}

/// What the rows of a bar come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Index of the busiest row; of equals that nearest to the middle of the bar, then the lower.
    pub(super) busiest: i64,
    pub(super) buys: Imbalances,
    pub(super) sells: Imbalances,
    /// Extremes in whose row both sides traded.
    pub(super) unfinished: Extremes,
    /// The extremes, and what their aggressors traded there: sellers at the low, buyers at the high.
    pub(super) low: Edge,
    pub(super) high: Edge,
}

/// An extreme of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    /// Index of its row.
    pub(super) index: i64,
    /// What the aggressor traded in it.
    pub(super) qty: u64,
    /// What he traded in his largest row of the bar.
    pub(super) largest: u64,
    /// Whether the former is hardly any of the latter.
    pub(super) is_thin: bool,
}

impl Edge {
    fn of(index: i64, qty: u64, largest: u64, limits: &Limits) -> Edge {
        let is_thin = largest > 0 && qty as f64 * 100.0 <= limits.exhaustion_part * largest as f64;
        Edge { index, qty, largest, is_thin }
    }
}

impl Ended {
    /// What these rows come to, from the lowest up; `None` of none.
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a Row> + Clone, limits: &Limits) -> Option<Ended> {
        let (first, last) = (rows.clone().next()?, rows.clone().last()?);
        let (low, high) = (first.index, last.index);
        let volume: u128 = rows.clone().map(Row::volume).sum();
        let is_large = |qty: u64| qty > 0 && qty as f64 * 100.0 >= limits.least_part * volume as f64;
        let outweighs = |qty: u64, other: u64| is_large(qty) && qty as f64 >= limits.ratio * other as f64;
        let (mut buys, mut sells) = (Imbalances::default(), Imbalances::default());
        let mut busiest = first;
        let from_middle = |row: &Row| (2 * i128::from(row.index) - i128::from(low) - i128::from(high)).unsigned_abs();
        let mut below: Option<&Row> = None;
        let mut above = rows.clone().skip(1);
        for row in rows.clone() {
            let next = above.next();
            let is_beside = |other: &&Row| other.index.abs_diff(row.index) == 1;
            if row.index > low && outweighs(row.bought(), below.filter(is_beside).map_or(0, Row::sold)) {
                buys.add(row.index, limits.stack_rows);
            }
            if row.index < high && outweighs(row.sold(), next.filter(is_beside).map_or(0, Row::bought)) {
                sells.add(row.index, limits.stack_rows);
            }
            let (more, equal) = (row.volume() > busiest.volume(), row.volume() == busiest.volume());
            if more || equal && from_middle(row) < from_middle(busiest) {
                busiest = row;
            }
            below = Some(row);
        }
        let both = |row: &Row| row.bought() > 0 && row.sold() > 0;
        let (most_bought, most_sold) =
            rows.fold((0, 0), |(bought, sold), row| (row.bought().max(bought), row.sold().max(sold)));
        Some(Ended {
            busiest: busiest.index,
            buys,
            sells,
            unfinished: Extremes::of(both(last), both(first)),
            low: Edge::of(low, first.sold(), most_sold, limits),
            high: Edge::of(high, last.bought(), most_bought, limits),
        })
    }
}
