//! The positions, found by account, strategy and instrument.
//!
//! Open addressing with linear probing, as the orders have it; a position never leaves, so nothing is ever closed up. A
//! place is kept from the first request on, so that no fill of an order that was asked for here lacks one. A position is
//! what its fills that stand make of it, in their order: of those that are not remembered any more the sum is kept.
//!
//! Bound: the number of positions. Worst case: keys made to collide cost one look per position.

use super::money::Holding;
use crate::executions::Execution;
use flow::{Account, Px, StrategyId};
use serde::{Deserialize, Serialize};

/// Who holds what, in one word: account, strategy, instrument. Never 0, since no instrument is 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    #[inline]
    pub(super) fn new(account: Account, strategy: StrategyId, instrument: u32) -> Key {
        Key(u64::from(account.0) << 48 | u64::from(strategy.0) << 32 | u64::from(instrument))
    }

    pub(super) fn account(self) -> Account {
        Account((self.0 >> 48) as u8)
    }

    pub(super) fn strategy(self) -> StrategyId {
        StrategyId((self.0 >> 32) as u16)
    }

    pub(super) fn instrument(self) -> u32 {
        self.0 as u32
    }
}

/// What fills made of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filled {
    /// Its fees stay 0: what fills cost is told apart from them.
    pub(super) holding: Holding,
    /// Price of the last of the fills.
    pub(super) last_px: Px,
}

impl Filled {
    /// No fills.
    pub(super) const NOTHING: Filled =
        Filled { holding: Holding { qty: 0, cost: 0, realised: 0, fees: 0 }, last_px: Px::NONE };

    /// Takes a fill in.
    pub(super) fn fill<T>(&mut self, fill: &Execution<T>) {
        self.holding.fill(fill.side, fill.px, fill.qty);
        self.last_px = fill.px;
    }
}

/// No fill that is remembered.
pub(super) const NO_FILL: u32 = u32::MAX;

/// A position with its key.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) key: Key,
    /// What all fills that stand made of it.
    pub(super) now: Filled,
    /// What those made of it that are not remembered any more.
    pub(super) base: Filled,
    /// Fees so far, in 1e-9.
    pub(super) fees: i128,
    /// The oldest and the newest of its fills that are remembered.
    pub(super) oldest: u32,
    pub(super) newest: u32,
}

impl Place {
    const VACANT: Place =
        Place { key: Key(0), now: Filled::NOTHING, base: Filled::NOTHING, fees: 0, oldest: NO_FILL, newest: NO_FILL };

    /// Holding and fees together.
    pub(super) fn holding(&self) -> Holding {
        Holding { fees: self.fees, ..self.now.holding }
    }
}

/// The table.
pub(super) struct Positions {
    slots: Box<[Place]>,
    shift: u32,
    len: usize,
    limit: usize,
}

impl Positions {
    /// Room for `limit` positions; every page is touched here.
    pub(super) fn new(limit: usize) -> Positions {
        let size = (limit * 2).next_power_of_two().max(2);
        let slots = vec![Place::VACANT; size].into_boxed_slice();
        Positions { slots, shift: 64 - size.trailing_zeros(), len: 0, limit }
    }

    /// The most positions.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The positions, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Place> {
        self.slots.iter().filter(|p| p.key.0 != 0)
    }

    #[inline]
    fn seek(&self, key: Key) -> usize {
        let mut at = (key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        while self.slots[at].key != key && self.slots[at].key.0 != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        at
    }

    /// The position of that key, made if there is none; `None` when there is no room.
    #[inline]
    pub(super) fn open(&mut self, key: Key) -> Option<&mut Place> {
        let at = self.seek(key);
        if self.slots[at].key.0 == 0 {
            if self.len == self.limit {
                return None;
            }
            self.slots[at].key = key;
            self.len += 1;
        }
        Some(&mut self.slots[at])
    }

    /// The position of that key, if there is one.
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Place> {
        let at = self.seek(key);
        Some(&mut self.slots[at]).filter(|place| place.key == key)
    }

    /// Forgets all positions.
    pub(super) fn clear(&mut self) {
        self.slots.fill(Place::VACANT);
        self.len = 0;
    }
}
