//! The open orders, by id.
//!
//! Open addressing with linear probing, in an array of at least twice as many slots as orders. Removal shifts entries back:
//! no tombstones, nothing degrades with age. Ids of a strategy differ in their counter only; the hash multiplies and takes
//! the high bits, which spreads consecutive ids evenly. So the slot of a new order is never cached by chance: it is
//! prefetched when the id before it is issued, one cache line per order.
//!
//! Bound: the number of orders; an access touches one or two slots on average. Worst case: colliding ids cost one probe
//! each.

use super::cycle::State;
use flow::{OrderId, Side, table};
use prefetch_index::prefetch_index;

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
    /// No order. Not all zero, so that filling memory with it touches the memory.
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

/// The table.
pub(super) struct Table {
    slots: Box<[Order]>,
    shift: u32,
    len: usize,
    limit: usize,
    in_flight: usize,
    /// Slot of the next id.
    next: usize,
}

impl Table {
    /// Room for `limit` orders; every page is touched here.
    pub(super) fn new(limit: usize) -> Table {
        let size = (limit * 2).next_power_of_two().max(2);
        let slots = table(size, Order::NONE);
        Table { slots, shift: 64 - size.trailing_zeros(), len: 0, limit, in_flight: 0, next: 0 }
    }

    /// The most orders.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// How many orders there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many of them are unanswered.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// All orders, in arbitrary order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Order> {
        self.slots.iter().filter(|o| o.id.0 != 0)
    }

    #[inline]
    fn home(&self, id: OrderId) -> usize {
        (id.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    #[inline]
    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    /// Prefetches the slot of the next order.
    #[inline]
    pub(super) fn prefetch_next(&self) {
        prefetch_index(&self.slots, self.next);
    }

    /// The slot of the id, or the slot where it would go.
    #[inline]
    fn seek(&self, id: OrderId) -> usize {
        let mut at = self.home(id);
        while self.slots[at].id != id && self.slots[at].id.0 != 0 {
            at = self.next(at);
        }
        at
    }

    /// The order of that id.
    #[inline]
    pub(super) fn get(&self, id: OrderId) -> Option<Order> {
        let order = self.slots[self.seek(id)];
        (order.id.0 != 0).then_some(order)
    }

    /// Adds an order with a new id other than 0; false when there is no room.
    #[inline]
    pub(super) fn add(&mut self, order: Order) -> bool {
        if self.len == self.limit {
            return false;
        }
        self.next = self.home(OrderId(order.id.0.wrapping_add(1)));
        let at = self.seek(order.id);
        debug_assert!(self.slots[at].id.0 == 0 && order.id.0 != 0, "an id is issued once");
        self.slots[at] = order;
        self.len += 1;
        self.in_flight += usize::from(order.state.is_in_flight());
        true
    }

    /// Stores an order; a terminal one is removed.
    #[inline]
    pub(super) fn put(&mut self, order: Order) {
        let at = self.seek(order.id);
        assert!(self.slots[at].id == order.id, "only an order of the table is stored");
        self.in_flight -= usize::from(self.slots[at].state.is_in_flight());
        if order.state.is_terminal() {
            self.remove(at);
        } else {
            self.slots[at] = order;
            self.in_flight += usize::from(order.state.is_in_flight());
        }
    }

    fn remove(&mut self, mut hole: usize) {
        self.len -= 1;
        let mut at = self.next(hole);
        let mask = self.slots.len() - 1;
        while self.slots[at].id.0 != 0 {
            let home = self.home(self.slots[at].id);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = self.next(at);
        }
        self.slots[hole] = Order::NONE;
    }

    /// Removes all orders.
    pub(super) fn clear(&mut self) {
        self.slots.fill(Order::NONE);
        (self.len, self.in_flight) = (0, 0);
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
