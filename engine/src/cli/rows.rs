//! The options for rows, which `demo`, `replay` and `journal export` share.

use super::exit::Failure;
use crate::config::{nearest, one_of};
use crate::rows::{Filter, Format, RowKind, parse_time, row_kind, row_kinds};
use crate::run::Rows;
use chrono::{DateTime, SecondsFormat};
use clap::{Args, ValueEnum};
use flow::Ns;
use std::sync::{Arc, OnceLock};

/// Output format of the rows.
#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Jsonl,
    Csv,
}

/// Default number of levels per side in a depth row.
const LEVELS: u64 = 10;

/// Options for rows.
#[derive(Args)]
#[command(next_help_heading = "Rows")]
pub(crate) struct RowArgs {
    /// Kinds to print as rows, comma-separated; `tidegate schema` lists them.
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    emit: Vec<String>,
    /// Output format of the rows; CSV takes one kind.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: FormatArg,
    /// Levels per side in a depth row.
    #[arg(long, default_value_t = LEVELS, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    levels: u64,
    /// Print only these symbols, comma-separated.
    #[arg(long, value_delimiter = ',')]
    pub(crate) symbols: Vec<String>,
    /// Print only rows from this ingress time on: ns since 1970, or 2012-06-21T09:30:00-04:00.
    #[arg(long, value_parser = parse_time)]
    from: Option<Ns>,
    /// Print only rows before this ingress time.
    #[arg(long, value_parser = parse_time)]
    to: Option<Ns>,
    /// Stop after this many rows.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print only the rows of every Nth record.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// What the filter says at the end: see [`Filter::missed`].
    #[arg(skip)]
    missed: Arc<OnceLock<[Ns; 2]>>,
}

impl RowArgs {
    /// Whether what was asked for is in the input: every symbol is among the `listed`, and the times hold a row. The `unwatched` are
    /// in the input too, and were not read.
    ///
    /// # Errors
    /// What is not, each symbol with the nearest that is there.
    pub(crate) fn check_found(&self, listed: &[String], unwatched: &[String]) -> Result<(), Failure> {
        let unknown = self.symbols.iter().filter(|s| !listed.contains(s)).map(|symbol| {
            let meant = nearest(symbol, listed.iter().chain(unwatched).map(String::as_str));
            let meant = meant.map_or_else(String::new, |n| format!("; did you mean {n}?"));
            format!("--symbols {symbol}: the input has no such symbol{meant}")
        });
        let missed = self.missed.get().map(|[first, last]| {
            let range = [("--from", self.from), ("--to", self.to)];
            let range = range.iter().filter_map(|(option, ts)| ts.map(|ts| format!("{option} {}", time(ts))));
            let range = range.collect::<Vec<_>>().join(" ");
            format!("{range}: no row lies there; the rows are from {} to {}", time(*first), time(*last))
        });
        let faults: Vec<_> = unknown.chain(missed).collect();
        if faults.is_empty() { Ok(()) } else { Err(Failure::usage(faults.join("\n"))) }
    }

    /// The rows of these kinds as JSON lines, at most `limit`.
    pub(crate) fn of(emit: &[String], limit: Option<u64>) -> RowArgs {
        RowArgs {
            emit: emit.to_vec(),
            format: FormatArg::Jsonl,
            levels: LEVELS,
            symbols: Vec::new(),
            from: None,
            to: None,
            limit,
            every: None,
            missed: Arc::default(),
        }
    }

    /// The rows to print to standard output; `None` if no kind is named.
    pub(crate) fn rows(&self) -> Result<Option<Rows>, Failure> {
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            let what = format!("--from {} is not before --to {}", time(from), time(to));
            return Err(Failure::usage(format!(
                "{what}: no time lies between; give an earlier --from or a later --to"
            )));
        }
        if self.emit.is_empty() {
            return Ok(None);
        }
        let kinds = self.emit.iter().map(|name| emitted(name)).collect::<Result<Vec<_>, _>>()?;
        let format = match self.format {
            FormatArg::Jsonl => Format::Jsonl,
            FormatArg::Csv if kinds.len() > 1 => {
                return Err(Failure::usage("CSV takes one kind: name one with --emit, or use --format jsonl"));
            }
            FormatArg::Csv => Format::Csv,
        };
        let filter = Filter {
            symbols: self.symbols.clone(),
            from: self.from,
            to: self.to,
            limit: self.limit,
            every: self.every,
            missed: Arc::clone(&self.missed),
        };
        Ok(Some(Rows { kinds, format, filter, levels: self.levels as usize, to: Box::new(std::io::stdout()) }))
    }
}

fn emitted(name: &str) -> Result<RowKind, Failure> {
    row_kind(name).ok_or_else(|| no_such_kind(&format!("--emit {name}"), name))
}

/// A time for people.
fn time(ts: Ns) -> String {
    let fits = i64::try_from(ts.0).ok();
    fits.map_or_else(
        || ts.0.to_string(),
        |ns| DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

/// The failure for `name`, which is not a kind.
pub(crate) fn no_such_kind(what: &str, name: &str) -> Failure {
    Failure::usage(format!("{what}: no such kind; {}", one_of(name, row_kinds().iter().map(|k| k.name))))
}
