//! The books of all instruments: orders, price levels and the changes to them.
//!
//! Orders, levels and ladder nodes come from shared pools, so memory is sized by what is live in all books together. A
//! book is one cache line; an instrument without a book costs four bytes. A message by reference touches the head of a
//! hash chain, the order, its level and the book. A new order touches a shortcut to its level instead of an order. A
//! level that opens or closes also touches its ladder.
//!
//! Mispredicted branches cost more than anything else here: the kind of a message, whether it moves the touch, whether
//! a level opens or closes. So executions, cancels and deletes share one path, a change is compared with the top that
//! was published last instead of with the ladder, and selections are branch-free where they can be.
//!
//! Bound: [`Limits`]; what exceeds a limit is left out and reported as a [`Fault`]. Every operation is O(log levels)
//! except [`Books::clear`], which is linear in what it clears.

use super::ladder::{Half, Ladder};
use super::order::{Level, LevelChange, NOBODY, Order, dequeue, enqueue};
use super::outcome::{Fault, Reduced, Replaced};
use super::refs::{Refs, space_of};
use super::shortcuts::Shortcuts;
use super::touch::Touch;
use crate::pool::{NONE, Pool};
use flow::{AnomalyKind, BookKind, Px, Side, in_order, table};

/// Capacity of the books. [`Books::new`] allocates and touches everything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instrument indices are below this number.
    pub instruments: u32,
    /// Books.
    pub books: u32,
    /// Live orders in all books.
    pub orders: u32,
    /// Price levels in all books.
    pub levels: u32,
}

/// Handle of a book in [`Books`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookId(pub(super) u32);

/// What the listings say about an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No listing has defined it.
    Unlisted,
    /// It is listed without a book.
    Bookless,
    /// It has this book.
    Book(BookId),
}

/// How a book is kept, as its listing says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Which inputs keep it.
    pub kind: BookKind,
    /// The source of those inputs.
    pub source: u8,
    /// Whether prices of 0 and below are allowed.
    pub signed: bool,
    /// Whether references of orders are unique within this book only, and not over all books of the source.
    pub own_references: bool,
}

/// One book: 64 bytes.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) halves: [Half; 2],
    pub(super) kind: BookKind,
    pub(super) source: u8,
    pub(super) signed: bool,
    /// Whether the book changed since its top was published.
    pub(super) dirty: bool,
    /// The space within which its orders' references are unique.
    pub(super) space: u32,
    /// The top that was published last.
    pub(super) published: [Touch; 2],
}

const _: () = assert!(size_of::<Slot>() == 64);

