//! What the tail keeps of the events, kept once more by whoever reads the journal along.
//!
//! The same code takes the same events, so the numbers are those of the tail; it has no log and no sinks, and hashes nothing.
//! Bound: that of [`TailStats`].

use super::exit::Accepts;
use super::records::{Records, TailStats};
use flow::{Event, Kinds, StateError, StateReader};
use stages::Instances;

/// A copy of the tail's totals.
pub struct TailCopy(Records);

impl TailCopy {
    /// Empty totals, for instrument numbers below `instruments`, of measures with these instances.
    pub fn new(instruments: u32, instances: &Instances) -> TailCopy {
        TailCopy(Records::new(Vec::new(), Vec::new(), Kinds::NONE, (instruments, instances, Kinds::ALL)))
    }

    /// Goes on from the saved state of a tail. The definitions up to there must have been taken.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.load(from)
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) {
        self.0.accept(event, &mut || ());
    }

    /// The totals, but for those by kind: a tail is not sent every kind.
    pub fn stats(&self) -> &TailStats {
        &self.0.stats
    }
}
