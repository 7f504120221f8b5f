//! The summary of a run, for people.

use super::exit::{Failure, output};
use super::meters;
use super::numbers::grouped;
use crate::report::{InputReport, Report, SymbolReport};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints the report: as JSON to standard output (to standard error when rows go there), else for people.
pub(crate) fn report(report: &Report, json: bool, rows_on_stdout: bool) -> Result<(), Failure> {
    if !json {
        eprint!("{}", summary(report));
        return Ok(());
    }
    let text = serde_json::to_string(report).expect("a report is plain values");
    if rows_on_stdout {
        eprintln!("{text}");
        return Ok(());
    }
    writeln!(std::io::stdout(), "{text}").or_else(|e| output(&e).map(|_| ()))
}

/// Positions that the summary shows.
const MOST_POSITIONS: usize = 10;

fn summary(report: &Report) -> String {
    let mut text = String::new();
    for input in &report.inputs {
        push_input(&mut text, input);
    }
    let _ = writeln!(
        text,
        "events    {} in {:.3} s = {} events/s",
        grouped(report.events),
        report.seconds,
        grouped(report.events_per_s as u64)
    );
    let cut = if report.groups.len() == 1 { String::new() } else { format!(", joined by {} rings", report.ring) };
    let _ = writeln!(text, "pipeline  {}{cut}", report.groups.join(" | "));
    let _ = writeln!(text, "host      {}, {:.1} % stolen", report.host, report.steal_percent);
    meters::push_load(&mut text, &report.load);
    meters::push_rings(&mut text, &report.rings);
    meters::push_latency(&mut text, &report.latency);
    push_symbols(&mut text, &report.symbols);
    push_trading(&mut text, report);
    push_counts(&mut text, "reached the end", &report.kinds);
    match report.anomalies.is_empty() {
        true => text.push_str("anomalies none\n"),
        false => push_counts(&mut text, "anomalies", &report.anomalies),
    }
    let _ = writeln!(text, "outcomes  {}  hash {}", grouped(report.outcomes), report.outcome_hash);
    let _ = writeln!(text, "state     hash {}", &report.state_hash[..32]);
    if let Some(verified) = &report.verified {
        let appended = if verified.completed { "appended to it" } else { "not in it: its run was cut short" };
        let missing = match verified.missing {
            0 => String::new(),
            n => format!(", {} {appended}", grouped(n)),
        };
        let _ = writeln!(text, "verified  {} outcomes equal the record{missing}", grouped(verified.equal));
    }
    text
}

fn push_input(text: &mut String, input: &InputReport) {
    let _ = writeln!(
        text,
        "input     {}: {} records, {} inputs",
        input.name,
        grouped(input.records),
        grouped(input.inputs)
    );
    for warning in &input.warnings {
        let _ = writeln!(text, "          warning: {warning}");
    }
    if !input.counts.is_empty() {
        let counts: Vec<_> = input.counts.iter().map(|(k, n)| format!("{k} {}", grouped(*n))).collect();
        let _ = writeln!(text, "          {}", counts.join("  "));
    }
}

fn push_symbols(text: &mut String, symbols: &[SymbolReport]) {
    if symbols.is_empty() {
        return;
    }
    let _ = writeln!(text, "busiest   {:10} {:>10}   best bid × ask; last bar", "symbol", "inputs");
    for s in symbols {
        let top = match (&s.bid_px, &s.ask_px) {
            (None, None) => "no quotes".to_owned(),
            (bid, ask) => format!(
                "{} × {} / {} × {}",
                bid.as_deref().unwrap_or("–"),
                grouped(s.bid_qty),
                ask.as_deref().unwrap_or("–"),
                grouped(s.ask_qty)
            ),
        };
        let bar = s.bar.as_ref().map_or_else(String::new, |b| {
            let vwap = b.vwap.as_deref().unwrap_or("–");
            format!(
                "; {} {} {} {} {} volume {} vwap {vwap}",
                b.interval,
                b.open,
                b.high,
                b.low,
                b.close,
                grouped(b.volume)
            )
        });
        let _ = writeln!(text, "          {:10} {:>10}   {top}{bar}", s.symbol, grouped(s.events));
    }
}

fn push_trading(text: &mut String, report: &Report) {
    for t in &report.toxicity {
        let vpin = t.vpin.map_or_else(|| "–".to_owned(), |v| format!("{v:.4}"));
        let cvd = t.cvd.map_or_else(|| "–".to_owned(), |c| c.to_string());
        let _ = writeln!(text, "toxicity  {:10} vpin {vpin} of {} buckets, cvd {cvd}", t.symbol, grouped(t.buckets));
    }
    let refused: u64 = report.refused.values().sum();
    if report.signals + report.orders + refused + report.fills == 0 {
        return;
    }
    let [signals, orders, refused, fills] = [report.signals, report.orders, refused, report.fills].map(grouped);
    let _ = writeln!(text, "trading   signals {signals}  orders {orders}  refused {refused}  fills {fills}");
    match report.refused.is_empty() {
        true => text.push_str("refused   none\n"),
        false => push_counts(text, "refused", &report.refused),
    }
    let _ = writeln!(
        text,
        "positions {:7} {:13} {:10} {:>8} {:>12} {:>12} {:>12} {:>10}",
        "account", "strategy", "symbol", "qty", "average", "realised", "unrealised", "fees"
    );
    for p in report.positions.iter().take(MOST_POSITIONS) {
        let _ = writeln!(
            text,
            "          {:7} {:13} {:10} {:>8} {:>12} {:>12} {:>12} {:>10}",
            p.account,
            p.strategy,
            p.symbol,
            p.qty,
            p.avg_px.as_deref().unwrap_or("–"),
            p.realised,
            p.unrealised,
            p.fees
        );
    }
    if let Some(more) = report.positions.len().checked_sub(MOST_POSITIONS).filter(|n| *n > 0) {
        let _ = writeln!(text, "          and {more} more: --emit position shows all");
    }
    let pnl = &report.pnl;
    let _ = writeln!(
        text,
        "pnl       realised {}  unrealised {}  fees {}  net {}",
        pnl.realised, pnl.unrealised, pnl.fees, pnl.net
    );
}

fn push_counts(text: &mut String, title: &str, counts: &BTreeMap<String, u64>) {
    let counts: Vec<_> = counts.iter().map(|(k, n)| format!("{k} {}", grouped(*n))).collect();
    let _ = writeln!(text, "{title:9} {}", counts.join("  "));
}
