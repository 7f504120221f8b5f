//! Tick: without it nobody knows at which prices the venue takes an order.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 14,
    name: "tick-unknown",
    unit: "state",
    about: "The tick of the instrument is not known.",
    limit: None,
    params: &[],
};

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    (!gate.markets[proposal.at].tick.is_known()).then_some(Breach { limit: 0, value: 1 })
}
