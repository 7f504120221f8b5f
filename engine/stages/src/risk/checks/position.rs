//! Position limit per account and instrument: the position if every open order of one side, this one included, were filled.
//! Accounts do not net: what is short in one hides nothing of what is long in another.
//!
//! Each side is checked alone, so an order that reduces a position is never refused for the size that remains. A replace
//! gives back the open quantity of its predecessor.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::exposures::MAX_POSITIONS;
use crate::risk::gate::Gate;
use crate::risk::levels::MAX_HOLDINGS;
use crate::risk::proposal::Proposal;
use flow::Side;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 6,
    name: "position",
    unit: "smallest units",
    about: "The position would be too large if all open orders of that side were filled.",
    limit: Some(limit("max_position", 1_000_000_000_000_000, "50_000").unit("smallest units")),
    params: &[MAX_POSITIONS.param(), MAX_HOLDINGS.param()],
};

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let full = gate.exposures.is_full(&proposal.held).or_else(|| gate.levels.is_full(proposal.id(), proposal.at));
    if let Some(full) = full {
        return Breach::of(full, i128::MAX);
    }
    worst(proposal, proposal.held.position.into(), proposal.held.open(proposal.side).into(), limit)
}

/// What the accounts and strategies of the level hold and have open counts together.
pub(super) fn at_level(gate: &Gate, proposal: &Proposal, limit: i64, level: usize) -> Option<Breach> {
    let held = gate.levels.held(level, proposal.id(), proposal.at);
    worst(proposal, held.position, held.open(proposal.side), limit)
}

#[inline(always)]
fn worst(proposal: &Proposal, position: i128, open: i128, limit: i64) -> Option<Breach> {
    let given_back = proposal.predecessor.map_or(0, |o| o.open);
    let open = open - i128::from(given_back) + i128::from(proposal.open);
    let worst = open + if proposal.side == Side::Sell { -position } else { position };
    if limit != 0 && worst <= i128::from(limit) {
        return None;
    }
    Breach::of(limit, worst)
}
