//! The report of a run, made from its finished assembly.

use super::accounts::{AccountReport, accounts};
use super::busiest::{SymbolReport, busiest};
use super::difference::Difference;
use super::measures::{MeasuresReport, measures};
use super::percentiles::{Percentiles, latencies};
use super::trading::{self, PnlReport, PositionReport};
use crate::diff::DiffReport;
use crate::drive::Finished;
use crate::ingress::{Head, SourceQueue};
use crate::pipeline::{Group, GroupLoad, HaltCause, Quality, RingLoad};
use crate::plan::Plan;
use crate::recovery::Verified;
use flow::{AnomalyKind, Count, Kind, SinkError, StateWriter, TradingState};
use serde::Serialize;
use stages::Instances;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tuning::{Host, Steal};

/// An input of the run.
#[derive(Clone, Debug, Serialize)]
pub struct InputReport {
    /// Name of the file or source.
    pub name: String,
    /// Number of the records whose inputs entered; of a source that has ended, of all its records.
    pub records: u64,
    /// Number of inputs.
    pub inputs: u64,
    /// Messages by type, as counted by the feed.
    pub counts: BTreeMap<String, u64>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

impl InputReport {
    fn counted(counts: Vec<Count>) -> BTreeMap<String, u64> {
        counts.into_iter().map(|c| (c.name, c.count)).collect()
    }
}

/// The report of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Number of inputs.
    pub events: u64,
    /// Wall time from the first input to the end.
    pub seconds: f64,
    /// Inputs per second.
    pub events_per_s: f64,
    /// Number of outcomes in the hash.
    pub outcomes: u64,
    /// XXH3-128 of all outcomes.
    pub outcome_hash: String,
    /// BLAKE3 of the state of all stages.
    pub state_hash: String,
    /// The groups, each with its stages: `core0: ingress+book`.
    pub groups: Vec<String>,
    /// Type of the rings between groups.
    pub ring: String,
    /// Latency by stage; `group NAME` is an event's whole pass through a group.
    pub latency: BTreeMap<String, Percentiles>,
    /// Busy, idle and stalled time of each group; empty if `pipeline.meters` is off.
    pub load: Vec<GroupLoad>,
    /// Occupancy of each ring.
    pub rings: Vec<RingLoad>,
    /// The inputs, one by one.
    pub inputs: Vec<InputReport>,
    /// Events that reached the end, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Anomalies by name.
    pub anomalies: BTreeMap<String, u64>,
    /// What the numbers rest on.
    pub data: Quality,
    /// Host of the run.
    pub host: Host,
    /// CPU time stolen by the hypervisor during the run, in per cent.
    pub steal_percent: f64,
    /// The busiest instruments.
    pub symbols: Vec<SymbolReport>,
    /// All listed symbols.
    #[serde(skip)]
    pub listed: Vec<String>,
    /// Symbols of the inputs that are not watched, so they were not read.
    #[serde(skip)]
    pub unwatched: Vec<String>,
    /// Symbols of which the configuration states terms, and that no input listed.
    pub unlisted: Vec<String>,
    /// Number of signals from strategies.
    pub signals: u64,
    /// Number of orders that risk approved.
    pub orders: u64,
    /// Refusals by check.
    pub refused: BTreeMap<String, u64>,
    /// What must be added so that orders of refused instruments can pass.
    pub remedies: BTreeSet<String>,
    /// Number of fills.
    pub fills: u64,
    /// Positions.
    pub positions: Vec<PositionReport>,
    /// Profit and loss by account and currency.
    pub pnl: Vec<PnlReport>,
    /// The whole of each account that has a currency and money in another one.
    pub accounts: Vec<AccountReport>,
    /// Measures of the busiest instruments.
    pub measures: Vec<MeasuresReport>,
    /// Names of the instances of strategies and measures.
    #[serde(skip)]
    pub names: Arc<Instances>,
    /// Whether it ended before its inputs did: a signal stopped it, or nobody takes its rows any more.
    pub stopped: bool,
    /// Whether it was stopped while it replayed its journal, before anything entered.
    #[serde(skip)]
    pub replaying: bool,
    /// What halted trading, if it is halted at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<HaltCause>,
    /// Comparison with the recorded outcomes, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    /// What became different from the record, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<Box<DiffReport>>,
    /// The first difference of that comparison, and what probably caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

fn per_second(events: u64, time: Duration) -> f64 {
    events as f64 / time.as_secs_f64().max(1e-9)
}

fn anomalies(by_code: &BTreeMap<u16, u64>) -> BTreeMap<String, u64> {
    let name =
        |code: &u16| AnomalyKind::from_code(*code).map_or_else(|| format!("anomaly-{code}"), |w| w.name().to_owned());
    by_code.iter().map(|(code, n)| (name(code), *n)).collect()
}

/// The part of the plan that the report shows.
pub(crate) struct Shape {
    groups: Vec<String>,
    ring: String,
    names: Arc<Instances>,
    steal: Steal,
}

impl Shape {
    pub(crate) fn of(plan: &Plan) -> Shape {
        let groups = plan.groups.iter().map(ToString::to_string).collect();
        Shape { groups, ring: plan.ring.name().to_owned(), names: Arc::clone(&plan.instances), steal: Steal::now() }
    }
}

pub(crate) fn input_report(feed: &SourceQueue) -> InputReport {
    InputReport {
        name: feed.name.clone(),
        records: feed.records(),
        inputs: feed.inputs(),
        counts: InputReport::counted(feed.counts()),
        warnings: feed.warnings(),
    }
}

pub(crate) fn reported<H: Head>(
    finished: Finished<H>,
    shape: &Shape,
    time: Duration,
    activity: &[u64],
) -> (Report, Option<SinkError>) {
    let (stats, sink_error) = finished.tail.finish();
    let state_hash = state_hash(&finished.groups, &stats.listings);
    let events = finished.head.seq();
    let symbols = busiest(activity, &stats.listings, &stats);
    let counted = |kind| stats.kinds.get(&kind).copied().unwrap_or(0);
    let trades = &stats.trades;
    let state = trading_state(&finished.groups);
    let held = trades.positions(&state);
    let sums = trading::sums(&held, &stats.listings);
    let mut latency = latencies(&finished.meters);
    latency.extend(trades.tick_to_order().map(|times| ("tick to order".to_owned(), Percentiles::from(times))));
    let measured = stats.listings.iter().filter_map(|l| measures(&stats.measures, l, &shape.names));
    let measures = measured.filter(|m| symbols.iter().any(|s| s.symbol == m.symbol)).collect();
    let report = Report {
        events,
        seconds: time.as_secs_f64(),
        events_per_s: per_second(events, time),
        outcomes: stats.outcomes,
        outcome_hash: stats.outcome_hash(),
        state_hash,
        groups: shape.groups.clone(),
        ring: shape.ring.clone(),
        latency,
        load: finished.meters.groups(),
        rings: finished.meters.rings(),
        inputs: Vec::new(),
        kinds: stats.kinds.iter().map(|(k, n)| (format!("{k:?}"), *n)).collect(),
        anomalies: anomalies(&stats.anomalies),
        data: stats.quality,
        host: Host::here(),
        steal_percent: Steal::now().percent_since(shape.steal),
        symbols,
        listed: stats.listings.iter().map(|l| l.symbol.clone()).collect(),
        unwatched: Vec::new(),
        unlisted: Vec::new(),
        signals: counted(Kind::Signal),
        orders: counted(Kind::Order),
        refused: trading::refused(trades),
        remedies: trading::remedies(trades, &stats.listings),
        fills: counted(Kind::Fill),
        positions: trading::positions(&held, &stats.listings, &shape.names),
        pnl: trading::pnls(&sums),
        accounts: accounts(&sums, &state.valuation),
        measures,
        names: Arc::clone(&shape.names),
        stopped: finished.stopped,
        replaying: false,
        halt: stats.halt().filter(|_| state.halted == Some(true)),
        verified: None,
        diff: None,
        difference: None,
    };
    (report, sink_error.filter(|e| !e.closed))
}

fn trading_state(groups: &[Group]) -> TradingState {
    let mut state = TradingState::default();
    groups.iter().flat_map(Group::stages).for_each(|stage| stage.trading_state(&mut state));
    state
}

fn state_hash(groups: &[Group], listings: &flow::Listings) -> String {
    let mut writer = StateWriter::new(listings);
    groups.iter().flat_map(Group::stages).for_each(|stage| stage.save(&mut writer));
    writer.hash()
}
