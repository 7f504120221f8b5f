//! `tidegate journal ls | tail | verify | export | memory`: lists, follows, checks and converts the two logs of a run, and shows
//! what it leaves to the next one.

use super::console;
use super::exit::{Exit, Failure, output};
use super::numbers::{grouped, known};
use super::rows::RowArgs;
use super::table::{Align, Cell, column, table};
use crate::config::instances_in;
use crate::recovery::{Notices, Remembered, wrong_files};
use crate::rows::{Filter, Format, RowSink, row_kind};
use clap::{Args, Subcommand, ValueEnum};
use flow::{Event, Kind, Listings, Sink};
use sinks::journal::{JournalError, JournalReader, LogKind, LogReader, SegmentSummary, Verified, verify};
use stages::Instances;
use std::io::{self, Write};
use std::iter::Peekable;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Subcommands of `journal`.
#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Lists the state of a journal and its segments.
    Ls(LsArgs),
    /// Prints the last events of a log as rows, and follows a running one.
    Tail(TailArgs),
    /// Checks every seal and hash chain; exits with 3 and one line per fault if any fails.
    Verify(VerifyArgs),
    /// Prints both logs as rows, in the order of events.
    Export(ExportArgs),
    /// Prints what measures and strategies have learned that outlives the journal, as JSON lines.
    Memory(MemoryArgs),
}

/// Options of `journal memory`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal memory run1\n\n\
    It is written when a run ends or is stopped, and by `tidegate snapshot`.")]
pub(crate) struct MemoryArgs {
    /// Folder of the journal.
    dir: PathBuf,
}

/// Options of `journal ls`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal ls run1")]
pub(crate) struct LsArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogArg {
    Inputs,
    Outcomes,
}

impl From<LogArg> for LogKind {
    fn from(log: LogArg) -> LogKind {
        match log {
            LogArg::Inputs => LogKind::Inputs,
            LogArg::Outcomes => LogKind::Outcomes,
        }
    }
}

/// Options of `journal tail`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal tail run1 --log outcomes --follow")]
pub(crate) struct TailArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Log to read.
    #[arg(long, value_enum, default_value = "outcomes")]
    log: LogArg,
    /// Number of events to go back.
    #[arg(short = 'n', long, default_value_t = 10)]
    lines: u64,
    /// Follow the journal while it is written; Ctrl-C ends.
    #[arg(short, long)]
    follow: bool,
}

/// Options of `journal verify`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal verify run1")]
pub(crate) struct VerifyArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
}

/// Options of `journal export`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal export run1 --emit bar --format csv > bars.csv")]
pub(crate) struct ExportArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Log to export; both if left out.
    #[arg(long, value_enum)]
    log: Option<LogArg>,
    #[command(flatten)]
    rows: RowArgs,
}

pub(crate) fn run(command: &JournalCommand) -> Result<Exit, Failure> {
    match command {
        JournalCommand::Ls(args) => ls(args),
        JournalCommand::Tail(args) => tail(args),
        JournalCommand::Verify(args) => check(args),
        JournalCommand::Export(args) => export(args),
        JournalCommand::Memory(args) => memory(args),
    }
}

fn memory(args: &MemoryArgs) -> Result<Exit, Failure> {
    let Some(found) = Remembered::latest(&args.dir).map_err(Failure::failed)? else {
        let dir = args.dir.display();
        return Err(Failure::failed(format!(
            "{dir}: nothing is written that outlives it; tidegate snapshot --journal {dir} writes it"
        )));
    };
    let (seq, as_of) = (found.seq, found.as_of.0.to_string());
    let mut to = io::stdout().lock();
    let written = found.rows.iter().try_for_each(|row| {
        let (symbol, venue) = row.instrument.rsplit_once('@').unwrap_or_default();
        let values = row.values.map(|value| value.to_string());
        let row = serde_json::json!({ "owner": row.owner, "symbol": symbol, "venue": venue, "key": row.key, "index": row.index,
            "values": values, "seq": seq, "as_of_ns": as_of });
        writeln!(to, "{row}")
    });
    output(written, Exit::Done)
}

