//! Kill state: nothing passes while trading is halted.

use super::ask::Ask;
use super::checks::Breach;
use super::gate::Gate;
use flow::Param;

pub(super) const PARAMS: &[Param] = &[];

#[inline]
pub(super) fn breach(gate: &Gate, _: &Ask) -> Option<Breach> {
    gate.halted.then_some(Breach { limit: 0, value: 1 })
}
