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
use crate::assembly::{Blueprint, Venues};
use crate::config::{Draft, InputSettings};
use crate::drive::Control;
use crate::ingress::{Head, Retrace, SourceQueue, Then};
use crate::registries::Registries;
use flow::{Count, FeedError, Inputs, Polled, Source, StateWriter};
use sinks::journal::{Home, LogKind};
use std::path::{Path, PathBuf};

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
    let dir = home.current().dir.as_path();
    let reader = home.current().reader();
    notices.lost_memory(dir, reader.lost_memory());
    let info = reader.info().clone();
    let settings = Draft::recorded(&info.config_text, &dir.join("journal.toml"), registries).finish()?;
    check(&info, &settings)?;
    let last = reader.completed_through()?;
    reader.check(&LogKind::BOTH, &control.stop)?;
    let before = Snapshot::latest(&reader, dir, last, notices)?;
    let from = before.as_ref().map_or(0, |s| s.seq);
    let mut inputs = reader.inputs();
    if from > 0 {
        inputs.seek_seq(from + 1)?;
    }
    let definitions = DefinitionsSoFar::default();
    definitions.go_on_from(before.as_ref());
    let blueprint = Blueprint::new(&settings, vec![definitions.sink()], info.instruments, control)?;
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
    if let Some(before) = &before {
        before.restore(&mut assembly)?;
    }
    let (finished, _) = assembly.run()?;
    if let Some(error) = finished.error {
        return Err(error.into());
    }
    if finished.stopped {
        return Err(RecoveryError::Stopped);
    }
    let seq = finished.head.seq();
    let mut whole = Snapshot::new(&reader, seq, definitions.now().bytes())?;
    let listings = whole.listings();
    let mut stages = StateWriter::new(&listings);
    finished.groups.iter().flat_map(|g| g.stages()).for_each(|s| s.save(&mut stages));
    finished.tail.save(&mut stages);
    let mut head = StateWriter::new(&listings);
    finished.head.save(&mut head);
    if let Some(rows) = rows(finished.groups.iter(), &listings, finished.head.now()) {
        Remembered::write(dir, seq, finished.head.now(), rows)?;
    }
    (whole.stages, whole.ingress) = (stages.into_bytes(), head.into_bytes());
    Ok((whole.write(dir)?, seq))
}
