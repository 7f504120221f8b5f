//! Prefetches the memory of the next messages while the present one is processed.
//!
//! A message by reference goes from its book to the head of a hash chain, from there to the order, and from there to its
//! level; a new order goes by a shortcut to its level, or to the levels at the touch. Each access depends on the one
//! before, and with many orders none of them hits the cache. So the steps are taken ahead of time: for the message
//! [`FAR`] ahead its chain head, its shortcut and the leaf at the touch; [`STEP`] messages later the first order of the
//! chain and the guessed level; [`STEP`] messages later still the level of that order. When the lookahead grows, its
//! first messages take all steps at once. Every message fetches the same lines whatever its kind: a mispredicted branch
//! costs more than a wasted fetch. Neighbours in the queue are not fetched, since few orders have any that are not cached
//! already. The books are never changed; a wasted fetch (an order that another message removes first) costs time only.
//!
//! Bound: [`ROOM`] messages in flight. Worst case: about 3 ns per message when everything is in the cache anyway.

use super::books::Books;
use super::order::{half_of, order_ref_of, owner_of};
use crate::pool::NONE;
use flow::{Event, Kind, Px};

/// Distance, in messages, of the first step.
const FAR: usize = 12;
/// Messages between two steps.
const STEP: usize = 4;
/// Slots for the messages in flight, more than [`FAR`]; a power of two.
const ROOM: usize = 16;

/// The messages whose memory is being fetched.
pub(super) struct Prefetcher {
    lookahead: [Upcoming; ROOM],
    /// Number of the message that was first in the last lookahead.
    now: usize,
    /// How many messages followed it in that lookahead.
    left: usize,
}

impl Prefetcher {
    /// No message in flight.
    pub(super) const NOTHING: Prefetcher =
        Prefetcher { lookahead: [Upcoming { home: 0, price: 0 }; ROOM], now: 0, left: 0 };

    /// Takes one step for messages in `lookahead`, whose first is the next event.
    #[inline]
    pub(super) fn advance(&mut self, books: &Books, lookahead: &[Event]) {
        // A book by level has no references, and a feed rarely mixes both; a trade looks up no order.
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

    /// Takes all steps at once for messages that had none before them.
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

/// Where a message will go: its hash chain and the slot of its shortcut. A message without one gets an arbitrary place.
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
        let home = books.refs.home(slot.space, order_ref_of(event));
        books.refs.fetch(home);
        let side = event.side();
        // Only an `add` has its price at this offset; for other kinds the slot is arbitrary and harmless.
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
