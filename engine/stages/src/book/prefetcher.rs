//! What the next messages will need, brought into the cache while the present ones are worked on.
//!
//! A message by reference goes from its book to the head of a chain, from there to the order, from there to its level; a
//! new order goes by a shortcut to its level, or to the levels next to the touch. Each access has to wait for the one
//! before, and with many orders none of them is in the cache. So the steps are taken ahead: for the message [`FAR`] away
//! its head, its shortcut and the tip of its side; [`STEP`] messages later the order, or whatever its chain begins with,
//! and the level that the shortcut guesses; as much later the order's level. Where more wait than did before, the first
//! of them take all steps at once. What is not needed by a message of that kind is fetched all the same, since a branch
//! on the kind cannot be guessed and costs more than a fetch. The neighbours in the queue are not worth it: only few have
//! any that are not there yet. Nothing of the books is changed, and what is fetched in vain (a reference that another
//! message frees in between) costs time alone.
//!
//! Bound: [`ROOM`] messages are on their way. Worst case: about 3 ns a message where everything is in the cache anyway.

use super::books::Books;
use super::order::{half_of, owner_of};
use super::pool::NONE;
use super::stage::reference;
use flow::{Event, Kind, Px};

/// Messages ahead that the first step is taken for.
const FAR: usize = 12;
/// Messages between two steps.
const STEP: usize = 4;
/// Messages that are on their way, and some; a power of two.
const ROOM: usize = 16;

/// The messages on their way.
pub(super) struct Prefetcher {
    lookahead: [Upcoming; ROOM],
    /// Number of the message that was shown first last.
    now: usize,
    /// How many were shown behind it.
    left: usize,
}

impl Prefetcher {
    /// Nothing is on its way.
    pub(super) const NOTHING: Prefetcher =
        Prefetcher { lookahead: [Upcoming { home: 0, price: 0 }; ROOM], now: 0, left: 0 };

    /// Takes each step for one of the messages in `coming`, of which the next one is the first.
    #[inline]
    pub(super) fn look(&mut self, books: &Books, lookahead: &[Event]) {
        // A book by level has no references, and one feed rarely mixes both. A trade has none that is looked for.
        match lookahead {
            [next, ..] if matches!(next.kind, Kind::Level | Kind::Trade) => {}
            [] => self.left = 0,
            _ => self.step(books, lookahead),
        }
    }

    #[inline]
    fn step(&mut self, books: &Books, lookahead: &[Event]) {
        if lookahead.len() > self.left {
            self.begin(books, lookahead);
        }
        self.left = lookahead.len() - 1;
        self.now = self.now.wrapping_add(1);
        if let Some(event) = lookahead.get(FAR) {
            self.lookahead[(self.now + FAR) % ROOM] = Upcoming::of(books, event);
        }
        self.lookahead[(self.now + FAR - STEP) % ROOM].fetch_order(books);
        self.lookahead[(self.now + FAR - 2 * STEP) % ROOM].fetch_level(books);
    }

    /// Takes all steps for those that no message before them was there for.
    #[cold]
    fn begin(&mut self, books: &Books, lookahead: &[Event]) {
        if lookahead.len() <= STEP {
            return;
        }
        let first = &lookahead[..lookahead.len().min(FAR)];
        for (i, event) in first.iter().enumerate() {
            self.lookahead[(self.now + 1 + i) % ROOM] = Upcoming::of(books, event);
        }
        (0..first.len()).for_each(|i| self.lookahead[(self.now + 1 + i) % ROOM].fetch_order(books));
        (0..first.len()).for_each(|i| self.lookahead[(self.now + 1 + i) % ROOM].fetch_level(books));
    }
}

/// Where a message will go: its chain, and the place of its price. Of what has neither they are those of another one.
#[derive(Clone, Copy)]
struct Upcoming {
    home: u32,
    price: u32,
}

impl Upcoming {
    #[inline]
    fn of(books: &Books, event: &Event) -> Upcoming {
        let book = books.places.get(event.instrument as usize).map_or(NONE, |book| *book);
        let Some(slot) = books.slots.get(book) else { return Upcoming { home: 0, price: 0 } };
        let home = books.refs.home(slot.source, reference(event));
        books.refs.fetch(home);
        let side = event.side();
        // Only an `add` has its price there; what others have there is some place or other.
        let px = Px(i64::from_le_bytes(event.body[16..24].try_into().expect("eight bytes")));
        let price = books.shortcuts.place(owner_of(book, side), px);
        books.shortcuts.fetch(price);
        books.ladder.fetch(&slot.halves[half_of(side)]);
        Upcoming { home: home as u32, price: price as u32 }
    }

    #[inline]
    fn fetch_order(&self, books: &Books) {
        books.orders.fetch(books.refs.first(self.home as usize));
        books.levels.fetch(books.shortcuts.guess(self.price as usize));
    }

    #[inline]
    fn fetch_level(&self, books: &Books) {
        let order = &books.orders[books.refs.first(self.home as usize)];
        books.levels.fetch(order.level);
    }
}
