//! The books of all instruments: what they hold and how it changes.
//!
//! Orders, levels and the nodes of the ladders come from shared pools, so that memory is sized by what lives in all
//! books together, not by what one of them might need. A book is one cache line; instruments without one cost four
//! bytes. A message by reference touches its head in the table, the order, its level and the book; a new order touches
//! a shortcut to its level instead of an order, and a level that comes or goes its ladder besides.
//!
//! What the processor guesses wrong costs more than all else here: the kind of a message, whether it moves the top, whether
//! a level comes or goes. So executions, cancels and deletes take one way, a change is compared with the touch that was
//! told last and not with what the ladder says, and what can be chosen without a branch is.
//!
//! Bound: [`Limits`]; what exceeds one is left out and said so ([`Fault`]). Every operation is O(log levels) but
//! [`Books::clear`], which is linear in what it clears, once.

use super::ladder::{Half, Ladder};
use super::order::{Level, NOBODY, Order, dequeue, enqueue, half_of, key_of, owner_of, px_of};
use super::pool::{NONE, Pool};
use super::refs::Refs;
use super::shortcuts::Shortcuts;
use flow::{AnomalyKind, BookKind, Px, Side};

/// How much the books hold at most. Everything is allocated and touched by [`Books::new`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instrument indices are below this.
    pub instruments: u32,
    /// Books.
    pub books: u32,
    /// Live orders in all books.
    pub orders: u32,
    /// Price levels in all books.
    pub levels: u32,
}

/// A book among [`Books`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookId(pub(super) u32);

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No listing defined it.
    Unlisted,
    /// Its listing says that it has no book.
    Bookless,
    /// It has this book.
    Book(BookId),
}

/// Why a message was left out, or what was wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which anomaly.
    pub what: AnomalyKind,
    /// The number that [`AnomalyKind::detail`] names.
    pub detail: u64,
}

/// A level after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Side of the level.
    pub side: Side,
    /// Price of the level.
    pub px: Px,
    /// All that is left at it; 0 = the level is gone.
    pub qty: u64,
    /// Orders at it; 0 in books by level, which do not know.
    pub orders: u32,
}

/// What a reduction came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The level afterwards.
    pub change: Change,
    /// More was to be taken than there was.
    pub over: bool,
}

/// What telling a whole level came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelUpdate {
    /// What stood there before; or why nothing was changed.
    pub before: Result<u64, Fault>,
    /// The top, if it differs from what was told last, and whether it is crossed where that was not.
    pub top: Option<(Top, bool)>,
}

/// What a replace came to. The old order is gone in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The levels that changed, that of the old terms first.
    pub changes: [Option<Change>; 2],
    /// Why the new terms were left out.
    pub fault: Option<Fault>,
}

/// Best bid and ask; an empty side is [`Px::NONE`] with 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top {
    /// Best bid.
    pub bid_px: Px,
    /// Quantity at it.
    pub bid_qty: u64,
    /// Best ask.
    pub ask_px: Px,
    /// Quantity at it.
    pub ask_qty: u64,
}

impl Top {
    #[inline]
    pub(super) fn of([bid, ask]: &[Touch; 2]) -> Top {
        let px = |side, key| if key == i64::MIN { Px::NONE } else { px_of(side, key) };
        Top { bid_px: px(Side::Buy, bid.key), bid_qty: bid.qty, ask_px: px(Side::Sell, ask.key), ask_qty: ask.qty }
    }

    /// Whether both sides are there and the bid is at or above the ask.
    #[inline]
    pub fn crossed(&self) -> bool {
        self.bid_px != Px::NONE && self.bid_px >= self.ask_px
    }
}

/// A side of a top, its price as the key of a ladder; an empty one is below every key, with 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    key: i64,
    qty: u64,
}

impl Touch {
    pub(super) const NONE: Touch = Touch { key: i64::MIN, qty: 0 };

    #[inline]
    pub(super) fn new(side: Side, px: Px, qty: u64) -> Touch {
        if px == Px::NONE { Touch::NONE } else { Touch { key: key_of(side, px), qty } }
    }
}

