//! The gate's own table of open orders: what it let pass and no answer has ended.
//!
//! Open addressing with the orders in the table itself, half full at most, and removal by moving what follows back: no
//! tombstones, nothing that ages. Ids of a strategy follow each other and their places do not: that of the next id is
//! fetched when one is put in. Bound: as many orders as the parameter says.

use flow::{IntParam, Side};
use prefetch_index::prefetch_index;
use serde::{Deserialize, Serialize};

/// The table's size.
pub(super) const SLOTS: IntParam<usize> = IntParam::new(
    "open_order_slots",
    (2, 131_072),
    "4_096",
    "size of the table of open orders; a replace in flight takes a second place",
)
.unit("orders");

/// Whether an order is alone or one of two of which one will live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    /// No replace is in flight.
    Alone,
    /// The order `other` is in flight to replace it.
    Replaced,
    /// It is in flight to replace `other`, or an order that has ended since if `other` is 0.
    Replacing,
}

/// An open order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Open {
    /// Its id; 0 in an empty place.
    pub(super) id: u64,
    pub(super) other: u64,
    /// What may still be filled.
    pub(super) open: u64,
    /// What was filled, under the ids before too.
    pub(super) executed: u64,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) order_type: u8,
    pub(super) tif: u8,
    pub(super) role: Role,
}

impl Open {
    /// One replace at a time.
    #[inline]
    pub(super) fn may_be_replaced(&self) -> bool {
        self.role == Role::Alone
    }

    /// Not all zero, so that filling memory with it touches the memory.
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

/// The table.
pub(super) struct OpenOrders {
    places: Box<[Open]>,
    len: usize,
    /// Orders with a replace in flight: they and it are one.
    pairs: usize,
    slots: usize,
    /// Where the id after the last one will go.
    next: usize,
}

impl OpenOrders {
    pub(super) fn new(slots: usize) -> OpenOrders {
        let places = vec![Open::EMPTY; (2 * slots).next_power_of_two()].into_boxed_slice();
        OpenOrders { places, len: 0, pairs: 0, slots, next: 0 }
    }

    #[inline]
    fn home(&self, id: u64) -> usize {
        let mixed = (id ^ id >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.places.len() - 1)
    }

    /// Fetches the place where the next order will probably go.
    #[inline]
    pub(super) fn prefetch_next(&self) {
        prefetch_index(&self.places, self.next);
    }

    /// Where the order stands, or the empty place where it would.
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

    /// The order, to change it; its id stays.
    #[inline]
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Open> {
        let at = self.place(id);
        let open = &mut self.places[at];
        (open.id == id && id != 0).then_some(open)
    }

    /// Puts an order in. If it replaces one that is there, the two become a pair.
    #[inline]
    pub(super) fn insert(&mut self, open: Open) {
        assert!(self.len < self.slots, "more open orders than were checked");
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

    /// Takes an order out. The other of its pair stays: as it was before the replace, or as a replace of nothing.
    pub(super) fn remove(&mut self, id: u64) -> Option<Open> {
        let gone = self.get(id)?;
        if let Some(other) = self.get_mut(gone.other) {
            other.other = 0;
            other.role = if other.role == Role::Replaced { Role::Alone } else { other.role };
            self.pairs -= 1;
        }
        self.take(self.place(id));
        Some(gone)
    }

    /// Empties a place and moves back what its order had pushed on.
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

    /// How much an order counts together with the other of its pair: whichever lives, no more can be filled.
    #[inline]
    pub(super) fn weight(&self, open: &Open) -> u64 {
        if open.other == 0 { open.open } else { open.open.max(self.get(open.other).map_or(0, |o| o.open)) }
    }

    /// How many orders are open; a pair is one.
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
        all.sort_unstable_by_key(|o| o.id);
        all
    }

    pub(super) fn clear(&mut self) {
        self.places.fill(Open::EMPTY);
        (self.len, self.pairs) = (0, 0);
    }
}
