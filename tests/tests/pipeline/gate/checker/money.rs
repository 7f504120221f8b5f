//! Money in the currency of a limit: the one pair, straight or the other way round.

use super::checks::{Breach, up};
use super::{Checker, Proposal};
use flow::{Account, OrderId, Px};
use std::collections::BTreeMap;

/// Currencies of limits, and the instrument that prices one in the other.
#[derive(Clone)]
pub(crate) struct Money {
    pub(crate) firm: &'static str,
    pub(crate) accounts: BTreeMap<Account, &'static str>,
    pub(crate) pair: (u32, &'static str, &'static str),
    pub(crate) max_age_ms: u64,
}

impl Checker {
    /// The currency of an account's limits, or of the firm's.
    fn currency_of(&self, account: Option<Account>) -> Option<&'static str> {
        let money = self.money.as_ref()?;
        Some(account.and_then(|account| money.accounts.get(&account)).copied().unwrap_or(money.firm))
    }

    /// The currency of the listing without padding, made whole, and how many of it make one.
    fn whole(&self, proposal: &Proposal) -> (String, i128) {
        let code = self.listings.get(&proposal.instrument).map_or([0; 4], |(listing, _)| listing.currency);
        match String::from_utf8_lossy(&code).trim_matches('\0') {
            "GBX" => ("GBP".to_owned(), 100),
            other => (other.to_owned(), 1),
        }
    }

    /// What money of the listing is in another currency, in 1e-9; or why it cannot be said.
    fn converted(&self, proposal: &Proposal, nano: i128, to: &str) -> Result<i128, i64> {
        let (from, parts) = self.whole(proposal);
        let nano = up(nano, parts);
        if from == to {
            return Ok(nano);
        }
        let money = self.money.as_ref().unwrap();
        let (instrument, base, quote) = money.pair;
        let inverse = match (from.as_str(), to) {
            way if way == (base, quote) => false,
            way if way == (quote, base) => true,
            _ => return Err(1),
        };
        let (bid, ask) = self.tops.get(&instrument).copied().unwrap_or((Px::NONE, Px::NONE));
        if bid == Px::NONE || ask == Px::NONE || self.doubtful.contains(&instrument) {
            return Err(2);
        }
        if proposal.now - self.last_market[&instrument] > money.max_age_ms * 1_000_000 {
            return Err(3);
        }
        let (twice, two) = (i128::from(bid.0) + i128::from(ask.0), 2_000_000_000);
        let (times, by) = if inverse { (two, twice) } else { (twice, two) };
        Ok(nano.checked_mul(times).map_or(i128::MAX, |product| product / by + i128::from(product % by != 0)))
    }

    /// Every order needs the rates of its account and of the firm.
    pub(super) fn no_rate(&self, proposal: &Proposal) -> Breach {
        let account = OrderId(proposal.request.order_id).account();
        let needed = [self.currency_of(None), self.currency_of(Some(account))];
        needed.into_iter().flatten().find_map(|to| Some((0, self.converted(proposal, 1, to).err()?)))
    }

    /// The worth of an order in the currency of an account's limits, or of the firm's.
    pub(super) fn worth(&self, proposal: &Proposal, exact: i128, decimals: u8, account: Option<Account>) -> i128 {
        let one = 10i128.pow(18 + u32::from(decimals));
        let (unit, nano) = match self.currency_of(account) {
            Some(to) if self.whole(proposal) != (to.to_owned(), 1) => {
                let nano = exact / (one / 1_000_000_000) + i128::from(exact % (one / 1_000_000_000) != 0);
                (1_000_000_000, self.converted(proposal, nano, to).unwrap_or(i128::MAX))
            }
            _ => (one, exact),
        };
        nano / unit + i128::from(nano % unit != 0)
    }
}
