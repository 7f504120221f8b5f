//! Output of a benchmark: progress, a table for people, one JSON object.

use crate::bench::Setting;
use crate::bench::open_loop::Stalls;
use crate::cli::exit::{Exit, Failure, output};
use crate::cli::numbers::grouped;
use crate::cli::table::{self, Align, column};
use crate::cli::{console, screen};
use crate::report::Percentiles;
use serde::Serialize;
use std::cell::Cell;
use std::io::Write;

/// Progress on standard error: the benchmark and, on a terminal, how far it is.
pub(super) struct Progress {
    shown: console::Progress,
    done: Cell<u64>,
}

impl Progress {
    /// Begins the progress of `what`, over this many steps.
    pub(super) fn new(what: &str, steps: u64) -> Progress {
        console::say(what);
        Progress { shown: console::Progress::new("steps", Some(steps), true), done: Cell::new(0) }
    }

    pub(super) fn step(&self) {
        self.done.set(self.done.get() + 1);
        self.shown.set(self.done.get());
    }
}

/// Prints the result: as JSON, or as `table` with the host.
pub(super) fn print(json: bool, result: &impl Serialize, setting: &Setting, table: &str) -> Result<Exit, Failure> {
    let text = if json {
        serde_json::to_string(result).expect("a result is plain values")
    } else {
        let host = format!("host: {}, {} % of CPU time stolen", setting.host, setting.steal_percent);
        screen::wrapped(&format!("{}\n{host}", table.trim_end()), "  ")
    };
    output(writeln!(std::io::stdout(), "{text}"), Exit::Done)
}

/// Rows under a heading: the first column aligned left, the others right.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let align = |i| if i == 0 { Align::Left } else { Align::Right };
    let columns: Vec<_> = heading.iter().enumerate().map(|(i, name)| column(*name, align(i))).collect();
    let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|c| c.as_str().into()).collect()).collect();
    table::table(&columns, &rows)
}

/// The stalls of the host, as a line.
pub(super) fn stalled(of: &Stalls) -> String {
    format!(
        "host: {:.0} stalls over 1 us per second, the longest {} ns, {} % of the time; percentiles beyond that measure the host\n",
        of.over_1us_per_s,
        grouped(of.max_ns),
        of.share_percent
    )
}

/// A row of percentiles.
pub(super) fn times(name: String, p: &Percentiles) -> Vec<String> {
    let times = [p.samples, p.p50_ns, p.p90_ns, p.p99_ns, p.p999_ns, p.max_ns].map(grouped);
    std::iter::once(name).chain(times).collect()
}

/// The heading of such rows.
pub(super) fn headed(first: &'static str) -> Vec<&'static str> {
    [first, "samples", "p50", "p90", "p99", "p99.9", "max"].to_vec()
}

/// A figure, with its interval.
pub(super) fn spread(median: f64, low: f64, high: f64) -> String {
    format!("{median:.1} ({low:.1} to {high:.1})")
}

/// A ratio, with its interval.
pub(super) fn ratio(median: f64, low: f64, high: f64) -> String {
    format!("{median:.2} ({low:.2} to {high:.2})")
}
