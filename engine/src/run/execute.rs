//! Runs the settings to their end and returns the report.
//!
//! A run opens its sources, begins or resumes the journal, builds the assembly, drives it to its end and closes the logs.

use super::different;
use super::error::RunError;
use super::options::{Compare, Options, sinks};
use super::preflight::{Preflight, Sources};
use super::recorded;
use crate::assembly::{Assembly, Blueprint, Venues};
use crate::config::{InputSettings, Settings};
use crate::drive::{Control, Finished};
use crate::gateway::GatewayError;
use crate::ingress::{Ingress, IngressError, SourceQueue, Stated};
use crate::recovery::{
    self, DefinitionsSoFar, Learned, Notices, Opening, RecoveryError, RollTime, Roller, StateAtStop,
};
use crate::report::{Report, Shape, input_report, reported};
use flow::Ns;
use sinks::journal::JournalInfo;
use std::time::{Duration, Instant};

/// How long a disk may not answer until a run that was stopped leaves its journal unclosed.
const STOP_PATIENCE: Duration = Duration::from_millis(700);
/// The same for a run that came to its end.
const END_PATIENCE: Duration = Duration::from_secs(10);

/// Runs the settings to their end.
///
/// # Errors
/// When the run could not start, or a thread failed. A run that started but ended early returns a report and an error.
pub fn execute(settings: &Settings, options: Options) -> Result<(Report, Option<RunError>), RunError> {
    match options.recorded.clone() {
        Some(dir) if options.compare == Compare::Diff => different::execute(settings, options, &dir),
        Some(dir) => recorded::execute(settings, options, &dir),
        None => merged(settings, options),
    }
}

fn merged(settings: &Settings, options: Options) -> Result<(Report, Option<RunError>), RunError> {
    let sources = Preflight::of(settings)?.start()?;
    execute_sources(settings, sources, options)
}

/// Like [`execute`], with open sources instead of the inputs of the settings.
///
/// # Errors
/// As [`execute`].
pub fn execute_sources(
    settings: &Settings,
    sources: Sources,
    options: Options,
) -> Result<(Report, Option<RunError>), RunError> {
    let (mut feeds, instruments) = (queues(sources, settings, 0), settings.instrument_bound());
    let names = feeds.iter().map(|f| f.name.clone()).collect();
    let (mut sinks, origins) = sinks(options.sinks, options.rows, None, names, &settings.instances, true)?;
    let definitions = DefinitionsSoFar::default();
    sinks.extend(options.rolls.iter().map(|_| definitions.sink()));
    let blueprint = Blueprint::new(settings, sinks, instruments, &options.control)?;
    let opening = Opening {
        settings,
        kinds: blueprint.plan.outcomes,
        instruments,
        before: options.carry_over.as_ref(),
        owners: recovery::owners(&blueprint.plan.stages),
        stop: &options.control.stop,
        notices: options.notices,
        disk: &options.control.disk,
    };
    let journal = opening.journal(options.go_on)?;
    let later = feeds.split_off(feeds.len() - journal.added);
    let now = || settings.inputs.iter().map(|input| input.watch.clone()).collect();
    let watched = journal.watched.unwrap_or_else(now);
    feeds.iter_mut().zip(watched).for_each(|(feed, watched)| feed.begin_watching(watched));
    options.shard.into_iter().for_each(|shard| feeds.iter_mut().for_each(|feed| feed.read_part(shard)));
    let mut assembly = blueprint.merged(feeds, options.pace, journal.outcomes, Venues::Live)?;
    let mut commands = options.commands;
    commands.begin_with(journal.carried.first);
    for (gateway, orders) in journal.carried.open {
        assembly.ask(gateway, orders);
    }
    if let Some(info) = &journal.info {
        assembly.set_journal(info.run_id());
    }
    definitions.go_on_from(journal.snapshot.as_ref());
    let when = options.rolls.map(|when| (when, definitions.clone(), options.notices));
    let roller = rolling(settings, when, journal.info.zip(Some(journal.begun)), &mut assembly)?;
    if journal.is_unclean && assembly.leads_out() {
        commands.begin_with([recovery::skip_counters(recovery::SKIPPED)]);
    }
    let head = assembly.head.with_log(journal.inputs).with_origins(origins);
    assembly.head = head.with_joining(later).with_commands(commands).with_retrace(journal.retrace);
    if let Some(snapshot) = &journal.snapshot {
        snapshot.restore(&mut assembly).map_err(RecoveryError::from)?;
    }
    if let Some(ready) = options.ready {
        ready(&assembly.plan).map_err(RunError::NotReady)?;
    }
    let shape = Shape::of(&assembly.plan);
    let start = Instant::now();
    let (finished, gateway_errors) = assembly.run()?;
    let seconds = finished.ended.duration_since(start);
    let left = AtEnd { state: roller.as_ref().and_then(|_| StateAtStop::of(&finished, &definitions)), roller };
    let (mut report, error) = closed(finished, settings, (&shape, seconds), left, options.notices);
    report.verified = journal.verdict.map(|v| v.lock().expect("nothing panics while it holds the verdict").clone());
    let gateway_errors = gateway_errors.into_iter().map(|e| after_panic(e, settings));
    Ok((report, with_gateways(error, gateway_errors, &options.control)))
}

