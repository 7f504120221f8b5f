//! The state of the orders stage: orders, id counters, positions, remembered fills, instruments.
//!
//! Each file beside this one works on it: `intake.rs` admits intents, `reports.rs` applies execution reports, `busts.rs`
//! reverses fills, `saved.rs` saves and loads. Bound: the parameters.

use super::chains::Chains;
use super::closing::Flatten;
use super::counters::Counters;
use super::money::Terms;
use super::params::{MAX_ACCOUNTS, MAX_IN_FLIGHT, MAX_ORDERS, MAX_POSITIONS};
use super::positions::{Entry, Note, Positions};
use super::table::Table;
use crate::Space;
use crate::executions::Executions;
use flow::records::{Anomaly, Position, PositionMoney};
use flow::{
    Account, AnomalyKind, Event, Flags, GrowingTable, Halts, NO_MONEY, Ns, OrderId, Out, Params, Px, Qty, StrategyId,
    money,
};
use serde::{Deserialize, Serialize};

/// What the stage keeps per instrument.
#[derive(Clone, Copy)]
pub(super) struct Instrument {
    /// `None` before its listing.
    pub(super) terms: Option<Terms>,
    /// Price of its last trade.
    pub(super) last_px: Px,
    /// How many orders are open here, of buys and of sells; a sum over the table.
    pub(super) open: [u32; 2],
    pub(super) halts: Halts,
    /// The last account and strategy for which a position was opened here; 0 and 0 = none.
    pub(super) opened_for: (Account, StrategyId),
}

impl Instrument {
    pub(super) const UNLISTED: Instrument = Instrument {
        terms: None,
        last_px: Px::NONE,
        open: [0; 2],
        halts: Halts::NONE,
        opened_for: (Account::NONE, StrategyId::NONE),
    };
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

/// Orders, counters, positions and remembered fills.
pub(super) struct OrderManager {
    pub(super) orders: Table,
    pub(super) counters: Counters,
    pub(super) positions: Positions,
    /// The fills that a bust may still name, and the orders that they belong to.
    pub(super) fills: Executions<Note>,
    pub(super) chains: Chains,
    pub(super) instruments: GrowingTable<Instrument>,
    pub(super) group: Group,
    /// The last fill was reported before: the cost that follows it was too.
    pub(super) reported_twice: Option<(OrderId, u64)>,
    pub(super) max_in_flight: usize,
    /// Positions that an operator has commanded to close.
    pub(super) flatten: Flatten,
}

impl OrderManager {
    pub(super) fn new(params: &Params, space: Space) -> OrderManager {
        OrderManager {
            orders: Table::new(params.get(MAX_ORDERS)),
            counters: Counters::new(params.get(MAX_ACCOUNTS)),
            positions: Positions::new(params.get(MAX_POSITIONS)),
            fills: Executions::new(space.fills, Note::NONE),
            chains: Chains::new(space.fills.max(1) as usize),
            instruments: GrowingTable::new(space.instruments as usize, Instrument::UNLISTED),
            group: Group::NONE,
            reported_twice: None,
            max_in_flight: params.get(MAX_IN_FLIGHT),
            flatten: Flatten::new(params.get(MAX_ORDERS)),
        }
    }

    pub(super) fn push_position(&self, entry: &Entry, event: &Event, out: &mut Out) {
        let record = Position {
            qty: entry.now.holding.qty,
            avg_px: entry.now.holding.avg_px(),
            account: entry.key.account(),
            strategy: entry.key.strategy(),
            ..Default::default()
        };
        out.push(event.instrument, Flags::NONE, &record);
    }

    /// Pushes the money of a position.
    pub(super) fn push_money(&self, entry: &Entry, event: &Event, out: &mut Out) {
        out.push(event.instrument, Flags::LAST_OF_GROUP, &self.money(entry));
    }

    /// Realised profit, and unrealised profit at the last trade, or else at the last fill; neither is known without a
    /// multiplier.
    pub(super) fn money(&self, entry: &Entry) -> PositionMoney {
        let Instrument { terms, last_px, .. } = self.instruments[entry.key.instrument() as usize];
        let profit = |product: i128| terms.map_or(NO_MONEY, |terms| terms.money(product));
        let mark = last_px.known().or(entry.now.last_px.known());
        PositionMoney {
            realised: profit(entry.now.holding.realised),
            unrealised: profit(mark.map_or(0, |px| entry.now.holding.unrealised(px))),
            fees: if entry.lacks_a_fee { NO_MONEY } else { money(entry.fees) },
            account: entry.key.account(),
            strategy: entry.key.strategy(),
            ..Default::default()
        }
    }
}

pub(super) fn push_anomaly(what: AnomalyKind, event: &Event, detail: u64, out: &mut Out) {
    push_anomaly_at(what, event, detail, (Px::NONE, Qty(0)), out);
}

/// [`push_anomaly`] with a price and a quantity that explain it.
#[cold]
pub(super) fn push_anomaly_at(what: AnomalyKind, event: &Event, detail: u64, (px, qty): (Px, Qty), out: &mut Out) {
    let anomaly = what.event_at(event.ts, event.instrument, Ns::NONE, detail, px, qty);
    out.push(event.instrument, anomaly.flags, anomaly.record::<Anomaly>());
}
