//! `tidegate at`: a run as it stood at an instant, from its journal.

use super::console;
use super::exit::{Exit, Failure, output};
use super::limits::limits;
use super::numbers::{UNKNOWN, decimal, grouped, known};
use super::screen::{INDENT, wrapped};
use super::status::{doubtful, flatten, halt, more, positions_table};
use super::table::{Align, Cell, column, table};
use super::trading::pnl;
use super::watch::Watch;
use crate::control::OrderStatus;
use crate::instant::{
    BookShown, Instant, InstantError, LevelShown, Moment, Place, Rebuilt, SymbolRow, SymbolShown, ValueShown,
    parse_moment,
};
use crate::recovery::{Notices, Past};
use crate::registries::Registries;
use crate::rows::Cell as Value;
use chrono::{DateTime, SecondsFormat};
use clap::Args;
use sinks::journal::Home;
use std::cmp::Reverse;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant as Clock;

/// Lines of a screen.
const LINES: usize = 24;
/// Most open orders of a symbol.
const ORDERS: usize = 8;

/// Options of `at`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate at run1 14:30:00                              all symbols, UTC, on the journal's date\n  \
    tidegate at run1 2020-01-30T09:30:00-05:00 --symbol AAPL   its book, measures, position, orders\n  \
    tidegate at run1 seq:81204 --json                      after the input of that number")]
pub(crate) struct AtArgs {
    /// Folder of the journal; its run may go on meanwhile.
    journal: PathBuf,
    /// The instant: 2012-06-21T09:30:00-04:00, ns since 1970, a time of day in UTC, or seq:N for an input.
    #[arg(value_parser = parse_moment)]
    time: Moment,
    /// Show one symbol, or SYMBOL@MIC where several venues have it.
    #[arg(long)]
    symbol: Option<String>,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
}

impl From<InstantError> for Failure {
    fn from(error: InstantError) -> Failure {
        match error {
            InstantError::Config(faults) => faults.into(),
            error if error.is_usage() => Failure::usage(error),
            error => Failure::failed(error),
        }
    }
}

pub(crate) fn run(args: &AtArgs, registries: &Registries) -> Result<Exit, Failure> {
    let began = Clock::now();
    let watch = Watch::start(None, false)?;
    let home = Home::open(&args.journal).map_err(Failure::failed)?;
    let place = Place::of(args.time, &home)?;
    let rebuilt = Rebuilt::at((place, Past::Left), &home, registries, watch.control(), Notices(console::say))?;
    let instant = Instant::of(&rebuilt, args.symbol.as_deref(), || began.elapsed())?;
    watch.end();
    let text = match args.json {
        true => serde_json::to_string(&instant).expect("an instant is plain values") + "\n",
        false => screen(&instant),
    };
    output(std::io::stdout().write_all(text.as_bytes()), Exit::Done)
}

fn line(text: &str) -> String {
    format!("{}\n", wrapped(text, INDENT))
}

/// An instant for people.
fn screen(at: &Instant) -> String {
    let mut text = line(&format!("at        {}, after input {} ({})", at.time, grouped(at.seq), at.kind));
    let from = match &at.snapshot {
        Some(file) => format!("{file}, after input {}", grouped(at.from_seq)),
        None => "the beginning: no snapshot lies before".to_owned(),
    };
    let ms = format!("{}.{} ms", grouped(at.took_us / 1_000), at.took_us % 1_000 / 100);
    text += &line(&format!("from      {from}; {} inputs repeated, {ms}", grouped(at.repeated)));
    if let Some(build) = &at.other_build {
        text += &line(&format!("build     {build} wrote the journal: this is what this build makes of its inputs"));
    }
    text += &halt(&at.trading);
    text += &at.trading.flatten.as_ref().map_or_else(String::new, |of| flatten(of, false));
    text += &doubtful(&at.trading, false);
    match &at.symbol {
        Some(symbol) => text + &of_symbol(symbol),
        None => {
            if at.trading.halted.is_some() {
                text += &limits(&at.trading.limits, &at.trading.tables, false);
                let [orders, held] = [at.trading.open_orders, at.trading.held].map(grouped);
                text += &format!("orders    {orders} open; positions {held}\n");
                text += &pnl(&at.trading.pnl, &at.trading.accounts);
            }
            let room = LINES.saturating_sub(text.lines().count() + 2).max(4);
            text + &all(&at.symbols, room)
        }
    }
}

/// As many symbols as there is room for: those that are held or have orders first.
fn all(symbols: &[SymbolRow], room: usize) -> String {
    let mut first: Vec<&SymbolRow> = symbols.iter().collect();
    first.sort_by_key(|row| Reverse((row.positions > 0, row.open_orders > 0, row.bid_px != Value::Null)));
    first.truncate(room);
    let columns = [
        column("symbol", Align::Left),
        column("venue", Align::Left).spare(),
        column("bid qty", Align::Right),
        column("bid", Align::Point),
        column("ask", Align::Point),
        column("ask qty", Align::Right),
        column("position", Align::Right),
        column("orders", Align::Right),
    ];
    let row = |row: &&SymbolRow| {
        let position = decimal(Some(&row.position.to_string()));
        let [bid_qty, bid, ask, ask_qty] = [&row.bid_qty, &row.bid_px, &row.ask_px, &row.ask_qty].map(value);
        let names =
            [row.symbol.clone(), row.venue.clone(), bid_qty, bid, ask, ask_qty, position, grouped(row.open_orders)];
        names.map(Cell::from).to_vec()
    };
    table(&columns, &first.iter().map(row).collect::<Vec<_>>()) + &more(first.len(), symbols.len() as u64, "symbols")
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => UNKNOWN.to_owned(),
        Value::Float(v) if v.is_nan() => UNKNOWN.to_owned(),
        Value::Float(v) => format!("{v:.4}"),
        Value::Uint(v) => grouped(*v),
        Value::Text(text) if text.chars().any(|c| !"-.0123456789".contains(c)) => text.clone(),
        other => decimal(Some(&other.to_csv())),
    }
}