/// A book.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) halves: [Half; 2],
    pub(super) kind: BookKind,
    pub(super) source: u8,
    pub(super) signed: bool,
    /// Whether something changed since the top was last compared with what was told of it.
    pub(super) open: bool,
    /// The top that was last told.
    pub(super) told: [Touch; 2],
}

const _: () = assert!(size_of::<Slot>() == 64);

impl Slot {
    const VACANT: Slot = Slot {
        halves: [Half::EMPTY; 2],
        kind: BookKind::None,
        source: 0,
        signed: false,
        open: true,
        told: [Touch::NONE; 2],
    };
}

/// Marks an instrument whose listing says that it has no book.
const BOOKLESS: u32 = NONE - 1;

/// All books.
pub struct Books {
    pub(super) places: Box<[u32]>,
    pub(super) slots: Pool<Slot>,
    pub(super) ladder: Ladder,
    pub(super) levels: Pool<Level>,
    pub(super) orders: Pool<Order>,
    pub(super) refs: Refs,
    pub(super) shortcuts: Shortcuts,
}

impl Books {
    /// Empty books; all the memory that they will ever use.
    pub fn new(limits: Limits) -> Books {
        let mut orders = Pool::new(limits.orders + 1, Order::VACANT);
        assert_eq!(orders.take(), Some(NOBODY), "a pool gives its first item first");
        orders[NOBODY].level = 0;
        Books {
            places: vec![NONE; limits.instruments as usize].into_boxed_slice(),
            slots: Pool::new(limits.books, Slot::VACANT),
            ladder: Ladder::new(limits.levels, limits.books),
            levels: Pool::new(limits.levels, Level::VACANT),
            orders,
            refs: Refs::new(limits.orders),
            shortcuts: Shortcuts::new(limits.levels),
        }
    }

    /// Where the order of a reference is to be looked for, if the book of its instrument is kept by order.
    #[inline]
    pub(super) fn path(&self, instrument: u32, reference: u64) -> Option<BookPath> {
        let at = *self.places.get(instrument as usize)?;
        // What marks that there is none is above every number of a book.
        let slot = self.slots.get(at).filter(|slot| slot.kind == BookKind::ByOrder)?;
        Some(BookPath { book: BookId(at), home: self.refs.home(slot.source, reference) })
    }

    #[inline]
    fn path_of(&self, book: BookId, reference: u64) -> BookPath {
        BookPath { book, home: self.refs.home(self.slots[book.0].source, reference) }
    }

    /// What is known of an instrument.
    #[inline]
    pub fn place(&self, instrument: u32) -> Place {
        match self.places.get(instrument as usize) {
            None | Some(&NONE) => Place::Unlisted,
            Some(&BOOKLESS) => Place::Bookless,
            Some(at) => Place::Book(BookId(*at)),
        }
    }

    /// How a book is kept.
    #[inline]
    pub fn kind(&self, book: BookId) -> BookKind {
        self.slots[book.0].kind
    }

    /// Opens, changes or closes the book of an instrument as its listing says; `signed` allows prices of 0 and below.
    /// The same terms again change nothing; others empty the book.
    ///
    /// # Errors
    /// [`AnomalyKind::UnknownInstrument`] past the limit of instruments, [`AnomalyKind::BookFull`] past that of books.
    pub fn list(&mut self, instrument: u32, source: u8, kind: BookKind, signed: bool) -> Result<(), Fault> {
        let place = self.place(instrument);
        let Some(entry) = self.places.get_mut(instrument as usize) else {
            return Err(Fault { what: AnomalyKind::UnknownInstrument, detail: u64::from(instrument) });
        };
        let at = match (place, kind) {
            (Place::Book(book), BookKind::None) => {
                *entry = BOOKLESS;
                self.clear(book);
                self.slots.give(book.0);
                return Ok(());
            }
            (_, BookKind::None) => {
                *entry = BOOKLESS;
                return Ok(());
            }
            (Place::Book(book), _) => {
                let slot = &self.slots[book.0];
                if (slot.kind, slot.source) != (kind, source) {
                    self.clear(book);
                }
                book.0
            }
            _ => {
                let limit = self.slots.capacity() as u64;
                let at = self.slots.take().ok_or(Fault { what: AnomalyKind::BookFull, detail: limit })?;
                *entry = at;
                self.slots[at] = Slot::VACANT;
                at
            }
        };
        let slot = &mut self.slots[at];
        (slot.kind, slot.source, slot.signed) = (kind, source, signed);
        Ok(())
    }

