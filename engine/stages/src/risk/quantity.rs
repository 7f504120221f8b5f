//! Largest quantity of one order.

use super::checks::{Breach, Check};
use super::gate::Gate;
use super::limits::limit;
use super::proposal::Proposal;
use flow::Param;

pub(super) const PARAMS: &[Param] = &[limit("max_quantity", 1_000_000_000_000_000, "smallest units", "10_000")];

/// The whole quantity counts, of a replace what was executed too.
#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal) -> Option<Breach> {
    let (limit, qty) = (gate.limits.of(Check::Quantity), proposal.request.qty.0);
    if limit != 0 && qty <= limit as u64 {
        return None;
    }
    Breach::of(limit, i128::from(qty))
}