fn of_symbol(of: &SymbolShown) -> String {
    let mut text =
        of.book.as_ref().map_or_else(|| format!("{}@{} has no book\n", of.symbol, of.venue), |b| book(of, b));
    text += &match &of.last_trade {
        Some(trade) => traded(trade),
        None => "trade     none yet\n".to_owned(),
    };
    text += &of.measures.iter().map(last).collect::<String>();
    if !of.positions.is_empty() {
        text += &positions_table(&of.positions);
    }
    text + &orders(&of.orders)
}

/// The levels of both sides beside each other, best first.
fn book(of: &SymbolShown, book: &BookShown) -> String {
    let side = |level: Option<&LevelShown>| match level {
        Some(level) => [known(level.orders.map(u64::from)), value(&level.qty), value(&level.px)],
        None => [String::new(), String::new(), String::new()],
    };
    let columns = [
        column(format!("{}@{}", of.symbol, of.venue), Align::Left),
        column("orders", Align::Right),
        column("bid qty", Align::Right),
        column("bid", Align::Point),
        column("ask", Align::Point),
        column("ask qty", Align::Right),
        column("orders", Align::Right),
    ];
    let row = |at: usize| {
        let ([b_orders, b_qty, bid], [a_orders, a_qty, ask]) = (side(book.bids.get(at)), side(book.asks.get(at)));
        [(at + 1).to_string(), b_orders, b_qty, bid, ask, a_qty, a_orders].map(Cell::from).to_vec()
    };
    let rows: Vec<_> = (0..book.bids.len().max(book.asks.len())).map(row).collect();
    let [bids, asks] = [book.bid_levels, book.ask_levels].map(grouped);
    let doubtful = if book.doubtful { "; doubtful after lost messages" } else { "" };
    format!("{}levels    {bids} bid, {asks} ask{doubtful}\n", table(&columns, &rows))
}

/// The time and the input of a value.
fn when(of: &ValueShown) -> String {
    let at = of.ts_ns.parse().map(DateTime::from_timestamp_nanos);
    let at = at.map_or_else(|_| of.ts_ns.clone(), |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    format!("{at}, input {}", grouped(of.seq))
}

/// A last value, with its time and its input.
fn last(of: &ValueShown) -> String {
    let values = of.values.iter().filter(|(name, _)| *name != "instance");
    let values: Vec<_> = values.map(|(name, one)| format!("{name} {}", value(one))).collect();
    let kind = if of.kind == of.name { String::new() } else { format!("{}: ", of.kind) };
    line(&format!("{:9} {kind}{}; {}", of.name, values.join(", "), when(of)))
}

/// The last trade as the tape has it: how much at what price, who took it, and what is unusual about it.
fn traded(of: &ValueShown) -> String {
    let named = |name: &str| of.values.iter().find(|(named, _)| *named == name).map_or(&Value::Null, |(_, one)| one);
    let is = |name: &str| matches!(named(name), Value::Bool(true));
    let taken = match named("aggressor").to_csv().as_str() {
        "buy" => "a buyer took",
        "sell" => "a seller hit",
        _ => "no aggressor",
    };
    let unusual = [
        (is("inferred"), ", inferred"),
        (!is("displayed") && !is("auction"), ", not displayed"),
        (is("auction"), ", auction"),
        (is("doubtful"), ", doubtful"),
    ];
    let unusual: String = unusual.into_iter().filter(|(is, _)| *is).map(|(_, said)| said).collect();
    let [qty, px] = ["qty", "px"].map(|name| value(named(name)));
    let number = named("match_id").to_csv();
    let number = if number == "0" { String::new() } else { format!(", match {number}") };
    line(&format!("trade     {qty} at {px}, {taken}{unusual}{number}; {}", when(of)))
}

fn orders(orders: &[OrderStatus]) -> String {
    let shown = &orders[..orders.len().min(ORDERS)];
    if shown.is_empty() {
        return "orders    none open\n".to_owned();
    }
    let columns = [
        column("open orders", Align::Left),
        column("side", Align::Left),
        column("open", Align::Right),
        column("filled", Align::Right),
    ];
    let row = |o: &OrderStatus| {
        let [left, filled] = [o.left, o.filled].map(grouped);
        [o.id.clone(), o.side.clone(), left, filled].map(Cell::from).to_vec()
    };
    table(&columns, &shown.iter().map(row).collect::<Vec<_>>()) + &more(shown.len(), orders.len() as u64, "open orders")
}