    /// Adds an order at the end of its level's queue.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::DuplicateOrder`], [`AnomalyKind::BookFull`]; nothing is changed then.
    #[inline]
    pub fn add(&mut self, book: BookId, reference: u64, side: Side, px: Px, qty: u64) -> Result<Change, Fault> {
        self.leave_open(book);
        self.add_at(self.path_of(book, reference), reference, side, px, qty)
    }

    #[inline]
    pub(super) fn add_at(
        &mut self,
        path: BookPath,
        reference: u64,
        side: Side,
        px: Px,
        qty: u64,
    ) -> Result<Change, Fault> {
        self.check(path.book, side, px, qty, reference)?;
        let chain = self.refs.first(path.home);
        if chain != NOBODY && self.seek(path.book, chain, reference) != Sought::Nowhere {
            return Err(Fault { what: AnomalyKind::DuplicateOrder, detail: reference });
        }
        if self.orders.left() == 0 {
            return Err(Fault { what: AnomalyKind::BookFull, detail: self.max_orders() as u64 });
        }
        let level = self.open_level(path.book, side, px, qty, reference)?;
        let at = self.orders.take().expect("looked at just now");
        self.refs.link(path.home, at);
        let order = Order { reference, qty, chain, ..Order::VACANT };
        Ok(enqueue(&mut self.levels[level], level, at, order, &mut self.orders))
    }

    /// Takes `qty` from an order; it is gone when nothing is left, or when it has less.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::UnknownOrder`]; nothing is changed then.
    #[inline]
    pub fn reduce(&mut self, book: BookId, reference: u64, qty: u64) -> Result<Taken, Fault> {
        self.leave_open(book);
        self.take_at(self.path_of(book, reference), reference, Some(qty))
    }

    /// Removes an order.
    ///
    /// # Errors
    /// [`AnomalyKind::UnknownOrder`].
    #[inline]
    pub fn delete(&mut self, book: BookId, reference: u64) -> Result<Change, Fault> {
        self.leave_open(book);
        self.take_at(self.path_of(book, reference), reference, None).map(|taken| taken.change)
    }

    /// Takes `qty`, or all, from an order. One way for both: which it is cannot be guessed.
    #[inline(always)]
    pub(super) fn take_at(&mut self, path: BookPath, reference: u64, qty: Option<u64>) -> Result<Taken, Fault> {
        if qty == Some(0) {
            return Err(Fault { what: AnomalyKind::BadValue, detail: reference });
        }
        let at = self.find(path, reference)?;
        let order = &mut self.orders[at];
        let (all, qty) = (qty.is_none(), qty.unwrap_or(u64::MAX));
        if qty < order.qty {
            order.qty -= qty;
            let level = &mut self.levels[order.level];
            level.qty -= qty;
            return Ok(Taken { change: level.change(), over: false });
        }
        let over = (qty > order.qty) & !all;
        Ok(Taken { change: self.remove(path, at), over })
    }

