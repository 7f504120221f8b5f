//! What a run does beside running.

use super::error::RunError;
use crate::drive::Control;
use crate::ingress::{Commands, Origin, Origins, Pace};
use crate::rows::{Filter, Format, RowKind, RowSink};
use flow::Sink;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::Sender;

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

/// The sinks of a run, and where the ingress reports the origin of each input, if somebody prints it.
pub(super) type SinksAndOrigins = (Vec<Box<dyn Sink>>, Option<Sender<Origin>>);

/// All sinks of a run: those that were given, and the rows. `names` are those of the inputs; `live`, the ingress reports where
/// each input comes from.
pub(super) fn sinks(
    mut sinks: Vec<Box<dyn Sink>>,
    rows: Option<Rows>,
    names: Vec<String>,
    live: bool,
) -> Result<SinksAndOrigins, RunError> {
    let Some(rows) = rows else {
        return Ok((sinks, None));
    };
    let (sender, origins) = Origins::channel();
    let origins = live.then_some(origins);
    let sink = RowSink::new(rows.kinds, rows.format, rows.filter, rows.levels, names, origins, rows.to);
    sinks.push(Box::new(sink.begin().map_err(RunError::Sink)?));
    Ok((sinks, live.then_some(sender)))
}
