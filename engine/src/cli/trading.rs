//! The trading part of the summary: the busiest symbols and their measures, trades, positions, profit and loss.

use super::numbers::{UNKNOWN, decimal, grouped, known};
use super::screen::{INDENT, wrapped};
use super::table::{Align, Cell, Column, Tone, column, part, split, table};
use crate::pipeline::HaltCause;
use crate::report::{AccountReport, MeasuresReport, PnlReport, PositionReport, Report, SymbolReport};
use crate::rows::Cell as Value;
use chrono::DateTime;
use flow::{FieldType, HaltReason};
use stages::measures::{MEASURES, MeasureEntry};
use std::collections::BTreeMap;

/// Most rows of busy symbols, and of their measures, without details.
const SYMBOLS: usize = 4;
/// Most rows of positions without details.
const POSITIONS: usize = 2;

/// Names with their counts, or `none`.
fn list(counts: &BTreeMap<String, u64>) -> String {
    let counts: Vec<_> = counts.iter().map(|(name, n)| format!("{name} {}", grouped(*n))).collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join("  ") }
}

/// Names with their counts under a title.
pub(crate) fn counts(title: &str, counts: &BTreeMap<String, u64>) -> String {
    wrapped(&format!("{title:9} {}", list(counts)), INDENT) + "\n"
}

/// The rows of a list that are shown.
fn shown<T>(list: &[T], most: usize, details: bool) -> &[T] {
    if details { list } else { &list[..list.len().min(most)] }
}

/// The note for rows that are not shown.
fn more(count: u64, what: &str) -> String {
    if count == 0 { String::new() } else { format!("and {} more {what}\n", grouped(count)) }
}

/// The busiest symbols: best bid and ask, and the last closed bar.
pub(crate) fn busiest(report: &Report, details: bool) -> String {
    let symbols = shown(&report.symbols, SYMBOLS, details);
    if symbols.is_empty() {
        return String::new();
    }
    let intervals: Vec<_> = symbols.iter().filter_map(|s| Some(s.bar.as_ref()?.interval.as_str())).collect();
    let close = match intervals.split_first() {
        Some((first, rest)) if rest.iter().all(|i| i == first) => format!("{first} close"),
        _ => "close".to_owned(),
    };
    let columns = [
        column("busiest", Align::Left),
        column("inputs", Align::Right).spare(),
        column("bid qty", Align::Right),
        column("bid", Align::Point),
        column("ask", Align::Point),
        column("ask qty", Align::Right),
        column(close, Align::Point),
        column("volume", Align::Right).spare(),
    ];
    let rows: Vec<_> = symbols.iter().map(symbol).collect();
    table(&columns, &rows) + &more((report.listed.len() - symbols.len()) as u64, "symbols")
}

fn symbol(s: &SymbolReport) -> Vec<Cell> {
    let bar = s.bar.as_ref();
    let cells = [
        s.symbol.clone(),
        grouped(s.events),
        known(s.bid_qty),
        decimal(s.bid_px.as_deref()),
        decimal(s.ask_px.as_deref()),
        known(s.ask_qty),
        decimal(bar.map(|b| b.close.as_str())),
        known(bar.and_then(|b| b.volume)),
    ];
    cells.map(Cell::from).to_vec()
}

/// Measures of the busiest symbols: the summary fields of their registry entries. Those that do not fit a line are shown with details, in
/// tables below each other, and else their number, in the place of a symbol.
pub(crate) fn measures(report: &Report, details: bool) -> String {
    let of = |s: &SymbolReport| report.measures.iter().find(|m| m.symbol == s.symbol);
    let measured: Vec<_> = shown(&report.symbols, SYMBOLS, details).iter().filter_map(of).collect();
    let runs = |name: &str| measured.iter().any(|m| m.values.contains_key(name));
    let all = MEASURES.iter().flat_map(|entry| report.names.measures(entry).map(move |(name, _)| (entry, name)));
    let fields: Vec<_> = all.filter(|(_, name)| runs(name)).flat_map(|(e, name)| summary_fields(e, name)).collect();
    if fields.is_empty() {
        return String::new();
    }
    let columns = fields.iter().map(|(_, _, title, align)| column(title.clone(), *align));
    let columns: Vec<_> = std::iter::once(column("measures", Align::Left)).chain(columns).collect();
    let row = |m: &&MeasuresReport| {
        let values = fields.iter().map(|(name, field, ..)| m.values.get(*name).and_then(|v| v.get(field)));
        std::iter::once(m.symbol.clone()).chain(values.map(value)).map(Cell::from).collect()
    };
    let rows: Vec<_> = measured.iter().map(row).collect();
    let tables = split(&columns, &rows);
    if details || tables.len() == 1 {
        return tables.iter().map(|shown| part(&columns, &rows, shown)).collect();
    }
    let first = part(&columns, &rows[..rows.len().min(SYMBOLS - 1)], &tables[0]);
    first + &more((columns.len() - tables[0].len()) as u64, "values of measures: --details shows all")
}

