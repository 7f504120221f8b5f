//! Repeats the inputs of a journal, and compares the outcomes with its record if asked to.

use super::error::RunError;
use super::options::{Compare, Options, sinks};
use crate::assembly::Blueprint;
use crate::config::Settings;
use crate::ingress::Recorded;
use crate::recovery::VerifySink;
use crate::report::{Report, Shape, reported};
use flow::Sink;
use sinks::journal::{InputLog, Journal, JournalReader, Upkeep};
use std::path::Path;
use std::time::Instant;

pub(super) fn execute(
    settings: &Settings,
    options: Options,
    dir: &Path,
    poll: &mut dyn FnMut(),
) -> Result<(Report, Option<RunError>), RunError> {
    let (sinks, _) = sinks(options.sinks, options.rows, Vec::new(), false)?;
    let resumed = (options.compare == Compare::Complete)
        .then(|| Journal::resume(dir, Upkeep::from_params(&settings.sinks["journal"])))
        .transpose()?;
    let (log, append) = resumed.map(|r| (r.inputs, r.outcomes)).unzip();
    let reader = JournalReader::open(dir)?;
    let head = Recorded::new(&reader);
    let blueprint = Blueprint::new(settings, sinks, reader.info().instruments, &options.control)?;
    let mut logs: Vec<Box<dyn Sink>> = Vec::new();
    let mut verdict = None;
    if options.compare != Compare::No {
        let verify = VerifySink::new(&reader, blueprint.plan.outcomes, append)?;
        verdict = Some(verify.verdict());
        logs.push(Box::new(verify));
    }
    let assembly = blueprint.repeated(head, logs);
    let shape = Shape::of(&assembly.plan);
    let start = Instant::now();
    let (mut finished, _) = assembly.run(poll)?;
    let seconds = finished.ended.duration_since(start);
    let activity = finished.head.activity().to_vec();
    let error = finished.error.take().map(RunError::from);
    let (mut report, sink_error) = reported(finished, &shape, seconds, &activity);
    report.verified = verdict.map(|v| v.lock().expect("nothing panics while it holds the verdict").clone());
    let closing = log.map(InputLog::close).transpose().err().map(RunError::from);
    Ok((report, error.or(sink_error.map(RunError::Sink)).or(closing)))
}
