//! The orders that are followed: of each what is left, and where and since when it was displayed.
//!
//! The book has no table that would do. A feed like LOBSTER has references while its book is kept by level, without orders; and an order
//! of the book is half a cache line, which times and ranks would double for everyone who does not ask for them. So the table is here, it
//! costs only where the measure runs, and the book adds the one thing that only it knows, the rank.
//!
//! Bound: so many orders of all instruments. Worst case: colliding references cost a probe each; what a book that is emptied had is
//! found by a walk over all that there ever were at once.

use crate::hash_index::HashIndex;
use crate::pool::Pool;
use flow::{Ns, Px};
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) left: u64,
    pub(super) px: Px,
    /// When it was displayed, and when the first of its chain was.
    pub(super) shown: Ns,
    pub(super) chain: Ns,
    /// 0 while the slot is free.
    #[serde(skip)]
    pub(super) instrument: u32,
    /// Number of the session in which it was displayed.
    pub(super) session: u32,
    /// Whether it is a bid.
    pub(super) is_bid: bool,
    /// Index of its rank among [`super::sums::RANKS`].
    pub(super) rank: u8,
}

impl Order {
    const VACANT: Order = Order {
        reference: 0,
        left: 0,
        px: Px(0),
        shown: Ns(0),
        chain: Ns(0),
        instrument: 0,
        session: 0,
        is_bid: false,
        rank: 0,
    };
}

/// The hash key of a reference.
#[inline]
fn key(instrument: u32, reference: u64) -> u64 {
    reference ^ u64::from(instrument).rotate_right(20)
}

/// The orders of all instruments.
pub(super) struct Orders {
    index: HashIndex,
    orders: Pool<Order>,
}

impl Orders {
    /// Room for so many orders.
    pub(super) fn new(most: u32) -> Orders {
        Orders { index: HashIndex::new(most as usize), orders: Pool::new(most, Order::VACANT) }
    }

    /// The most orders.
    pub(super) fn most(&self) -> usize {
        self.orders.capacity()
    }

    #[inline]
    fn slot(&self, instrument: u32, reference: u64) -> usize {
        self.index.seek(key(instrument, reference), |at| {
            let order = &self.orders[at];
            order.reference == reference && order.instrument == instrument
        })
    }

    /// The number of an order.
    #[inline]
    pub(super) fn find(&self, instrument: u32, reference: u64) -> Option<u32> {
        self.index.get(self.slot(instrument, reference))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> &mut Order {
        &mut self.orders[number]
    }

    /// Whether there is room for one more.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.orders.left() > 0
    }

    /// Takes an order whose reference is not there; `false` without room.
    pub(super) fn add(&mut self, order: Order) -> bool {
        let Some(number) = self.orders.take() else { return false };
        let slot = self.slot(order.instrument, order.reference);
        self.orders[number] = order;
        self.index.set(slot, number);
        true
    }

    /// Lets an order go.
    pub(super) fn remove(&mut self, number: u32) {
        let Order { instrument, reference, .. } = self.orders[number];
        let (slot, orders) = (self.slot(instrument, reference), &self.orders);
        self.index.remove(slot, |at| key(orders[at].instrument, orders[at].reference));
        self.orders[number].instrument = 0;
        self.orders.give(number);
    }

    /// Gives an order another reference, which is not there.
    pub(super) fn rename(&mut self, number: u32, reference: u64) {
        let order = self.orders[number];
        self.remove(number);
        self.add(Order { reference, ..order });
    }

    /// Lets the orders of all instruments go of which `is` says so.
    #[cold]
    pub(super) fn remove_all(&mut self, is: impl Fn(u32) -> bool) {
        for number in 0..self.orders.made().len() as u32 {
            let instrument = self.orders[number].instrument;
            if instrument != 0 && is(instrument) {
                self.remove(number);
            }
        }
    }

    /// Every order, by instrument and reference.
    pub(super) fn sorted(&self) -> Vec<Order> {
        let mut all: Vec<Order> = self.orders.made().iter().filter(|order| order.instrument != 0).copied().collect();
        all.sort_by_key(|order| (order.instrument, order.reference));
        all
    }

    /// Lets all go.
    pub(super) fn clear(&mut self) {
        self.index.clear();
        self.orders.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(instrument: u32, reference: u64) -> Order {
        Order { reference, instrument, left: reference, ..Order::VACANT }
    }

    #[test]
    fn an_order_has_the_size_of_the_page() {
        assert_eq!((size_of::<Order>(), size_of::<super::super::prices::Price>()), (56, 56));
    }

    #[test]
    fn orders_are_found_renamed_and_let_go() {
        let mut orders = Orders::new(3);
        assert!(orders.add(order(1, 7)) && orders.add(order(2, 7)) && orders.add(order(1, 8)));
        assert!(!orders.has_room() && !orders.add(order(1, 9)));
        let seven = orders.find(2, 7).unwrap();
        orders.rename(seven, 70);
        assert_eq!((orders.find(2, 7), orders.find(1, 7).is_some()), (None, true));
        assert_eq!(
            orders.sorted().iter().map(|o| (o.instrument, o.reference)).collect::<Vec<_>>(),
            [(1, 7), (1, 8), (2, 70)]
        );
        orders.remove_all(|instrument| instrument == 1);
        assert_eq!(orders.sorted().len(), 1);
        assert!(orders.add(order(1, 9)) && orders.find(2, 70).is_some());
    }
}
