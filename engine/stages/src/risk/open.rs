//! The gate's table of open orders: every approved order that no reply has ended yet.
//!
//! Open addressing, with the orders in the table itself, at most half full. Removal moves the following entries back, so
//! there are no tombstones and the table never degrades. Ids of a strategy are consecutive but their slots are not, so
//! inserting an id prefetches the slot of the next one. Bound: as many orders as the parameter allows.

use flow::{IntParam, Side, table};
use prefetch_index::prefetch_index;
use serde::{Deserialize, Serialize};

/// The table's size.
pub(super) const SLOTS: IntParam<usize> = IntParam::new(
    "open_order_slots",
    (2, 131_072),
    "4_096",
    "size of the table of open orders; a replace in flight takes a second slot",
)
.unit("orders");

/// Whether an order stands alone or is one of a pair, of which only one will survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    /// No replace is in flight.
    Alone,
    /// The order `other` is in flight to replace it.
    Replaced,
    /// It is in flight to replace `other`; `other` is 0 if that order has ended since.
    Replacing,
}

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Open {
    /// Order id; 0 in an empty slot.
    pub(super) id: u64,
    pub(super) other: u64,
    /// Quantity that may still be filled.
    pub(super) open: u64,
    /// Quantity filled, including under the ids that it replaced.
    pub(super) executed: u64,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) order_type: u8,
    pub(super) tif: u8,
    pub(super) role: Role,
}

impl Open {
    /// Whether the order may be replaced: only one replace may be in flight.
    #[inline]
    pub(super) fn may_be_replaced(&self) -> bool {
        self.role == Role::Alone
    }

    /// Not all zero, so that filling memory with it touches every page.
    const EMPTY: Open = Open {
        id: 0,
        other: 0,
        open: u64::MAX,
        executed: 0,
        instrument: 0,
        side: Side::None,
        order_type: 0,
        tif: 0,
        role: Role::Alone,
    };
}

/// The table of open orders.
pub(super) struct OpenOrders {
    places: Box<[Open]>,
    len: usize,
    /// Number of orders with a replace in flight; the two count as one.
    pairs: usize,
    slots: usize,
    /// Slot where the next id will go.
    next: usize,
    /// Those about which the venue does not answer a message: as a rule none.
    late: Vec<u64>,
}

impl OpenOrders {
    pub(super) fn new(slots: usize) -> OpenOrders {
        let places = table((2 * slots).next_power_of_two(), Open::EMPTY);
        OpenOrders { places, len: 0, pairs: 0, slots, next: 0, late: Vec::with_capacity(slots) }
    }

    #[inline]
    fn home(&self, id: u64) -> usize {
        let mixed = (id ^ id >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.places.len() - 1)
    }

    /// Prefetches the slot where the next order will probably go.
    #[inline]
    pub(super) fn prefetch_next(&self) {
        prefetch_index(&self.places, self.next);
    }

    /// The slot of the order, or the empty slot where it would go.
    #[inline]
    fn place(&self, id: u64) -> usize {
        let mut at = self.home(id);
        while self.places[at].id != id && self.places[at].id != 0 {
            at = (at + 1) & (self.places.len() - 1);
        }
        at
    }

    #[inline]
    pub(super) fn get(&self, id: u64) -> Option<Open> {
        let open = &self.places[self.place(id)];
        (open.id == id && id != 0).then_some(*open)
    }

    /// The order, mutable; the id must not change.
    #[inline]
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Open> {
        let at = self.place(id);
        let open = &mut self.places[at];
        (open.id == id && id != 0).then_some(open)
    }

    /// Inserts an order. If it replaces an order in the table, the two become a pair.
    #[inline]
    pub(super) fn insert(&mut self, open: Open) {
        assert!(self.len < self.slots, "more open orders than the check allowed");
        self.next = self.home(open.id.wrapping_add(1));
        let at = self.place(open.id);
        debug_assert!(open.id != 0 && self.places[at].id == 0);
        self.places[at] = open;
        self.len += 1;
        if open.other != 0
            && let Some(before) = self.get_mut(open.other)
        {
            (before.role, before.other) = (Role::Replaced, open.id);
            self.pairs += 1;
        }
    }

    /// Removes an order. The other of its pair stays, either as it was before the replace, or as a replace without predecessor.
    pub(super) fn remove(&mut self, id: u64) -> Option<Open> {
        let gone = self.get(id)?;
        if let Some(other) = self.get_mut(gone.other) {
            other.other = 0;
            other.role = if other.role == Role::Replaced { Role::Alone } else { other.role };
            self.pairs -= 1;
        }
        self.take(self.place(id));
        self.answered(id);
        Some(gone)
    }

    /// Empties a slot and moves back the entries that it had displaced.
    fn take(&mut self, mut hole: usize) {
        let mask = self.places.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            if self.places[at].id == 0 {
                break;
            }
            let home = self.home(self.places[at].id);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.places[hole] = self.places[at];
                hole = at;
            }
        }
        self.places[hole] = Open::EMPTY;
        self.len -= 1;
    }

    /// The venue does not answer a message about an order; nothing if it is not open.
    pub(super) fn unanswered(&mut self, id: u64) {
        if self.get(id).is_some() && !self.late.contains(&id) {
            self.late.push(id);
        }
    }

    /// The venue has answered it.
    #[inline]
    pub(super) fn answered(&mut self, id: u64) {
        if !self.late.is_empty() {
            self.late.retain(|late| *late != id);
        }
    }

    /// Those about which the venue does not answer.
    #[inline]
    pub(super) fn late(&self) -> &[u64] {
        &self.late
    }

    /// The open quantity of an order or its pair: whichever of the two survives, no more can be filled.
    #[inline]
    pub(super) fn weight(&self, open: &Open) -> u64 {
        if open.other == 0 { open.open } else { open.open.max(self.get(open.other).map_or(0, |o| o.open)) }
    }

    /// Number of open orders; a pair counts as one.
    #[inline]
    pub(super) fn orders(&self) -> usize {
        self.len - self.pairs
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len == self.slots
    }

    #[inline]
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Every order by id.
    pub(super) fn sorted(&self) -> Vec<Open> {
        let mut all: Vec<_> = self.places.iter().copied().filter(|o| o.id != 0).collect();
        all.sort_by_key(|o| o.id);
        all
    }

    pub(super) fn clear(&mut self) {
        self.places.fill(Open::EMPTY);
        (self.len, self.pairs) = (0, 0);
        self.late.clear();
    }
}
