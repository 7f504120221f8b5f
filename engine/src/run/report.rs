//! What a run says of itself, for people and as one JSON object.

use super::{PnlReport, PositionReport, ToxicityReport};
use crate::pipeline::{GroupLoad, RingLoad};
use flow::{AnomalyKind, Count, Interval, Listed, Listings, Ns, Px, decimal};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tuning::Host;

/// Percentiles of a distribution, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many there are.
    pub samples: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl From<&Histogram<u64>> for Percentiles {
    fn from(times: &Histogram<u64>) -> Percentiles {
        let at = |q| times.value_at_quantile(q);
        Percentiles {
            samples: times.len(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: times.max(),
        }
    }
}

/// An input of the run.
#[derive(Clone, Debug, Serialize)]
pub struct InputReport {
    /// File or source.
    pub name: String,
    /// Records that gave inputs.
    pub records: u64,
    /// Inputs.
    pub inputs: u64,
    /// Messages by type, as the feed counts them.
    pub counts: BTreeMap<String, u64>,
    /// What the user ought to know.
    pub warnings: Vec<String>,
}

impl InputReport {
    pub(super) fn counted(counts: Vec<Count>) -> BTreeMap<String, u64> {
        counts.into_iter().map(|c| (c.name, c.count)).collect()
    }
}

/// A busy instrument.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolReport {
    /// Symbol.
    pub symbol: String,
    /// Inputs.
    pub events: u64,
    /// Best bid and its quantity, best ask and its quantity.
    pub bid_px: Option<String>,
    /// Quantity at the bid.
    pub bid_qty: u64,
    /// Best ask.
    pub ask_px: Option<String>,
    /// Quantity at the ask.
    pub ask_qty: u64,
    /// The last closed bar.
    pub bar: Option<BarReport>,
}

/// The last closed bar of an instrument.
#[derive(Clone, Debug, Serialize)]
pub struct BarReport {
    /// Length.
    pub interval: String,
    /// Start, ns since 1970.
    pub start_ns: u64,
    /// First price.
    pub open: String,
    /// Highest price.
    pub high: String,
    /// Lowest price.
    pub low: String,
    /// Last price.
    pub close: String,
    /// Quantity.
    pub volume: u64,
    /// Volume-weighted average price.
    pub vwap: Option<String>,
}

/// The whole run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Inputs that entered.
    pub events: u64,
    /// Wall time from the first input to the end.
    pub seconds: f64,
    /// Inputs per second.
    pub events_per_s: f64,
    /// Outcomes hashed.
    pub outcomes: u64,
    /// XXH3-128 of all outcomes.
    pub outcome_hash: String,
    /// BLAKE3 of the state of all stages.
    pub state_hash: String,
    /// `fused`, `split` or the groups.
    pub groups: Vec<String>,
    /// Ring of the cuts.
    pub ring: String,
    /// By stage; `group NAME` is the whole pass of an event through a group.
    pub latency: BTreeMap<String, Percentiles>,
    /// Where the time of every group went; empty where `pipeline.meters` is off.
    pub load: Vec<GroupLoad>,
    /// How full every ring was.
    pub rings: Vec<RingLoad>,
    /// By input.
    pub inputs: Vec<InputReport>,
    /// Events that reached the end, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Anomalies by name.
    pub anomalies: BTreeMap<String, u64>,
    /// Host that it ran on.
    pub host: Host,
    /// Share of the time that a hypervisor took away meanwhile, in per cent.
    pub steal_percent: f64,
    /// The busiest instruments.
    pub symbols: Vec<SymbolReport>,
    /// Signals of the strategies.
    pub signals: u64,
    /// Orders that risk let pass.
    pub orders: u64,
    /// Refusals by check.
    pub refused: BTreeMap<String, u64>,
    /// Fills.
    pub fills: u64,
    /// Positions.
    pub positions: Vec<PositionReport>,
    /// Profit and loss.
    pub pnl: PnlReport,
    /// Toxicity of the busiest instruments.
    pub toxicity: Vec<ToxicityReport>,
    /// Whether a signal ended the sources.
    pub stopped: bool,
    /// Outcomes compared with the recorded ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<super::Verified>,
}

/// How many instruments a report names.
const BUSIEST: usize = 8;

pub(super) fn per_second(events: u64, time: Duration) -> f64 {
    events as f64 / time.as_secs_f64().max(1e-9)
}

pub(super) fn anomalies(by_code: &BTreeMap<u16, u64>) -> BTreeMap<String, u64> {
    let name =
        |code: &u16| AnomalyKind::from_code(*code).map_or_else(|| format!("anomaly-{code}"), |w| w.name().to_owned());
    by_code.iter().map(|(code, n)| (name(code), *n)).collect()
}

pub(super) fn busiest(activity: &[u64], listings: &Listings, stats: &super::TailStats) -> Vec<SymbolReport> {
    let mut active: Vec<_> = listings.iter().filter_map(|l| Some((*activity.get(l.instrument as usize)?, l))).collect();
    active.sort_by_key(|(events, l)| (std::cmp::Reverse(*events), l.instrument));
    active.truncate(BUSIEST);
    active.into_iter().map(|(events, listed)| symbol(events, listed, stats)).collect()
}

fn symbol(events: u64, listed: &Listed, stats: &super::TailStats) -> SymbolReport {
    let px = |px: Px| px.known().map(|p| decimal(p.0.into(), 9, listed.price_decimals()));
    let top = stats.top(listed.instrument).copied();
    let side = |get: fn(flow::records::BookTop) -> (Px, u64)| top.map_or((None, 0), |t| (px(get(t).0), get(t).1));
    let (bid_px, bid_qty) = side(|t| (t.bid_px, t.bid_qty.0));
    let (ask_px, ask_qty) = side(|t| (t.ask_px, t.ask_qty.0));
    let shown = |p: Px| px(p).unwrap_or_default();
    let bar = stats.bar(listed.instrument).map(|(bar, flow)| BarReport {
        interval: Interval::from_seconds(bar.interval_s).map_or_else(String::new, |i| i.to_string()),
        start_ns: u64::from(bar.start_s) * Ns::SECOND,
        open: shown(bar.open),
        high: shown(bar.high),
        low: shown(bar.low),
        close: shown(bar.close),
        volume: flow.volume.0,
        vwap: flow.vwap.known().map(|v| decimal(v.0.into(), 9, 9)),
    });
    SymbolReport { symbol: listed.symbol.clone(), events, bid_px, bid_qty, ask_px, ask_qty, bar }
}
