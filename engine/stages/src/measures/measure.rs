//! What a measure is: its parameters, and a step from an event to at most one group of records.
//!
//! A measure holds what was configured and never changes; what it has seen is its state, an array by instrument that the
//! host saves and loads. It reads events and the shared [`Context`], and it reads no clock, allocates nothing and fails
//! never, like every stage. `docs/measures.md` shows how to add one.

use super::{Context, MeasureState, Needs};
use crate::Space;
use flow::{Event, Kinds, Out, ParamError, Params, RecordGroup};

/// A measure of a market.
pub trait Measure: Send + Sized + 'static {
    /// What it emits: a record, or a tuple of records that belong together.
    type Records: RecordGroup;
    /// What it keeps: [`super::PerInstrument`] of something, or `()`.
    type State: MeasureState;

    /// Reads the parameters and makes the empty state; all memory that it will ever use is allocated and touched here.
    ///
    /// # Errors
    /// When a text is not what it has to be.
    fn new(params: &Params, space: Space) -> Result<(Self, Self::State), ParamError>;

    /// Kinds that it computes from.
    fn reads(&self) -> Kinds;

    /// What it asks of the context.
    fn needs(&self) -> Needs {
        Needs::NONE
    }

    /// Parameters without which a saved state means something else; a state of others is refused.
    fn terms(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Takes an event of a kind that it reads.
    fn on(&self, state: &mut Self::State, context: &Context, event: &Event) -> Option<Self::Records>;

    /// Takes an event and pushes what follows from it. The default does; only a measure that seldom emits gains by its
    /// own, which must come to the same as [`Measure::on`].
    #[inline(always)]
    fn run(&self, state: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        // The host also reads what only its context is kept from.
        if self.reads().has(event.kind)
            && let Some(records) = self.on(state, context, event)
        {
            emit(&records, event, out);
        }
    }
}

/// Pushes what a measure makes of an event.
#[inline]
pub(super) fn emit<R: RecordGroup>(records: &R, event: &Event, out: &mut Out) {
    records.push(event.instrument, event.flags.inherited(), out);
}
