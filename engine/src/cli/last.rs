//! `tidegate get`: what a run keeps under a key, with its age.
//!
//! One row is shown line by line, several as a table. Bound: one answer of the engine.

use super::exit::{Exit, Failure, output};
use super::table::{Align, Cell, column, table};
use crate::control;
use crate::last_values::LastAnswer;
use crate::rows::row_kind;
use clap::Args;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
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
            let lines = in_order(std::slice::from_ref(row)).into_iter();
            let line = |name: String| vec![Cell::from(name.clone()), Cell::from(text(&row[&name]))];
            let age = row.get("age_ns").map(|age| vec![Cell::from("age"), Cell::from(duration(age))]);
            let rows: Vec<_> = lines.filter(|name| name != "age_ns").map(line).chain(age).collect();
            table(&[column(answer.key.as_str(), Align::Left), column("", Align::Left)], &rows)
        }
        (rows, _) => {
            let names = in_order(rows);
            let names: Vec<_> = names.iter().filter(|name| !OF_ALL.contains(&name.as_str())).collect();
            let mut columns = vec![column("age", Align::Right)];
            // What tells the rows apart and their first values stay, whatever the width.
            columns.extend(names.iter().enumerate().map(|(at, name)| {
                let column = column(name.as_str(), Align::Point);
                if at < 4 { column } else { column.spare() }
            }));
            let cells = |row: &Map<String, Value>| {
                let age = row.get("age_ns").map_or_else(String::new, duration);
                let values = names.iter().map(|name| Cell::from(row.get(*name).map_or_else(String::new, text)));
                [Cell::from(age)].into_iter().chain(values).collect()
            };
            table(&columns, &rows.iter().map(cells).collect::<Vec<_>>())
        }
    }
}

/// The names of the values, in the order of the columns of their kind.
fn in_order(rows: &[Map<String, Value>]) -> Vec<String> {
    let kinds: BTreeSet<&str> = rows.iter().filter_map(|row| row.get("kind")?.as_str()).collect();
    let columns = kinds.into_iter().filter_map(row_kind).flat_map(|kind| kind.columns).map(|column| column.name.to_owned());
    let mut names: Vec<String> = Vec::new();
    for name in columns.chain(rows.iter().flat_map(|row| row.keys().cloned())) {
        if rows.iter().any(|row| row.contains_key(&name)) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
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
    let Some(ns) = ns.as_str().and_then(|text| text.parse::<u64>().ok()) else { return super::numbers::UNKNOWN.to_owned() };
    let s = ns as f64 / 1e9;
    match ns {
        0..1_000_000 => format!("{} us", ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", ns / 1_000_000),
        1_000_000_000..60_000_000_000 => format!("{s:.1} s"),
        _ if s < 3_600.0 => format!("{:.1} min", s / 60.0),
        _ => format!("{:.1} h", s / 3_600.0),
    }
}
