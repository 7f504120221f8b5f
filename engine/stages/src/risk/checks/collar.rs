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
use flow::Px;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 5,
    name: "price-collar",
    unit: "basis points",
    about: "The price is too far from the market.",
    limit: Some(limit("collar_bps", 100_000, "500").unit("basis points")),
    params: &[],
};

/// The least size of a reference, where it may be 0.
const LEAST_TICKS: i128 = 100;

#[inline]
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
#[inline]
fn twice_reference(market: &Market) -> Option<i128> {
    let (bid, ask) = (i128::from(market.bid.0), i128::from(market.ask.0));
    match (market.bid == Px::NONE, market.ask == Px::NONE) {
        (false, false) => Some(bid + ask),
        (false, true) => Some(2 * bid),
        (true, false) => Some(2 * ask),
        (true, true) => None,
    }
}
