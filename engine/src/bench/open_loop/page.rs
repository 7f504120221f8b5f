//! The result as one HTML page: figures, the percentile curve, the run over time, the sweep.
//!
//! The drawings are inline SVG. The page loads nothing and runs no script, so it can be mailed and archived.

use super::TickToOrder;
use super::chart::{Chart, Series, amount, time};
use crate::report::Percentiles;
use hdrhistogram::Histogram;
use indicatif::{HumanCount, HumanFloatCount};
use std::fmt::Write as _;

/// Points of the curve per halving of the distance to 100 %.
const FINE: u32 = 8;

const STYLE: &str = "
:root { --ink: #1b2733; --soft: #667788; --line: #dde3e8; --paper: #ffffff; --shade: #fdeecb;
  --c1: #1565c0; --c2: #c62828; --c3: #2e7d32; --c4: #8e24aa; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe7ee; --soft: #93a3b1; --line: #2b3742; --paper: #12181e;
  --shade: #3a3014; --c1: #64b5f6; --c2: #ef8a80; --c3: #81c784; --c4: #ce93d8; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1000px;
  margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin-bottom: 0; } h2 { font-size: 1.1em; margin: 1.6em 0 .4em; }
p { margin: .4em 0; } .soft { color: var(--soft); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .15em .8em .15em 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
td:first-child, th:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; } th { font-weight: 500; color: var(--soft); }
svg { width: 100%; height: auto; margin: .6em 0; } svg text { fill: var(--ink); font-size: 12px; }
svg .title { font-size: 14px; font-weight: 600; } svg .tick { fill: var(--soft); } svg .grid { stroke: var(--line); }
svg .burst { fill: var(--shade); } svg path { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
.s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); } .s4 { stroke: var(--c4); }
";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn row(name: &str, p: &Percentiles) -> String {
    let times = [p.p50_ns, p.p90_ns, p.p99_ns, p.p999_ns, p.max_ns].map(|ns| format!("<td>{}</td>", time(ns as f64)));
    format!("<tr><td>{}</td><td>{}</td>{}</tr>\n", escaped(name), p.samples, times.concat())
}

fn table(first: &str, rows: &str) -> String {
    let heading = "<th>samples</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th>";
    format!("<div class=\"wide\"><table>\n<tr><th>{first}</th>{heading}</tr>\n{rows}</table></div>\n")
}

/// The position of a quantile on an axis of nines: 0 at 0 %, 1 at 90 %, 2 at 99 %.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

fn curve(name: &'static str, colour: u8, times: &Histogram<u64>, end: f64) -> Series {
    let all = times.iter_quantiles(FINE).map(|v| (v.quantile_iterated_to(), v.value_iterated_to() as f64));
    let points = all.map(|(quantile, ns)| Some((nines(quantile.min(1.0 - 1e-12)).min(end), ns))).collect();
    Series { name, colour, points }
}

/// The percentile curve.
fn percentiles(result: &TickToOrder) -> Chart {
    let all = &result.distributions;
    let end = (all.all.len().max(10) as f64).log10().ceil();
    let mut series = vec![curve("tick to order", 1, &all.steady, end)];
    if !result.bursts.is_empty() {
        series.push(curve("with bursts", 2, &all.all, end));
    }
    if result.wait.is_some() {
        series.push(curve("intended to taken", 3, &all.wait, end));
        series.push(curve("taken to bytes", 4, &all.work, end));
    }
    let mut marks = vec![(0.0, "0 %".to_owned()), (nines(0.5), "50 %".to_owned())];
    marks.extend((1..=end as i32).map(|n| {
        let percent = 100.0 - 100.0 / 10f64.powi(n);
        (f64::from(n), format!("{percent:.*} %", (n - 2).max(0) as usize))
    }));
    let (title, x) = ("Percentiles", "share of the orders, on an axis of nines");
    Chart { title, height: 380.0, end, marks, x, y: time, shaded: Vec::new(), series }
}

/// The run over time: order latency, backlog, offered rate.
fn timeline(result: &TickToOrder) -> Vec<Chart> {
    let timeline = &result.timeline;
    let at = |slice: usize| (slice as f64 + 0.5) * timeline.slice_ns as f64 / 1e9;
    let end = timeline.behind.len() as f64 * timeline.slice_ns as f64 / 1e9;
    let marks: Vec<_> = (0..=10).map(|n| end * f64::from(n) / 10.0).map(|s| (s, format!("{s:.2}"))).collect();
    let shaded: Vec<_> = result.bursts.iter().map(|b| (b.start_s, b.start_s + b.seconds)).collect();
    let orders = |pick: fn(&(u64, u64)) -> u64| {
        timeline.orders.iter().enumerate().map(|(i, o)| o.as_ref().map(|o| (at(i), pick(o) as f64))).collect()
    };
    let chart = |title, y, series| {
        let (marks, shaded) = (marks.clone(), shaded.clone());
        Chart { title, height: 250.0, end, marks, x: "seconds", y, shaded, series }
    };
    let values = |values: Vec<f64>| values.into_iter().enumerate().map(|(i, n)| Some((at(i), n))).collect();
    let behind = values(timeline.behind.iter().map(|n| *n as f64).collect());
    vec![
        chart(
            "Tick to order over time",
            time,
            vec![
                Series { name: "median of the slice", colour: 1, points: orders(|o| o.0) },
                Series { name: "longest", colour: 2, points: orders(|o| o.1) },
            ],
        ),
        chart("Backlog", amount, vec![Series { name: "most messages waiting", colour: 4, points: behind }]),
        chart(
            "Offered",
            amount,
            vec![Series { name: "messages per second", colour: 3, points: values(timeline.offered.clone()) }],
        ),
    ]
}

