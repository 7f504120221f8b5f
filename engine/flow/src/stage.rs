//! The stage: a pure, deterministic step of the pipeline.

use crate::{Event, Interval, Kinds, Out, StateError, StateReader, StateWriter};

/// How a stage's state is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Per instrument: the stage can be sharded.
    Instrument,
    /// One state for all.
    Global,
}

/// What a stage wants to be told of the passing of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    /// The boundaries of these intervals.
    pub intervals: Vec<Interval>,
    /// The most events that a tick may cause per instrument of its slice.
    pub per_instrument: usize,
}

/// A pure, deterministic step: same events in, same events out, on any machine, at any speed.
///
/// A stage reads no clock, allocates nothing after construction, takes no lock, never blocks, never logs, never fails:
/// what ought not to be becomes an anomaly event. The runner owns polling, credit, timing and metrics.
pub trait Stage: Send {
    /// Kinds this stage reads; all others pass it by, untouched and uncopied.
    fn reads(&self) -> Kinds;
    /// Kinds this stage may add. The plan proves from these that only risk emits orders, and what a cut must forward.
    fn emits(&self) -> Kinds;
    /// Whether its state is per instrument (can be sharded) or global.
    fn scope(&self) -> Scope;
    /// The most events that one event may cause here; at most [`Out::CAP`].
    fn fan_out(&self) -> usize;
    /// The boundaries at which it wants a `tick`; none unless it says so.
    fn ticks(&self) -> Ticks {
        Ticks::default()
    }
    /// Handles one event; pushes what follows from it, at most [`Stage::fan_out`] events.
    fn on_event(&mut self, event: &Event, out: &mut Out);
    /// Inputs for which [`Stage::prefetch`] is worth a call; none where it does nothing.
    fn prefetches(&self) -> Kinds {
        Kinds::NONE
    }
    /// Shows what is likely to come, the next event first, so that the stage can have the memory that it will need brought
    /// into the cache meanwhile. Only time may depend on it: what is shown may not come, or may change before it does, and
    /// what comes may not have been shown.
    #[inline]
    fn prefetch(&mut self, _coming: &[Event]) {}
    /// State out, as canonical bytes keyed by listing: equal states give equal bytes, whatever way led there.
    fn save(&self, to: &mut StateWriter<'_>);
    /// State in, into a stage that was built with the same parameters.
    ///
    /// # Errors
    /// When the bytes are not a state of this stage, or exceed its bounds.
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError>;
}
