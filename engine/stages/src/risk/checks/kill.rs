//! Kill state: no order passes while trading is halted.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry =
    CheckEntry { number: 1, name: "kill", unit: "state", about: "Trading is halted.", limit: None, params: &[] };

#[inline]
pub(super) fn breach(gate: &Gate, _: &Proposal, _: i64) -> Option<Breach> {
    gate.halted.then_some(Breach { limit: 0, value: 1 })
}
