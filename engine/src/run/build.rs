//! From settings to a running line and its report.

use super::drive::{Control, Finished, run_line};
use super::report::{self, InputReport, LatencyReport, Report};
use super::tail::Tail;
use super::verify::VerifySink;
use super::RunError;
use crate::config::{Fault, Faults, Settings};
use crate::ingress::{Clock, Feeding, Head, Ingress, Origin, Origins, Recorded, TickSource};
use crate::line::Group;
use crate::plan::Plan;
use crate::rows::{Filter, Format, RowKind, RowSink};
use feeds::Request;
use flow::{Kinds, Sink, Source, StateWriter, kind_named};
use sinks::journal::{InputLog, Journal, JournalReader, JournalSpec};
use stages::Space;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Instant;
use tuning::{Host, Steal};

/// Rows to print while the line runs.
pub struct Rows {
    /// Which kinds.
    pub kinds: Vec<RowKind>,
    /// In which form.
    pub format: Format,
    /// Which of them.
    pub filter: Filter,
    /// Levels of a depth row.
    pub levels: usize,
    /// Where to.
    pub to: Box<dyn Write + Send>,
}

/// What a run does beside running.
#[derive(Default)]
pub struct Options {
    /// Prints rows.
    pub rows: Option<Rows>,
    /// Repeats the inputs of this journal instead of opening those of the settings.
    pub recorded: Option<PathBuf>,
    /// Compares the outcomes with those of the recorded journal.
    pub verify: bool,
    /// Stop and progress.
    pub control: Control,
}

/// Runs the settings to their end. `poll` is called about fifty times a second meanwhile.
///
/// # Errors
/// When the run could not start, or a thread failed. A run that started and ended early has a report and an error.
pub fn execute(
    settings: &Settings,
    options: Options,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    match options.recorded.clone() {
        Some(dir) => recorded(settings, options, &dir, poll),
        None => merged(settings, options, poll),
    }
}

/// What the outcome log and hash hold: the configured kinds, as far as a stage emits them.
///
/// # Errors
/// When a name is no kind.
pub fn outcome_kinds(settings: &Settings) -> Result<Kinds, Faults> {
    let mut kinds = Kinds::NONE;
    for name in settings.outcomes.list("kinds") {
        let (without, plain) = name.strip_prefix('-').map_or((false, name.as_str()), |n| (true, n));
        let named = match plain {
            "all" => Some(Kinds::ALL),
            plain => kind_named(plain).map(|k| Kinds::of(&[k.kind])),
        };
        let Some(named) = named else {
            let valid = "valid: `all`, kinds as `tidegate schema` lists them, and `-kind` to leave one out";
            return Err(Faults::one(Path::new("configuration"), "outcomes.kinds", name, valid));
        };
        kinds = if without { Kinds(kinds.0 & !named.0) } else { kinds.or(named) };
    }
    Ok(kinds)
}

fn merged(
    settings: &Settings,
    options: Options,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    if settings.inputs.is_empty() {
        let fault = Fault::new(Path::new("configuration"), "input", "no input", "name files with --input, or write [[input]]");
        return Err(Faults(vec![fault]).into());
    }
    let (feeds, instruments) = open(settings)?;
    let outcomes = outcome_kinds(settings)?;
    let names = feeds.iter().map(|f| f.name.clone()).collect();
    let (rows, origins) = row_sink(options.rows, names, true)?;
    let (log, journal) = match &settings.journal_dir {
        Some(dir) => {
            let mut spec = JournalSpec::from_params(&settings.sinks["journal"], build_id(), settings.to_toml())
                .map_err(|e| Faults::one(Path::new("configuration"), &e.key, &e.found, &e.valid))?;
            spec.outcome_kinds = outcomes;
            let (inputs, outcomes) = Journal::create(dir, &spec)?;
            (Some(inputs), Some(outcomes))
        }
        None => (None, None),
    };
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    sinks.extend(journal.map(|j| Box::new(j) as Box<dyn Sink>));
    sinks.extend(rows.map(|r| Box::new(r) as Box<dyn Sink>));
    let (plan, tail) = plan_and_tail(settings, sinks, outcomes, instruments, &options.control)?;
    let ticks = TickSource::new(plan.ticks.intervals.clone(), plan.ticks.slice);
    let ingress = Ingress::new(feeds, ticks, Clock::new(plan.clock), instruments);
    let ingress = ingress.with_log(log).with_origins(origins);
    let shape = Shape::of(&plan);
    let start = Instant::now();
    let mut finished = run_line(ingress, plan, tail, &options.control, poll)?;
    let seconds = start.elapsed();
    let closing = finished.head.take_log().map(InputLog::close).transpose().err().map(RunError::from);
    let inputs = finished.head.feeds().iter().map(input_report).collect();
    let activity = finished.head.activity().to_vec();
    let (mut report, error) = reported(finished, &shape, seconds, &activity);
    report.inputs = inputs;
    Ok((report, error.or(closing)))
}

