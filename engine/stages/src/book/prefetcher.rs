//! Where the book's memory for the next messages lies.
//!
//! A message by reference goes from its book to the head of a hash chain, from there to the order, and from there to its
//! level; a new order goes by a shortcut to its level, or to the levels at the touch. Each access depends on the one
//! before. So the steps of the [lookahead](crate::lookahead) are: the chain head, the shortcut and the leaf at the touch; the first
//! order of the chain and the guessed level; the level of that order. Neighbours in the queue are not fetched, since few orders have
//! any that are not cached already. The books are never changed.
//!
//! Bound: two numbers a message. Worst case: that of the lookahead.

use super::books::Books;
use super::order::{half_of, order_ref_of, owner_of};
use crate::lookahead::Fetches;
use crate::pool::NONE;
use flow::{Event, Px};

/// Where a message will go: its hash chain and the slot of its shortcut.
#[derive(Clone, Copy)]
pub(crate) struct Upcoming {
    home: u32,
    price: u32,
}

impl Upcoming {
    /// An arbitrary place.
    pub(super) const NOWHERE: Upcoming = Upcoming { home: 0, price: 0 };
}

impl Fetches for Books {
    type Upcoming = Upcoming;

    #[inline]
    fn first(&self, event: &Event) -> Upcoming {
        let book = self.places.get(event.instrument as usize).map_or(NONE, |book| *book);
        let Some(slot) = self.slots.get(book) else { return Upcoming::NOWHERE };
        let home = self.refs.home(slot.space, order_ref_of(event));
        self.refs.fetch(home);
        let side = event.side();
        // Only an `add` has its price at this offset; for other kinds the slot is arbitrary and harmless.
        let px = Px(i64::from_le_bytes(event.body[16..24].try_into().expect("eight bytes")));
        let price = self.shortcuts.place(owner_of(book, side), px);
        self.shortcuts.fetch(price);
        self.ladder.fetch(&slot.halves[half_of(side)]);
        Upcoming { home: home as u32, price: price as u32 }
    }

    #[inline]
    fn second(&self, upcoming: &Upcoming) {
        self.orders.fetch(self.refs.first(upcoming.home as usize));
        self.levels.fetch(self.shortcuts.guess(upcoming.price as usize));
    }

    #[inline]
    fn third(&self, upcoming: &Upcoming) {
        let order = &self.orders[self.refs.first(upcoming.home as usize)];
        self.levels.fetch(order.level);
    }
}
