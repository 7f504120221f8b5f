//! Orders, levels and the queue that a level is.
//!
//! An order is half a cache line in a slab, linked both ways into the queue of its level in price-time order; a level
//! knows its first and last order, their total and number. Where a link leads nowhere it leads to [`NOBODY`], a place that
//! no order takes: linking writes there instead of asking, since what the processor would guess of the ends of a queue
//! is wrong half the time. Every step here is O(1).

use super::books::Change;
use super::pool::{NONE, Pool};
use flow::{Px, Side};
use std::hint::select_unpredictable;

/// The place in the slab that is no order's: the end of a queue. What is written there is never of consequence.
pub(super) const NOBODY: u32 = 0;

/// A resting order.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) qty: u64,
    pub(super) before: u32,
    pub(super) after: u32,
    pub(super) level: u32,
    /// Next order whose reference shares the head in the table of references; [`NOBODY`] after the last.
    pub(super) chain: u32,
}

impl Order {
    pub(super) const VACANT: Order =
        Order { reference: 0, qty: 0, before: NOBODY, after: NOBODY, level: NONE, chain: NOBODY };
}

/// A price level of a side of a book; without a queue when the book is kept by level.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) px: Px,
    pub(super) qty: u64,
    pub(super) orders: u32,
    pub(super) first: u32,
    pub(super) last: u32,
    /// See [`owner_of`]; [`NONE`] while the level is nobody's.
    pub(super) owner: u32,
}

const _: () = assert!(size_of::<Order>() == 32 && size_of::<Level>() == 32);

impl Level {
    pub(super) const VACANT: Level =
        Level { px: Px::NONE, qty: 0, orders: 0, first: NOBODY, last: NOBODY, owner: NONE };

    #[inline]
    pub(super) fn new(book: u32, side: Side, px: Px) -> Level {
        Level { px, owner: owner_of(book, side), ..Level::VACANT }
    }

    /// The book that it belongs to.
    #[inline]
    pub(super) fn book(&self) -> u32 {
        self.owner >> 1
    }

    #[inline]
    pub(super) fn side(&self) -> Side {
        if self.owner & 1 == 0 { Side::Buy } else { Side::Sell }
    }

    /// What it holds, to be told.
    #[inline]
    pub(super) fn change(&self) -> Change {
        Change { side: self.side(), px: self.px, qty: self.qty, orders: self.orders }
    }
}

/// A side of a book as one number.
#[inline]
pub(super) fn owner_of(book: u32, side: Side) -> u32 {
    book << 1 | half_of(side) as u32
}

/// Index of a side's half of a book.
#[inline]
pub(super) fn half_of(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

/// The key of a price in its side's ladder: rises towards the touch. The least integer stays as it is: it has no opposite.
#[inline]
pub(super) fn key_of(side: Side, px: Px) -> i64 {
    select_unpredictable(side == Side::Sell, px.0.wrapping_neg(), px.0)
}

/// The price of a key.
#[inline]
pub(super) fn px_of(side: Side, key: i64) -> Px {
    Px(key_of(side, Px(key)))
}

/// Appends an order at the end of a level's queue, in the place `at` of the slab, and adds it to the totals.
#[inline]
pub(super) fn enqueue(level: &mut Level, level_at: u32, at: u32, order: Order, orders: &mut Pool<Order>) -> Change {
    let before = std::mem::replace(&mut level.last, at);
    level.qty += order.qty;
    level.orders += 1;
    level.first = select_unpredictable(before == NOBODY, at, level.first);
    orders[at] = Order { level: level_at, before, after: NOBODY, ..order };
    orders[before].after = at;
    level.change()
}

/// Takes an order out of its level's queue and totals.
#[inline]
pub(super) fn dequeue(level: &mut Level, order: &Order, orders: &mut Pool<Order>) -> Change {
    let Order { qty, before, after, .. } = *order;
    level.qty -= qty;
    level.orders -= 1;
    level.first = select_unpredictable(before == NOBODY, after, level.first);
    level.last = select_unpredictable(after == NOBODY, before, level.last);
    orders[before].after = after;
    orders[after].before = before;
    level.change()
}
