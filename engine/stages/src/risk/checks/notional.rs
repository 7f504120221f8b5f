//! Maximum notional of one order: price × quantity × multiplier, by the size of the price: what is sold at -17.00 risks as
//! much as what is bought at 17.00.
//!
//! Exact integers: both sides of the comparison are scaled up, and division is needed only to report a value. A product
//! beyond 127 bits exceeds every limit. Where the limit has another currency than the listing, the worth is converted first,
//! and without a rate exceeds every limit.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;
use flow::{Currency, Px};

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 4,
    name: "max-notional",
    unit: "currency",
    about: "The notional of the order is too large.",
    limit: Some(limit("max_notional", 1_000_000_000_000, "250_000").unit("currency")),
    params: &[],
};

/// 10^18 for price and multiplier; the listing's scale comes on top.
const UNIT: i128 = 1_000_000_000_000_000_000;

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    within(gate, proposal, limit, gate.rates.firm())
}

/// In the currency of the account that the level is for.
pub(super) fn at_level(gate: &Gate, proposal: &Proposal, limit: i64, level: usize) -> Option<Breach> {
    within(gate, proposal, limit, gate.rates.of(gate.levels.account(level)))
}

#[inline(always)]
fn within(gate: &Gate, proposal: &Proposal, limit: i64, currency: Currency) -> Option<Breach> {
    let market = &gate.markets[proposal.at];
    if proposal.price == Px::NONE {
        return Breach::of(limit, i128::MAX);
    }
    let size = i128::from(proposal.price.0.unsigned_abs()) * i128::from(proposal.request.qty.0);
    let product = size.checked_mul(i128::from(market.multiplier));
    let one = UNIT * i128::from(POWERS[usize::from(market.decimals)]);
    let Some(worth) = product else { return Breach::of(limit, i128::MAX) };
    if !gate.rates.is_off() && gate.rates.differs(proposal.at, currency) {
        return converted(gate, proposal, limit, (worth, one), currency);
    }
    if limit != 0 && worth <= i128::from(limit).saturating_mul(one) {
        return None;
    }
    Breach::of(limit, worth / one + i128::from(worth % one != 0))
}

/// Rounded up to 1e-9 of the listing's currency, and again with each rate.
#[inline(never)]
fn converted(
    gate: &Gate,
    proposal: &Proposal,
    limit: i64,
    (worth, one): (i128, i128),
    currency: Currency,
) -> Option<Breach> {
    let nano = one / NANO;
    let worth = worth / nano + i128::from(worth % nano != 0);
    let worth = gate.rates.convert(proposal.at, worth, currency, gate.quotes(proposal.now)).unwrap_or(i128::MAX);
    if limit != 0 && worth <= i128::from(limit) * NANO {
        return None;
    }
    Breach::of(limit, worth / NANO + i128::from(worth % NANO != 0))
}

/// One in 1e-9.
const NANO: i128 = 1_000_000_000;

/// Powers of ten.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};
