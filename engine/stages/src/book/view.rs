//! Read access to one book: touch, depth, queues.
//!
//! For other stages, the simulated venue and tests. The touch is O(1), each step through depth or a queue is O(1), a
//! queue position is linear in the orders ahead.

use super::books::{BookId, Books, Place};
use super::order::{NOBODY, half_of, key_of};
use super::touch::Top;
use flow::{BookState, LevelState, Px, Qty, Side};

/// A price level of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Its price.
    pub px: Px,
    /// Total displayed quantity.
    pub qty: Qty,
    /// Number of orders; 0 = not known (books by level, unless the feed reports it).
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
    /// Open quantity.
    pub qty: Qty,
}

/// The queue ahead of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Total quantity ahead.
    pub qty: Qty,
    /// Number of orders ahead.
    pub orders: u32,
}

/// Read access to the book of one instrument.
#[derive(Clone, Copy)]
pub struct Book<'a> {
    books: &'a Books,
    id: BookId,
}

impl Books {
    /// The book of an instrument, if it has one.
    pub fn book(&self, instrument: u32) -> Option<Book<'_>> {
        match self.place(instrument) {
            Place::Book(id) => Some(self.view(id)),
            Place::Unlisted | Place::Bookless => None,
        }
    }

    #[inline]
    pub(super) fn view(&self, id: BookId) -> Book<'_> {
        Book { books: self, id }
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
    /// Best bid and ask as they stand now, also in the middle of a group.
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

    /// Which level of a side a price is at, or would be, from 1 for the best; one more than `most` if it is further behind.
    pub fn rank(&self, side: Side, px: Px, most: usize) -> usize {
        let key = key_of(side, px);
        self.depth(side).take(most).take_while(|level| key_of(side, level.px) > key).count() + 1
    }

    /// What people are shown of it: so many levels a side, and how many there are.
    pub fn state(&self, levels: usize, doubtful: bool) -> BookState {
        let shown = |side| {
            let of = |level: Depth| LevelState {
                px: level.px,
                qty: level.qty,
                orders: Some(level.orders).filter(|known| *known > 0),
            };
            self.depth(side).take(levels).map(of).collect()
        };
        let [bid_levels, ask_levels] = [Side::Buy, Side::Sell].map(|side| self.depth(side).count() as u64);
        BookState { bids: shown(Side::Buy), asks: shown(Side::Sell), bid_levels, ask_levels, doubtful }
    }

    /// The level at a price; `None` if nothing rests there.
    pub fn level(&self, side: Side, px: Px) -> Option<Depth> {
        if px == Px::NONE || side == Side::None {
            return None;
        }
        let books = self.books;
        let level = books.ladder.find(&books.slots[self.id.0].halves[half_of(side)], key_of(side, px)).ok()?;
        let level = &books.levels[level];
        Some(Depth { px: level.px, qty: Qty(level.qty), orders: level.orders })
    }

    /// The queue of a level in time priority; empty in books by level.
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

    /// The live order of a reference.
    pub fn order(&self, reference: u64) -> Option<Resting> {
        let at = self.books.locate(self.id, reference).ok()?;
        let order = &self.books.orders[at];
        let level = &self.books.levels[order.level];
        Some(Resting { reference, side: level.side(), px: level.px, qty: Qty(order.qty) })
    }

    /// The queue ahead of an order; `None` if it is not live.
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
