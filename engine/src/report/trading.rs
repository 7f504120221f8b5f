//! The trading part of a report: positions, profit and loss, refusals.

use crate::pipeline::{Holder, Pnl, Purse, TradeStats};
use flow::records::{Position, PositionMoney};
use flow::{Currency, Listed, Listings, Px, amount, decimal};
use serde::{Deserialize, Serialize};
use stages::Instances;
use std::collections::{BTreeMap, BTreeSet};

/// A position at the end of the run.
#[derive(Clone, Debug, Serialize)]
pub struct PositionReport {
    /// Account.
    pub account: u8,
    /// Strategy.
    pub strategy: String,
    /// Symbol.
    pub symbol: String,
    /// Signed quantity.
    pub qty: i64,
    /// Average entry price; absent when flat.
    pub avg_px: Option<String>,
    /// Realised profit before fees; absent without a multiplier.
    pub realised: Option<String>,
    /// Profit of the open quantity at the last price; absent without a multiplier.
    pub unrealised: Option<String>,
    /// Fees; absent if one of them is not known.
    pub fees: Option<String>,
}

/// Profit and loss of an account in a currency: of all its positions whose money is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PnlReport {
    /// Account.
    pub account: u8,
    /// Currency, ISO 4217; absent if the listings do not state one.
    pub currency: Option<String>,
    /// Realised profit before fees.
    pub realised: String,
    /// Unrealised profit of open quantities.
    pub unrealised: String,
    /// Fees.
    pub fees: String,
    /// Realised and unrealised profit less fees.
    pub net: String,
    /// Positions of instruments without a multiplier; the sums hold their fees alone.
    pub without_multiplier: u64,
    /// Positions with a fee that is not known; the sums hold no fee of theirs.
    pub without_fees: u64,
}

/// Refusals by name of the check.
pub(super) fn refused(trades: &TradeStats) -> BTreeMap<String, u64> {
    trades.refused().iter().map(|(check, of)| (stages::risk::check_name(*check).to_owned(), of.count)).collect()
}

/// What is to be added, for the first instrument that each check refused, if terms of it are not known.
pub(super) fn remedies(trades: &TradeStats, listings: &Listings) -> BTreeSet<String> {
    let refused = trades.refused().values().filter_map(|of| listings.get(of.first));
    let remedy = |listed: &Listed| {
        let (symbol, missing) = (&listed.symbol, listed.missing().join(" and "));
        (!missing.is_empty()).then(|| {
            format!("{symbol} has no {missing}: add its definition file as another input, or set {missing} in [instrument.{symbol:?}]")
        })
    };
    let rates = trades.refused().get(&stages::risk::RATE).and_then(|of| listings.get(of.first));
    let rates = rates.map(|listed| {
        let (symbol, currency) = (&listed.symbol, Currency::listed(listed.terms.currency));
        let what = if currency.is_known() { format!("trades in {currency}") } else { "states no currency".to_owned() };
        format!(
            "{symbol} {what}, and its limits are in another currency: add a feed with a pair of the two, and say so, as [instrument.\"EURUSD\"] \
             pair = [\"EUR\", \"USD\"]"
        )
    });
    refused.filter_map(remedy).chain(rates).collect()
}

/// All positions.
pub(super) fn positions(
    held: &BTreeMap<Holder, (Position, PositionMoney)>,
    listings: &Listings,
    names: &Instances,
) -> Vec<PositionReport> {
    held.iter().map(|(holder, held)| position(*holder, held, listings, names)).collect()
}

/// Profit and fees of all positions, by account and currency.
pub(crate) fn sums(held: &BTreeMap<Holder, (Position, PositionMoney)>, listings: &Listings) -> BTreeMap<Purse, Pnl> {
    let mut sums = BTreeMap::<Purse, Pnl>::new();
    for ((account, _, instrument), (_, money)) in held {
        let currency = listings.get(*instrument).map_or([0; 4], |listed| listed.terms.currency);
        sums.entry((*account, currency)).or_default().add(money);
    }
    sums
}

/// Each sum, by account and currency.
pub(crate) fn pnls(sums: &BTreeMap<Purse, Pnl>) -> Vec<PnlReport> {
    sums.iter().map(|(purse, pnl)| sum(*purse, pnl)).collect()
}

fn sum((account, currency): Purse, pnl: &Pnl) -> PnlReport {
    let money = |nano| decimal(nano, 9, 2);
    let currency = String::from_utf8_lossy(&currency).trim_matches(['\0', ' ']).to_owned();
    PnlReport {
        account: account.0,
        currency: Some(currency).filter(|currency| !currency.is_empty()),
        realised: money(pnl.realised),
        unrealised: money(pnl.unrealised),
        fees: money(pnl.fees),
        net: money(pnl.net()),
        without_multiplier: pnl.without_multiplier,
        without_fees: pnl.without_fees,
    }
}

fn position(
    holder: Holder,
    (held, money): &(Position, PositionMoney),
    listings: &Listings,
    names: &Instances,
) -> PositionReport {
    let (account, strategy, instrument) = holder;
    let listed = listings.get(instrument);
    let decimals = listed.map_or(2, flow::Listed::price_decimals);
    let avg = (held.qty != 0).then_some(held.avg_px).and_then(Px::known);
    PositionReport {
        account: account.0,
        strategy: names.strategy_name(strategy),
        symbol: listed.map_or_else(|| format!("#{instrument}"), |l| l.symbol.clone()),
        qty: held.qty,
        avg_px: avg.map(|px| decimal(px.0.into(), 9, decimals)),
        realised: amount(money.realised, 2),
        unrealised: amount(money.unrealised, 2),
        fees: amount(money.fees, 2),
    }
}
