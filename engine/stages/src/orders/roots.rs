//! Which order each of the last fills counts in, by the number of the fill.
//!
//! The portfolio numbers the fills that it books and remembers the last of them. Here are as many, in the same order, so a bust
//! of a fill finds its order as long as the venue can bust it. Bound: one id per remembered fill.

use flow::{OrderId, Reserve};

/// No order.
pub(super) const NO_ORDER: OrderId = OrderId(0);

/// The first id of the order that each of the last fills counts in; 0 = in none.
pub(super) struct Roots {
    ring: Reserve<OrderId>,
    /// The number of the last fill.
    last: u64,
    len: usize,
}

impl Roots {
    /// Of the last `limit` fills.
    pub(super) fn new(limit: usize) -> Roots {
        Roots { ring: Reserve::new(limit.max(1), NO_ORDER), last: 0, len: 0 }
    }

    /// The most fills.
    pub(super) fn limit(&self) -> usize {
        self.ring.bound()
    }

    /// The number that the next fill must have.
    pub(super) fn next(&self) -> u64 {
        self.last + 1
    }

    fn slot(&self, number: u64) -> usize {
        ((number - 1) % self.limit() as u64) as usize
    }

    /// Adds that of the next fill; returns that of the fill that it displaces, 0 = none.
    pub(super) fn add(&mut self, root: OrderId) -> OrderId {
        self.last += 1;
        let (slot, is_full) = (self.slot(self.last), self.len == self.limit());
        self.ring.extend_to(slot + 1, NO_ORDER);
        let gone = std::mem::replace(&mut self.ring[slot], root);
        self.len += usize::from(!is_full);
        if is_full { gone } else { NO_ORDER }
    }

    /// That of the fill with that number; 0 for one that is forgotten.
    pub(super) fn get(&self, number: u64) -> OrderId {
        let is_known = number > self.last - self.len as u64 && number <= self.last;
        if is_known { self.ring[self.slot(number)] } else { NO_ORDER }
    }

    /// All of them, the oldest first, and the number of the last fill.
    pub(super) fn all(&self) -> (u64, Vec<OrderId>) {
        let first = self.last + 1 - self.len as u64;
        (self.last, (first..=self.last).map(|number| self.get(number)).collect())
    }

    /// Forgets all; the number of the next fill is `last` and one.
    pub(super) fn begin_after(&mut self, last: u64) {
        (self.last, self.len) = (last, 0);
    }
}
