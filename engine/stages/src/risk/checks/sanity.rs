//! Sanity: the order is complete, consistent, and can be booked.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;
use flow::{Account, OrderType, Px, Side, StrategyId, Tif};

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 2,
    name: "sanity",
    unit: "flaw",
    about: "The order is malformed: listing, side, type, quantity, price, tick or id.",
    limit: None,
    params: &[],
};

/// What is wrong with the order; the value in the refusal. The lowest applicable number is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Flaw {
    /// The instrument has no listing, or one with impossible terms.
    Listing = 1,
    /// The order has no side.
    Side = 2,
    /// A replace of an order that is not open here, has another instrument, side, account or strategy, or already has
    /// a replace in flight.
    Predecessor = 3,
    /// Unknown order type.
    OrderType = 4,
    /// Unknown time in force.
    Tif = 5,
    /// Zero quantity, or a replace to no more than was executed.
    Quantity = 6,
    /// A limit order without a price, a market order with one, or a price of 0 or below where the instrument has none.
    Price = 7,
    /// The price is not a multiple of its tick.
    Tick = 8,
    /// The id has no account, no strategy or no counter.
    OrderId = 9,
    /// A group with no legs, with too many, or whose legs disagree on their number; reported before the group is checked.
    Legs = 10,
}

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    flaw(gate, proposal).map(|flaw| Breach { limit: 0, value: flaw as i64 })
}

#[inline(always)]
fn flaw(gate: &Gate, proposal: &Proposal) -> Option<Flaw> {
    let (market, request) = (&gate.markets[proposal.at], &proposal.request);
    let limit = request.order_type == OrderType::Limit.code();
    let id = proposal.id();
    if !market.listed {
        Some(Flaw::Listing)
    } else if proposal.side == Side::None {
        Some(Flaw::Side)
    } else if proposal.is_replace() && proposal.predecessor.is_none() {
        Some(Flaw::Predecessor)
    } else if !limit && request.order_type != OrderType::Market.code() {
        Some(Flaw::OrderType)
    } else if Tif::from_code(request.tif).is_none() {
        Some(Flaw::Tif)
    } else if proposal.open == 0 {
        Some(Flaw::Quantity)
    } else if limit == (request.px == Px::NONE) || proposal.price.0 <= 0 && !market.signed {
        Some(Flaw::Price)
    } else if limit && market.tick.is_known() && !market.tick.is_on(request.px) {
        Some(Flaw::Tick)
    } else if id.account() == Account::NONE || id.strategy() == StrategyId::NONE || id.counter() == 0 {
        Some(Flaw::OrderId)
    } else {
        None
    }
}
