//! Maximum number of open orders, over all instruments.
//!
//! An order and its replace in flight count as one. The size of the table is a limit too; a refusal reports it if it, and
//! not the configured limit, stops the order.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::open::SLOTS;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 7,
    name: "open-orders",
    unit: "orders",
    about: "Too many orders would be open.",
    limit: Some(limit("max_open_orders", 65_536, "1_000").unit("orders")),
    params: &[SLOTS.param()],
};

/// Only the room for it is needed.
pub(super) fn breach_reducing(gate: &Gate, _: &Proposal, _: i64) -> Option<Breach> {
    gate.open.is_full().then(|| Breach { limit: gate.open.slots() as i64, value: gate.open.slots() as i64 + 1 })
}

/// Those of the level's accounts, strategies and instruments count.
pub(super) fn at_level(gate: &Gate, proposal: &Proposal, limit: i64, level: usize) -> Option<Breach> {
    let after = gate.levels.orders(level, proposal.id()) + i64::from(!proposal.is_replace());
    if limit == 0 || after > limit { Breach::of(limit, after.into()) } else { None }
}

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let after = gate.open.orders() + usize::from(!proposal.is_replace());
    if limit == 0 || after > limit as usize {
        return Breach::of(limit, after as i128);
    }
    if gate.open.is_full() {
        return Breach::of(gate.open.slots() as i64, gate.open.slots() as i128 + 1);
    }
    None
}
