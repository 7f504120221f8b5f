//! The highest approved id of every account and strategy.
//!
//! Counters only rise, so one number per pair is enough to detect any duplicate, however old. Open addressing; an entry is
//! removed only if the group that inserted it last is refused. Bound: [`MAX_PAIRS`] pairs.

use flow::{IntParam, OrderId, table};

/// Size of the table.
pub(super) const MAX_PAIRS: IntParam<usize> =
    IntParam::new("max_pairs", (1, 65_536), "1_024", "most pairs of account and strategy whose last id is kept");

/// The highest counter of every account and strategy.
pub(super) struct Ids {
    /// Pair and counter; a pair of 0 marks an empty slot.
    places: Box<[(u64, u64)]>,
    len: usize,
    most: usize,
}

impl Ids {
    pub(super) fn new(most: usize) -> Ids {
        Ids { places: table((2 * most).next_power_of_two(), (0, 0)), len: 0, most }
    }

    #[inline]
    fn place(&self, id: OrderId) -> usize {
        let (pair, mask) = (id.0 >> 40, self.places.len() - 1);
        let mut at = (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & mask;
        while self.places[at].0 != pair && self.places[at].0 != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// The highest approved counter of the id's account and strategy; 0 = none.
    #[inline]
    pub(super) fn last(&self, id: OrderId) -> u64 {
        self.places[self.place(id)].1
    }

    /// Records an approved id.
    #[inline]
    pub(super) fn raise(&mut self, id: OrderId) {
        let at = self.place(id);
        self.len += usize::from(self.places[at].0 == 0);
        assert!(self.len <= self.most, "more pairs of account and strategy than the check allowed");
        self.places[at] = (id.0 >> 40, id.counter());
    }

    /// Takes back the last [`Ids::raise`]; `last` is the counter before it.
    pub(super) fn lower(&mut self, id: OrderId, last: u64) {
        let at = self.place(id);
        self.len -= usize::from(last == 0);
        self.places[at] = if last == 0 { (0, 0) } else { (id.0 >> 40, last) };
    }

    /// The last id of every pair, in order.
    pub(super) fn sorted(&self) -> Vec<OrderId> {
        let taken = self.places.iter().filter(|(pair, _)| *pair != 0);
        let mut ids: Vec<_> = taken.map(|(pair, counter)| OrderId(pair << 40 | counter)).collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn clear(&mut self) {
        self.places.fill((0, 0));
        self.len = 0;
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len == self.most
    }

    #[inline]
    pub(super) fn most(&self) -> usize {
        self.most
    }
}
