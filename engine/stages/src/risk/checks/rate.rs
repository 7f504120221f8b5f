//! Rate: money in another currency than that of the limits has no size without it.
//!
//! An order needs the rate into the currency of the firm and into that of its account, whichever tables it falls into. Without
//! currencies in the configuration, or where the instrument trades in them, none is needed.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;
use crate::risk::rates::MAX_RATE_AGE_MS;
use flow::{Currency, TextParam};

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 17,
    name: "rate-unknown",
    unit: "state",
    about: "There is no rate into the currency of the limits: add a feed with a pair, or state which instrument is one.",
    limit: None,
    params: &[CURRENCY.param(), MAX_RATE_AGE_MS.param()],
};

/// The currency of the limits in money.
pub(crate) const CURRENCY: TextParam = TextParam::new(
    "currency",
    "",
    "currency of limits in money, as USD, and of accounts that state none; empty: that of each listing",
);

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    if gate.rates.is_off() { None } else { missing(gate, proposal) }
}

#[inline(never)]
fn missing(gate: &Gate, proposal: &Proposal) -> Option<Breach> {
    let needed = [gate.rates.firm(), gate.rates.of(Some(proposal.id().account()))];
    let missing = |to: Currency| {
        let differs = gate.rates.differs(proposal.at, to);
        if differs { gate.rates.convert(proposal.at, 1, to, gate.quotes(proposal.now)).err() } else { None }
    };
    needed.into_iter().find_map(missing).map(|missing| Breach { limit: 0, value: missing as i64 })
}
