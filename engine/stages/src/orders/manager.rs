//! The state of the orders stage: orders, id counters, what is held, which order each fill counts in, instruments.
//!
//! Each file beside this one works on it: `intake.rs` admits intents, `reports.rs` applies execution reports, `busts.rs`
//! what the portfolio has booked, `saved.rs` saves and loads. Bound: the parameters.

use super::chains::Chains;
use super::closing::Flatten;
use super::counters::Counters;
use super::held::Held;
use super::params::{MAX_ACCOUNTS, MAX_IN_FLIGHT, MAX_ORDERS};
use super::roots::Roots;
use super::table::Table;
use crate::Space;
use crate::by_key::ByKey;
use crate::portfolio::Key;
use flow::records::Anomaly;
use flow::{Account, AnomalyKind, Event, GrowingTable, Halts, Ns, Out, Params, Px, Qty, StrategyId};
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// What the stage keeps per instrument.
#[derive(Clone, Copy)]
pub(super) struct Instrument {
    pub(super) listed: bool,
    /// How many orders are open here, of buys and of sells; a sum over the table.
    pub(super) open: [u32; 2],
    pub(super) halts: Halts,
    /// The last account and strategy for which a position was opened here; 0 and 0 = none.
    pub(super) opened_for: (Account, StrategyId),
}

impl Instrument {
    pub(super) const UNLISTED: Instrument =
        Instrument { listed: false, open: [0; 2], halts: Halts::NONE, opened_for: (Account::NONE, StrategyId::NONE) };
}

/// The last group of legs.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) account: Account,
    pub(super) strategy: StrategyId,
    pub(super) group: u32,
    pub(super) admitted: bool,
}

impl Group {
    /// No group.
    pub(super) const NONE: Group =
        Group { account: Account::NONE, strategy: StrategyId::NONE, group: 0, admitted: false };
}

/// Orders, counters, and what is held.
pub(super) struct OrderManager {
    pub(super) orders: Table,
    pub(super) counters: Counters,
    pub(super) holdings: ByKey<Held>,
    /// The orders of the fills that a bust may still name.
    pub(super) roots: Roots,
    pub(super) chains: Chains,
    pub(super) instruments: GrowingTable<Instrument>,
    pub(super) group: Group,
    pub(super) max_in_flight: usize,
    /// Positions that an operator has commanded to close.
    pub(super) flatten: Flatten,
    /// Whose order was admitted last, and its instrument; no state, as only [`OrderManager::warm`] reads it.
    pub(super) asked: (Account, StrategyId, u32),
}

impl OrderManager {
    pub(super) fn new(params: &Params, space: Space) -> OrderManager {
        OrderManager {
            orders: Table::new(params.get(MAX_ORDERS)),
            counters: Counters::new(params.get(MAX_ACCOUNTS)),
            holdings: ByKey::new(space.positions),
            roots: Roots::new(space.fills as usize),
            chains: Chains::new(space.fills.max(1) as usize),
            instruments: GrowingTable::new(space.instruments as usize, Instrument::UNLISTED),
            group: Group::NONE,
            max_in_flight: params.get(MAX_IN_FLIGHT),
            flatten: Flatten::new(params.get(MAX_ORDERS)),
            asked: (Account::NONE, StrategyId::NONE, 0),
        }
    }

    /// Reads what an order like the last one would read.
    pub(super) fn warm(&self) {
        let (account, strategy, instrument) = self.asked;
        self.orders.prefetch_next();
        black_box((self.orders.in_flight(), self.orders.limit(), self.max_in_flight, self.flatten.is_active()));
        black_box((self.counters.has_room(account, strategy, 1), self.group.group));
        black_box(self.instruments.get(instrument as usize).map(|at| (at.listed, at.opened_for)));
        black_box(self.holdings.get(Key::new(account, strategy, instrument).word()).map(|held| held.qty));
    }
}

#[cold]
pub(super) fn push_anomaly(what: AnomalyKind, event: &Event, detail: u64, out: &mut Out) {
    let anomaly = what.event_at(event.ts, event.instrument, Ns::NONE, detail, Px::NONE, Qty(0));
    out.push(event.instrument, anomaly.flags, anomaly.record::<Anomaly>());
}
