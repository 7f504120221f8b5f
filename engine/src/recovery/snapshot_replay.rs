//! Replays a journal to write a snapshot, while its run is active or afterwards.
//!
//! It builds the same pipeline with the same settings; the outcomes are discarded. What is sealed is checked first, so that no
//! altered input gets into a state. Bound: the memory of a run.

use super::changed::check;
use super::definitions::DefinitionsSoFar;
use super::error::RecoveryError;
use super::memory::{Remembered, rows};
use super::notices::Notices;
use super::snapshot::Snapshot;
use crate::assembly::{Assembly, Blueprint, Venues};
use crate::config::{Draft, InputSettings, Settings};
use crate::drive::Control;
use crate::ingress::{Head, Ingress, Retrace, SourceQueue, Then};
use crate::registries::Registries;
use flow::{Count, FeedError, Inputs, Polled, Source, StateWriter};
use sinks::journal::{Home, JournalReader, LogKind, Member};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// Writes a snapshot after the last input whose outcomes are all stored; returns the path and the `seq`.
///
/// # Errors
/// When the journal cannot be read, another build or configuration wrote it, the replay differs from it, or the file
/// cannot be written.
pub fn snapshot(
    dir: &Path,
    registries: &Registries,
    control: &Control,
    notices: Notices,
) -> Result<(PathBuf, u64), RecoveryError> {
    let home = Home::open(dir)?;
    let of = Replayed::of(home.current(), registries, control, notices)?;
    of.write(of.last, true, control)
}

/// Writes a snapshot after every so many inputs, and after the last one, of each journal of a run, where there is none yet;
/// `told` takes the path and the `seq` of each.
///
/// # Errors
/// As [`snapshot`]. Those before are written.
pub fn snapshots(
    dir: &Path,
    every: u64,
    registries: &Registries,
    control: &Control,
    notices: Notices,
    mut told: impl FnMut(PathBuf, u64),
) -> Result<(), RecoveryError> {
    let home = Home::open(dir)?;
    for member in home.journals() {
        let of = Replayed::of(member, registries, control, notices)?;
        let (first, last) = (member.info.after() / every + 1, of.last);
        let is_last = member.info.number == home.current().info.number;
        let due = (first..).map(|n| n * every).take_while(|seq| *seq < last).chain(is_last.then_some(last));
        for seq in due {
            let at = member.dir.join(Snapshot::file_name(seq));
            if seq > member.info.after() && !at.exists() {
                // The meters and marks of one replay are not those of the next.
                let control = Control { stop: Arc::clone(&control.stop), ..Control::default() };
                let (path, seq) = of.write(seq, seq == last && is_last, &control)?;
                told(path, seq);
            }
        }
    }
    Ok(())
}

/// A journal whose inputs are replayed.
struct Replayed<'a> {
    dir: &'a Path,
    reader: JournalReader,
    settings: Settings,
    /// The last input whose outcomes are all stored.
    last: u64,
    notices: Notices,
}

impl<'a> Replayed<'a> {
    /// Checks everything that is sealed, and that this build with its configuration may replay it.
    fn of(
        member: &'a Member,
        registries: &Registries,
        control: &Control,
        notices: Notices,
    ) -> Result<Replayed<'a>, RecoveryError> {
        let (dir, reader) = (member.dir.as_path(), member.reader());
        notices.lost_memory(dir, reader.lost_memory());
        let settings = Draft::recorded(&reader.info().config_text, &dir.join("journal.toml"), registries).finish()?;
        check(reader.info(), &settings)?;
        let last = reader.completed_through()?;
        reader.check(&LogKind::BOTH, &control.stop)?;
        Ok(Replayed { dir, reader, settings, last, notices })
    }

    /// The pipeline after the snapshot `before`, with the inputs up to `last` to come.
    fn assembly(
        &self,
        before: Option<&Snapshot>,
        definitions: &DefinitionsSoFar,
        last: u64,
        control: &Control,
    ) -> Result<Assembly<Ingress>, RecoveryError> {
        let Replayed { reader, settings, .. } = self;
        let from = before.map_or(0, |s| s.seq);
        let mut inputs = reader.inputs();
        if from > 0 {
            inputs.seek_seq(from + 1)?;
        }
        definitions.go_on_from(before);
        let blueprint = Blueprint::new(settings, vec![definitions.sink()], reader.info().instruments, control)?;
        let stand_in = |number| SourceQueue::new(String::new(), Box::new(Absent), number);
        let begun = |(number, input): (u8, &InputSettings)| {
            let mut feed = stand_in(number);
            feed.begin_watching(input.watch.clone());
            feed
        };
        let feeds = (1..).zip(&settings.inputs).map(begun).collect();
        let mut assembly = blueprint.merged(feeds, None, Vec::new(), Venues::Repeated)?;
        let retrace = Retrace::new(inputs, if from < last { last } else { 0 }, Then::Stop);
        assembly.head = assembly.head.with_stand_ins(stand_in).with_retrace(Some(retrace));
        if let Some(before) = before {
            before.restore(&mut assembly)?;
        }
        Ok(assembly)
    }

    /// Writes the state after the input `last`; if it `lasts`, also what outlives the journal.
    fn write(&self, last: u64, lasts: bool, control: &Control) -> Result<(PathBuf, u64), RecoveryError> {
        let before = Snapshot::latest(&self.reader, self.dir, last, self.notices)?;
        let definitions = DefinitionsSoFar::default();
        let (finished, _) = self.assembly(before.as_ref(), &definitions, last, control)?.run()?;
        if let Some(error) = finished.error {
            return Err(error.into());
        }
        if finished.stopped {
            return Err(RecoveryError::Stopped);
        }
        let seq = finished.head.seq();
        let mut whole = Snapshot::new(&self.reader, seq, definitions.now().bytes())?;
        let listings = whole.listings();
        let mut stages = StateWriter::new(&listings);
        finished.groups.iter().flat_map(|g| g.stages()).for_each(|s| s.save(&mut stages));
        finished.tail.save(&mut stages);
        let mut head = StateWriter::new(&listings);
        finished.head.save(&mut head);
        let rows = if lasts { rows(finished.groups.iter(), &listings, finished.head.now()) } else { None };
        if let Some(rows) = rows {
            Remembered::write(self.dir, seq, finished.head.now(), rows)?;
        }
        (whole.stages, whole.ingress) = (stages.into_bytes(), head.into_bytes());
        Ok((whole.write(self.dir)?, seq))
    }
}
