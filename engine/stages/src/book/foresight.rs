//! What the next messages will need, brought into the cache while the present ones are worked on.
//!
//! A message by reference goes from its book to the head of a chain, from there to the order, from there to its level and
//! its neighbours in the queue: accesses of which each has to wait for the one before, and with many orders none of them
//! is in the cache. So the steps are taken ahead, one a message, for what is still [`FAR`] away: first book and
//! head, [`STEP`] messages later the order (or, where one will be added, the levels next to the touch), then level and neighbours. Nothing
//! of the books is changed, and what is guessed wrong (a reference that another message frees in between) costs time
//! alone.
//!
//! Bound: [`ROOM`] messages are on their way.

use super::books::{BookId, Books, Place};
use super::order::NOBODY;
use super::pool::NONE;
use flow::Event;

/// Messages ahead that the first step is taken for.
const FAR: usize = 12;
/// Messages between two steps.
const STEP: usize = 4;
/// Messages that are on their way, and some; a power of two.
const ROOM: usize = 16;

/// A message that will come: its chain, and the side of its book, as far as it names one.
#[derive(Clone, Copy)]
struct Coming {
    home: u32,
    book: u32,
    half: u8,
}

/// The messages on their way.
pub(super) struct Foresight {
    coming: [Coming; ROOM],
    at: usize,
}

impl Foresight {
    pub(super) const NOTHING: Foresight =
        Foresight { coming: [Coming { home: 0, book: 0, half: 0 }; ROOM], at: 0 };

    /// Takes one step each for the messages in `coming`, the next one first.
    #[inline]
    pub(super) fn look(&mut self, books: &Books, coming: &[Event]) {
        let Some(event) = coming.get(FAR) else { return };
        self.at = self.at.wrapping_add(1);
        self.coming[self.at % ROOM] = Coming::of(books, event);
        self.coming[self.at.wrapping_sub(STEP) % ROOM].fetch_order(books);
        self.coming[self.at.wrapping_sub(2 * STEP) % ROOM].fetch_level(books);
    }
}

impl Coming {
    #[inline]
    fn of(books: &Books, event: &Event) -> Coming {
        let book = match books.place(event.instrument) { Place::Book(BookId(book)) => book, _ => 0 };
        let reference = u64::from_le_bytes(event.body[8..16].try_into().expect("eight bytes"));
        let home = books.refs.home(books.slots[book].source, reference);
        books.refs.fetch(home);
        Coming { home: home as u32, book, half: (event.side() == flow::Side::Sell) as u8 }
    }

    #[inline]
    fn first(&self, books: &Books) -> u32 {
        let first = books.refs.first(self.home as usize);
        std::hint::select_unpredictable(first == NONE, NOBODY, first)
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
