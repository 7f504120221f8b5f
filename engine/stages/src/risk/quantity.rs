//! Largest quantity of one order.

use super::checks::{Breach, Check};
use super::gate::Gate;
use super::limits::limit;
use super::proposal::Proposal;
use flow::{IntParam, Param};

/// What a command can set.
pub(super) const LIMIT: IntParam = limit("max_quantity", 1_000_000_000_000_000, "10_000").unit("smallest units");

pub(super) const PARAMS: &[Param] = &[LIMIT.param()];

/// The whole quantity counts, of a replace what was executed too.
#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal) -> Option<Breach> {
    let (limit, qty) = (gate.limits.of(Check::Quantity), proposal.request.qty.0);
    if limit != 0 && qty <= limit as u64 {
        return None;
    }
    Breach::of(limit, i128::from(qty))
}