fn recorded(
    settings: &Settings,
    options: Options,
    dir: &Path,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    let reader = JournalReader::open(dir)?;
    let (rows, _) = row_sink(options.rows, Vec::new(), false)?;
    let outcomes = outcome_kinds(settings)?;
    let mut sinks: Vec<Box<dyn Sink>> = Vec::new();
    let verified = options.verify.then(|| VerifySink::new(&reader, outcomes));
    let verdict = verified.as_ref().map(VerifySink::verdict);
    sinks.extend(verified.map(|v| Box::new(v) as Box<dyn Sink>));
    sinks.extend(rows.map(|r| Box::new(r) as Box<dyn Sink>));
    let head = Recorded::new(&reader)?;
    let instruments = head.instruments();
    let (plan, tail) = plan_and_tail(settings, sinks, outcomes, instruments, &options.control)?;
    let shape = Shape::of(&plan);
    let start = Instant::now();
    let finished = run_line(head, plan, tail, &options.control, poll)?;
    let seconds = start.elapsed();
    let activity = finished.head.activity().to_vec();
    let (mut report, error) = reported(finished, &shape, seconds, &activity);
    report.verified = verdict.map(|v| v.lock().expect("nothing panics while it holds the verdict").clone());
    Ok((report, error))
}

/// Build that a journal names: the version and, where the build knows it, the commit.
pub fn build_id() -> String {
    format!("tidegate {} {}", env!("CARGO_PKG_VERSION"), option_env!("TIDEGATE_COMMIT").unwrap_or("unversioned"))
}

fn open(settings: &Settings) -> Result<(Vec<Feeding>, u32), RunError> {
    let (mut feeds, mut base) = (Vec::new(), 0u32);
    for (i, input) in settings.inputs.iter().enumerate() {
        let request = Request { paths: input.files.clone(), date: input.date, params: input.params.clone() };
        let source = (input.feed.open)(&request)?;
        let range = source.instruments();
        let name = named(source.as_ref(), input.feed.name);
        feeds.push(Feeding::new(name, source, i as u8 + 1, base));
        base += range;
    }
    Ok((feeds, base))
}

fn named(source: &dyn Source, feed: &str) -> String {
    if source.name().is_empty() { feed.to_owned() } else { source.name().to_owned() }
}

type RowsAndOrigins = (Option<RowSink>, Option<Sender<Origin>>);

fn row_sink(rows: Option<Rows>, names: Vec<String>, live: bool) -> Result<RowsAndOrigins, RunError> {
    let Some(rows) = rows else {
        return Ok((None, None));
    };
    let (sender, origins) = Origins::channel();
    let origins = live.then_some(origins);
    let sink = RowSink::new(rows.kinds, rows.format, rows.filter, rows.levels, names, origins, rows.to);
    Ok((Some(sink.begin().map_err(RunError::Sink)?), live.then_some(sender)))
}

fn plan_and_tail(
    settings: &Settings,
    sinks: Vec<Box<dyn Sink>>,
    outcomes: Kinds,
    instruments: u32,
    control: &Control,
) -> Result<(Plan, Tail), RunError> {
    let emitted = flow::KINDS.iter().fold(Kinds::NONE, |all, k| all.or(Kinds::of(&[k.kind])));
    let outcomes = outcomes.and(emitted);
    let reads = sinks.iter().fold(Tail::READS.or(outcomes), |all, s| all.or(s.kinds()));
    let plan = Plan::build(settings, Space { instruments }, reads)?;
    Ok((plan, Tail::new(sinks, outcomes, instruments, control.word.clone())))
}

/// What of the plan the report tells.
struct Shape {
    groups: Vec<String>,
    ring: String,
    steal: Steal,
}

impl Shape {
    fn of(plan: &Plan) -> Shape {
        let groups = plan.groups.iter().map(|g| g.name.clone()).collect();
        Shape { groups, ring: plan.ring.name().to_owned(), steal: Steal::now() }
    }
}

fn input_report(feed: &Feeding) -> InputReport {
    InputReport {
        name: feed.name.clone(),
        records: feed.records(),
        inputs: feed.inputs(),
        counts: InputReport::counted(feed.counts()),
        warnings: feed.warnings(),
    }
}

fn reported<H: Head>(
    finished: Finished<H>,
    shape: &Shape,
    time: std::time::Duration,
    activity: &[u64],
) -> (Report, Option<RunError>) {
    let (stats, sink_error) = finished.tail.finish();
    let state_hash = state_hash(&finished.groups, &stats.listings);
    let events = finished.head.seq();
    let report = Report {
        events,
        seconds: time.as_secs_f64(),
        events_per_s: report::per_second(events, time),
        outcomes: stats.outcomes,
        outcome_hash: stats.outcome_hash(),
        state_hash,
        groups: shape.groups.clone(),
        ring: shape.ring.clone(),
        latency: latency(&finished.groups, &shape.groups),
        inputs: Vec::new(),
        kinds: stats.kinds.iter().map(|(k, n)| (format!("{k:?}"), *n)).collect(),
        anomalies: report::anomalies(&stats.anomalies),
        host: Host::here(),
        steal_percent: Steal::now().percent_since(shape.steal),
        symbols: report::busiest(activity, &stats.listings, &stats),
        stopped: finished.stopped,
        verified: None,
    };
    let sink_error = sink_error.filter(|e| !e.closed).map(RunError::Sink);
    (report, finished.error.map(RunError::from).or(sink_error))
}

fn state_hash(groups: &[Group], listings: &flow::Listings) -> String {
    let mut writer = StateWriter::new(listings);
    groups.iter().flat_map(Group::stages).for_each(|stage| stage.save(&mut writer));
    writer.hash()
}

fn latency(groups: &[Group], names: &[String]) -> BTreeMap<String, LatencyReport> {
    let mut all = BTreeMap::new();
    for (group, name) in groups.iter().zip(names) {
        for latency in group.latencies() {
            let key = if latency.name == "group" { format!("group {name}") } else { latency.name.clone() };
            all.insert(key, LatencyReport::from(&latency));
        }
    }
    all
}
