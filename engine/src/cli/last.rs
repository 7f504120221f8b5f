//! `tidegate get`: what a run keeps under a key, with its age.
//!
//! One row is shown line by line, several as a table. Bound: one answer of the engine.

use super::exit::{Exit, Failure, output};
use super::table::{Align, Cell, column, table};
use crate::control;
use crate::last_values::LastAnswer;
use clap::Args;
use serde_json::{Map, Value};
use std::io::Write as _;
use std::path::PathBuf;

/// Columns that an answer of many rows does not repeat.
const OF_ALL: [&str; 5] = ["kind", "ts_ns", "exchange_ts_ns", "symbol", "age_ns"];

/// Options of `get`.
#[derive(Args)]
pub(crate) struct GetArgs {
    /// The run's journal.
    journal: PathBuf,
    /// SYMBOL/WORD or system/WORD: AAPL/top, AAPL/trades, AAPL/bars/1m, AAPL/position, system/halt, system/feeds; a kind of
    /// `tidegate schema` is a word too.
    key: String,
    /// Prints a JSON object to standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &GetArgs) -> Result<Exit, Failure> {
    let answer = control::last(&args.journal, &args.key).map_err(Failure::failed)?;
    let text = match args.json {
        true => serde_json::to_string(&answer).expect("an answer is plain values") + "\n",
        false => shown(&answer),
    };
    output(write!(std::io::stdout(), "{text}"), Exit::Done)
}

fn shown(answer: &LastAnswer) -> String {
    match (answer.rows.as_slice(), &answer.why) {
        ([], why) => format!("{}: {}\n", answer.key, why.as_deref().unwrap_or("there was none yet")),
        ([row], _) => {
            let is_level = |name: &str| name == "bids" || name == "asks";
            let lines = answer.columns.iter().filter(|name| *name != "age_ns" && !is_level(name));
            let line = |name: &String| {
                vec![Cell::from(name.as_str()), Cell::from(row.get(name).map_or_else(String::new, text))]
            };
            let age = row.get("age_ns").map(|age| vec![Cell::from("age"), Cell::from(duration(age))]);
            let rows: Vec<_> = lines.map(line).chain(age).collect();
            let levels = if row.contains_key("bids") { book(row) } else { String::new() };
            table(&[column(answer.key.as_str(), Align::Left), column("", Align::Left)], &rows) + &levels
        }
        (rows, _) => {
            let names: Vec<_> = answer.columns.iter().filter(|name| !OF_ALL.contains(&name.as_str())).collect();
            let has_age = answer.columns.iter().any(|name| name == "age_ns");
            let mut columns: Vec<_> = has_age.then(|| column("age", Align::Right)).into_iter().collect();
            // What tells the rows apart and their first values stay, whatever the width.
            columns.extend(names.iter().enumerate().map(|(at, name)| {
                let column = column(name.as_str(), Align::Point);
                if at < 4 { column } else { column.spare() }
            }));
            let cells = |row: &Map<String, Value>| {
                let age = has_age.then(|| Cell::from(row.get("age_ns").map_or_else(String::new, duration)));
                let values = names.iter().map(|name| Cell::from(row.get(*name).map_or_else(String::new, text)));
                age.into_iter().chain(values).collect()
            };
            table(&columns, &rows.iter().map(cells).collect::<Vec<_>>())
        }
    }
}

/// The levels of a book side by side, best first.
fn book(row: &Map<String, Value>) -> String {
    let side = |name: &str| row.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (bids, asks) = (side("bids"), side("asks"));
    let names = ["orders", "bid qty", "bid", "ask", "ask qty", "orders"];
    let columns = names.map(|name| column(name, Align::Point));
    let cells = |level: Option<&Value>, order: [usize; 3]| {
        order.map(|at| Cell::from(level.and_then(|level| level.get(at)).map_or_else(String::new, text)))
    };
    let row = |at: usize| [cells(bids.get(at), [2, 1, 0]), cells(asks.get(at), [0, 1, 2])].concat();
    table(&columns, &(0..bids.len().max(asks.len())).map(row).collect::<Vec<_>>())
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => super::numbers::UNKNOWN.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(text).collect::<Vec<_>>().join("  "),
        other => other.to_string(),
    }
}

/// A time in nanoseconds for people.
fn duration(ns: &Value) -> String {
    let Some(ns) = ns.as_str().and_then(|text| text.parse::<u64>().ok()) else {
        return super::numbers::UNKNOWN.to_owned();
    };
    let s = ns as f64 / 1e9;
    match ns {
        0..1_000_000 => format!("{} us", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..60_000_000_000 => format!("{s:.1} s"),
        _ if s < 3_600.0 => format!("{:.1} min", s / 60.0),
        _ => format!("{:.1} h", s / 3_600.0),
    }
}
