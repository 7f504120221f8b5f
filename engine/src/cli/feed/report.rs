//! What was watched of an input, as a screen of 80 columns.

use super::findings::{Findings, findings};
use super::lag::Lags;
use super::tested::{Ended, Tested};
use crate::cli::numbers::{UNKNOWN, grouped};
use crate::cli::screen::{INDENT, wrapped};
use crate::cli::table::{Align, Cell, Column, column, table};
use crate::rows::words::span;
use flow::{Kind, kind_info};
use std::time::Duration;

/// Symbols that are named before the others are counted.
const NAMED: usize = 6;

/// The shares of the messages whose lags are shown.
const SHARES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];

/// A line that is shown while it comes.
pub(super) fn line(text: &str) -> String {
    wrapped(text, "    ") + "\n"
}

/// A title and a text that goes on below itself.
fn titled(title: &str, text: &str) -> String {
    wrapped(&format!("{title:10}{text}"), INDENT) + "\n"
}

/// What is said of an input, and whether it is well.
pub(super) fn report(tested: &Tested) -> (String, bool) {
    let took = span(u64::try_from(tested.took.as_nanos()).unwrap_or(u64::MAX));
    let Findings { wrong, notes } = findings(tested, &took);
    let mut text = format!("\n{}", titled(&tested.key, &format!("{} {}", tested.name, state(tested, &took))));
    if !tested.observed.kinds.is_empty() {
        text += &table(&columns(), &rows(tested));
        text += &titled("lag", lag(tested));
    }
    text += &titled("symbols", &symbols(tested));
    for (said, count) in tested.said.iter().filter(|(_, count)| *count > 1) {
        text += &titled("said", &format!("{} times: {said}", grouped(*count)));
    }
    for warning in tested.source.warnings() {
        text += &titled("warning", &warning);
    }
    notes.iter().for_each(|note| text += &titled("note", note));
    wrong.iter().for_each(|wrong| text += &titled("wrong", wrong));
    if wrong.is_empty() {
        text += &titled("well", "nothing is wrong with it");
    }
    (text, wrong.is_empty())
}

fn state(tested: &Tested, took: &str) -> String {
    let first = tested.observed.first_after.map_or_else(String::new, |after| {
        format!(", the first message after {}", span(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)))
    });
    let (what, end) = match (tested.is_live, &tested.ended) {
        (true, None) => ("live, watched for", ""),
        (true, Some(_)) => ("live, ended after", ""),
        (false, Some(Ended::Whole)) => ("recorded, read to its end in", ""),
        (false, None) => ("recorded, read for", ", not to its end"),
        (false, Some(Ended::Failed(_))) => ("recorded, read up to an error in", ""),
    };
    format!("({what} {took}{end}{first})")
}

fn lag(tested: &Tested) -> &'static str {
    match (tested.is_live, tested.observed.lags().most()) {
        (true, Some(_)) => "from the exchange's time to the arrival at this host, by two clocks",
        (true, None) => "none: no message says the exchange's time",
        (false, _) => "none: a recording is read, so nothing arrives; the rate is that of reading",
    }
}

fn columns() -> Vec<Column> {
    let lags = SHARES.iter().map(|(name, _)| *name).chain(["max"]);
    let lags = lags.map(|name| match name {
        "p90" | "p99.9" => column(name, Align::Right).spare(),
        _ => column(name, Align::Right),
    });
    let first = [column("kind", Align::Left), column("count", Align::Right), column("a second", Align::Right)];
    first.into_iter().chain(lags).collect()
}

fn rows(tested: &Tested) -> Vec<Vec<Cell>> {
    let name = |kind: u8| kind_info(Kind(kind)).map_or("unknown", |kind| kind.name);
    let mut kinds: Vec<_> = tested.observed.kinds.iter().collect();
    kinds.sort_by_key(|(kind, of)| (std::cmp::Reverse(of.count), **kind));
    let mut rows: Vec<_> =
        kinds.iter().map(|(kind, of)| cells(name(**kind), of.count, tested.took, &of.lags)).collect();
    if kinds.len() > 1 {
        rows.push(cells("all data", tested.observed.messages(), tested.took, &tested.observed.lags()));
    }
    rows
}

fn cells(name: &str, count: u64, took: Duration, lags: &Lags) -> Vec<Cell> {
    let shown = |lag: Option<i64>| match lag {
        Some(lag) if lag < 0 => format!("-{}", span(lag.unsigned_abs())),
        Some(lag) => span(lag.unsigned_abs()),
        None => UNKNOWN.to_owned(),
    };
    let rate = count as f64 / took.as_secs_f64().max(1e-9);
    let rate = if rate < 100.0 { format!("{rate:.1}") } else { grouped(rate.round() as u64) };
    let lags = SHARES.iter().map(|(_, share)| lags.at(*share)).chain([lags.most()]).map(shown);
    [name.to_owned(), grouped(count), rate].into_iter().chain(lags).map(Cell::from).collect()
}

/// The busiest symbols.
fn symbols(tested: &Tested) -> String {
    let mut busy: Vec<_> = tested.observed.symbols.iter().collect();
    busy.sort_by_key(|(symbol, count)| (std::cmp::Reverse(**count), symbol.as_str()));
    let named: Vec<_> =
        busy.iter().take(NAMED).map(|(symbol, count)| format!("{symbol} {}", grouped(**count))).collect();
    match busy.len().saturating_sub(NAMED) {
        0 if named.is_empty() => "none".to_owned(),
        0 => named.join(", "),
        more => format!("{}, and {} more", named.join(", "), grouped(more as u64)),
    }
}
