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

/// An order, in a cache line of its own: without it most would lie in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(align(64))]
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

#[inline]
fn key_of(order: &Order) -> u64 {
    key(order.instrument, order.reference)
}

/// Where an order is, until another is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    slot: usize,
    number: u32,
}

/// A place in the index where no order is, until another is added.
pub(super) struct Vacancy(usize);

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

    /// Where an order is.
    #[inline]
    pub(super) fn find(&self, instrument: u32, reference: u64) -> Option<Place> {
        let slot = self.slot(instrument, reference);
        self.index.get(slot).map(|number| Place { slot, number })
    }

    #[inline]
    pub(super) fn get(&self, place: Place) -> &Order {
        &self.orders[place.number]
    }

    /// Takes quantity off an order, and lets it go if nothing is left.
    #[inline]
    pub(super) fn lower(&mut self, place: Place, qty: u64) {
        let order = &mut self.orders[place.number];
        order.left -= qty;
        if order.left == 0 {
            self.remove(place);
        }
    }

    /// Where an order with this reference goes; `None` if there is one already.
    #[inline]
    pub(super) fn vacancy(&self, instrument: u32, reference: u64) -> Option<Vacancy> {
        let slot = self.slot(instrument, reference);
        self.index.get(slot).is_none().then_some(Vacancy(slot))
    }

    /// Whether there is room for one more.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.orders.left() > 0
    }

    /// Takes the order whose vacancy it is; `false` without room.
    #[inline]
    pub(super) fn add(&mut self, Vacancy(slot): Vacancy, order: Order) -> bool {
        let Some(number) = self.orders.take() else { return false };
        let Orders { index, orders } = self;
        orders[number] = order;
        index.set(slot, number, |at| key_of(&orders[at]));
        true
    }

    /// Lets an order go.
    fn remove(&mut self, Place { slot, number }: Place) {
        let Orders { index, orders } = self;
        index.remove(slot, |at| key_of(&orders[at]));
        orders[number].instrument = 0;
        orders.give(number);
    }

    /// Gives an order another reference, which is not there.
    pub(super) fn rename(&mut self, place: Place, reference: u64) {
        let order = Order { reference, ..*self.get(place) };
        self.remove(place);
        if let Some(vacancy) = self.vacancy(order.instrument, reference) {
            self.add(vacancy, order);
        }
    }

    /// Where the search for an order begins, for [`Orders::fetch_slot`] and [`Orders::fetch_order`].
    #[inline]
    pub(super) fn home(&self, instrument: u32, reference: u64) -> usize {
        self.index.home(key(instrument, reference))
    }

    /// Prefetches the slot where a search begins.
    #[inline]
    pub(super) fn fetch_slot(&self, home: usize) {
        self.index.fetch(home);
    }

    /// The number of the order that is found there, or else of the one that is added next.
    #[inline]
    fn glance(&self, home: usize) -> u32 {
        self.index.glance(home, self.orders.next())
    }

    /// Prefetches the order that is found there, or the place of the next one.
    #[inline]
    pub(super) fn fetch_order(&self, home: usize) {
        self.orders.fetch(self.glance(home));
    }

    /// Side and rank of that order, or of the one that was there before.
    #[inline]
    pub(super) fn guess(&self, home: usize) -> (bool, usize) {
        self.orders.get(self.glance(home)).map_or((false, 0), |order| (order.is_bid, order.rank.into()))
    }

    /// Lets the orders of all instruments go of which `is` says so.
    #[cold]
    pub(super) fn remove_all(&mut self, is: impl Fn(u32) -> bool) {
        for number in 0..self.orders.made().len() as u32 {
            let Order { instrument, reference, .. } = self.orders[number];
            if instrument != 0 && is(instrument) {
                let slot = self.slot(instrument, reference);
                self.remove(Place { slot, number });
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

    fn add(orders: &mut Orders, order: Order) -> bool {
        let vacancy = orders.vacancy(order.instrument, order.reference).expect("its reference is new");
        orders.add(vacancy, order)
    }

    #[test]
    fn an_order_has_the_size_of_the_page() {
        assert_eq!((size_of::<Order>(), size_of::<super::super::prices::Price>()), (64, 56));
    }

    #[test]
    fn orders_are_found_renamed_and_let_go() {
        let mut orders = Orders::new(3);
        assert!([(1, 7), (2, 7), (1, 8)].into_iter().all(|(of, reference)| add(&mut orders, order(of, reference))));
        assert!(!orders.has_room() && !add(&mut orders, order(1, 9)));
        assert!(orders.vacancy(1, 8).is_none(), "one reference is one order's");
        let seven = orders.find(2, 7).unwrap();
        orders.rename(seven, 70);
        assert_eq!((orders.find(2, 7), orders.find(1, 7).is_some()), (None, true));
        assert_eq!(
            orders.sorted().iter().map(|o| (o.instrument, o.reference)).collect::<Vec<_>>(),
            [(1, 7), (1, 8), (2, 70)]
        );
        orders.remove_all(|instrument| instrument == 1);
        assert_eq!(orders.sorted().len(), 1);
        assert!(add(&mut orders, order(1, 9)) && orders.find(2, 70).is_some());
        let nine = orders.find(1, 9).unwrap();
        orders.lower(nine, 4);
        assert_eq!(orders.get(nine).left, 5);
        orders.lower(nine, 5);
        assert_eq!(orders.find(1, 9), None, "nothing is left of it");
    }
}