    /// Gives an order new terms. It keeps its place only if reference and price stay and the quantity does not grow.
    /// The old terms do not hold in any case, so when the new ones cannot be booked the order is gone.
    ///
    /// # Errors
    /// [`AnomalyKind::UnknownOrder`]: nothing is added then, since neither side nor place of the order are known.
    pub fn replace(&mut self, book: BookId, old: u64, new: u64, px: Px, qty: u64) -> Result<Replaced, Fault> {
        self.leave_open(book);
        let path = self.path_of(book, old);
        let at = self.find(path, old)?;
        let (order, level) = (self.orders[at], self.orders[at].level);
        let Level { px: was, qty: total, .. } = self.levels[level];
        let side = self.levels[level].side();
        let stays = px == was && qty > 0 && total.checked_sub(order.qty).and_then(|t| t.checked_add(qty)).is_some();
        if stays && new == old {
            if qty <= order.qty {
                self.orders[at].qty = qty;
                self.levels[level].qty -= order.qty - qty;
            } else {
                self.requeue(at, Order { qty, ..order });
            }
        } else if stays && !self.is_live(book, new) {
            self.refs.unlink(path.home, at, order.chain, &mut self.orders);
            let chain = self.refs.link(self.path_of(book, new).home, at);
            self.requeue(at, Order { reference: new, qty, chain, ..self.orders[at] });
        } else {
            let first = self.remove(path, at);
            let second = self.add(book, new, side, px, qty);
            return Ok(Replaced { changes: [Some(first), second.ok()], fault: second.err() });
        }
        let change = self.levels[level].change();
        Ok(Replaced { changes: [(change.qty != total).then_some(change), None], fault: None })
    }

    /// Sets a level of a book by level; 0 removes it. Gives what stood there before.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::BookFull`]; nothing is changed then.
    #[inline]
    pub fn set_level(&mut self, book: BookId, side: Side, px: Px, qty: u64, orders: u32) -> Result<u64, Fault> {
        self.leave_open(book);
        self.put_level(book, side, px, qty, orders)
    }

