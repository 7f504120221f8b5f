//! The positions, by account, strategy and instrument.
//!
//! Found [by key](crate::by_key); positions are never removed. A position is the sum of the fills that stand, in their order: `base`
//! sums the fills that are forgotten, `now` includes the remembered ones.
//!
//! Bound: the number of positions. Worst case: colliding keys cost one probe each.

use super::executions::{Execution, NO_FILL};
use super::money::Holding;
use crate::by_key::Keyed;
use flow::{Account, OrderId, Px, StrategyId};
use serde::{Deserialize, Serialize};

/// Account, strategy and instrument in one word. Never 0, since no instrument is 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u64);

impl Key {
    /// No position.
    pub(crate) const NONE: Key = Key(0);

    #[inline]
    pub(crate) fn new(account: Account, strategy: StrategyId, instrument: u32) -> Key {
        Key(u64::from(account.0) << 48 | u64::from(strategy.0) << 32 | u64::from(instrument))
    }

    /// That of the position that a fill of this order changes.
    #[inline]
    pub(crate) fn of(order: OrderId, instrument: u32) -> Key {
        Key::new(order.account(), order.strategy(), instrument)
    }

    /// As a number.
    #[inline]
    pub(crate) fn word(self) -> u64 {
        self.0
    }

    pub(crate) fn account(self) -> Account {
        Account((self.0 >> 48) as u8)
    }

    pub(crate) fn strategy(self) -> StrategyId {
        StrategyId((self.0 >> 32) as u16)
    }

    pub(crate) fn instrument(self) -> u32 {
        self.0 as u32
    }
}

/// The sum of a sequence of fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filled {
    /// Its fees stay 0: fees arrive separately and are kept per position.
    pub(super) holding: Holding,
    /// Price of the last fill.
    pub(super) last_px: Px,
}

impl Filled {
    /// No fills.
    pub(super) const NOTHING: Filled =
        Filled { holding: Holding { qty: 0, cost: 0, realised: 0, fees: 0 }, last_px: Px::NONE };

    /// Adds a fill.
    pub(super) fn fill(&mut self, fill: &Execution) {
        self.holding.fill(fill.side, fill.px, fill.qty);
        self.last_px = fill.px;
    }
}

/// A position with its key.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) key: Key,
    /// The sum of all fills that stand.
    pub(super) now: Filled,
    /// The sum of those that are forgotten.
    pub(super) base: Filled,
    /// Fees so far, in 1e-9.
    pub(super) fees: i128,
    /// Whether one of them was not known, so that the sum is not.
    pub(super) lacks_a_fee: bool,
    /// Slots of its oldest and newest remembered fills.
    pub(super) oldest: u32,
    pub(super) newest: u32,
}

impl Keyed for Entry {
    const VACANT: Entry = Entry {
        key: Key::NONE,
        now: Filled::NOTHING,
        base: Filled::NOTHING,
        fees: 0,
        lacks_a_fee: false,
        oldest: NO_FILL,
        newest: NO_FILL,
    };

    #[inline]
    fn key(&self) -> u64 {
        self.key.word()
    }
}

impl Entry {
    /// A position without a fill.
    pub(super) fn at(key: Key) -> Entry {
        Entry { key, ..Entry::VACANT }
    }

    /// Adds a fee; a negative one is given back.
    pub(super) fn charge(&mut self, fee: Option<i64>) {
        self.fees = self.fees.saturating_add(fee.unwrap_or(0).into());
        self.lacks_a_fee |= fee.is_none();
    }

    /// The position with its fees.
    pub(super) fn holding(&self) -> Holding {
        Holding { fees: self.fees, ..self.now.holding }
    }
}