fn sweep(result: &TickToOrder) -> Option<Chart> {
    let last = result.sweep.last()?.offered_per_s / 1e6;
    let points = |pick: fn(&Percentiles) -> u64| {
        result.sweep.iter().map(|s| Some((s.offered_per_s / 1e6, pick(&s.times) as f64))).collect()
    };
    let marks = (0..=8).map(|n| last * f64::from(n) / 8.0).map(|m| (m, format!("{m:.2}"))).collect();
    Some(Chart {
        title: "Rates until the pipeline is saturated",
        height: 300.0,
        end: last,
        marks,
        x: "million messages per second, offered",
        y: time,
        shaded: Vec::new(),
        series: vec![
            Series { name: "p50", colour: 1, points: points(|p| p.p50_ns) },
            Series { name: "p99", colour: 2, points: points(|p| p.p99_ns) },
        ],
    })
}

fn bursts(result: &TickToOrder) -> String {
    let mut text = String::new();
    for b in &result.bursts {
        let verdict = if b.kept_up { "the pipeline kept up" } else { "the pipeline fell behind" };
        let _ = writeln!(
            text,
            "<p>Burst of {} times the rate at {} s for {} s: {verdict}; at most {} messages waited; the backlog was drained {:.1} ms after its end.</p>",
            b.factor,
            b.start_s,
            b.seconds,
            HumanCount(b.max_behind),
            b.drain_ms
        );
    }
    text
}

/// One self-contained page.
pub fn page(result: &TickToOrder) -> String {
    let setting = &result.setting;
    let apart = if result.bursts.is_empty() { "tick to order" } else { "tick to order, outside bursts" };
    let mut rows = row(apart, &result.tick_to_order.times);
    result.wait.iter().for_each(|p| rows += &row("intended time to message taken", p));
    result.work.iter().for_each(|p| rows += &row("message taken to bytes of the order", p));
    result.market.iter().for_each(|p| rows += &row("of that: message taken to top or trade", p));
    result.decision.iter().for_each(|p| rows += &row("of that: top or trade to bytes", p));
    result.bursts.iter().for_each(|b| rows += &row(&format!("burst {}x at {} s", b.factor, b.start_s), &b.times));
    let stages: String = result.stages.iter().map(|s| row(&s.name, &s.times)).collect();
    let charts = std::iter::once(percentiles(result)).chain(timeline(result)).chain(sweep(result));
    let drawn: String = charts.map(|c| c.svg()).collect();
    let TickToOrder { stalls, clock_ns, .. } = result;
    let (messages, rate, taken) = (HumanCount(result.messages), result.rate, result.achieved_per_s);
    let (rate, taken) = (HumanFloatCount(rate.round()), HumanFloatCount(taken.round()));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Tidegate: tick to order</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Tick to order</h1>\n\
         <p class=\"soft\">{tidegate} on {host}; {steal} % of CPU time stolen</p>\n\
         <p>Open loop: {messages} messages at {rate} per second, {taken} per second taken; an order is timed from \
         the intended time of its message to its bytes. An order every {every:.0} messages. \
         Pipeline: {groups}.</p>\n{table}{bursts}\
         <p class=\"soft\">A thread that only reads the clock stalls for over 1 µs {over:.0} times per second here, \
         {share} % of the time, for up to {longest}: percentiles beyond that measure the host.</p>\n{drawn}\
         <h2>Stages</h2>\n<p class=\"soft\">One call each, sampled in a separate run; a clock reading \
         ({clock_ns:.1} ns) is included.</p>\n{stage_table}</body>\n</html>\n",
        tidegate = escaped(&setting.tidegate),
        host = escaped(&setting.host.to_string()),
        steal = setting.steal_percent,
        groups = escaped(&result.groups.join(" | ")),
        table = table("", &rows),
        bursts = bursts(result),
        every = result.messages_per_order,
        over = stalls.over_1us_per_s,
        share = stalls.share_percent,
        longest = time(stalls.max_ns as f64),
        stage_table = table("stage", &stages),
    )
}
