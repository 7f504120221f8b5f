//! The state of a run that was stopped in order: with it the next start repeats nothing.
//!
//! It is taken when the pipeline has finished everything, and written as a snapshot once the journal is closed, on a thread of
//! its own that the stop waits for a moment only. The states of earlier stops go, but for the last one and that with which the
//! journal begins. Bound: one state in memory, two on the disk. Worst case: a disk that does not answer; then there is none,
//! and the next start repeats more.

use super::definitions::DefinitionsSoFar;
use super::snapshot::{Snapshot, forget_older};
use super::snapshot_error::SnapshotError;
use crate::drive::Finished;
use crate::ingress::Ingress;
use flow::{SavedState, StateWriter};
use sinks::journal::Home;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a stop waits until it is written.
const PATIENCE: Duration = Duration::from_millis(300);

/// The state of a run that was stopped.
pub(crate) struct StateAtStop {
    seq: u64,
    definitions: Vec<u8>,
    ingress: Vec<u8>,
    stages: SavedState,
}

impl StateAtStop {
    /// Of a run that has ended; `None` if it was not stopped in order, or leaves routes in doubt.
    pub(crate) fn of(finished: &Finished<Ingress>, definitions: &DefinitionsSoFar) -> Option<StateAtStop> {
        let in_order = finished.stopped && finished.error.is_none() && !finished.tail.has_failed();
        if !in_order || !finished.head.is_settled() || finished.head.is_replaying() {
            return None;
        }
        let definitions = definitions.now();
        let listings = definitions.listings();
        let mut stages = StateWriter::new(&listings);
        finished.groups.iter().flat_map(|group| group.stages()).for_each(|stage| stage.save(&mut stages));
        finished.tail.save(&mut stages);
        let mut ingress = StateWriter::new(&listings);
        finished.head.save(&finished.groups[0], &mut ingress);
        let (stages, ingress) = (stages.into_parts(), ingress.into_bytes());
        Some(StateAtStop { seq: finished.head.last_seq(), definitions: definitions.bytes(), ingress, stages })
    }

    /// Writes it into the current journal of `dir`, which is closed.
    pub(crate) fn write(self, dir: &Path) {
        let dir = dir.to_owned();
        let write = move || {
            // Without it the next start repeats more, and says how much.
            let _ = self.into_journal(&dir);
        };
        let Ok(thread) = std::thread::Builder::new().name("state".to_owned()).spawn(write) else { return };
        let since = Instant::now();
        while !thread.is_finished() && since.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn into_journal(self, dir: &Path) -> Result<(), SnapshotError> {
        let home = Home::open(dir)?;
        let current = home.current();
        let mut snapshot = Snapshot::new(&current.reader(), self.seq, self.definitions)?;
        snapshot.take(self.ingress, self.stages);
        snapshot.write(&current.dir)?;
        forget_older(current)
    }
}
