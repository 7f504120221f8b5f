//! Kill state: nothing passes while trading is halted.

use super::checks::Breach;
use super::gate::Gate;
use super::proposal::Proposal;
use flow::Param;

pub(super) const PARAMS: &[Param] = &[];

#[inline]
pub(super) fn breach(gate: &Gate, _: &Proposal) -> Option<Breach> {
    gate.halted.then_some(Breach { limit: 0, value: 1 })
}
