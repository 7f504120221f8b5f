//! Sanity: the order says what an order must say, and can be booked.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;
use flow::{Account, OrderType, Px, Side, StrategyId, Tif};

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 2,
    name: "sanity",
    unit: "flaw",
    about: "The order makes no sense: listing, side, type, quantity, price, tick, id.",
    limit: None,
    params: &[],
};

/// What makes no sense; the value of the refusal. The first of this order is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Flaw {
    /// The instrument has no listing, or one with terms that cannot be.
    Listing = 1,
    /// No side.
    Side = 2,
    /// A replace of an order that is not open here, is of another instrument, side, account or strategy, or has a
    /// replace in flight.
    Predecessor = 3,
    /// No such order type.
    OrderType = 4,
    /// No such time in force.
    Tif = 5,
    /// No quantity, or a replace to no more than was executed.
    Quantity = 6,
    /// A limit order without a price above 0, or a market order with one.
    Price = 7,
    /// The price is not a multiple of the tick.
    Tick = 8,
    /// The id has no account, no strategy or no counter.
    OrderId = 9,
    /// A group with no legs, with more than may be, or whose legs do not agree on how many they are; told before the
    /// group is judged.
    Legs = 10,
}

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    flaw(gate, proposal).map(|flaw| Breach { limit: 0, value: flaw as i64 })
}

#[inline]
fn flaw(gate: &Gate, proposal: &Proposal) -> Option<Flaw> {
    let (market, request) = (&gate.markets[proposal.at], &proposal.request);
    let limit = request.order_type == OrderType::Limit.code();
    let id = proposal.id();
    if market.multiplier == 0 {
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
    } else if limit && (request.px == Px::NONE || request.px.0 <= 0) || !limit && request.px != Px::NONE {
        Some(Flaw::Price)
    } else if limit && market.tick != 0 && request.px.0 % market.tick != 0 {
        Some(Flaw::Tick)
    } else if id.account() == Account::NONE || id.strategy() == StrategyId::NONE || id.counter() == 0 {
        Some(Flaw::OrderId)
    } else {
        None
    }
}
