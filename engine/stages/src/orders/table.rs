//! The orders that are not over, found by id.
//!
//! Open addressing with linear probing in an array of at least twice as many places as orders; what is taken out is
//! closed up by moving later ones back, so there are no tombstones and nothing ages. Ids of one strategy differ in
//! their counter alone: the hash multiplies and takes the high bits, which spreads such runs evenly. So the place of an
//! order is in no cache when the order is made; it is fetched when the id before it is given, one pipeline an order.
//!
//! Bound: the number of orders; an access touches one or two places on average. Worst case: ids made to collide cost one
//! look per order.

use super::cycle::State;
use flow::{OrderId, Side};
use prefetch_index::prefetch_index;

/// An order that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Order {
    /// Its id; 0 = none.
    pub id: OrderId,
    /// In flight: the order that it shall replace. Replace-pending: the order that shall replace it. Else 0.
    pub link: OrderId,
    /// Intended quantity, executed part included.
    pub qty: u64,
    /// The first of the orders that replaced each other down to this one; itself, if it replaced none.
    pub root: OrderId,
    /// Executed and not taken back, by orders that it replaced too.
    pub filled: u64,
    /// Executed and taken back; it is not open again.
    pub busted: u64,
    /// What it trades.
    pub instrument: u32,
    /// Side.
    pub side: Side,
    /// Where it stands.
    pub state: State,
    /// Whether its gateway said that it was sent.
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

    /// What is left to be filled.
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
    /// Where the id after the last one will go.
    next: usize,
}

impl Table {
    /// Room for `limit` orders; every page is touched here.
    pub(super) fn new(limit: usize) -> Table {
        let size = (limit * 2).next_power_of_two().max(2);
        let slots = vec![Order::NONE; size].into_boxed_slice();
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

    /// How many of them nobody has answered yet.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The orders, in no order that means anything.
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

    /// Fetches the place where the next order will probably go.
    #[inline]
    pub(super) fn prefetch_next(&self) {
        prefetch_index(&self.slots, self.next);
    }

    /// Where the id is, or where it would go.
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

    /// Adds an order whose id is not 0 and not in the table; false when there is no room.
    #[inline]
    pub(super) fn add(&mut self, order: Order) -> bool {
        if self.len == self.limit {
            return false;
        }
        self.next = self.home(OrderId(order.id.0.wrapping_add(1)));
        let at = self.seek(order.id);
        debug_assert!(self.slots[at].id.0 == 0 && order.id.0 != 0, "an id is given once");
        self.slots[at] = order;
        self.len += 1;
        self.in_flight += usize::from(order.state.is_in_flight());
        true
    }

    /// Puts an order back as it is now; one that is over leaves.
    #[inline]
    pub(super) fn put(&mut self, order: Order) {
        let at = self.seek(order.id);
        assert!(self.slots[at].id == order.id, "only what was taken from the table is put back");
        self.in_flight -= usize::from(self.slots[at].state.is_in_flight());
        if order.state.is_over() {
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

    /// Forgets all orders.
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

    /// Full and nearly full small tables, where runs of neighbours wrap around the end and close up all the time.
    #[test]
    fn what_is_put_in_is_found_until_it_is_over() {
        for limit in [1, 2, 7, 16] {
            let (mut table, mut reference, mut drawn) = (Table::new(limit), BTreeMap::new(), 1_u64);
            for n in 1..20_000_u64 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let id = OrderId::new(Account((drawn >> 60) as u8), StrategyId(3), n);
                let order = Order { id, qty: n, state: State::Pending, ..Order::NONE };
                if table.add(order) {
                    reference.insert(id, order);
                }
                let place = (drawn >> 33) as usize % reference.len();
                let (_, mut changed) = reference.iter().nth(place).map(|(id, order)| (*id, *order)).unwrap();
                changed.state = if drawn >> 20 & 3 == 0 { State::Live } else { State::Done };
                table.put(changed);
                match changed.state {
                    State::Done => drop(reference.remove(&changed.id)),
                    _ => drop(reference.insert(changed.id, changed)),
                }
                assert!(reference.values().all(|o| table.get(o.id) == Some(*o)), "{n}");
                assert_eq!((table.get(changed.id), table.get(OrderId(n))), (reference.get(&changed.id).copied(), None));
                let in_flight = reference.values().filter(|o| o.state.is_in_flight()).count();
                assert_eq!(
                    (table.len(), table.iter().count(), table.in_flight()),
                    (reference.len(), reference.len(), in_flight)
                );
                assert!(reference.len() <= limit);
            }
        }
    }
}
