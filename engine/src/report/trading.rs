//! The trading part of a report: positions, profit and loss, refusals.

use crate::pipeline::{Holder, TradeStats};
use flow::records::{Position, PositionMoney};
use flow::{Listings, Px, StrategyId, decimal};
use serde::Serialize;
use std::collections::BTreeMap;

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
    /// Realised profit before fees.
    pub realised: String,
    /// Profit of the open quantity at the last price.
    pub unrealised: String,
    /// Fees.
    pub fees: String,
}

/// Profit and loss of all positions.
#[derive(Clone, Debug, Serialize)]
pub struct PnlReport {
    /// Realised profit before fees.
    pub realised: String,
    /// Unrealised profit of open quantities.
    pub unrealised: String,
    /// Fees.
    pub fees: String,
    /// Realised and unrealised profit less fees.
    pub net: String,
}

/// Refusals by name of the check.
pub(super) fn refused(trades: &TradeStats) -> BTreeMap<String, u64> {
    trades.refused().iter().map(|(check, n)| (stages::risk::check_name(*check).to_owned(), *n)).collect()
}

/// All positions.
pub(super) fn positions(trades: &TradeStats, listings: &Listings) -> Vec<PositionReport> {
    trades.positions().iter().map(|(holder, held)| position(*holder, held, listings)).collect()
}

/// Profit and loss of all positions.
pub(super) fn pnl(trades: &TradeStats) -> PnlReport {
    let sum =
        |get: fn(&PositionMoney) -> i64| trades.positions().values().map(|(_, m)| i128::from(get(m))).sum::<i128>();
    let (realised, unrealised, fees) = (sum(|m| m.realised), sum(|m| m.unrealised), sum(|m| m.fees));
    let money = |nano| decimal(nano, 9, 2);
    PnlReport {
        realised: money(realised),
        unrealised: money(unrealised),
        fees: money(fees),
        net: money(realised + unrealised - fees),
    }
}

fn position(holder: Holder, (held, money): &(Position, PositionMoney), listings: &Listings) -> PositionReport {
    let (account, strategy, instrument) = holder;
    let listed = listings.get(instrument);
    let decimals = listed.map_or(2, flow::Listed::price_decimals);
    let avg = (held.qty != 0).then_some(held.avg_px).and_then(Px::known);
    PositionReport {
        account: account.0,
        strategy: strategy_name(strategy),
        symbol: listed.map_or_else(|| format!("#{instrument}"), |l| l.symbol.clone()),
        qty: held.qty,
        avg_px: avg.map(|px| decimal(px.0.into(), 9, decimals)),
        realised: decimal(money.realised.into(), 9, 2),
        unrealised: decimal(money.unrealised.into(), 9, 2),
        fees: decimal(money.fees.into(), 9, 2),
    }
}

/// Name of a strategy, or its number if it has none.
fn strategy_name(strategy: StrategyId) -> String {
    stages::strategies::name(strategy).map_or_else(|| strategy.0.to_string(), str::to_owned)
}
