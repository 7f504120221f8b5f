//! The summary of a run, for people: what a trader looks for, and with `--details` load, rings and latency too.

use super::console;
use super::diff::diff;
use super::difference::difference;
use super::exit::{Exit, Failure, output};
use super::meters;
use super::numbers::grouped;
use super::quality::data;
use super::screen::{INDENT, wrapped};
use super::table::Tone;
use super::trading::{busiest, counts, halted_by, measures, trading};
use crate::recovery::Verified;
use crate::report::{InputReport, Report};
use clap::Args;
use std::io::Write as _;

/// How the result of a run is shown.
#[derive(Args, Clone)]
#[command(next_help_heading = "Summary")]
pub(crate) struct Shown {
    /// Add the details: load, rings, latency by stage, kinds, host, state.
    #[arg(long)]
    pub(crate) details: bool,
    /// Print one JSON object instead of the summary: to standard output, or to standard error if rows go to standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Says what is valid and yet will disappoint.
pub(super) fn warnings<'a>(texts: impl IntoIterator<Item = &'a String>) {
    for text in texts {
        console::warn(wrapped(&format!("warning   {text}"), INDENT));
    }
}

/// Prints the report: as JSON to standard output (to standard error if rows go there), else as a summary.
pub(crate) fn report(report: &Report, shown: &Shown, rows_on_stdout: bool) -> Result<(), Failure> {
    if !shown.json {
        console::show(summary(report, shown.details));
        return Ok(());
    }
    let text = serde_json::to_string(report).expect("a report is plain values");
    if rows_on_stdout {
        console::show(text);
        return Ok(());
    }
    output(writeln!(std::io::stdout(), "{text}"), Exit::Done).map(|_| ())
}

fn summary(report: &Report, details: bool) -> String {
    if let Some(of) = &report.diff {
        return diff(report, of, details);
    }
    let mut text: String = report.inputs.iter().map(|i| input(i, details)).collect();
    text += &unlisted(report);
    let (events, rate) = (grouped(report.events), grouped(report.events_per_s as u64));
    text += &format!("inputs    {events} in {:.3} s, {rate} a second\n", report.seconds);
    text += &data(&report.data);
    text += &busiest(report, details);
    text += &measures(report, details);
    text += &trading(report, details);
    if let Some(cause) = &report.halt {
        let words = format!("trading   HALTED {}; `tidegate ctl JOURNAL resume` ends that", halted_by(cause));
        text += &format!("{}\n", Tone::Notice.paint(&wrapped(&words, INDENT)));
    }
    let anomalies = counts("anomalies", &report.anomalies);
    let tone = if report.anomalies.is_empty() { Tone::Plain } else { Tone::Notice };
    text += &format!("{}\n", tone.paint(anomalies.trim_end()));
    if details {
        text += &machinery(report);
    }
    text += &format!("outcomes  {}  hash {}\n", grouped(report.outcomes), report.outcome_hash);
    text += &report.verified.as_ref().map_or_else(String::new, verified);
    text + &report.difference.as_ref().map_or_else(String::new, difference)
}

/// Load of the groups, ring occupancy, latency of the stages, and the host.
fn machinery(report: &Report) -> String {
    let mut text = meters::groups(&report.groups);
    text += &meters::load(&report.load);
    text += &meters::rings(&report.rings);
    text += &meters::latency(&report.latency);
    text += &counts("kinds", &report.kinds);
    let host = format!("host      {}, {:.1} % stolen", report.host, report.steal_percent);
    text += &format!("{}\n", wrapped(&host, INDENT));
    text + &format!("state     hash {}\n", &report.state_hash[..32])
}

fn verified(verified: &Verified) -> String {
    let appended = if verified.completed { "appended to it" } else { "missing from it: its run was interrupted" };
    let missing = match verified.missing {
        0 => String::new(),
        n => format!(", {} {appended}", grouped(n)),
    };
    wrapped(&format!("verified  {} outcomes equal the record{missing}", grouped(verified.equal)), INDENT) + "\n"
}

/// Stated terms that no listing took.
fn unlisted(report: &Report) -> String {
    let warning = |symbol: &String| {
        let text = format!("          warning: [instrument.{symbol:?}]: no input listed this symbol");
        format!("{}\n", Tone::Notice.paint(&wrapped(&text, INDENT)))
    };
    report.unlisted.iter().map(warning).collect()
}

fn input(input: &InputReport, details: bool) -> String {
    let [records, inputs] = [input.records, input.inputs].map(grouped);
    let mut text = wrapped(&format!("read      {}: {records} records, {inputs} inputs", input.name), INDENT) + "\n";
    for warning in &input.warnings {
        let warning = wrapped(&format!("          warning: {warning}"), INDENT);
        text += &format!("{}\n", Tone::Notice.paint(&warning));
    }
    if details && !input.counts.is_empty() {
        text += &counts("", &input.counts);
    }
    text
}
