//! Profit and loss of an account as one sum, in the account's currency.
//!
//! The sums of each currency are converted one by one and then added up, so the whole is what the lines of the currencies
//! say at the rates beside it. Without a rate from one of them there is no whole: a part of a result is none. Bound: one row an
//! account.

use crate::pipeline::{Pnl, Purse};
use flow::{Account, Currency, Px, Rate, Valuation, decimal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Profit and loss of an account whose money stands in another currency than its own: all of it in its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountReport {
    /// Account.
    pub account: u8,
    /// Its currency, ISO 4217.
    pub currency: String,
    /// Realised profit before fees; like all sums absent if a rate is missing, or an amount too large.
    pub realised: Option<String>,
    /// Unrealised profit of open quantities.
    pub unrealised: Option<String>,
    /// Fees.
    pub fees: Option<String>,
    /// Realised and unrealised profit less fees.
    pub net: Option<String>,
    /// What one of each other currency is worth, rounded at 1e-9; the sums are converted at the exact rate.
    pub rates: BTreeMap<String, String>,
    /// Currencies from which there is no rate; absent are those of listings that state none.
    pub missing: BTreeSet<Option<String>>,
    /// Positions of instruments without a multiplier; the sums hold their fees alone.
    pub without_multiplier: u64,
    /// Positions with a fee that is not known; the sums hold no fee of theirs.
    pub without_fees: u64,
}

/// The whole of each account that has a currency and money in another one, by account.
pub(crate) fn accounts(sums: &BTreeMap<Purse, Pnl>, valuation: &Valuation) -> Vec<AccountReport> {
    valuation.accounts.iter().filter_map(|(account, currency)| whole(*account, *currency, sums, valuation)).collect()
}

/// A sum of an account in a currency, and the rate from there; `None` where none is needed.
type Part<'a> = (&'a Pnl, Option<&'a Rate>);

fn whole(
    account: Account,
    currency: Currency,
    sums: &BTreeMap<Purse, Pnl>,
    valuation: &Valuation,
) -> Option<AccountReport> {
    let (mut parts, mut rates, mut missing) = (Vec::<Part<'_>>::new(), BTreeMap::new(), BTreeSet::new());
    for ((_, code), pnl) in sums.range((account, [0; 4])..=(account, [u8::MAX; 4])) {
        let from = Currency::listed(*code);
        let rate = valuation.rate(from, currency);
        match rate {
            Some(rate) => {
                rates.extend(rate.convert(Px::ONE.into()).map(|one| (from.to_string(), decimal(one, 9, 4))));
            }
            None if from == currency => {}
            None => {
                missing.insert(Some(from.to_string()).filter(|_| from.is_known()));
            }
        }
        parts.push((pnl, rate));
    }
    if missing.is_empty() && parts.iter().all(|(_, rate)| rate.is_none()) {
        return None;
    }
    let sum = |of: fn(&Pnl) -> i128| if missing.is_empty() { added_up(&parts, of) } else { None };
    let (realised, unrealised, fees) = (sum(|pnl| pnl.realised), sum(|pnl| pnl.unrealised), sum(|pnl| pnl.fees));
    let profit = realised.zip(unrealised).and_then(|(a, b)| a.checked_add(b));
    let net = profit.zip(fees).and_then(|(profit, fees)| profit.checked_sub(fees));
    let [realised, unrealised, fees, net] =
        [realised, unrealised, fees, net].map(|nano| nano.map(|nano| decimal(nano, 9, 2)));
    Some(AccountReport {
        account: account.0,
        currency: currency.to_string(),
        realised,
        unrealised,
        fees,
        net,
        rates,
        without_multiplier: parts.iter().map(|(pnl, _)| pnl.without_multiplier).sum(),
        without_fees: parts.iter().map(|(pnl, _)| pnl.without_fees).sum(),
        missing,
    })
}

/// A sum of every currency, converted and added up; `None` if an amount is too large on the way.
fn added_up(parts: &[Part<'_>], of: fn(&Pnl) -> i128) -> Option<i128> {
    let add = |sum: i128, (pnl, rate): &Part<'_>| {
        let nano = of(pnl);
        sum.checked_add(rate.map_or(Some(nano), |rate| rate.convert(nano))?)
    };
    parts.iter().try_fold(0, add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::RateStep;
    use std::num::NonZero;

    /// Account 1 in dollars, account 2 in pounds; rates from euros and pence.
    fn valuation() -> Valuation {
        let code = |text| Currency::parse(text).unwrap();
        let step = |times, by| RateStep { times, by: NonZero::new(by).unwrap() };
        let rate = |from, to, steps: &[RateStep]| Rate { from: code(from), to: code(to), steps: steps.to_vec() };
        let (pence, pound) = (step(1, 100), step(5, 4));
        let rates = vec![
            rate("EUR", "USD", &[step(2_168_600_000, 2_000_000_000)]),
            rate("GBX", "USD", &[pence, pound]),
            rate("GBX", "GBP", &[pence]),
        ];
        let accounts = BTreeMap::from([(Account(1), code("USD")), (Account(2), code("GBP"))]);
        Valuation { accounts, rates }
    }

    fn pnl(realised: i128, unrealised: i128, fees: i128) -> Pnl {
        Pnl { realised, unrealised, fees, ..Pnl::default() }
    }

    fn told(sums: &[(u8, &[u8; 4], Pnl)]) -> Vec<AccountReport> {
        let sums = sums.iter().map(|(account, code, pnl)| ((Account(*account), **code), *pnl));
        accounts(&sums.collect(), &valuation())
    }

    #[test]
    fn each_currency_is_converted_and_then_added_up() {
        const ONE: i128 = Px::ONE as i128;
        let euros = Pnl { without_multiplier: 2, ..pnl(10 * ONE, -3, ONE) };
        let pence = Pnl { without_fees: 1, ..pnl(-120, 50, 1) };
        let dollars = Pnl { without_fees: 3, ..pnl(7, 0, 2) };
        let whole = told(&[(1, b"EUR ", euros), (1, b"GBX\0", pence), (1, b"USD\0", dollars), (2, b"GBX\0", pence)]);
        // Pence: -1.2 rounds to -1, times 1.25 to -1; 0.5 to 0; 0.01 to 0.
        let rates = [("EUR", "1.0843"), ("GBX", "0.0125")].map(|(from, rate)| (from.to_owned(), rate.to_owned()));
        let of_account = AccountReport {
            account: 1,
            currency: "USD".to_owned(),
            realised: Some("10.843000006".to_owned()),
            unrealised: Some("-0.000000003".to_owned()),
            fees: Some("1.084300002".to_owned()),
            net: Some("9.758700001".to_owned()),
            rates: BTreeMap::from(rates),
            missing: BTreeSet::new(),
            without_multiplier: 2,
            without_fees: 4,
        };
        assert_eq!(whole[0], of_account);
        assert_eq!((whole.len(), whole[1].net.as_deref()), (2, Some("-0.000000001")));
    }

    #[test]
    fn an_account_in_its_own_currency_alone_needs_no_second_line() {
        assert_eq!(told(&[(1, b"USD\0", pnl(1, 2, 3)), (1, b"USD ", pnl(1, 2, 3)), (3, b"EUR\0", pnl(1, 2, 3))]), []);
    }

    #[test]
    fn without_a_rate_there_is_no_part_of_a_sum() {
        let sums = [(1, b"EUR\0", pnl(1, 2, 3)), (1, b"JPY\0", pnl(0, 0, 0)), (1, &[0; 4], pnl(0, 0, 0))];
        let whole = told(&sums).remove(0);
        assert_eq!((&whole.realised, &whole.unrealised, &whole.fees, &whole.net), (&None, &None, &None, &None));
        assert_eq!(whole.missing, BTreeSet::from([None, Some("JPY".to_owned())]));
        let json = serde_json::to_value(&whole).unwrap();
        assert_eq!((&json["missing"], &json["net"]), (&serde_json::json!([null, "JPY"]), &serde_json::Value::Null));
    }

    #[test]
    fn what_is_too_large_is_absent() {
        let sums = [(1, b"EUR\0", pnl(i128::MAX, 5, 0)), (1, b"USD\0", pnl(1, 2, 3))];
        let whole = told(&sums).remove(0);
        assert_eq!((whole.realised, whole.net, whole.missing), (None, None, BTreeSet::new()));
        assert_eq!(whole.fees.as_deref(), Some("0.000000003"));
        let sums = [(2, b"GBP\0", pnl(i128::MAX, 0, 0)), (2, b"GBX\0", pnl(100, 0, 0))];
        assert_eq!(told(&sums).remove(0).realised, None);
    }
}