impl Slot {
    const VACANT: Slot = Slot {
        halves: [Half::EMPTY; 2],
        kind: BookKind::None,
        source: 0,
        signed: false,
        dirty: true,
        space: 0,
        published: [Touch::NONE; 2],
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
    /// Empty books; allocates all the memory that they will ever use.
    pub fn new(limits: Limits) -> Books {
        let ladder = Ladder::new(limits.levels, limits.books);
        Books::of(limits, ladder, Pool::new(limits.levels, Level::VACANT))
    }

    fn of(limits: Limits, ladder: Ladder, levels: Pool<Level>) -> Books {
        let mut orders = Pool::new(limits.orders + 1, Order::VACANT);
        assert_eq!(orders.take(), Some(NOBODY), "a pool gives its first item first");
        orders[NOBODY].level = 0;
        Books {
            places: table(limits.instruments as usize, NONE),
            slots: Pool::new(limits.books, Slot::VACANT),
            ladder,
            levels,
            orders,
            refs: Refs::new(limits.orders),
            shortcuts: Shortcuts::new(limits.levels),
        }
    }

    /// Empty books that nothing waits for. Ladders and levels lie on small pages: a market with few levels would take a large
    /// one for each, and only one with many is slower without.
    pub(super) fn aside(limits: Limits) -> Books {
        let (ladder, levels) =
            in_order(|| (Ladder::new(limits.levels, limits.books), Pool::new(limits.levels, Level::VACANT)));
        Books::of(limits, ladder, levels)
    }

    /// Book and hash chain of a reference, if the instrument's book is kept by order.
    #[inline]
    pub(super) fn path(&self, instrument: u32, reference: u64) -> Option<BookPath> {
        let at = *self.places.get(instrument as usize)?;
        // NONE and BOOKLESS are above every book number, so one bounds check covers both.
        let slot = self.slots.get(at).filter(|slot| slot.kind == BookKind::ByOrder)?;
        Some(BookPath { book: BookId(at), home: self.refs.home(slot.space, reference) })
    }

    #[inline]
    fn path_of(&self, book: BookId, reference: u64) -> BookPath {
        BookPath { book, home: self.refs.home(self.slots[book.0].space, reference) }
    }

    /// Whether an instrument is listed and has a book.
    #[inline]
    pub fn place(&self, instrument: u32) -> Place {
        match self.places.get(instrument as usize) {
            None | Some(&NONE) => Place::Unlisted,
            Some(&BOOKLESS) => Place::Bookless,
            Some(at) => Place::Book(BookId(*at)),
        }
    }

    /// Which inputs keep a book.
    #[inline]
    pub fn kind(&self, book: BookId) -> BookKind {
        self.slots[book.0].kind
    }

    /// Opens, changes or closes the book of an instrument as its listing says. Listing the same terms again changes
    /// nothing; another kind or source empties the book. The space of its references is that of the listing that opened or
    /// emptied it.
    ///
    /// # Errors
    /// [`AnomalyKind::UnknownInstrument`] for 0, which stands for no instrument, and past the limit of instruments;
    /// [`AnomalyKind::BookFull`] past the limit of books.
    pub fn list(&mut self, instrument: u32, keeping: Keeping) -> Result<(), Fault> {
        let Keeping { kind, source, signed, own_references } = keeping;
        let place = self.place(instrument);
        let Some(entry) = self.places.get_mut(instrument as usize).filter(|_| instrument != 0) else {
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
        if (slot.kind, slot.source) != (kind, source) {
            slot.space = space_of(source, own_references.then_some(at));
        }
        (slot.kind, slot.source, slot.signed) = (kind, source, signed);
        Ok(())
    }

    /// How a book is kept.
    pub(super) fn keeping(&self, book: BookId) -> Keeping {
        let Slot { kind, source, signed, space, .. } = self.slots[book.0];
        Keeping { kind, source, signed, own_references: space != space_of(source, None) }
    }

    /// Adds an order at the end of its level's queue.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::DuplicateOrder`], [`AnomalyKind::BookFull`]; the book is unchanged.
    #[inline]
    pub fn add(&mut self, book: BookId, reference: u64, side: Side, px: Px, qty: u64) -> Result<LevelChange, Fault> {
        self.mark_dirty(book);
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
    ) -> Result<LevelChange, Fault> {
        self.check(path.book, side, px, qty, reference)?;
        let chain = self.refs.first(path.home);
        if chain != NOBODY && self.seek(path.book, chain, reference) != Lookup::Absent {
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

    /// Takes `qty` off an order and removes the order when nothing is left.
    ///
    /// # Errors
    /// [`AnomalyKind::BadValue`], [`AnomalyKind::UnknownOrder`]; the book is unchanged.
    #[inline]
    pub fn reduce(&mut self, book: BookId, reference: u64, qty: u64) -> Result<Reduced, Fault> {
        self.mark_dirty(book);
        self.reduce_at(self.path_of(book, reference), reference, Some(qty))
    }

    /// Removes an order.
    ///
    /// # Errors
    /// [`AnomalyKind::UnknownOrder`].
    #[inline]
    pub fn delete(&mut self, book: BookId, reference: u64) -> Result<LevelChange, Fault> {
        self.mark_dirty(book);
        self.reduce_at(self.path_of(book, reference), reference, None).map(|reduced| reduced.change)
    }

    /// Takes `qty`, or everything, off an order. One path for both: a branch between them would be mispredicted.
    #[inline(always)]
    pub(super) fn reduce_at(&mut self, path: BookPath, reference: u64, qty: Option<u64>) -> Result<Reduced, Fault> {
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
            return Ok(Reduced { change: level.change(), over: false });
        }
        let over = (qty > order.qty) & !all;
        Ok(Reduced { change: self.remove(path, at), over })
    }

    /// Gives an order new terms. It keeps its queue position only if reference and price stay and the quantity does not
    /// grow. The old terms end in every case: if the new ones cannot be booked, the order is gone.
    ///
    /// # Errors
    /// [`AnomalyKind::UnknownOrder`]: nothing is added, since the order's side is not known.
    pub fn replace(&mut self, book: BookId, old: u64, new: u64, px: Px, qty: u64) -> Result<Replaced, Fault> {
        self.mark_dirty(book);
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

    /// Empties a book. Linear in its orders and levels.
    pub fn clear(&mut self, book: BookId) {
        let slot = &mut self.slots[book.0];
        slot.dirty = true;
        let space = slot.space;
        for half in &mut slot.halves {
            self.ladder.drain(half, |level| {
                let mut at = self.levels[level].first;
                while at != NOBODY {
                    let Order { reference, after, chain, .. } = self.orders[at];
                    self.refs.unlink(self.refs.home(space, reference), at, chain, &mut self.orders);
                    self.orders.give(at);
                    at = after;
                }
                self.levels[level].owner = NONE;
                self.levels.give(level);
            });
        }
    }

    /// Empties every book of a source and forgets the tops that they published. Linear in their orders and levels.
    pub fn clear_source(&mut self, source: u8) {
        for instrument in 0..self.places.len() {
            if let Place::Book(book) = self.place(instrument as u32)
                && self.slots[book.0].source == source
            {
                self.clear(book);
                self.slots[book.0].published = [Touch::NONE; 2];
            }
        }
    }

    /// Capacity for orders: one slot of the pool is [`NOBODY`].
    pub(super) fn max_orders(&self) -> usize {
        self.orders.capacity() - 1
    }

    #[inline]
    pub(super) fn check(&self, book: BookId, side: Side, px: Px, qty: u64, reference: u64) -> Result<(), Fault> {
        let priced = px != Px::NONE && (px.0 > 0 || (self.slots[book.0].signed && px.0 > -i64::MAX));
        if priced && qty > 0 && side != Side::None {
            return Ok(());
        }
        Err(Fault { what: AnomalyKind::BadValue, detail: reference })
    }

    /// The live order of a reference in this book.
    #[inline]
    fn find(&self, path: BookPath, reference: u64) -> Result<u32, Fault> {
        let first = self.refs.first(path.home);
        let order = &self.orders[first];
        if order.reference == reference && first != NOBODY && self.levels[order.level].book() == path.book.0 {
            return Ok(first);
        }
        match self.seek(path.book, first, reference) {
            Lookup::Found(at) => Ok(at),
            _ => Err(Fault { what: AnomalyKind::UnknownOrder, detail: reference }),
        }
    }

    /// Walks a hash chain.
    #[inline(never)]
    fn seek(&self, book: BookId, mut at: u32, reference: u64) -> Lookup {
        while at != NOBODY {
            let order = &self.orders[at];
            if order.reference == reference {
                let owner = self.levels[order.level].book();
                if owner == book.0 {
                    return Lookup::Found(at);
                }
                if self.slots[owner].space == self.slots[book.0].space {
                    return Lookup::OtherBook;
                }
            }
            at = order.chain;
        }
        Lookup::Absent
    }

    /// Whether a reference is live in any book of the same space.
    pub(super) fn is_live(&self, book: BookId, reference: u64) -> bool {
        self.seek(book, self.refs.first(self.path_of(book, reference).home), reference) != Lookup::Absent
    }

    /// The pool slot of an order.
    pub(super) fn locate(&self, book: BookId, reference: u64) -> Result<u32, Fault> {
        self.find(self.path_of(book, reference), reference)
    }

    #[inline(always)]
    fn remove(&mut self, path: BookPath, at: u32) -> LevelChange {
        let order = self.orders[at];
        self.refs.unlink(path.home, at, order.chain, &mut self.orders);
        let change = dequeue(&mut self.levels[order.level], &order, &mut self.orders);
        self.orders.give(at);
        if change.orders == 0 {
            self.close_level(path.book, order.level);
        }
        change
    }

    /// Moves the order `at` to the end of its level's queue, with new terms.
    fn requeue(&mut self, at: u32, terms: Order) {
        let order = self.orders[at];
        let level = &mut self.levels[order.level];
        dequeue(level, &order, &mut self.orders);
        enqueue(level, order.level, at, terms, &mut self.orders);
    }
}

/// Where to look for an order: its book and its hash chain.
#[derive(Clone, Copy)]
pub(super) struct BookPath {
    pub(super) book: BookId,
    home: usize,
}

/// Result of a walk along a hash chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lookup {
    /// Live in no book of the space.
    Absent,
    /// Live in another book of the space.
    OtherBook,
    /// Live in this book, in this pool slot.
    Found(u32),
}
