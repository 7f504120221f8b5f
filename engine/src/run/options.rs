//! Options of a run: rows, sinks, journal, pace and control.

use super::error::RunError;
use crate::drive::Control;
use crate::ingress::{Commands, Origin, Origins, Pace};
use crate::plan::Plan;
use crate::recovery::{Earlier, Notices, RollTime, Snapshot};
use crate::rows::{Filter, Format, RowKind, RowSink};
use flow::{Shard, Sink};
use stages::Instances;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// Rows to print while the pipeline runs.
pub struct Rows {
    /// Kinds to print.
    pub kinds: Vec<RowKind>,
    /// Output format.
    pub format: Format,
    /// Filter.
    pub filter: Filter,
    /// Levels per side of a depth row.
    pub levels: usize,
    /// Output.
    pub to: Box<dyn Write + Send>,
}

/// Whether to compare a repeated run with its record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compare {
    /// No comparison.
    #[default]
    No,
    /// Compare every outcome.
    Verify,
    /// Compare every outcome, and append those that the record lacks.
    Complete,
    /// Have the simulated exchange answer anew, and say what became different.
    Diff,
}

/// Options of a run.
#[derive(Default)]
pub struct Options {
    /// Rows to print.
    pub rows: Option<Rows>,
    /// Further sinks at the end of the pipeline.
    pub sinks: Vec<Box<dyn Sink>>,
    /// Journal whose inputs are repeated, instead of opening those of the settings.
    pub recorded: Option<PathBuf>,
    /// The part of the instruments that is read; `None` = all.
    pub shard: Option<Shard>,
    /// Comparison with the outcomes of the repeated journal.
    pub compare: Compare,
    /// Commands of the operator.
    pub commands: Commands,
    /// Pace of the event clock; `None` = as fast as possible.
    pub pace: Option<Pace>,
    /// When the journal rolls by itself; without it, it never rolls, not even when it is asked to.
    pub rolls: Option<RollTime>,
    /// Resume an existing journal.
    pub go_on: bool,
    /// Carry over positions, limits and what was learned from this journal to a new one, and close its open orders; an existing
    /// journal is resumed.
    pub carry_over: Option<Earlier>,
    /// Stop flag and progress.
    pub control: Control,
    /// Takes what is to be said before the run.
    pub notices: Notices,
    /// What must succeed before anything enters.
    pub ready: Option<Ready>,
}

/// Called once the journal exists and before anything enters, with the plan of the pipeline; an error ends the run.
pub type Ready = Box<dyn FnOnce(&Plan) -> Result<(), String>>;

/// The sinks of a run and, if rows show it, the channel on which the ingress reports the origin of each input.
pub(super) type SinksAndOrigins = (Vec<Box<dyn Sink>>, Option<Sender<Origin>>);

/// All sinks of a run: the given ones and the rows. `names` are the names of the inputs, `instances` those of strategies. If
/// `live`, the ingress reports the origin of each input. A run that begins with a snapshot has the names from there.
pub(super) fn sinks(
    mut sinks: Vec<Box<dyn Sink>>,
    rows: Option<Rows>,
    start: Option<&Snapshot>,
    names: Vec<String>,
    instances: &Instances,
    live: bool,
) -> Result<SinksAndOrigins, RunError> {
    let Some(rows) = rows else {
        return Ok((sinks, None));
    };
    let (sender, origins) = Origins::channel();
    let origins = live.then_some(origins);
    let sink = RowSink::new(rows.kinds, rows.format, rows.filter, rows.levels, names, origins, rows.to);
    let mut sink = sink.with_names(Arc::new(instances.clone())).begin().map_err(RunError::Sink)?;
    start.into_iter().flat_map(Snapshot::defined).for_each(|event| sink.learn(&event));
    sinks.push(Box::new(sink));
    Ok((sinks, live.then_some(sender)))
}
