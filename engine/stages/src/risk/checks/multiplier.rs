//! Multiplier: without it no order has a worth, so no limit in money can hold.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 13,
    name: "multiplier-unknown",
    unit: "state",
    about: "The multiplier of the instrument is not known.",
    limit: None,
    params: &[],
};

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    (gate.markets[proposal.at].multiplier == 0).then_some(Breach { limit: 0, value: 1 })
}
