//! Where the memory for the next messages lies.
//!
//! A message by reference goes over the index to its order, and from there to the sums of the order's side and rank; a replace also goes
//! to the place of its new reference. So the steps of the [lookahead](crate::lookahead) are: the slots of the index and the instrument;
//! the order, or the place of a new one; its sums. Bound: two numbers a message. Worst case: that of the lookahead.

use super::market::Market;
use super::orders::Orders;
use crate::book::order_ref_of;
use crate::lookahead::Fetches;
use flow::{Event, GrowingTable, Kind};
use std::hint::select_unpredictable;

/// Where a message will go: the place of its order, and its instrument.
#[derive(Clone, Copy)]
pub(crate) struct Upcoming {
    home: u32,
    instrument: u32,
}

impl Upcoming {
    /// An arbitrary place.
    pub(super) const NOWHERE: Upcoming = Upcoming { home: 0, instrument: 0 };
}

/// What a message needs.
pub(super) struct Tables<'a> {
    pub(super) markets: &'a GrowingTable<Market>,
    pub(super) orders: &'a Orders,
}

impl Fetches for Tables<'_> {
    type Upcoming = Upcoming;

    #[inline]
    fn first(&self, event: &Event) -> Upcoming {
        let (instrument, reference) = (event.instrument, order_ref_of(event));
        let home = self.orders.home(instrument, reference);
        self.orders.fetch_slot(home);
        // The reference that a replace gives; for the others that slot again.
        let third_word = u64::from_le_bytes(event.body[16..24].try_into().expect("eight bytes"));
        let other = select_unpredictable(event.kind == Kind::Replace, third_word, reference);
        self.orders.fetch_slot(self.orders.home(instrument, other));
        if let Some(market) = self.markets.get(instrument as usize) {
            market.fetch();
        }
        Upcoming { home: home as u32, instrument }
    }

    #[inline]
    fn second(&self, upcoming: &Upcoming) {
        self.orders.fetch_order(upcoming.home as usize);
    }

    #[inline]
    fn third(&self, upcoming: &Upcoming) {
        let (is_bid, rank) = self.orders.guess(upcoming.home as usize);
        if let Some(market) = self.markets.get(upcoming.instrument as usize) {
            market.fetch_sums(is_bid, rank);
        }
    }
}
