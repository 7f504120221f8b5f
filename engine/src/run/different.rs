//! Runs the recorded inputs of a journal under other settings, with the simulated exchange answering anew, and says what
//! became different.
//!
//! Every order goes to the simulated exchange, also those that went to a venue outside the process. The comparison is made
//! beside the run ([`crate::diff`]). Nothing is written. Bound: the memory of a run and of the comparison.

use super::diagnosis::is_how;
use super::error::RunError;
use super::options::{Options, sinks};
use crate::assembly::Blueprint;
use crate::config::{Settings, keys};
use crate::diff::{self, Changes, Comparison, DiffReport, Ends, LastPrices, Record, SettingChange};
use crate::ingress::{Answered, Extent, ReadAhead};
use crate::recovery::{ChangedKey, Past, RecoveryError, Snapshot, as_begun, differences};
use crate::report::{Report, Shape, reported};
use flow::{Listings, Px};
use sinks::journal::{Home, HomeGaps, HomeLog, JournalError, LogKind, Member};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// Sections that bring inputs or decide nothing that is compared.
const WITHOUT_EFFECT: [&str; 3] = ["input", "journal", "venue"];

pub(super) fn execute(
    settings: &Settings,
    options: Options,
    dir: &Path,
) -> Result<(Report, Option<RunError>), RunError> {
    let home = Home::open(dir)?;
    let (current, members) = (home.current(), home.journals());
    options.notices.lost_memory(dir, current.reader().lost_memory());
    let start = Snapshot::start(&members[0], Past::Read, options.notices).map_err(RecoveryError::from)?;
    check(members, &options.control.stop)?;
    let of = Of::new(settings, members, current)?;
    let (mut sinks, _) = sinks(options.sinks, options.rows, start.as_ref(), Vec::new(), &settings.instances, false)?;
    let instruments = current.info.instruments;
    let (prices, last) = LastPrices::new(instruments);
    sinks.push(Box::new(prices));
    let blueprint = Blueprint::new(&of.settings, sinks, instruments, &options.control)?;
    let made = blueprint.plan.outcomes;
    let kinds = made.and(current.info.outcome_kinds);
    let record = Record {
        outcomes: HomeLog::of(dir, members, LogKind::Outcomes),
        extent: of.extent,
        kinds,
        changes: of.changes.clone(),
    };
    let (comparison, ends) = Comparison::start(record, made).map_err(RunError::Comparison)?;
    let Ends { head, log } = ends;
    // What waited at a venue outside the process is not at the simulated exchange.
    let knows_the_start = of.outside.is_empty();
    let assembly = as_begun(blueprint, &of.settings, vec![log], start.as_ref(), knows_the_start)?;
    let extent = of.extent;
    let inputs = HomeLog::of(dir, members, LogKind::Inputs);
    let inputs = ReadAhead::start(inputs, extent.through).map_err(RunError::Comparison)?;
    let assembly =
        assembly.with_head(|mut merge| Answered::new(inputs, extent, instruments, merge.take_returns(), head));
    let (shape, began) = (Shape::of(&assembly.plan), Instant::now());
    let (mut finished, _) = assembly.run()?;
    let (seconds, activity) = (finished.ended.duration_since(began), finished.head.activity().to_vec());
    let error = finished.error.take().map(RunError::from);
    let listings = finished.tail.listings().clone();
    let (mut report, sink_error) = reported(finished, &shape, seconds, &activity);
    let found = comparison.end()?;
    let last = last.lock().expect("no thread panics while it holds the lock");
    let mut diff = of.report(&found, &listings, &last);
    diff.open_before = start.is_some() && !knows_the_start;
    diff.not_compared = diff::named(made.or(current.info.outcome_kinds).without(kinds));
    report.diff = Some(Box::new(diff));
    Ok((report, error.or(sink_error.map(RunError::Sink))))
}

/// A record, and settings in which every order goes to the simulated exchange.
struct Of {
    settings: Settings,
    extent: Extent,
    changes: Changes,
    changed: Vec<ChangedKey>,
    outside: Vec<String>,
    wall_time: bool,
    gaps: bool,
}

