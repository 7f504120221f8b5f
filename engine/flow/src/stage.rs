//! The interface of a stage: a pure, deterministic step of the pipeline.

use crate::{
    Event, InstrumentState, Interval, Kinds, Lasting, Out, StateError, StateReader, StateWriter, TradingState,
};
use std::any::Any;

/// How a stage's state is partitioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Per instrument: the stage can be sharded.
    Instrument,
    /// One state for all instruments.
    Global,
}

/// The ticks that a stage needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    /// The boundaries of these intervals.
    pub intervals: Vec<Interval>,
    /// The most events that a tick may cause per instrument of its slice.
    pub per_instrument: usize,
}

/// A pure, deterministic step: the same events in give the same events out, on any machine, at any speed.
///
/// A stage reads no clock, allocates nothing after construction, takes no lock, never blocks, never logs and never fails:
/// what should not happen becomes an anomaly event. Polling, backpressure, timing and metrics are the runner's.
pub trait Stage: Send {
    /// The kinds it reads; all others pass by untouched and uncopied.
    fn reads(&self) -> Kinds;
    /// The kinds it may emit. From these the plan proves that only risk emits orders, and what a cut must forward.
    fn emits(&self) -> Kinds;
    /// Whether its state is per instrument (can be sharded) or global.
    fn scope(&self) -> Scope;
    /// The most events that one event may cause here; at most [`Out::CAP`].
    fn fan_out(&self) -> usize;
    /// The interval boundaries at which it needs a `tick`; none by default.
    fn ticks(&self) -> Ticks {
        Ticks::default()
    }
    /// Handles one event and pushes what follows from it, at most [`Stage::fan_out`] events.
    fn on_event(&mut self, event: &Event, out: &mut Out);
    /// The inputs for which [`Stage::prefetch`] is worth calling; none by default.
    fn prefetches(&self) -> Kinds {
        Kinds::NONE
    }
    /// Shows the inputs that are likely next, the next event first, so that the stage can prefetch the memory they need. Only
    /// timing may depend on it: an input may not come, may change before it comes, or come without having been shown.
    #[inline]
    fn prefetch(&mut self, _coming: &[Event]) {}
    /// Reads what its next decision will read, as there is time for it: it is in the cache then. Changes nothing and emits
    /// nothing, so only timing may depend on it.
    fn warm(&self) {}
    /// What others on the same thread may look at between two events; nothing by default.
    fn shared(&self) -> Option<&dyn Any> {
        None
    }
    /// Says where trading stands, because an operator asked; nothing by default. It may take long, as it is not done for every
    /// event, and changes nothing.
    fn trading_state(&self, _to: &mut TradingState) {}
    /// Says where one instrument stands, with so many levels a side; nothing by default. Of instrument 0 it says the open orders of
    /// all. Asked of a pipeline at rest only.
    fn instrument_state(&self, _instrument: u32, _levels: usize, _to: &mut InstrumentState) {}
    /// Says what is to outlive the journal, as rows that a later build understands; nothing by default. It reads them as
    /// `memory`, before any market data.
    fn remember(&self, _to: &mut Lasting) {}
    /// Saves the state as canonical bytes, keyed by listing: equal states give equal bytes, whatever their history.
    fn save(&self, to: &mut StateWriter<'_>);
    /// Loads a state into a stage that was built with the same parameters.
    ///
    /// # Errors
    /// When the bytes are not a state of this stage, or exceed its bounds.
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError>;
}
