//! From settings to a running pipeline and its report.

use super::RunError;
use super::drive::{Control, Finished, run_pipeline};
use super::journalling::Journalling;
use super::report::Report;
use super::summary::{Shape, input_report, reported};
use super::tail::Tail;
use super::trading::{VenueWiring, Venues};
use super::verify::VerifySink;
use crate::config::{Faults, Settings};
use crate::gateway::Ending;
use crate::ingress::{Clock, Commands, Ingress, Origin, Origins, Pace, Recorded, SourceQueue, TickSource};
use crate::plan::Plan;
use crate::recovery::{self, Snapshot};
use crate::rows::{Filter, Format, RowKind, RowSink};
use feeds::Request;
use flow::{Kinds, Sink, Source, StateReader, kind_named};
use sinks::journal::{InputLog, Journal, JournalReader, Upkeep};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Instant;

/// Rows to print while the pipeline runs.
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

/// Whether a repeated run is compared with its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// It is not.
    #[default]
    No,
    /// Every outcome is.
    Verify,
    /// Every outcome is, and those that the record lacks are appended to it.
    Complete,
}

/// What a run does beside running.
#[derive(Default)]
pub struct Options {
    /// Prints rows.
    pub rows: Option<Rows>,
    /// Further sinks at the end of the pipeline.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Repeats the inputs of this journal instead of opening those of the settings.
    pub recorded: Option<PathBuf>,
    /// Compares the outcomes with those of the recorded journal.
    pub compare: Compare,
    /// What an operator says.
    pub commands: Commands,
    /// Holds the event clock to a pace; as fast as it goes if there is none.
    pub pace: Option<Pace>,
    /// A journal that is there already goes on.
    pub go_on: bool,
    /// A new journal begins with what the one in this folder left; one that is there already goes on.
    pub carry_over: Option<PathBuf>,
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
        kinds = if without { kinds.without(named) } else { kinds.or(named) };
    }
    Ok(kinds)
}

fn merged(
    settings: &Settings,
    options: Options,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    if settings.inputs.is_empty() {
        let advice = "name files with --input, or write [[input]]";
        return Err(Faults::one(Path::new("configuration"), "input", "no input", advice).into());
    }
    execute_sources(settings, open(settings)?, options, poll)
}

/// Open sources with their names.
pub type Sources = Vec<(String, Box<dyn Source>)>;

/// [`execute`] with sources that are open already instead of the inputs of the settings.
///
/// # Errors
/// As [`execute`].
pub fn execute_sources(
    settings: &Settings,
    sources: Sources,
    options: Options,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    let (feeds, instruments) = placed(sources);
    let names = feeds.iter().map(|f| f.name.clone()).collect();
    let (rows, origins) = row_sink(options.rows, names, true)?;
    let sinks = joined(options.sinks, rows);
    let mut plan = plan(settings, &sinks, instruments)?;
    let journal = Journalling::of(settings, &plan, options.go_on, options.carry_over.as_deref())?;
    let mut wiring = VenueWiring::of(settings, &plan, instruments, &options.control, Venues::Live)?;
    let tail = Tail::new(journal.outcomes, sinks, plan.outcomes, instruments, options.control.watermark.clone());
    let tail = tail.with_stopwatch(plan.stopwatch.clone());
    let ticks = TickSource::new(plan.ticks.intervals.clone(), plan.ticks.slice);
    let clock = Clock::new(plan.clock).with_pace(options.pace);
    let ingress = Ingress::new(feeds, ticks, clock, instruments).with_log(journal.inputs).with_origins(origins);
    let mut commands = options.commands;
    commands.begin_with(journal.carried.first);
    wiring.ask(journal.carried.open);
    if journal.is_unclean && wiring.lead_out() {
        commands.begin_with([recovery::skip_counters(recovery::SKIPPED)]);
    }
    let (ingress, mut tail) = wiring.join(ingress.with_commands(commands).with_retrace(journal.retrace), tail);
    let ingress = restored(journal.snapshot.as_ref(), ingress, &mut plan, &mut tail)?;
    let shape = Shape::of(&plan);
    let start = Instant::now();
    let gateway = wiring.start()?;
    let ran = run_pipeline(ingress, plan, tail, &options.control, poll);
    let left = gateway.map_or(Ok(()), |g| g.end(ending(&ran)));
    let mut finished = ran?;
    let seconds = finished.ended.duration_since(start);
    let log = finished.head.take_log();
    let inputs = finished.head.feeds().iter().map(input_report).collect();
    let activity = finished.head.activity().to_vec();
    let (mut report, error) = reported(finished, &shape, seconds, &activity);
    report.inputs = inputs;
    report.verified = journal.verdict.map(|v| v.lock().expect("nothing panics while it holds the verdict").clone());
    let closing = log.map(InputLog::close).transpose().err().map(RunError::from);
    Ok((report, error.or(closing).or(left.err().map(RunError::from))))
}