/// What is left to do at the end of a run that rolls its journal.
struct AtEnd {
    state: Option<StateAtStop>,
    roller: Option<Roller>,
}

/// Reports a run that has ended, closes its journal, and writes what it has learned, and its state, beside it.
fn closed(
    mut finished: Finished<Ingress>,
    settings: &Settings,
    (shape, seconds): (&Shape, Duration),
    left: AtEnd,
    notices: Notices,
) -> (Report, Option<RunError>) {
    let (learned, log) = (Learned::of(&finished), finished.head.take_log());
    let is_over = !finished.stopped && finished.error.is_none();
    let patience = if finished.stopped { STOP_PATIENCE } else { END_PATIENCE };
    let inputs = finished.head.feeds().iter().map(input_report).collect();
    let unwatched = finished.head.feeds().iter().flat_map(SourceQueue::unwatched).map(str::to_owned).collect();
    let (replaying, activity) = (finished.head.is_replaying(), finished.head.activity().to_vec());
    let error = finished.error.take().map(RunError::from);
    let (mut report, sink_error) = reported(finished, shape, seconds, &activity);
    (report.inputs, report.unwatched, report.replaying) = (inputs, unwatched, replaying);
    report.unlisted = unlisted(settings, &report);
    left.roller.into_iter().for_each(|roller| roller.end(is_over));
    let closing = log.and_then(|log| log.close_within(patience).err()).map(RunError::from);
    if let (None, Some(dir)) = (&closing, &settings.journal_dir) {
        let late = learned.and_then(|learned| learned.write_within(patience, dir));
        let late = late.map(|why| {
            format!("what was learned is not written: {why}; tidegate snapshot --journal {} writes it", dir.display())
        });
        late.into_iter().for_each(|late| notices.say(late));
        left.state.into_iter().for_each(|state| state.write(dir));
    }
    (report, error.or(sink_error.map(RunError::Sink)).or(closing))
}

/// Has the journal roll, if it is to; returns who looks after the journals.
fn rolling(
    settings: &Settings,
    when: Option<(RollTime, DefinitionsSoFar, Notices)>,
    current: Option<(JournalInfo, Option<Ns>)>,
    assembly: &mut Assembly<Ingress>,
) -> Result<Option<Roller>, RunError> {
    let (Some((when, definitions, notices)), Some((info, begun))) = (when, current) else { return Ok(None) };
    let Some(dir) = &settings.journal_dir else { return Ok(None) };
    let roller = Roller::start(settings, dir, notices).map_err(RunError::Journals)?;
    assembly.roll(|disk| roller.next(info, when, definitions, disk), begun);
    Ok(Some(roller))
}

/// The run's error. The first of a gateway comes before that of a head which knows only that its gateway has ended, and before a
/// disk that does not answer, which loses nothing; whatever else there is, is said all the same: orders may be open.
fn with_gateways(
    error: Option<RunError>,
    mut gateways: impl Iterator<Item = GatewayError>,
    control: &Control,
) -> Option<RunError> {
    let error = match error {
        None | Some(RunError::Ingress(IngressError::Gateway(_))) => gateways.next().map(RunError::from).or(error),
        Some(silent) if silent.is_silent_disk() => match gateways.next() {
            Some(e) => {
                control.notice(silent.to_string());
                Some(e.into())
            }
            None => Some(silent),
        },
        error => error,
    };
    gateways.for_each(|e| control.notice(e.to_string()));
    error
}

/// A gateway whose thread panicked cannot cancel any more: the main thread does.
fn after_panic(error: GatewayError, settings: &Settings) -> GatewayError {
    let (GatewayError::Panicked(_), Some(dir)) = (&error, &settings.journal_dir) else { return error };
    match recovery::cancel_at_venues(settings, dir) {
        Ok(venues) if venues.iter().all(|at| at.done.is_ok()) => GatewayError::Cancelled { why: error.to_string() },
        done => GatewayError::Uncancelled {
            why: error.to_string(),
            failed: match done {
                Ok(venues) => {
                    let failed =
                        venues.iter().filter_map(|at| Some(format!("{}: {}", at.venue, at.done.as_ref().err()?)));
                    failed.collect::<Vec<_>>().join("; ")
                }
                Err(e) => e.to_string(),
            },
            orders: "the journal says which may be open".to_owned(),
        },
    }
}

/// The symbols of which terms are stated and that no input listed.
fn unlisted(settings: &Settings, report: &Report) -> Vec<String> {
    let is_listed = |symbol: &&String| report.listed.contains(symbol) || report.unwatched.contains(symbol);
    settings.instruments.keys().filter(|symbol| !is_listed(symbol)).cloned().collect()
}

/// The sources with their queues, from the input `from` on, counted from 0.
pub(super) fn queues(sources: Sources, settings: &Settings, from: usize) -> Vec<SourceQueue> {
    let stated = Stated::new(settings.instruments.clone());
    let queue = |(i, (name, source))| {
        let input = settings.inputs.get(i);
        let text = input.map(InputSettings::to_toml).unwrap_or_default();
        let wanted = input.and_then(|input| input.watch.clone());
        SourceQueue::new(name, source, i as u8 + 1).with_stated(&stated).with_text(text).with_wanted(wanted)
    };
    (from..).zip(sources).map(queue).collect()
}
