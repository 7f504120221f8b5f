//! Repeats the inputs of a journal, and compares the outcomes with its record if asked to.

use super::diagnosis::Compared;
use super::error::RunError;
use super::options::{Compare, Options, sinks};
use crate::assembly::Blueprint;
use crate::config::Settings;
use crate::ingress::Recorded;
use crate::recovery::{Acceptance, Past, RecoveryError, Snapshot, VerifySink};
use crate::report::{Difference, Report, Shape, reported};
use flow::Sink;
use sinks::journal::{Home, HomeLog, Journal, JournalError, LogKind, Member, Upkeep};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

pub(super) fn execute(
    settings: &Settings,
    options: Options,
    dir: &Path,
) -> Result<(Report, Option<RunError>), RunError> {
    let home = Home::open(dir)?;
    let current = home.current();
    let (reader, last) = (current.reader(), current.info.number);
    options.notices.lost_memory(dir, reader.lost_memory());
    // Only the last one can lack outcomes.
    let from = if options.compare == Compare::Complete { last } else { 0 };
    let members: Vec<_> = home.journals().iter().filter(|member| member.info.number >= from).cloned().collect();
    let start = Snapshot::start(&members[0], Past::Read, options.notices).map_err(RecoveryError::from)?;
    let (sinks, _) = sinks(options.sinks, options.rows, start.as_ref(), Vec::new(), &settings.instances, false)?;
    let acceptance = match options.compare {
        Compare::Complete => {
            let examined = Journal::examine(&current.dir, &options.control.stop)?;
            let upkeep = Upkeep::from_params(&settings.sinks["journal"]);
            Some(Acceptance::new(examined, upkeep, options.control.disk.clone()))
        }
        // Outcomes that nobody compares can be derived again.
        Compare::No => check(&members, &[LogKind::Inputs], &options.control.stop).map(|()| None)?,
        Compare::Verify | Compare::Diff => check(&members, &LogKind::BOTH, &options.control.stop).map(|()| None)?,
    };
    let (after, instruments) = (members[0].info.after(), current.info.instruments);
    let head = Recorded::new(HomeLog::of(dir, &members, LogKind::Inputs), after, instruments);
    let blueprint = Blueprint::new(settings, sinks, instruments, &options.control)?;
    let mut logs: Vec<Box<dyn Sink>> = Vec::new();
    let mut verdict = None;
    if options.compare != Compare::No {
        let mut verify = VerifySink::new(dir, &members, blueprint.plan.outcomes)?;
        if let Some(acceptance) = &acceptance {
            verify = verify.accepting(after, reader.last_input_seq()?, acceptance, false)?;
        }
        verdict = Some(verify.verdict());
        logs.push(Box::new(verify));
    }
    let mut assembly = blueprint.repeated(head, logs);
    if let Some(start) = &start {
        start.restore_pipeline(&mut assembly, None).map_err(RecoveryError::from)?;
    }
    let (shape, began) = (Shape::of(&assembly.plan), Instant::now());
    let (mut finished, _) = assembly.run()?;
    let (seconds, activity) = (finished.ended.duration_since(began), finished.head.activity().to_vec());
    let error = finished.error.take().map(RunError::from);
    let (mut report, sink_error) = reported(finished, &shape, seconds, &activity);
    report.verified = verdict.map(|v| v.lock().expect("nothing panics while it holds the verdict").clone());
    let mut error = error.or(sink_error.map(RunError::Sink));
    if let (None, Some(acceptance)) = (&error, acceptance) {
        match acceptance.complete() {
            Ok(completed) => report.verified.iter_mut().for_each(|v| v.completed = completed),
            Err(e) => error = Some(e.into()),
        }
    }
    let (home, members, start, control) = (&home, &members[..], start.as_ref(), &options.control);
    report.difference = explained(&Compared { settings, home, members, start, control }, &report, error.as_ref())?;
    Ok((report, error))
}

/// What differs first, if something does.
fn explained(of: &Compared, report: &Report, error: Option<&RunError>) -> Result<Option<Difference>, RunError> {
    match (error, &report.verified) {
        (None, Some(verified)) => of.difference(verified),
        _ => Ok(None),
    }
}

/// Checks these logs of the journals.
fn check(members: &[Member], logs: &[LogKind], stop: &AtomicBool) -> Result<(), JournalError> {
    members.iter().try_for_each(|member| member.reader().check(logs, stop))
}