/// What a run's end means for its orders.
fn ending<H>(ran: &Result<Finished<H>, RunError>) -> Ending {
    match ran {
        Ok(finished) if finished.error.is_none() && !finished.tail.has_failed() => Ending::Orderly,
        _ => Ending::Broken,
    }
}

/// Puts head, stages and tail where the snapshot was taken.
pub(super) fn restored(
    snapshot: Option<&Snapshot>,
    mut ingress: Ingress,
    plan: &mut Plan,
    tail: &mut Tail,
) -> Result<Ingress, RunError> {
    let Some(snapshot) = snapshot else {
        return Ok(ingress);
    };
    let listings = snapshot.listings();
    let mut stages = StateReader::new(&listings, &snapshot.stages);
    for planned in &mut plan.stages {
        planned.stage.load(&mut stages)?;
    }
    tail.load(&mut stages)?;
    stages.finish()?;
    let mut head = StateReader::new(&listings, &snapshot.ingress);
    ingress.load(&mut head)?;
    head.finish()?;
    tail.know(listings);
    tail.begin_at(snapshot.seq);
    Ok(ingress)
}

fn recorded(
    settings: &Settings,
    options: Options,
    dir: &Path,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    let (rows, _) = row_sink(options.rows, Vec::new(), false)?;
    let sinks = joined(options.sinks, rows);
    let resumed = (options.compare == Compare::Complete)
        .then(|| Journal::resume(dir, Upkeep::from_params(&settings.sinks["journal"])))
        .transpose()?;
    let (log, append) = resumed.map(|r| (r.inputs, r.outcomes)).unzip();
    let reader = JournalReader::open(dir)?;
    let head = Recorded::new(&reader)?;
    let instruments = head.instruments();
    let plan = plan(settings, &sinks, instruments)?;
    let mut logs: Vec<Box<dyn Sink>> = Vec::new();
    let mut verdict = None;
    if options.compare != Compare::No {
        let verify = VerifySink::new(&reader, plan.outcomes, append)?;
        verdict = Some(verify.verdict());
        logs.push(Box::new(verify));
    }
    let tail = Tail::new(logs, sinks, plan.outcomes, instruments, options.control.watermark.clone());
    let shape = Shape::of(&plan);
    let start = Instant::now();
    let finished = run_pipeline(head, plan, tail, &options.control, poll)?;
    let seconds = finished.ended.duration_since(start);
    let activity = finished.head.activity().to_vec();
    let (mut report, error) = reported(finished, &shape, seconds, &activity);
    report.verified = verdict.map(|v| v.lock().expect("nothing panics while it holds the verdict").clone());
    let closing = log.map(InputLog::close).transpose().err().map(RunError::from);
    Ok((report, error.or(closing)))
}

fn joined(mut sinks: Vec<Box<dyn Sink>>, rows: Option<RowSink>) -> Vec<Box<dyn Sink>> {
    sinks.extend(rows.map(|r| Box::new(r) as Box<dyn Sink>));
    sinks
}

pub(super) fn plan(settings: &Settings, sinks: &[Box<dyn Sink>], instruments: u32) -> Result<Plan, RunError> {
    let readers = sinks.iter().fold(Tail::READS, |all, s| all.or(s.kinds()));
    Ok(Plan::build(settings, settings.space(instruments), outcome_kinds(settings)?, readers)?)
}

/// Build that a journal names: the version, and the hash of the sources, made when this was built.
pub fn build_id() -> String {
    BUILD_ID.to_owned()
}

/// In one piece, so that the binary holds it as it is told.
const BUILD_ID: &str = concat!("tidegate ", env!("CARGO_PKG_VERSION"), " ", env!("TIDEGATE_SOURCES"));

fn open(settings: &Settings) -> Result<Sources, RunError> {
    let mut sources = Vec::new();
    for input in &settings.inputs {
        let request = Request { paths: input.files.clone(), date: input.date, params: input.params.clone() };
        let source = input.feed.open(&request)?;
        sources.push((named(source.as_ref(), input.feed.name), source));
    }
    Ok(sources)
}

/// The sources with their ranges of instruments, and how many instruments there may be.
fn placed(sources: Sources) -> (Vec<SourceQueue>, u32) {
    let (mut feeds, mut base) = (Vec::new(), 0u32);
    for (i, (name, source)) in sources.into_iter().enumerate() {
        let range = source.instruments();
        feeds.push(SourceQueue::new(name, source, i as u8 + 1, base));
        base += range;
    }
    (feeds, base)
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
