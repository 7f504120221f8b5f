//! Price collar: how far a price may be from the middle of the book, on either side.
//!
//! The reference is the mid of best bid and ask, or the one of them that exists; without either, nothing passes. A market
//! order is checked at the opposite touch.

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

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let twice = twice_reference(&gate.markets[proposal.at]);
    if twice <= 0 {
        return Breach::of(limit, i128::MAX);
    }
    let off = (2 * i128::from(proposal.price.0) - twice).abs() * 10_000;
    if limit != 0 && off <= twice * i128::from(limit) {
        return None;
    }
    Breach::of(limit, off / twice + i128::from(off % twice != 0))
}

/// Twice the reference, so that the mid is exact; 0 without a reference.
#[inline]
fn twice_reference(market: &Market) -> i128 {
    let (bid, ask) = (i128::from(market.bid.0), i128::from(market.ask.0));
    match (market.bid == Px::NONE, market.ask == Px::NONE) {
        (false, false) => bid + ask,
        (false, true) => 2 * bid,
        (true, false) => 2 * ask,
        (true, true) => 0,
    }
}
