//! How a measurement is shown: progress, a table for people, one JSON object.

use crate::bench::Setting;
use crate::cli::exit::{Exit, Failure, output};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{IsTerminal, Write};

/// Progress on standard error: a bar on a terminal, else one pipeline at the beginning.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// `what` will take so many steps.
    pub(super) fn new(what: &str, steps: u64) -> Progress {
        if !std::io::stderr().is_terminal() {
            eprintln!("{what}");
            return Progress(ProgressBar::hidden());
        }
        let style =
            ProgressStyle::with_template("{msg}  {bar:30} {pos} of {len}  {eta}").expect("the template is valid");
        Progress(ProgressBar::new(steps).with_style(style).with_message(what.to_owned()))
    }

    pub(super) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Prints the result: as JSON, or as `table` under the host.
pub(super) fn print(json: bool, result: &impl Serialize, setting: &Setting, table: &str) -> Result<Exit, Failure> {
    let text = if json {
        serde_json::to_string(result).expect("a result is plain values")
    } else {
        format!("{}\n{}, {} % of the time stolen", table.trim_end(), setting.host, setting.steal_percent)
    };
    writeln!(std::io::stdout(), "{text}").map_or_else(|e| output(&e), |()| Ok(Exit::Done))
}

/// Rows under a heading, the columns aligned: the first to the left, the others to the right.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let heading: Vec<String> = heading.iter().map(|h| (*h).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let width = |column: usize| all.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for row in &all {
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(width(column) - cell.chars().count());
            text += &if column == 0 { format!("{cell}{pad}") } else { format!("  {pad}{cell}") };
        }
        text = format!("{}\n", text.trim_end());
    }
    text
}

/// A figure with its interval.
pub(super) fn spread(median: f64, low: f64, high: f64) -> String {
    format!("{median:.1} ({low:.1} to {high:.1})")
}

/// A ratio with its interval.
pub(super) fn ratio(median: f64, low: f64, high: f64) -> String {
    format!("{median:.2} ({low:.2} to {high:.2})")
}