fn ls(args: &LsArgs) -> Result<Exit, Failure> {
    let reader = JournalReader::open(&args.dir).map_err(Failure::failed)?;
    let segments = reader.list().map_err(Failure::failed)?;
    let completed = reader.completed_through().map_err(Failure::failed)?;
    let closed = reader.closed().map_err(Failure::failed)?.is_some();
    let mut to = io::stdout().lock();
    let written = if args.json {
        let list = segments.iter().map(|s| {
            let id = |e: Option<(flow::EventId, flow::Ns)>| e.map(|(id, _)| id.seq());
            serde_json::json!({ "log": s.log.name(), "file": s.file, "bytes": s.bytes, "first_record": s.first_record,
                "records": s.records, "sealed": s.sealed, "first_seq": id(s.first), "last_seq": id(s.last) })
        });
        let list: Vec<_> = list.collect();
        writeln!(
            to,
            "{}",
            serde_json::json!({ "build_id": reader.info().build_id, "completed_through": completed, "closed": closed, "segments": list })
        )
    } else {
        ls_text(&mut to, &reader, &segments, completed, closed)
    };
    output(written, Exit::Done)
}

fn ls_text(
    to: &mut impl Write,
    reader: &JournalReader,
    segments: &[SegmentSummary],
    completed: u64,
    closed: bool,
) -> io::Result<()> {
    let state = if closed { "closed" } else { "not closed: still being written, or its run was interrupted" };
    writeln!(to, "build     {}", reader.info().build_id)?;
    writeln!(to, "state     {state}")?;
    writeln!(to, "outcomes  complete through seq {}", grouped(completed))?;
    let columns = [
        column("segment", Align::Left),
        column("bytes", Align::Right),
        column("records", Align::Right),
        column("sealed", Align::Right),
        column("first seq", Align::Right),
        column("last seq", Align::Right),
    ];
    let row = |s: &SegmentSummary| {
        let seq = |e: Option<(flow::EventId, flow::Ns)>| known(e.map(|(id, _)| id.seq()));
        let numbers = [grouped(s.bytes), grouped(s.records), grouped(s.sealed), seq(s.first), seq(s.last)];
        std::iter::once(s.file.clone()).chain(numbers).map(Cell::from).collect()
    };
    write!(to, "{}", table(&columns, &segments.iter().map(row).collect::<Vec<_>>()))
}

/// Most faults that are listed; the rest are only counted.
const MOST_FAULTS: usize = 1_000;

fn check(args: &VerifyArgs) -> Result<Exit, Failure> {
    let report = verify(&args.dir, MOST_FAULTS).map_err(Failure::failed)?;
    let mut faults: Vec<_> = report.faults.iter().map(ToString::to_string).collect();
    // A snapshot is compared with the inputs, so these must be right.
    if faults.is_empty() {
        faults.extend(wrong_files(&args.dir).map_err(Failure::failed)?.iter().map(ToString::to_string));
    }
    let mut to = io::stdout().lock();
    let written = if args.json {
        let text = serde_json::json!({ "inputs": report.inputs.records, "outcomes": report.outcomes.records, "faults": faults,
            "more_faults": report.more_faults, "lost_memory": report.lost_memory });
        writeln!(to, "{text}")
    } else {
        let mut lines = faults.iter().try_for_each(|f| writeln!(to, "{f}"));
        if faults.is_empty() {
            lines = writeln!(
                to,
                "{}: intact: {} inputs and {} outcomes; seals and hash chain hold{}{}",
                args.dir.display(),
                grouped(report.inputs.records),
                grouped(report.outcomes.records),
                unsealed(&report),
                report
                    .lost_memory
                    .as_ref()
                    .map(|why| format!("; {why}: the last seconds may be missing"))
                    .unwrap_or_default()
            );
        }
        lines
    };
    output(written, Exit::Done)?;
    match faults.len() as u64 + report.more_faults {
        0 => Ok(Exit::Done),
        n => {
            let message =
                format!("{}: {n} faults; restore the folder from a copy before you use it", args.dir.display());
            Err(Failure { message, exit: Exit::Check })
        }
    }
}

/// What is not sealed yet, for people.
fn unsealed(report: &Verified) -> String {
    match (report.inputs.unsealed, report.outcomes.unsealed) {
        (0, 0) => String::new(),
        (inputs, outcomes) => {
            format!("; the last {} inputs and {} outcomes are not sealed yet", grouped(inputs), grouped(outcomes))
        }
    }
}