/// Whether measures of several entries have a field of this name in a summary.
fn is_shared(field: &str) -> bool {
    let has = |entry: &&MeasureEntry| entry.summary_fields().any(|(_, own)| own.name == field);
    MEASURES.iter().filter(has).count() > 1
}

/// The instance, field, title and alignment of each summary field.
fn summary_fields<'a>(
    entry: &'static MeasureEntry,
    name: &'a str,
) -> impl Iterator<Item = (&'a str, &'static str, String, Align)> {
    entry.summary_fields().map(move |(_, field)| {
        let align = if field.ty == FieldType::Uint { Align::Right } else { Align::Point };
        let is_plain = name == entry.name && !is_shared(field.name);
        let title = if is_plain { field.name.to_owned() } else { format!("{name} {}", field.name) };
        (name, field.name, title, align)
    })
}

fn value(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => UNKNOWN.to_owned(),
        Some(Value::Float(v)) if v.is_nan() => UNKNOWN.to_owned(),
        Some(Value::Float(v)) => format!("{v:.4}"),
        Some(Value::Uint(v)) => grouped(*v),
        Some(other) => decimal(Some(&other.to_csv())),
    }
}

/// Who or what halted trading, and when.
pub(crate) fn halted_by(cause: &HaltCause) -> String {
    let HaltCause { reason, actor, uid, asked_ts, seq } = cause;
    let by = match (HaltReason::ALL.iter().find(|r| r.name() == reason), actor.as_str(), uid) {
        (Some(HaltReason::Operator), "", None) => "by an operator".to_owned(),
        (Some(HaltReason::Operator), "", Some(uid)) => format!("by the operator of uid {uid}"),
        (Some(HaltReason::Operator), actor, None) => format!("by operator {actor}"),
        (Some(HaltReason::Operator), actor, Some(uid)) => format!("by operator {actor} (uid {uid})"),
        (Some(HaltReason::Panic), ..) => "after a panic".to_owned(),
        (Some(HaltReason::Stalled), ..) => "by the watchdog: the pipeline stood still".to_owned(),
        (Some(HaltReason::LogFull), ..) => "since the input log was full".to_owned(),
        (Some(HaltReason::ReturnsFull), ..) => "since more came back than max_returns".to_owned(),
        (Some(HaltReason::Unclean), ..) => "since the run before ended uncleanly".to_owned(),
        (None, ..) => format!("for reason {reason}"),
    };
    let at = asked_ts.as_ref().and_then(|ts| ts.parse().ok()).map(DateTime::from_timestamp_nanos);
    let at = at.map_or_else(String::new, |at| format!(" at {} UTC", at.format("%Y-%m-%d %H:%M:%S")));
    format!("{by}{at}, input {}", grouped(*seq))
}

/// What the strategies did, with positions and profit and loss.
pub(crate) fn trading(report: &Report, details: bool) -> String {
    let refused: u64 = report.refused.values().sum();
    if report.signals + report.orders + refused + report.fills == 0 {
        return String::new();
    }
    let [signals, orders, fills] = [report.signals, report.orders, report.fills].map(grouped);
    let refused = match refused {
        0 => "none refused".to_owned(),
        n => Tone::Notice.paint(&format!("{} refused: {}", grouped(n), list(&report.refused))),
    };
    let traded = format!("trading   {signals} signals, {orders} orders, {fills} fills, {refused}");
    let mut text = wrapped(&traded, INDENT) + "\n";
    for remedy in &report.remedies {
        text += &format!("{}\n", Tone::Notice.paint(&wrapped(&format!("          {remedy}"), INDENT)));
    }
    let positions = shown(&report.positions, POSITIONS, details);
    if !positions.is_empty() {
        let rows: Vec<_> = positions.iter().map(position).collect();
        text += &table(&position_columns(), &rows);
        text += &more((report.positions.len() - positions.len()) as u64, "positions: --emit position prints all");
    }
    text + &pnl(&report.pnl, &report.accounts)
}

