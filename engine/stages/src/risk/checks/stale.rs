//! Stale data: the age of the instrument's last top or trade, in event time.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;
use flow::Ns;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 9,
    name: "stale-data",
    unit: "ms",
    about: "The instrument's market data is too old.",
    limit: Some(limit("max_data_age_ms", 86_400_000, "5_000").unit("ms")),
    params: &[],
};

const MILLISECOND: u64 = 1_000_000;

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let last_update = gate.markets[proposal.at].last_update;
    let age = proposal.now.0.saturating_sub(last_update.0);
    if limit != 0 && last_update != Ns::NONE && age <= limit as u64 * MILLISECOND {
        return None;
    }
    let age = if last_update == Ns::NONE { i128::MAX } else { i128::from(age.div_ceil(MILLISECOND)) };
    Breach::of(limit, age)
}
