//! Price collar: how far a price may be from the middle of the book, on either side.
//!
//! The reference is the mid of best bid and ask, or the one of them that exists; without either, nothing passes. A market
//! order is checked at the opposite touch.
//!
//! The distance counts in parts of the reference's size, since prices may be negative. Near 0 a part of the price says
//! nothing: a spread that is quoted -0.01 to 0.01 could not be traded at all. So where an order may have a price of 0 or below,
//! the size counts as at least [`LEAST_TICKS`] ticks, which leaves 5 ticks to the default of 500 basis points. Elsewhere a
//! reference of 0 or less is no reference.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::market::Market;
use crate::risk::proposal::Proposal;
use flow::{IntParam, Px};

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 5,
    name: "price-collar",
    unit: "basis points",
    about: "The price is too far from the market.",
    limit: Some(limit("collar_bps", 100_000, "500").unit("basis points")),
    params: &[REDUCE_COLLAR.param()],
};

/// The collar of orders that only reduce a position.
pub(in crate::risk) const REDUCE_COLLAR: IntParam =
    IntParam::new("reduce_collar_bps", (1, 100_000), "2_000", "collar of orders that only reduce a position")
        .unit("basis points");

/// It has its own collar, and none where the touch is unknown or doubtful: then nothing is known to be far from.
pub(super) fn breach_reducing(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    let doubtful = gate.trust.is_doubtful(proposal.at as u32);
    let unknown = doubtful || twice_reference(&gate.markets[proposal.at]).is_none() || proposal.price == Px::NONE;
    if unknown { None } else { breach(gate, proposal, gate.reduce_collar_bps) }
}

/// The least size of a reference, where it may be 0.
const LEAST_TICKS: i128 = 100;

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let market = &gate.markets[proposal.at];
    let Some(twice) = twice_reference(market) else { return Breach::of(limit, i128::MAX) };
    let size = if market.signed { twice.abs().max(2 * LEAST_TICKS * i128::from(market.tick.at(Px(0)))) } else { twice };
    if size <= 0 || proposal.price == Px::NONE {
        return Breach::of(limit, i128::MAX);
    }
    let off = (2 * i128::from(proposal.price.0) - twice).abs() * 10_000;
    if limit != 0 && off <= size * i128::from(limit) {
        return None;
    }
    Breach::of(limit, off / size + i128::from(off % size != 0))
}

/// Twice the reference, so that the mid is exact.
#[inline(always)]
fn twice_reference(market: &Market) -> Option<i128> {
    let (bid, ask) = (i128::from(market.bid.0), i128::from(market.ask.0));
    match (market.bid == Px::NONE, market.ask == Px::NONE) {
        (false, false) => Some(bid + ask),
        (false, true) => Some(2 * bid),
        (true, false) => Some(2 * ask),
        (true, true) => None,
    }
}
