//! The busiest instruments: their best prices and their last bar.

use crate::pipeline::TailStats;
use flow::{Interval, Listed, Listings, Ns, Px, decimal};
use serde::Serialize;

/// A busy instrument.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolReport {
    /// Symbol.
    pub symbol: String,
    /// Number of inputs.
    pub events: u64,
    /// Best bid.
    pub bid_px: Option<String>,
    /// Quantity at the bid.
    pub bid_qty: Option<u64>,
    /// Best ask.
    pub ask_px: Option<String>,
    /// Quantity at the ask.
    pub ask_qty: Option<u64>,
    /// The last closed bar.
    pub bar: Option<BarReport>,
}

/// The last closed bar of an instrument.
#[derive(Clone, Debug, Serialize)]
pub struct BarReport {
    /// Length of the bar.
    pub interval: String,
    /// Start, ns since 1970, in digits, since a double does not hold it.
    pub start_ns: String,
    /// First price.
    pub open: String,
    /// Highest price.
    pub high: String,
    /// Lowest price.
    pub low: String,
    /// Last price.
    pub close: String,
    /// Quantity traded.
    pub volume: Option<u64>,
    /// Volume-weighted average price.
    pub vwap: Option<String>,
}

/// Most instruments in a report.
const BUSIEST: usize = 8;

pub(super) fn busiest(activity: &[u64], listings: &Listings, stats: &TailStats) -> Vec<SymbolReport> {
    let mut active: Vec<_> = listings.iter().filter_map(|l| Some((*activity.get(l.instrument as usize)?, l))).collect();
    active.sort_by_key(|(events, l)| (std::cmp::Reverse(*events), l.instrument));
    active.truncate(BUSIEST);
    active.into_iter().map(|(events, listed)| symbol(events, listed, stats)).collect()
}

fn symbol(events: u64, listed: &Listed, stats: &TailStats) -> SymbolReport {
    let px = |px: Px| px.known().map(|p| decimal(p.0.into(), 9, listed.price_decimals()));
    let top = stats.top(listed.instrument).copied();
    let side = |get: fn(flow::records::BookTop) -> (Px, u64)| {
        let quoted = top.map(get).and_then(|(at, qty)| Some((px(at)?, qty)));
        quoted.unzip()
    };
    let (bid_px, bid_qty) = side(|t| (t.bid_px, t.bid_qty.0));
    let (ask_px, ask_qty) = side(|t| (t.ask_px, t.ask_qty.0));
    let shown = |p: Px| px(p).unwrap_or_default();
    let bar = stats.bar(listed.instrument).map(|(bar, flow)| BarReport {
        interval: Interval::from_seconds(bar.interval_s).map_or_else(String::new, |i| i.to_string()),
        start_ns: (u64::from(bar.start_s) * Ns::SECOND).to_string(),
        open: shown(bar.open),
        high: shown(bar.high),
        low: shown(bar.low),
        close: shown(bar.close),
        volume: flow.volume.known().map(|volume| volume.0),
        vwap: flow.vwap.known().map(|v| decimal(v.0.into(), 9, 9)),
    });
    SymbolReport { symbol: listed.symbol.clone(), events, bid_px, bid_qty, ask_px, ask_qty, bar }
}
