//! A book to look at: the touch, the depth, the queues.
//!
//! What other stages, the simulated venue and tests ask. Looking changes nothing. The touch is O(1), a step of depth or
//! of a queue is O(1), a queue position is linear in the orders ahead.

use super::books::{BookId, Books, Place, Top};
use super::order::{NOBODY, half_of, key_of};
use flow::{Px, Qty, Side};

/// A price level of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Its price.
    pub px: Px,
    /// All that is displayed at it.
    pub qty: Qty,
    /// Orders at it; 0 = not known (books by level, as far as the feed does not tell).
    pub orders: u32,
}

/// A resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Its reference.
    pub reference: u64,
    /// Its side.
    pub side: Side,
    /// Its price.
    pub px: Px,
    /// What is left of it.
    pub qty: Qty,
}

/// What stands before an order in the queue of its level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Their quantity.
    pub qty: Qty,
    /// Their number.
    pub orders: u32,
}

/// The book of one instrument, to look at.
#[derive(Clone, Copy)]
pub struct Book<'a> {
    books: &'a Books,
    id: BookId,
}

impl Books {
    /// The book of an instrument, if it has one.
    pub fn book(&self, instrument: u32) -> Option<Book<'_>> {
        match self.place(instrument) {
            Place::Book(id) => Some(Book { books: self, id }),
            Place::Unlisted | Place::Bookless => None,
        }
    }

    /// Live orders in all books.
    pub fn live_orders(&self) -> usize {
        self.max_orders() - self.orders.left()
    }

    /// Price levels in all books.
    pub fn live_levels(&self) -> usize {
        self.levels.capacity() - self.levels.left()
    }
}

impl<'a> Book<'a> {
    /// Best bid and ask as they stand now, in the middle of a group too.
    pub fn top(&self) -> Top {
        self.books.top(self.id)
    }

    /// The best level of a side.
    pub fn best(&self, side: Side) -> Option<Depth> {
        self.depth(side).next()
    }

    /// The levels of a side, best first.
    pub fn depth(&self, side: Side) -> impl Iterator<Item = Depth> + use<'a> {
        let books = self.books;
        books.ladder.levels(&books.slots[self.id.0].halves[half_of(side)]).map(|level| {
            let level = &books.levels[level];
            Depth { px: level.px, qty: Qty(level.qty), orders: level.orders }
        })
    }

    /// The level at a price; `None` when nothing rests there.
    pub fn level(&self, side: Side, px: Px) -> Option<Depth> {
        if px == Px::NONE || side == Side::None {
            return None;
        }
        let books = self.books;
        let level = books.ladder.find(&books.slots[self.id.0].halves[half_of(side)], key_of(side, px)).ok()?;
        let level = &books.levels[level];
        Some(Depth { px: level.px, qty: Qty(level.qty), orders: level.orders })
    }

    /// The orders of a level, first in time first; none in books by level.
    pub fn queue(&self, side: Side, px: Px) -> impl Iterator<Item = Resting> + use<'a> {
        let books = self.books;
        let half = &books.slots[self.id.0].halves[half_of(side)];
        let level = if px == Px::NONE { None } else { books.ladder.find(half, key_of(side, px)).ok() };
        let mut at = level.map_or(NOBODY, |level| books.levels[level].first);
        std::iter::from_fn(move || {
            let order = (at != NOBODY).then(|| books.orders[at])?;
            at = order.after;
            Some(Resting { reference: order.reference, side, px, qty: Qty(order.qty) })
        })
    }

    /// The live order of that reference.
    pub fn order(&self, reference: u64) -> Option<Resting> {
        let at = self.books.locate(self.id, reference).ok()?;
        let order = &self.books.orders[at];
        let level = &self.books.levels[order.level];
        Some(Resting { reference, side: level.side(), px: level.px, qty: Qty(order.qty) })
    }

    /// What stands before an order in its queue; `None` when it does not live.
    pub fn ahead(&self, reference: u64) -> Option<Ahead> {
        let at = self.books.locate(self.id, reference).ok()?;
        let mut ahead = Ahead::default();
        let mut before = self.books.orders[at].before;
        while before != NOBODY {
            let order = &self.books.orders[before];
            ahead.qty.0 += order.qty;
            ahead.orders += 1;
            before = order.before;
        }
        Some(ahead)
    }
}
