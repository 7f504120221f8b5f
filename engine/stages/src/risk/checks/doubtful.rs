//! Doubtful data: no order passes while messages of the instrument's feed are missing, so that its touch may be wrong.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 16,
    name: "doubtful-data",
    unit: "state",
    about: "Market data of the instrument are missing since a gap: wait for a snapshot, or command trust.",
    limit: None,
    params: &[],
};

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    gate.trust.is_doubtful(proposal.at as u32).then_some(Breach { limit: 0, value: 1 })
}