    /// [`Books::set_level`] by an input that closes its group, if it does, and what became of the top.
    #[inline]
    pub fn apply_level(&mut self, book: BookId, change: &Change, closes: bool) -> LevelUpdate {
        let Change { side, px, qty, orders } = *change;
        let before = self.put_level(book, side, px, qty, orders);
        let top = match (closes, before) {
            (false, _) => {
                self.leave_open(book);
                None
            }
            (true, Ok(_)) if !self.is_open(book) => self.settle_change(book, change),
            (true, _) => self.settle(book),
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

    /// Adds to a level of a book by level; `reference` only explains a fault.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::BookFull`]; nothing is changed then.
    #[inline]
    pub fn raise(&mut self, book: BookId, reference: u64, side: Side, px: Px, qty: u64) -> Result<Change, Fault> {
        self.leave_open(book);
        self.check(book, side, px, qty, reference)?;
        let level = self.open_level(book, side, px, qty, reference)?;
        let level = &mut self.levels[level];
        level.qty += qty;
        level.orders = 0;
        Ok(level.change())
    }

    /// Takes from a level of a book by level; one that has less is emptied.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`]; [`AnomalyKind::LevelUnderflow`] when there is no such level; nothing is changed then.
    #[inline]
    pub fn lower(&mut self, book: BookId, reference: u64, side: Side, px: Px, qty: u64) -> Result<Taken, Fault> {
        self.leave_open(book);
        self.check(book, side, px, qty, reference)?;
        let found = self.find_level(book, side, px);
        let level = found.ok_or(Fault { what: AnomalyKind::LevelUnderflow, detail: reference })?;
        let found = &mut self.levels[level];
        let had = found.qty;
        if qty < had {
            (found.qty, found.orders) = (had - qty, 0);
            return Ok(Taken { change: found.change(), over: false });
        }
        self.close_level(book, level);
        Ok(Taken { change: Change { side, px, qty: 0, orders: 0 }, over: qty > had })
    }

    /// Sets the only level of a side of a book of quotes; [`Px::NONE`] or 0 empties the side.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::BookFull`]; the side is empty then.
    pub fn set_quote(&mut self, book: BookId, side: Side, px: Px, qty: u64) -> Result<(), Fault> {
        self.leave_open(book);
        let best = self.slots[book.0].halves[half_of(side)].best;
        let gone = px == Px::NONE || qty == 0;
        if best != NONE && (gone || self.levels[best].px != px) {
            self.close_level(book, best);
        }
        if gone { Ok(()) } else { self.set_level(book, side, px, qty, 0).map(drop) }
    }

    /// Empties a book. Linear in the orders and levels that it holds.
    pub fn clear(&mut self, book: BookId) {
        let slot = &mut self.slots[book.0];
        slot.open = true;
        let source = slot.source;
        for half in &mut slot.halves {
            self.ladder.drain(half, |level| {
                let mut at = self.levels[level].first;
                while at != NOBODY {
                    let Order { reference, after, chain, .. } = self.orders[at];
                    self.refs.unlink(self.refs.home(source, reference), at, chain, &mut self.orders);
                    self.orders.give(at);
                    at = after;
                }
                self.levels[level].owner = NONE;
                self.levels.give(level);
            });
        }
    }

    /// Empties the books of a source and forgets what was told of their tops. Linear in all that they hold.
    pub fn clear_source(&mut self, source: u8) {
        for instrument in 0..self.places.len() {
            if let Place::Book(book) = self.place(instrument as u32)
                && self.slots[book.0].source == source
            {
                self.clear(book);
                self.slots[book.0].told = [Touch::NONE; 2];
            }
        }
    }

    /// The best bid and ask as they stand now.
    #[inline]
    pub fn top(&self, book: BookId) -> Top {
        Top::of(&[self.touch(book, Side::Buy), self.touch(book, Side::Sell)])
    }

    /// One side of the top as it stands now.
    #[inline]
    fn touch(&self, book: BookId, side: Side) -> Touch {
        let best = self.slots[book.0].halves[half_of(side)].best;
        self.levels.get(best).map_or(Touch::NONE, |level| Touch { key: key_of(side, level.px), qty: level.qty })
    }

    /// The top, if it differs from what was told last, and whether it is crossed where that was not. It is told now.
    pub fn settle(&mut self, book: BookId) -> Option<(Top, bool)> {
        let now = [self.touch(book, Side::Buy), self.touch(book, Side::Sell)];
        let slot = &mut self.slots[book.0];
        let before = std::mem::replace(&mut slot.told, now);
        slot.open = false;
        (now != before).then(|| (Top::of(&now), Top::of(&now).crossed() && !Top::of(&before).crossed()))
    }

    /// Whether something else than the last change may have changed since the top was settled.
    #[inline]
    pub(super) fn is_open(&self, book: BookId) -> bool {
        self.slots[book.0].open
    }

    /// As [`Books::settle`], after that change alone: what lies behind the touch cannot have moved it.
    #[inline(always)]
    pub(super) fn settle_change(&mut self, book: BookId, change: &Change) -> Option<(Top, bool)> {
        let Change { side, px, qty, .. } = *change;
        let key = key_of(side, px);
        let told = &self.slots[book.0].told;
        if key < told[half_of(side)].key {
            return None;
        }
        let before = Top::of(told);
        let now = if qty > 0 { Touch { key, qty } } else { self.touch(book, side) };
        let told = &mut self.slots[book.0].told;
        if now == told[half_of(side)] {
            return None;
        }
        told[half_of(side)] = now;
        let top = Top::of(told);
        Some((top, top.crossed() && !before.crossed()))
    }

    /// Notes that something changed whose group is not at its end.
    #[inline]
    pub(super) fn leave_open(&mut self, book: BookId) {
        self.slots[book.0].open = true;
    }

    /// The most orders; one place of the slab is nobody's.
    pub(super) fn max_orders(&self) -> usize {
        self.orders.capacity() - 1
    }

    #[inline]
    fn check(&self, book: BookId, side: Side, px: Px, qty: u64, reference: u64) -> Result<(), Fault> {
        let priced = px != Px::NONE && (px.0 > 0 || (self.slots[book.0].signed && px.0 > -i64::MAX));
        if priced && qty > 0 && side != Side::None {
            return Ok(());
        }
        Err(Fault { what: AnomalyKind::BadValue, detail: reference })
    }

    /// The order of a reference.
    #[inline]
    fn find(&self, path: BookPath, reference: u64) -> Result<u32, Fault> {
        let first = self.refs.first(path.home);
        let order = &self.orders[first];
        if order.reference == reference && first != NOBODY && self.levels[order.level].book() == path.book.0 {
            return Ok(first);
        }
        match self.seek(path.book, first, reference) {
            Sought::Here(at) => Ok(at),
            _ => Err(Fault { what: AnomalyKind::UnknownOrder, detail: reference }),
        }
    }

    /// Goes along a chain.
    #[inline(never)]
    fn seek(&self, book: BookId, mut at: u32, reference: u64) -> Sought {
        while at != NOBODY {
            let order = &self.orders[at];
            if order.reference == reference {
                let owner = self.levels[order.level].book();
                if owner == book.0 {
                    return Sought::Here(at);
                }
                if self.slots[owner].source == self.slots[book.0].source {
                    return Sought::Elsewhere;
                }
            }
            at = order.chain;
        }
        Sought::Nowhere
    }

    /// Whether a reference lives in any book of the source.
    pub(super) fn is_live(&self, book: BookId, reference: u64) -> bool {
        self.seek(book, self.refs.first(self.path_of(book, reference).home), reference) != Sought::Nowhere
    }

    /// The place of an order.
    pub(super) fn locate(&self, book: BookId, reference: u64) -> Result<u32, Fault> {
        self.find(self.path_of(book, reference), reference)
    }

    /// The level at a price.
    #[inline]
    pub(super) fn find_level(&self, book: BookId, side: Side, px: Px) -> Option<u32> {
        let owner = owner_of(book.0, side);
        let place = self.shortcuts.place(owner, px);
        let guess = self.shortcuts.find(place, owner, px, &self.levels);
        guess.or_else(|| self.ladder.find(&self.slots[book.0].halves[half_of(side)], key_of(side, px)).ok())
    }

    /// The level at a price, made if there is none, that can take `qty` more.
    #[inline]
    fn open_level(&mut self, book: BookId, side: Side, px: Px, qty: u64, reference: u64) -> Result<u32, Fault> {
        let owner = owner_of(book.0, side);
        let place = self.shortcuts.place(owner, px);
        match self.shortcuts.find(place, owner, px, &self.levels) {
            Some(level) => self.roomy(level, qty, reference),
            None => self.search_level(book, side, px, qty, reference),
        }
    }

    /// As [`Books::open_level`], where the guess was wrong.
    #[inline(never)]
    fn search_level(&mut self, book: BookId, side: Side, px: Px, qty: u64, reference: u64) -> Result<u32, Fault> {
        let key = key_of(side, px);
        let owner = owner_of(book.0, side);
        let shortcut = self.shortcuts.place(owner, px);
        let half = &mut self.slots[book.0].halves[half_of(side)];
        let place = match self.ladder.find(half, key) {
            Ok(level) => {
                self.shortcuts.learn(shortcut, level);
                return self.roomy(level, qty, reference);
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
    fn roomy(&self, level: u32, qty: u64, reference: u64) -> Result<u32, Fault> {
        let fits = self.levels[level].qty.checked_add(qty).is_some();
        fits.then_some(level).ok_or(Fault { what: AnomalyKind::BadValue, detail: reference })
    }

    #[inline(always)]
    fn remove(&mut self, path: BookPath, at: u32) -> Change {
        let order = self.orders[at];
        self.refs.unlink(path.home, at, order.chain, &mut self.orders);
        let change = dequeue(&mut self.levels[order.level], &order, &mut self.orders);
        self.orders.give(at);
        if change.orders == 0 {
            self.close_level(path.book, order.level);
        }
        change
    }

    #[inline(never)]
    fn close_level(&mut self, book: BookId, level: u32) {
        let Change { side, px, .. } = self.levels[level].change();
        self.levels[level].owner = NONE;
        self.ladder.remove(&mut self.slots[book.0].halves[half_of(side)], key_of(side, px));
        self.levels.give(level);
    }

    /// Moves the order `at` to the end of its level's queue, with new terms.
    fn requeue(&mut self, at: u32, terms: Order) {
        let order = self.orders[at];
        let level = &mut self.levels[order.level];
        dequeue(level, &order, &mut self.orders);
        enqueue(level, order.level, at, terms, &mut self.orders);
    }
}

/// Where an order is to be looked for: its book and its chain.
#[derive(Clone, Copy)]
pub(super) struct BookPath {
    pub(super) book: BookId,
    home: usize,
}

/// Where a reference lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sought {
    /// In no book of the source.
    Nowhere,
    /// In another book of the source.
    Elsewhere,
    /// In the book itself.
    Here(u32),
}
