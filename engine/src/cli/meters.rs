//! Tables of what a pipeline shows of itself: where its time goes, how full its rings are, latencies.

use super::numbers::grouped;
use crate::control::Status;
use crate::pipeline::{GroupLoad, RingLoad};
use crate::report::Percentiles;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A group that has ended no turn for so long is told apart.
const LONG_NS: u64 = 100_000_000;

/// All of a running engine.
pub(crate) fn status(status: &Status) -> String {
    let [admitted, finished, behind] =
        [status.admitted, status.finished, status.admitted - status.finished].map(grouped);
    let mut text = format!("inputs    {admitted} entered, {finished} finished, {behind} on the pipeline\n");
    push_load(&mut text, &status.load);
    for group in status.load.iter().filter(|g| g.since_turn_ns > LONG_NS) {
        let ms = grouped(group.since_turn_ns / 1_000_000);
        let _ = writeln!(text, "          {} has ended no turn for {ms} ms", group.group);
    }
    push_rings(&mut text, &status.rings);
    push_latency(&mut text, &status.latency);
    text
}

fn per_cent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

/// Where the time of every group went.
pub(crate) fn push_load(text: &mut String, load: &[GroupLoad]) {
    if load.is_empty() {
        return;
    }
    let width = load.iter().map(|g| g.group.len()).max().unwrap_or(0);
    let _ = writeln!(
        text,
        "load      {:width$} {:>8} {:>8} {:>8} {:>13} {:>13} {:>9} {:>13}   ns",
        "", "busy", "idle", "stalled", "turns", "longest turn", "stalls", "longest stall"
    );
    for g in load {
        let [busy, idle, stalled] = [g.busy_ns, g.idle_ns, g.stalled_ns].map(|part| per_cent(part, g.total_ns()));
        let _ = writeln!(
            text,
            "          {:width$} {busy:>8} {idle:>8} {stalled:>8} {:>13} {:>13} {:>9} {:>13}",
            g.group,
            grouped(g.turns),
            grouped(g.longest_turn_ns),
            grouped(g.stalls),
            grouped(g.longest_stall_ns)
        );
    }
}

/// How full every ring was.
pub(crate) fn push_rings(text: &mut String, rings: &[RingLoad]) {
    let used: Vec<_> = rings.iter().filter(|r| r.events > 0).collect();
    if used.is_empty() {
        return;
    }
    let width = used.iter().map(|r| r.ring.len()).max().unwrap_or(0);
    let _ = writeln!(
        text,
        "rings     {:width$} {:>10} {:>10} {:>13} {:>13}   events",
        "", "capacity", "high water", "passed", "found full"
    );
    for r in used {
        let _ = writeln!(
            text,
            "          {:width$} {:>10} {:>10} {:>13} {:>13}",
            r.ring,
            grouped(r.capacity),
            grouped(r.high_water),
            grouped(r.events),
            grouped(r.refused)
        );
    }
}

/// Percentiles of every stage.
pub(crate) fn push_latency(text: &mut String, latency: &BTreeMap<String, Percentiles>) {
    if latency.values().all(|l| l.samples == 0) {
        return;
    }
    let width = latency.keys().map(String::len).max().unwrap_or(0);
    let _ = writeln!(
        text,
        "latency   {:width$} {:>9} {:>9} {:>9} {:>9} {:>11}   ns, of a sample",
        "", "p50", "p90", "p99", "p99.9", "max"
    );
    for (name, l) in latency {
        let _ = writeln!(
            text,
            "          {name:width$} {:>9} {:>9} {:>9} {:>9} {:>11}",
            grouped(l.p50_ns),
            grouped(l.p90_ns),
            grouped(l.p99_ns),
            grouped(l.p999_ns),
            grouped(l.max_ns)
        );
    }
}
