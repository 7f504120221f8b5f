//! Orders, levels, and the queue of orders at a level.
//!
//! An order is half a cache line in a pool, doubly linked into the queue of its level in price-time order. A level knows
//! its first and last order, its total quantity and its number of orders. A link that ends a queue points at
//! [`NOBODY`], a slot that no order uses: linking writes there instead of branching, since the branch at the ends of a
//! queue would be mispredicted half the time. Every operation is O(1).

use crate::pool::{NONE, Pool};
use flow::{Event, Px, Side};
use std::hint::select_unpredictable;

/// The pool slot that no order uses: the end of a queue. What is written there is never read.
pub(super) const NOBODY: u32 = 0;

/// A resting order.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) qty: u64,
    pub(super) before: u32,
    pub(super) after: u32,
    pub(super) level: u32,
    /// Next order in the same hash chain; [`NOBODY`] after the last.
    pub(super) chain: u32,
}

impl Order {
    pub(super) const VACANT: Order =
        Order { reference: 0, qty: 0, before: NOBODY, after: NOBODY, level: NONE, chain: NOBODY };
}

/// A price level on one side of a book. Books by level have no queue.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) px: Px,
    pub(super) qty: u64,
    pub(super) orders: u32,
    pub(super) first: u32,
    pub(super) last: u32,
    /// See [`owner_of`]; [`NONE`] while the level is free.
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

    /// The book it belongs to.
    #[inline]
    pub(super) fn book(&self) -> u32 {
        self.owner >> 1
    }

    #[inline]
    pub(super) fn side(&self) -> Side {
        if self.owner & 1 == 0 { Side::Buy } else { Side::Sell }
    }

    /// Its totals, as an event reports them.
    #[inline]
    pub(super) fn change(&self) -> LevelChange {
        LevelChange { side: self.side(), px: self.px, qty: self.qty, orders: self.orders }
    }
}

/// A level after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelChange {
    /// Side of the level.
    pub side: Side,
    /// Price of the level.
    pub px: Px,
    /// Total displayed quantity; 0 = the level is gone.
    pub qty: u64,
    /// Number of orders; 0 in books by level, which do not know it.
    pub orders: u32,
}

/// One side of a book as a number.
#[inline]
pub(super) fn owner_of(book: u32, side: Side) -> u32 {
    book << 1 | half_of(side) as u32
}

/// The reference of the order that an order message names: the second word of its body, after the exchange time.
#[inline]
pub(crate) fn order_ref_of(event: &Event) -> u64 {
    u64::from_le_bytes(event.body[8..16].try_into().expect("eight bytes"))
}

/// Index of a side in [`super::books::Slot::halves`].
#[inline]
pub(super) fn half_of(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

/// The ladder key of a price: keys rise towards the touch. `i64::MIN` has no opposite and stays as it is.
#[inline]
pub(super) fn key_of(side: Side, px: Px) -> i64 {
    select_unpredictable(side == Side::Sell, px.0.wrapping_neg(), px.0)
}

/// The price of a key.
#[inline]
pub(super) fn px_of(side: Side, key: i64) -> Px {
    Px(key_of(side, Px(key)))
}

/// Appends an order at the end of a level's queue, in pool slot `at`, and adds it to the totals.
#[inline]
pub(super) fn enqueue(
    level: &mut Level,
    level_at: u32,
    at: u32,
    order: Order,
    orders: &mut Pool<Order>,
) -> LevelChange {
    let before = std::mem::replace(&mut level.last, at);
    level.qty += order.qty;
    level.orders += 1;
    level.first = select_unpredictable(before == NOBODY, at, level.first);
    orders[at] = Order { level: level_at, before, after: NOBODY, ..order };
    orders[before].after = at;
    level.change()
}

/// Takes an order out of its level's queue and out of the totals.
#[inline]
pub(super) fn dequeue(level: &mut Level, order: &Order, orders: &mut Pool<Order>) -> LevelChange {
    let Order { qty, before, after, .. } = *order;
    level.qty -= qty;
    level.orders -= 1;
    level.first = select_unpredictable(before == NOBODY, after, level.first);
    level.last = select_unpredictable(after == NOBODY, before, level.last);
    orders[before].after = after;
    orders[after].before = before;
    level.change()
}
