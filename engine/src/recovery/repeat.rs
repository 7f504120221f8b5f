//! Repeats a journal up to any input, from a state before it: for snapshots, and for whoever wants what no log has.
//!
//! It builds the same pipeline with the same settings, and the merge must reproduce the recorded inputs. Nothing leaves the
//! process and nothing is written. Bound: the memory of a run.

use super::changed::check;
use super::definitions::DefinitionsSoFar;
use super::error::RecoveryError;
use super::snapshot::Snapshot;
use crate::assembly::{Assembly, Blueprint, Venues};
use crate::config::{Draft, InputSettings, Settings};
use crate::drive::{Control, Finished};
use crate::ingress::{Head as _, Ingress, Retrace, SourceQueue, Then};
use crate::registries::Registries;
use flow::{Count, FeedError, Inputs, Polled, Sink, Source, StateWriter};
use sinks::journal::{JournalReader, Member};

/// A stand-in for a source: its inputs come from the journal.
struct Absent;

impl Source for Absent {
    fn poll(&mut self, _: &mut Inputs) -> Result<Polled, FeedError> {
        Ok(Polled::Ended)
    }
    fn instruments(&self) -> u32 {
        0
    }
    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }
}

/// A stand-in for the source of that number.
fn stand_in(number: u8) -> SourceQueue {
    SourceQueue::new(String::new(), Box::new(Absent), number)
}

/// Stand-ins for the sources of these settings.
fn stand_ins(settings: &Settings) -> Vec<SourceQueue> {
    let begun = |(number, input): (u8, &InputSettings)| {
        let mut feed = stand_in(number);
        feed.begin_watching(input.watch.clone());
        feed
    };
    (1..).zip(&settings.inputs).map(begun).collect()
}

/// The merge of a blueprint without sources, in the state with which its journal begins: what the simulated exchange of that
/// merge knows is that state too, if `with_head`.
///
/// # Errors
/// When it cannot be assembled, or the state is of another pipeline.
pub(crate) fn as_begun(
    blueprint: Blueprint<'_>,
    settings: &Settings,
    logs: Vec<Box<dyn Sink>>,
    start: Option<&Snapshot>,
    with_head: bool,
) -> Result<Assembly<Ingress>, RecoveryError> {
    let mut assembly = blueprint.merged(stand_ins(settings), None, logs, Venues::Repeated)?;
    assembly.head = assembly.head.with_stand_ins(stand_in);
    match start {
        Some(start) if with_head => start.restore(&mut assembly)?,
        Some(start) => start.restore_pipeline(&mut assembly, None)?,
        None => {}
    }
    Ok(assembly)
}

/// A journal that can be repeated by this build.
pub(crate) struct Repeater<'a> {
    pub(crate) reader: JournalReader,
    pub(crate) settings: Settings,
    control: &'a Control,
}

impl<'a> Repeater<'a> {
    /// Opens a journal.
    ///
    /// # Errors
    /// When another build or configuration wrote it.
    pub(crate) fn open(
        member: &Member,
        registries: &Registries,
        control: &'a Control,
    ) -> Result<Repeater<'a>, RecoveryError> {
        let reader = member.reader();
        let info = reader.info();
        let settings = Draft::recorded(&info.config_text, &member.dir.join("journal.toml"), registries).finish()?;
        check(info, &settings)?;
        Ok(Repeater { reader, settings, control })
    }

    /// Repeats it from behind `before`, or from its beginning, up to and including the input `last`; `sinks` take what they
    /// read of it, and `logs` its outcomes. Returns the finished run, and the state behind that input.
    ///
    /// # Errors
    /// When the journal cannot be read, the repetition differs from it, or it was stopped.
    pub(crate) fn run(
        &self,
        before: Option<&Snapshot>,
        last: u64,
        mut sinks: Vec<Box<dyn Sink>>,
        logs: Vec<Box<dyn Sink>>,
    ) -> Result<(Finished<Ingress>, Snapshot), RecoveryError> {
        let Repeater { reader, settings, control } = self;
        let from = before.map_or(0, |s| s.seq);
        let mut inputs = reader.inputs();
        if from > 0 {
            inputs.seek_seq(from + 1)?;
        }
        let definitions = DefinitionsSoFar::default();
        definitions.go_on_from(before);
        sinks.push(definitions.sink());
        let blueprint = Blueprint::new(settings, sinks, reader.info().instruments, control)?;
        let mut assembly = as_begun(blueprint, settings, logs, before, true)?;
        let retrace = Retrace::new(inputs, if from < last { last } else { 0 }, Then::Stop);
        assembly.head = assembly.head.with_retrace(Some(retrace));
        let (mut finished, _) = assembly.run()?;
        if let Some(error) = finished.error.take() {
            return Err(error.into());
        }
        if finished.stopped {
            return Err(RecoveryError::Stopped);
        }
        let mut whole = Snapshot::new(reader, finished.head.seq(), definitions.now().bytes())?;
        let listings = whole.listings();
        let mut stages = StateWriter::new(&listings);
        finished.groups.iter().flat_map(|g| g.stages()).for_each(|s| s.save(&mut stages));
        finished.tail.save(&mut stages);
        let mut head = StateWriter::new(&listings);
        finished.head.save(&finished.groups[0], &mut head);
        whole.take(head.into_bytes(), stages.into_parts());
        Ok((finished, whole))
    }
}
