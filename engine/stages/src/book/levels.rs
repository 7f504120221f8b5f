//! Price levels, and the operations of books that are kept by level or from quotes.
//!
//! A level is found by a shortcut from its price, or else by searching the ladder of its side. It opens with its first
//! quantity and closes with its last. Bound: O(log levels), nearly always within the leaf at the touch.

use super::books::{BookId, Books};
use super::order::{Level, LevelChange, half_of, key_of, owner_of};
use super::outcome::{Fault, LevelUpdate, Reduced};
use crate::pool::NONE;
use flow::{AnomalyKind, Px, Side};

impl Books {
    /// Sets the total of a level in a book by level; 0 removes it. Returns the total before.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::BookFull`]; the book is unchanged.
    #[inline]
    pub fn set_level(&mut self, book: BookId, side: Side, px: Px, qty: u64, orders: u32) -> Result<u64, Fault> {
        self.mark_dirty(book);
        self.put_level(book, side, px, qty, orders)
    }

    /// [`Books::set_level`], followed by the publication of the top if the input `closes` its group.
    #[inline]
    pub fn apply_level(&mut self, book: BookId, change: &LevelChange, closes: bool) -> LevelUpdate {
        let LevelChange { side, px, qty, orders } = *change;
        let before = self.put_level(book, side, px, qty, orders);
        let top = match (closes, before) {
            (false, _) => {
                self.mark_dirty(book);
                None
            }
            (true, Ok(_)) if !self.is_dirty(book) => self.publish_top_after(book, change),
            (true, _) => self.publish_top(book),
        };
        LevelUpdate { before, top }
    }

    #[inline]
    fn put_level(&mut self, book: BookId, side: Side, px: Px, qty: u64, orders: u32) -> Result<u64, Fault> {
        self.check(book, side, px, 1, 0)?;
        if qty == 0 {
            let Some(level) = self.find_level(book, side, px) else { return Ok(0) };
            let before = self.levels[level].qty;
            self.close_level(book, level);
            return Ok(before);
        }
        let level = self.open_level(book, side, px, 0, 0)?;
        let level = &mut self.levels[level];
        level.orders = orders;
        Ok(std::mem::replace(&mut level.qty, qty))
    }

    /// Adds to a level of a book by level; `reference` only identifies the order in a fault.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::BookFull`]; the book is unchanged.
    #[inline]
    pub fn raise(&mut self, book: BookId, reference: u64, side: Side, px: Px, qty: u64) -> Result<LevelChange, Fault> {
        self.mark_dirty(book);
        self.check(book, side, px, qty, reference)?;
        let level = self.open_level(book, side, px, qty, reference)?;
        let level = &mut self.levels[level];
        level.qty += qty;
        level.orders = 0;
        Ok(level.change())
    }

    /// Takes from a level of a book by level; a level that holds less is removed.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`]; [`AnomalyKind::LevelUnderflow`] when there is no such level; the book is unchanged.
    #[inline]
    pub fn lower(&mut self, book: BookId, reference: u64, side: Side, px: Px, qty: u64) -> Result<Reduced, Fault> {
        self.mark_dirty(book);
        self.check(book, side, px, qty, reference)?;
        let found = self.find_level(book, side, px);
        let level = found.ok_or(Fault { what: AnomalyKind::LevelUnderflow, detail: reference })?;
        let found = &mut self.levels[level];
        let had = found.qty;
        if qty < had {
            (found.qty, found.orders) = (had - qty, 0);
            return Ok(Reduced { change: found.change(), over: false });
        }
        self.close_level(book, level);
        Ok(Reduced { change: LevelChange { side, px, qty: 0, orders: 0 }, over: qty > had })
    }

    /// Sets the only level of a side in a book of quotes; [`Px::NONE`] or quantity 0 empties the side.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::BookFull`]; the side is then empty.
    pub fn set_quote(&mut self, book: BookId, side: Side, px: Px, qty: u64) -> Result<(), Fault> {
        self.mark_dirty(book);
        let best = self.slots[book.0].halves[half_of(side)].best;
        let gone = px == Px::NONE || qty == 0;
        if best != NONE && (gone || self.levels[best].px != px) {
            self.close_level(book, best);
        }
        if gone { Ok(()) } else { self.set_level(book, side, px, qty, 0).map(drop) }
    }

    /// The level at a price.
    #[inline]
    fn find_level(&self, book: BookId, side: Side, px: Px) -> Option<u32> {
        let owner = owner_of(book.0, side);
        let place = self.shortcuts.place(owner, px);
        let guess = self.shortcuts.find(place, owner, px, &self.levels);
        guess.or_else(|| self.ladder.find(&self.slots[book.0].halves[half_of(side)], key_of(side, px)).ok())
    }

    /// The level at a price, opened if there is none, with room for `qty` more.
    #[inline]
    pub(super) fn open_level(
        &mut self,
        book: BookId,
        side: Side,
        px: Px,
        qty: u64,
        reference: u64,
    ) -> Result<u32, Fault> {
        let owner = owner_of(book.0, side);
        let place = self.shortcuts.place(owner, px);
        match self.shortcuts.find(place, owner, px, &self.levels) {
            Some(level) => self.check_room(level, qty, reference),
            None => self.search_level(book, side, px, qty, reference),
        }
    }

    /// [`Books::open_level`] where the shortcut missed.
    #[inline(never)]
    fn search_level(&mut self, book: BookId, side: Side, px: Px, qty: u64, reference: u64) -> Result<u32, Fault> {
        let key = key_of(side, px);
        let owner = owner_of(book.0, side);
        let shortcut = self.shortcuts.place(owner, px);
        let half = &mut self.slots[book.0].halves[half_of(side)];
        let place = match self.ladder.find(half, key) {
            Ok(level) => {
                self.shortcuts.learn(shortcut, level);
                return self.check_room(level, qty, reference);
            }
            Err(place) => place,
        };
        let limit = self.levels.capacity() as u64;
        let level = self.levels.take().ok_or(Fault { what: AnomalyKind::BookFull, detail: limit })?;
        self.levels[level] = Level::new(book.0, side, px);
        self.shortcuts.learn(shortcut, level);
        self.ladder.insert(half, place, key, level);
        Ok(level)
    }

    #[inline]
    fn check_room(&self, level: u32, qty: u64, reference: u64) -> Result<u32, Fault> {
        let fits = self.levels[level].qty.checked_add(qty).is_some();
        fits.then_some(level).ok_or(Fault { what: AnomalyKind::BadValue, detail: reference })
    }

    #[inline(never)]
    pub(super) fn close_level(&mut self, book: BookId, level: u32) {
        let LevelChange { side, px, .. } = self.levels[level].change();
        self.levels[level].owner = NONE;
        self.ladder.remove(&mut self.slots[book.0].halves[half_of(side)], key_of(side, px));
        self.levels.give(level);
    }
}
