//! Halted: no order passes for an instrument that its feed says is halted, paused or only quoted.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 15,
    name: "halted",
    unit: "state",
    about: "The instrument does not trade now.",
    limit: None,
    params: &[],
};

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    gate.markets[proposal.at].halts.any().then_some(Breach { limit: 0, value: 1 })
}
