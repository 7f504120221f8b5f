//! What the next messages will need, brought into the cache while the present ones are worked on.
//!
//! A message by reference goes from its book to the head of a chain, from there to the order, from there to its level and
//! its neighbours in the queue; a new order goes to the levels next to the touch. Each access has to wait for the one before,
//! and with many orders none of them is in the cache. So the steps are taken ahead: for the message [`FAR`] away its head;
//! [`STEP`] messages later the order, or whatever its chain begins with, and the tip of its side; as much later the level and the
//! neighbours. What is not needed by a message of that kind is fetched all the same, since a branch on the kind
//! cannot be guessed and costs more than a fetch. Nothing of the books is changed, and what is fetched in vain (a
//! reference that another message frees in between) costs time alone.
//!
//! Bound: [`ROOM`] messages are on their way. Worst case: about 3 ns a message where everything is in the cache anyway.

use super::books::{BookId, Books, Place};
use super::order::{NOBODY, half_of};
use super::pool::NONE;
use flow::{Event, Kind};
use std::hint::select_unpredictable;

/// Messages ahead that the first step is taken for.
const FAR: usize = 12;
/// Messages between two steps.
const STEP: usize = 4;
/// Messages that are on their way, and some; a power of two.
const ROOM: usize = 16;

/// The messages on their way.
pub(super) struct Foresight {
    coming: [Coming; ROOM],
    at: usize,
}

impl Foresight {
    /// Nothing is on its way.
    pub(super) const NOTHING: Foresight = Foresight { coming: [Coming { home: 0, book: 0, half: 0 }; ROOM], at: 0 };

    /// Takes each step for one of the messages in `coming`, of which the next one is the first.
    #[inline]
    pub(super) fn look(&mut self, books: &Books, coming: &[Event]) {
        // A book by level has no references, and one feed rarely mixes both. A trade has none that is looked for.
        if let Some(event) = coming.get(FAR).filter(|event| !matches!(event.kind, Kind::Level | Kind::Trade)) {
            self.step(books, event);
        }
    }

    #[inline(never)]
    fn step(&mut self, books: &Books, event: &Event) {
        self.at = self.at.wrapping_add(1);
        self.coming[self.at % ROOM] = Coming::of(books, event);
        self.coming[self.at.wrapping_sub(STEP) % ROOM].fetch_order(books);
        self.coming[self.at.wrapping_sub(2 * STEP) % ROOM].fetch_level(books);
    }
}

/// Where a message will go: its chain, and a side of its book. Of what has neither they are those of another one.
#[derive(Clone, Copy)]
struct Coming {
    home: u32,
    book: u32,
    half: u8,
}

impl Coming {
    #[inline]
    fn of(books: &Books, event: &Event) -> Coming {
        let book = if let Place::Book(BookId(book)) = books.place(event.instrument) { book } else { 0 };
        // All messages by reference have it there, behind the exchange's time.
        let reference = u64::from_le_bytes(event.body[8..16].try_into().expect("eight bytes"));
        let home = books.refs.home(books.slots[book].source, reference);
        books.refs.fetch(home);
        Coming { home: home as u32, book, half: half_of(event.side()) as u8 }
    }

    /// The place that the chain begins with.
    #[inline]
    fn first(&self, books: &Books) -> u32 {
        let first = books.refs.first(self.home as usize);
        select_unpredictable(first == NONE, NOBODY, first)
    }

    #[inline]
    fn fetch_order(&self, books: &Books) {
        books.orders.fetch(self.first(books));
        books.ladder.fetch(&books.slots[self.book].halves[usize::from(self.half)]);
    }

    #[inline]
    fn fetch_level(&self, books: &Books) {
        let order = &books.orders[self.first(books)];
        books.levels.fetch(order.level);
        books.orders.fetch(order.before);
        books.orders.fetch(order.after);
    }
}
