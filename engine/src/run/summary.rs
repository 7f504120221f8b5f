//! From a finished run to its report.

use super::RunError;
use super::drive::Finished;
use super::report::{self, InputReport, Percentiles, Report};
use crate::ingress::{Head, SourceQueue};
use crate::pipeline::{Group, Meters};
use crate::plan::Plan;
use flow::{Kind, StateWriter};
use std::collections::BTreeMap;
use tuning::{Host, Steal};

/// What of the plan the report tells.
pub(super) struct Shape {
    groups: Vec<String>,
    ring: String,
    steal: Steal,
}

impl Shape {
    pub(super) fn of(plan: &Plan) -> Shape {
        let groups = plan.groups.iter().map(|g| g.name.clone()).collect();
        Shape { groups, ring: plan.ring.name().to_owned(), steal: Steal::now() }
    }
}

pub(super) fn input_report(feed: &SourceQueue) -> InputReport {
    InputReport {
        name: feed.name.clone(),
        records: feed.records(),
        inputs: feed.inputs(),
        counts: InputReport::counted(feed.counts()),
        warnings: feed.warnings(),
    }
}

pub(super) fn reported<H: Head>(
    finished: Finished<H>,
    shape: &Shape,
    time: std::time::Duration,
    activity: &[u64],
) -> (Report, Option<RunError>) {
    let (stats, sink_error) = finished.tail.finish();
    let state_hash = state_hash(&finished.groups, &stats.listings);
    let events = finished.head.seq();
    let symbols = report::busiest(activity, &stats.listings, &stats);
    let counted = |kind| stats.kinds.get(&kind).copied().unwrap_or(0);
    let trades = &stats.trades;
    let mut latency = latencies(&finished.meters);
    latency.extend(trades.tick_to_order().map(|l| (l.name.clone(), Percentiles::from(&l.histogram))));
    let toxic = stats.listings.iter().filter_map(|l| trades.toxicity(l.instrument, &l.symbol));
    let toxicity = toxic.filter(|t| symbols.iter().any(|s| s.symbol == t.symbol)).collect();
    let report = Report {
        events,
        seconds: time.as_secs_f64(),
        events_per_s: report::per_second(events, time),
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
        anomalies: report::anomalies(&stats.anomalies),
        host: Host::here(),
        steal_percent: Steal::now().percent_since(shape.steal),
        symbols,
        signals: counted(Kind::Signal),
        orders: counted(Kind::Order),
        refused: trades.refused(),
        fills: counted(Kind::Fill),
        positions: trades.positions(&stats.listings),
        pnl: trades.pnl(),
        toxicity,
        stopped: finished.stopped,
        verified: None,
    };
    let sink_error = sink_error.filter(|e| !e.closed).map(RunError::Sink);
    (report, finished.error.map(RunError::from).or(sink_error))
}

fn state_hash(groups: &[Group], listings: &flow::Listings) -> String {
    let mut writer = StateWriter::new(listings);
    groups.iter().flat_map(Group::stages).for_each(|stage| stage.save(&mut writer));
    writer.hash()
}

/// Percentiles by stage; `group NAME` is the whole pass of an event through a group.
pub(crate) fn latencies(meters: &Meters) -> BTreeMap<String, Percentiles> {
    meters.latencies().iter().map(|l| (l.name.clone(), Percentiles::from(&l.histogram))).collect()
}
