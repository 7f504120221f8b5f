//! Kill state: no order passes while trading is halted.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;
use flow::Reduces;

pub(super) const ENTRY: CheckEntry =
    CheckEntry { number: 1, name: "kill", unit: "state", about: "Trading is halted.", limit: None, params: &[] };

/// An operator can close positions under a halt.
pub(super) fn breach_reducing(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    if proposal.request.reduces == Reduces::Commanded.code() { None } else { breach(gate, proposal, limit) }
}

#[inline(always)]
pub(super) fn breach(gate: &Gate, _: &Proposal, _: i64) -> Option<Breach> {
    gate.halted.then_some(Breach { limit: 0, value: 1 })
}
