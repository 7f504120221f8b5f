//! Stale data: how long ago the instrument's last top or trade came, by event time.

use super::checks::{Breach, Check};
use super::gate::Gate;
use super::limits::limit;
use super::proposal::Proposal;
use flow::{IntParam, Ns, Param};

/// What a command can set.
pub(super) const LIMIT: IntParam = limit("max_data_age_ms", 86_400_000, "5_000").unit("ms");

pub(super) const PARAMS: &[Param] = &[LIMIT.param()];

const MILLISECOND: u64 = 1_000_000;

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal) -> Option<Breach> {
    let limit = gate.limits.of(Check::Stale);
    let heard = gate.markets[proposal.at].heard;
    let age = proposal.now.0.saturating_sub(heard.0);
    if limit != 0 && heard != Ns::NONE && age <= limit as u64 * MILLISECOND {
        return None;
    }
    let age = if heard == Ns::NONE { i128::MAX } else { i128::from(age.div_ceil(MILLISECOND)) };
    Breach::of(limit, age)
}