/// Profit and loss, a line for each account and currency, then one for the whole of each account that has money in another
/// currency than its own. If there is only one, nobody has to be told which.
pub(crate) fn pnl(sums: &[PnlReport], accounts: &[AccountReport]) -> String {
    let sum = |sum: &PnlReport| {
        let of = match &sum.currency {
            _ if sums.len() == 1 && accounts.is_empty() => String::new(),
            Some(currency) => format!("account {} {currency} ", sum.account),
            None => format!("account {} ", sum.account),
        };
        let amounts = [&sum.net, &sum.realised, &sum.unrealised, &sum.fees].map(|amount| Some(amount.as_str()));
        let partly = left_out(sum.without_multiplier, sum.without_fees);
        wrapped(&format!("pnl       {of}{}{partly}", equation(amounts)), INDENT) + "\n"
    };
    sums.iter().map(sum).chain(accounts.iter().map(whole)).collect()
}

/// The whole of an account in its currency and at which rates, or why there is none.
fn whole(of: &AccountReport) -> String {
    let AccountReport { account, currency, .. } = of;
    if !of.missing.is_empty() {
        let unstated = || "listings that state no currency".to_owned();
        let from: Vec<_> = of.missing.iter().map(|from| from.clone().unwrap_or_else(unstated)).collect();
        let text = format!("pnl       account {account} in {currency} {UNKNOWN}: no rate from {}", from.join(", "));
        return Tone::Notice.paint(&wrapped(&text, INDENT)) + "\n";
    }
    let amounts = [&of.net, &of.realised, &of.unrealised, &of.fees].map(Option::as_deref);
    let large = if of.net.is_none() { ", what is absent is too large" } else { "" };
    let rates: String = of.rates.iter().map(|(from, rate)| format!(", {from} at {}", decimal(Some(rate)))).collect();
    let partly = left_out(of.without_multiplier, of.without_fees);
    let text = format!("pnl       account {account} in {currency} {}{large}{rates}{partly}", equation(amounts));
    wrapped(&text, INDENT) + "\n"
}

/// What a net result is made of: net, realised, unrealised, fees.
fn equation(amounts: [Option<&str>; 4]) -> String {
    let [net, realised, unrealised, fees] = amounts.map(decimal);
    let net = Tone::of_money(&net).paint(&net);
    format!("net {net} = realised {realised} + unrealised {unrealised} - fees {fees}")
}

/// The notes for positions of which a part is not in the sums.
fn left_out(without_multiplier: u64, without_fees: u64) -> String {
    let positions = |n: u64| if n == 1 { "1 position".to_owned() } else { format!("{} positions", grouped(n)) };
    let mut notes = String::new();
    if without_multiplier > 0 {
        let has = if without_multiplier == 1 { "has" } else { "have" };
        notes += &format!(", without {} that {has} no multiplier", positions(without_multiplier));
    }
    if without_fees > 0 {
        notes += &format!(", without unknown fees of {}", positions(without_fees));
    }
    notes
}

fn position_columns() -> [Column; 8] {
    [
        column("positions", Align::Left),
        column("strategy", Align::Left),
        column("account", Align::Right).spare(),
        column("qty", Align::Right),
        column("average", Align::Point),
        column("realised", Align::Point),
        column("unrealised", Align::Point),
        column("fees", Align::Point),
    ]
}

fn position(p: &PositionReport) -> Vec<Cell> {
    let money = |amount: Option<&str>| {
        let amount = decimal(amount);
        let tone = Tone::of_money(&amount);
        Cell::new(amount, tone)
    };
    let qty = decimal(Some(&p.qty.to_string()));
    vec![
        p.symbol.clone().into(),
        p.strategy.clone().into(),
        p.account.to_string().into(),
        qty.into(),
        decimal(p.avg_px.as_deref()).into(),
        money(p.realised.as_deref()),
        money(p.unrealised.as_deref()),
        money(p.fees.as_deref()),
    ]
}
