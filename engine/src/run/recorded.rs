//! Repeats the inputs of a journal, and compares the outcomes with its record if asked to.

use super::error::RunError;
use super::options::{Compare, Options, sinks};
use crate::assembly::Blueprint;
use crate::config::Settings;
use crate::ingress::Recorded;
use crate::recovery::{Acceptance, VerifySink};
use crate::report::{Report, Shape, reported};
use flow::Sink;
use sinks::journal::{Journal, JournalReader, LogKind, Upkeep};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

pub(super) fn execute(
    settings: &Settings,
    options: Options,
    dir: &Path,
) -> Result<(Report, Option<RunError>), RunError> {
    let (sinks, _) = sinks(options.sinks, options.rows, Vec::new(), &settings.instances, false)?;
    let reader = JournalReader::open(dir)?;
    options.notices.lost_memory(dir, reader.lost_memory());
    let acceptance = match options.compare {
        Compare::Complete => {
            let examined = Journal::examine(dir, &options.control.stop)?;
            let upkeep = Upkeep::from_params(&settings.sinks["journal"]);
            Some(Acceptance::new(examined, upkeep, Arc::clone(&options.control.disk)))
        }
        // Outcomes that nobody compares can be derived again.
        Compare::No => reader.check(&[LogKind::Inputs], &options.control.stop).map(|()| None)?,
        Compare::Verify => reader.check(&LogKind::BOTH, &options.control.stop).map(|()| None)?,
    };
    let head = Recorded::new(&reader);
    let blueprint = Blueprint::new(settings, sinks, reader.info().instruments, &options.control)?;
    let mut logs: Vec<Box<dyn Sink>> = Vec::new();
    let mut verdict = None;
    if options.compare != Compare::No {
        let mut verify = VerifySink::new(&reader, blueprint.plan.outcomes)?;
        if let Some(acceptance) = &acceptance {
            verify = verify.accepting(0, reader.last_input_seq()?, acceptance, false)?;
        }
        verdict = Some(verify.verdict());
        logs.push(Box::new(verify));
    }
    let assembly = blueprint.repeated(head, logs);
    let shape = Shape::of(&assembly.plan);
    let start = Instant::now();
    let (mut finished, _) = assembly.run()?;
    let seconds = finished.ended.duration_since(start);
    let activity = finished.head.activity().to_vec();
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
    Ok((report, error))
}