impl Of {
    fn new(settings: &Settings, members: &[Member], current: &Member) -> Result<Of, RunError> {
        let changed = differences(&current.info.config_text, settings);
        let changed: Vec<_> = changed.into_iter().filter(|changed| !is_how(&changed.key, settings)).collect();
        let (settings, outside) = settings.clone().simulated().map_err(crate::config::Faults)?;
        let wall_time = settings.pipeline.get(keys::CLOCK) == keys::ClockKind::Wall;
        let mut changes = changes(&changed, &settings);
        (changes.answers, changes.elsewhere) = (wall_time || !outside.is_empty(), !outside.is_empty());
        let (extent, gaps) = (extent(members, current)?, has_gaps(members)?);
        Ok(Of { settings, extent, changes, changed, outside, wall_time, gaps })
    }

    fn report(&self, found: &diff::Tally, listings: &Listings, prices: &[Px]) -> DiffReport {
        let names = &self.settings.instances;
        let shown = diff::Shown { listings, names, prices, elsewhere: self.changes.elsewhere };
        let setting = |changed: &ChangedKey| SettingChange {
            key: changed.key.clone(),
            before: changed.was.clone(),
            now: changed.is.clone(),
        };
        DiffReport {
            changed: self.changed.iter().map(setting).collect(),
            fills_simulated: self.outside.clone(),
            wall_time: self.wall_time,
            whole: self.extent.is_whole,
            gaps: self.gaps,
            ..diff::reported(found, &shown)
        }
    }
}

/// Checks both logs of the journals, each on a thread of its own.
fn check(members: &[Member], stop: &AtomicBool) -> Result<(), JournalError> {
    let of = |log| members.iter().try_for_each(|member| member.reader().check(&[log], stop));
    std::thread::scope(|scope| {
        let outcomes = scope.spawn(move || of(LogKind::Outcomes));
        of(LogKind::Inputs)?;
        outcomes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// How much of the record is taken: as far as its outcomes go.
fn extent(members: &[Member], current: &Member) -> Result<Extent, JournalError> {
    let reader = current.reader();
    let through = reader.last_input_seq()?.min(reader.completed_through()?);
    let is_whole = reader.closed()?.is_some_and(|closed| closed.ended);
    Ok(Extent { after: members[0].info.after(), through, is_whole })
}

/// Whether outcomes are missing in the record.
fn has_gaps(members: &[Member]) -> Result<bool, JournalError> {
    let gaps = HomeGaps::of(members)?;
    Ok(!gaps.is_empty())
}

/// What the changed keys decide.
fn changes(changed: &[ChangedKey], settings: &Settings) -> Changes {
    let mut changes = Changes::default();
    for ChangedKey { key, .. } in changed {
        let (section, rest) = key.split_once('.').unwrap_or((key, ""));
        let section = section.split('[').next().unwrap_or(section);
        let strategy = settings.instances.strategy_number(section);
        match section {
            "risk" | "account" | "limit" => match check_of(rest) {
                Some(check) => drop(changes.checks.insert(check)),
                None => changes.risk = true,
            },
            _ if strategy.is_some() => changes.strategies.extend(strategy.map(|number| number.0)),
            section if flow::find(stages::exchange_sim::VENUES, section).is_some() => changes.exchange = true,
            section if WITHOUT_EFFECT.contains(&section) => {}
            section if settings.registries.feed(section).is_some() || settings.gateway(section).is_some() => {}
            _ => changes.others = true,
        }
    }
    changes
}

/// The check that a key of risk is of.
fn check_of(key: &str) -> Option<u16> {
    let name = key.rsplit('.').next().unwrap_or(key).split('[').next().unwrap_or(key);
    let has = |check: &&stages::risk::CheckEntry| {
        let limit = check.limit.map(|limit| limit.param().name);
        check.name == name || limit == Some(name) || check.params.iter().any(|param| param.name == name)
    };
    stages::risk::CHECKS.iter().find(has).map(|check| check.number)
}