/// Both logs merged: each input, then the outcomes that it caused.
struct Story {
    inputs: Option<Peekable<LogReader>>,
    outcomes: Option<Peekable<LogReader>>,
}

impl Iterator for Story {
    type Item = Result<Event, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (Some(inputs), Some(outcomes)) = (&mut self.inputs, &mut self.outcomes) else {
            return self.inputs.as_mut().or(self.outcomes.as_mut())?.next();
        };
        match (inputs.peek(), outcomes.peek()) {
            (Some(Ok(input)), Some(Ok(outcome))) if outcome.id.seq() < input.id.seq() => outcomes.next(),
            (Some(_), _) => inputs.next(),
            (None, _) => outcomes.next(),
        }
    }
}

/// The names of the instances that its run had.
fn names(reader: &JournalReader) -> Arc<Instances> {
    Arc::new(instances_in(&reader.info().config_text))
}

fn export(args: &ExportArgs) -> Result<Exit, Failure> {
    let reader = JournalReader::open(&args.dir).map_err(Failure::failed)?;
    Notices(console::say).lost_memory(&args.dir, reader.lost_memory());
    let rows = args
        .rows
        .rows()?
        .ok_or_else(|| Failure::usage("name the kinds to export with --emit; `tidegate schema` lists them"))?;
    let wanted = |log| args.log.is_none_or(|l| l == log);
    // Names and listings are in the input log, so it is always read.
    let logs = if wanted(LogArg::Outcomes) { &LogKind::BOTH[..] } else { &[LogKind::Inputs] };
    reader.check(logs, &AtomicBool::new(false)).map_err(Failure::failed)?;
    let mut sink = RowSink::new(rows.kinds, rows.format, rows.filter, rows.levels, Vec::new(), None, rows.to)
        .with_names(names(&reader))
        .begin()
        .map_err(|e| Failure::failed(&e))?;
    let story = Story {
        inputs: Some(reader.inputs().peekable()),
        outcomes: wanted(LogArg::Outcomes).then(|| reader.outcomes().peekable()),
    };
    let kinds = sink.kinds();
    let mut listings = Listings::default();
    for event in story {
        let event = event.map_err(Failure::failed)?;
        listings.observe(&event);
        let defines = matches!(event.kind, Kind::Name | Kind::Listing);
        let shown = event.id.position() > 0 || wanted(LogArg::Inputs) || defines;
        if kinds.has(event.kind) && shown {
            match sink.take(&event) {
                Err(e) if e.closed => return Ok(Exit::Done),
                other => other.map_err(|e| Failure::failed(&e))?,
            }
        }
    }
    match sink.end() {
        Err(e) if !e.closed => Err(Failure::failed(&e)),
        _ => {
            let seen: Vec<_> = listings.iter().map(|l| l.symbol.clone()).collect();
            args.rows.check_found(&seen).map(|()| Exit::Done)
        }
    }
}

fn tail(args: &TailArgs) -> Result<Exit, Failure> {
    let reader = JournalReader::open(&args.dir).map_err(Failure::failed)?;
    let kinds = flow::KINDS.iter().filter_map(|k| row_kind(k.name)).filter(|k| !k.is_part_of_another()).collect();
    let to = Box::new(io::LineWriter::new(io::stdout()));
    let sink = RowSink::new(kinds, Format::Jsonl, Filter::default(), 0, Vec::new(), None, to);
    let mut sink = sink.with_names(names(&reader));
    for event in reader.inputs() {
        let event = event.map_err(Failure::failed)?;
        if matches!(event.kind, Kind::Name | Kind::Listing) {
            sink.learn(&event);
        }
    }
    let mut log = reader.log(args.log.into());
    let records: u64 =
        reader.list().map_err(Failure::failed)?.iter().filter(|s| s.log == args.log.into()).map(|s| s.records).sum();
    log.seek_record((records + 1).saturating_sub(args.lines));
    loop {
        for event in log.by_ref() {
            let shown = event.map_err(Failure::failed).map(|e| sink.take(&e))?;
            if let Err(e) = shown {
                return if e.closed { Ok(Exit::Done) } else { Err(Failure::failed(&e)) };
            }
        }
        if let Err(e) = sink.end() {
            return if e.closed { Ok(Exit::Done) } else { Err(Failure::failed(&e)) };
        }
        if !args.follow {
            return Ok(Exit::Done);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
