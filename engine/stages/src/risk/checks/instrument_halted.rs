//! Instrument halted: no order passes while its feed says that it is halted, paused, closed or only quoted.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 15,
    name: "instrument-halted",
    unit: "state",
    about: "The instrument is halted, paused or closed.",
    limit: None,
    params: &[],
};

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    gate.markets[proposal.at].halts.any().then_some(Breach { limit: 0, value: 1 })
}
