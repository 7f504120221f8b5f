//! The open orders, by id.
//!
//! One cache line an order, found [by key](ByKey). Ids of a strategy differ in their counter only, and where the next one will
//! be looked for is known when one is issued; so that place, never cached by chance, is prefetched.
//!
//! Bound: the number of orders; an access touches a slot of the index and an order. Worst case: colliding ids cost one probe
//! each.

use super::cycle::State;
use crate::by_key::{ByKey, Keyed};
use flow::{OrderId, Side};

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Order {
    /// Its id; 0 = none.
    pub id: OrderId,
    /// Pending: the order that it replaces. Replace-pending: the order that replaces it. Else 0.
    pub link: OrderId,
    /// Intended quantity, filled part included.
    pub qty: u64,
    /// First id of its replace chain; its own id if it replaced none.
    pub root: OrderId,
    /// Filled and not busted, fills of the orders that it replaced included.
    pub filled: u64,
    /// Filled and busted; this quantity is not open again.
    pub busted: u64,
    /// Instrument.
    pub instrument: u32,
    /// Side.
    pub side: Side,
    /// State in the life cycle.
    pub state: State,
    /// Whether its gateway reported it as sent.
    pub sent: bool,
}

impl Order {
    /// No order.
    pub(super) const NONE: Order = Order {
        id: OrderId(0),
        link: OrderId(0),
        qty: 0,
        root: OrderId(0),
        filled: 0,
        busted: 0,
        instrument: u32::MAX,
        side: Side::None,
        state: State::Done,
        sent: false,
    };

    /// Open quantity.
    #[inline]
    pub fn left(&self) -> u64 {
        self.qty.saturating_sub(self.filled).saturating_sub(self.busted)
    }
}

impl Keyed for Order {
    const VACANT: Order = Order::NONE;

    #[inline]
    fn key(&self) -> u64 {
        self.id.0
    }
}

/// The table.
pub(super) struct Table {
    orders: ByKey<Order>,
    in_flight: usize,
    /// Where the search for the next id begins.
    next: usize,
}

impl Table {
    /// Room for `limit` orders.
    pub(super) fn new(limit: usize) -> Table {
        Table { orders: ByKey::new(limit), in_flight: 0, next: 0 }
    }

    /// The most orders.
    pub(super) fn limit(&self) -> usize {
        self.orders.limit()
    }

    /// How many orders there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.orders.len()
    }

    /// How many of them are unanswered.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// All orders, in arbitrary order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    /// Prefetches where the next order will lie.
    #[inline]
    pub(super) fn prefetch_next(&self) {
        self.orders.fetch(self.next);
    }

    /// The order of that id.
    #[inline]
    pub(super) fn get(&self, id: OrderId) -> Option<Order> {
        self.orders.get(id.0).copied()
    }

    /// Adds an order with a new id other than 0; false when there is no room.
    #[inline]
    pub(super) fn add(&mut self, order: Order) -> bool {
        let added = self.orders.add(order).is_some();
        if added {
            self.next = self.orders.home(order.id.0.wrapping_add(1));
            self.in_flight += usize::from(order.state.is_in_flight());
        }
        added
    }

    /// Stores an order; a terminal one is removed.
    #[inline]
    pub(super) fn put(&mut self, order: Order) {
        let was = self.orders.get_mut(order.id.0).expect("only an order of the table is stored");
        self.in_flight -= usize::from(was.state.is_in_flight());
        if order.state.is_terminal() {
            self.orders.remove(order.id.0);
        } else {
            *was = order;
            self.in_flight += usize::from(order.state.is_in_flight());
        }
    }

    /// Removes all orders.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
        self.in_flight = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Account, StrategyId};
    use std::collections::BTreeMap;

    /// Full and nearly full small tables, where runs wrap around the end and shift back all the time.
    #[test]
    fn what_is_put_in_is_found_until_it_is_terminal() {
        for limit in [1, 2, 7, 16] {
            let (mut table, mut model, mut drawn) = (Table::new(limit), BTreeMap::new(), 1_u64);
            for n in 1..20_000_u64 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let id = OrderId::new(Account((drawn >> 60) as u8), StrategyId(3), n);
                let order = Order { id, qty: n, state: State::Pending, ..Order::NONE };
                if table.add(order) {
                    model.insert(id, order);
                }
                let place = (drawn >> 33) as usize % model.len();
                let (_, mut changed) = model.iter().nth(place).map(|(id, order)| (*id, *order)).unwrap();
                changed.state = if drawn >> 20 & 3 == 0 { State::Live } else { State::Done };
                table.put(changed);
                match changed.state {
                    State::Done => drop(model.remove(&changed.id)),
                    _ => drop(model.insert(changed.id, changed)),
                }
                assert!(model.values().all(|o| table.get(o.id) == Some(*o)), "{n}");
                assert_eq!((table.get(changed.id), table.get(OrderId(n))), (model.get(&changed.id).copied(), None));
                let in_flight = model.values().filter(|o| o.state.is_in_flight()).count();
                assert_eq!(
                    (table.len(), table.iter().count(), table.in_flight()),
                    (model.len(), model.len(), in_flight)
                );
                assert!(model.len() <= limit);
            }
        }
    }
}
