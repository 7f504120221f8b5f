//! Saves and loads the books.
//!
//! The form is canonical: books by listing key, levels by rising price, orders in queue order, and nothing about pool
//! slots. The published top is part of the state, since it decides whether the next change is published.

use super::books::{BookId, Books, Keeping, Place};
use super::order::{Level, NOBODY, Order, enqueue, half_of, key_of};
use super::touch::{Top, Touch};
use crate::pool::NONE;
use flow::{BookKind, Px, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// An instrument with its book.
#[derive(Serialize, Deserialize)]
struct SavedBook {
    key: String,
    kind: u8,
    source: u8,
    signed: bool,
    own_references: bool,
    top: (Px, u64, Px, u64),
    bids: Vec<SavedLevel>,
    asks: Vec<SavedLevel>,
}

/// A level. In books by order the totals equal those of the queue.
#[derive(Serialize, Deserialize)]
struct SavedLevel {
    px: Px,
    qty: u64,
    orders: u32,
    queue: Vec<(u64, u64)>,
}

impl Books {
    /// Writes all books, in the order of their keys.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let known = (0..self.places.len() as u32).filter(|i| self.place(*i) != Place::Unlisted);
        let mut keys: Vec<(String, u32)> = known.map(|instrument| (to.key(instrument), instrument)).collect();
        keys.sort_unstable();
        to.put(&(keys.len() as u64));
        for (key, instrument) in keys {
            to.put(&self.saved(key, instrument));
        }
    }

    fn saved(&self, key: String, instrument: u32) -> SavedBook {
        let none = (Px::NONE, 0, Px::NONE, 0);
        let Place::Book(BookId(at)) = self.place(instrument) else {
            let (bids, asks) = (Vec::new(), Vec::new());
            let (kind, source, signed, own_references) = (0, 0, false, false);
            return SavedBook { key, kind, source, signed, own_references, top: none, bids, asks };
        };
        let Keeping { kind, source, signed, own_references } = self.keeping(BookId(at));
        let slot = &self.slots[at];
        let Top { bid_px, bid_qty, ask_px, ask_qty } = Top::of(&slot.published);
        let mut bids = self.saved_levels(at, Side::Buy);
        bids.reverse();
        SavedBook {
            key,
            kind: kind as u8,
            source,
            signed,
            own_references,
            top: (bid_px, bid_qty, ask_px, ask_qty),
            bids,
            asks: self.saved_levels(at, Side::Sell),
        }
    }

    fn saved_levels(&self, at: u32, side: Side) -> Vec<SavedLevel> {
        let of = |level: &Level| {
            let mut queue = Vec::with_capacity(if level.first == NOBODY { 0 } else { level.orders as usize });
            let mut at = level.first;
            while at != NOBODY {
                let order = &self.orders[at];
                queue.push((order.reference, order.qty));
                at = order.after;
            }
            SavedLevel { px: level.px, qty: level.qty, orders: level.orders, queue }
        };
        self.ladder.levels(&self.slots[at].halves[half_of(side)]).map(|level| of(&self.levels[level])).collect()
    }

    /// Replaces all books by those that [`Books::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state, or exceed these limits.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.reset();
        for _ in 0..from.get::<u64>()? {
            let saved: SavedBook = from.get()?;
            let instrument = from.instrument(&saved.key)?;
            self.load_book(instrument, saved)?;
        }
        Ok(())
    }

    /// Reads on past what [`Books::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub(crate) fn pass_over(from: &mut StateReader<'_>) -> Result<(), StateError> {
        (0..from.get::<u64>()?).try_for_each(|_| from.get::<SavedBook>().map(drop))
    }

    fn reset(&mut self) {
        for instrument in 0..self.places.len() {
            if let Place::Book(book) = self.place(instrument as u32) {
                self.clear(book);
                self.slots.give(book.0);
            }
            self.places[instrument] = NONE;
        }
    }

    fn load_book(&mut self, instrument: u32, saved: SavedBook) -> Result<(), StateError> {
        let kind = BookKind::from_code(saved.kind);
        let kind = kind.ok_or(StateError::Inconsistent("a book of a kind that does not exist"))?;
        let limit = if (instrument as usize) < self.places.len() { self.slots.capacity() } else { self.places.len() };
        let full = |_| StateError::TooLarge { what: "books", found: limit + 1, limit };
        let SavedBook { source, signed, own_references, .. } = saved;
        self.list(instrument, Keeping { kind, source, signed, own_references }).map_err(full)?;
        let Place::Book(book) = self.place(instrument) else { return Ok(()) };
        for (side, levels) in [(Side::Buy, saved.bids), (Side::Sell, saved.asks)] {
            for level in levels {
                self.load_level(book, side, level)?;
            }
        }
        let (bid_px, bid_qty, ask_px, ask_qty) = saved.top;
        let slot = &mut self.slots[book.0];
        slot.published = [Touch::new(Side::Buy, bid_px, bid_qty), Touch::new(Side::Sell, ask_px, ask_qty)];
        slot.dirty = true;
        Ok(())
    }

    fn load_level(&mut self, book: BookId, side: Side, saved: SavedLevel) -> Result<(), StateError> {
        let by_order = self.kind(book) == BookKind::ByOrder;
        let total = saved.queue.iter().try_fold(0_u64, |sum, (_, qty)| sum.checked_add(*qty));
        let whole = total == Some(saved.qty) && saved.orders as usize == saved.queue.len();
        if saved.px == Px::NONE
            || saved.px.0 <= -i64::MAX
            || saved.qty == 0
            || by_order != whole
            || by_order == saved.queue.is_empty()
        {
            return Err(StateError::Inconsistent("a level whose totals are not those of its queue"));
        }
        let half = &mut self.slots[book.0].halves[half_of(side)];
        let Err(place) = self.ladder.find(half, key_of(side, saved.px)) else {
            return Err(StateError::Inconsistent("a price level twice"));
        };
        let limit = self.levels.capacity();
        let full = StateError::TooLarge { what: "price levels", found: limit + 1, limit };
        let level = self.levels.take().ok_or(full)?;
        self.levels[level] = Level::new(book.0, side, saved.px);
        self.ladder.insert(half, place, key_of(side, saved.px), level);
        if !by_order {
            (self.levels[level].qty, self.levels[level].orders) = (saved.qty, saved.orders);
        }
        for (reference, qty) in saved.queue {
            self.load_order(book, level, reference, qty)?;
        }
        Ok(())
    }

    fn load_order(&mut self, book: BookId, level: u32, reference: u64, qty: u64) -> Result<(), StateError> {
        if qty == 0 || self.is_live(book, reference) {
            return Err(StateError::Inconsistent("an order of nothing, or one reference twice"));
        }
        let limit = self.max_orders();
        let at = self.orders.take().ok_or(StateError::TooLarge { what: "orders", found: limit + 1, limit })?;
        let chain = self.refs.link(self.refs.home(self.slots[book.0].space, reference), at);
        let order = Order { reference, qty, chain, ..Order::VACANT };
        enqueue(&mut self.levels[level], level, at, order, &mut self.orders);
        Ok(())
    }
}
