//! The interface of a measure: its parameters, and a step from an event to at most one group of records.
//!
//! A measure holds its configuration and never changes; what it has seen is its state, a table by instrument that the
//! host fills, saves and loads. Values that symbols have of their own, or that commands set, are state too. It reads events and the shared [`Context`]. Like every stage it reads no clock, never allocates
//! and never fails. `docs/measures.md` shows how to add one.

use super::{Context, MeasureState, Needs};
use crate::Space;
use crate::book::Weighing;
use flow::records::Memory;
use flow::{Event, Flags, Kind, Kinds, Lasting, Out, ParamError, ParamInForce, Params, RecordGroup, Scope};

/// A measure of the market.
pub trait Measure: Send + Sized + 'static {
    /// Its output: a record, or a tuple of records that belong together.
    type Records: RecordGroup;
    /// Its state: a [`super::PerInstrument`], or `()`.
    type State: MeasureState;

    /// Reads the parameters and makes the empty state. All memory that it will ever use is reserved here.
    ///
    /// # Errors
    /// When a text parameter is not valid.
    fn new(params: &Params, space: Space) -> Result<(Self, Self::State), ParamError>;

    /// Kinds that it reads.
    fn reads(&self) -> Kinds;

    /// Kinds of other stages without which it knows nothing: of each of these sets at least one must come.
    const WANTS: &'static [&'static [Kind]] = &[];

    /// Parts of the context that it needs.
    fn needs(&self) -> Needs {
        Needs::NONE
    }

    /// The depth that it wants the book to tell before each `book-top`, as `weighed-depth`.
    fn weighing(_params: &Params) -> Option<Weighing> {
        None
    }

    /// Whether it wants the book to say of every order that it shows where it stands, as `order-shown`.
    const ASKS_ORDERS: bool = false;

    /// Whether it wants the best levels with each of those, as `levels-shown`.
    const ASKS_LEVELS: bool = false;

    /// Parameters that give the state its meaning; a state saved under others is refused.
    fn terms(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Whether some of its state outlives the journal.
    const LASTS: bool = false;

    /// Says what outlives the journal, as rows of instruments with keys from 1; nothing by default.
    fn remember(&self, _state: &Self::State, _to: &mut Lasting) {}

    /// Takes a row back. It comes after the listing and before any trade; one that cannot be true is left out.
    fn recall(&self, _state: &mut Self::State, _instrument: u32, _row: &Memory) {}

    /// Whether single symbols may have values of their own, or commands may set some.
    const VARIES: bool = false;

    /// Says under which number commands name the instance, before any of them comes.
    fn belongs_to(&self, _state: &mut Self::State, _owner: u16) {}

    /// Takes a piece of an instrument's name, or a command; says what became of it if it sets one of its values.
    fn vary(&self, _state: &mut Self::State, _event: &Event, _out: &mut Out) {}

    /// The values that commands may set.
    fn in_force(&self, _state: &Self::State) -> Vec<ParamInForce> {
        Vec::new()
    }

    /// Whether what it says of an instrument depends on others: then a part of the instruments would give other results.
    const SCOPE: Scope = Scope::Instrument;

    /// The inputs for which [`Measure::prefetch`] is worth calling; none by default.
    const PREFETCHES: Kinds = Kinds::NONE;

    /// Fetches the memory of the inputs that are likely next, the next one first, as [`flow::Stage::prefetch`] does. Only timing may depend
    /// on it.
    #[inline]
    fn prefetch(&self, _state: &mut Self::State, _lookahead: &[Event]) {}

    /// The most events that one event may cause. A measure that emits more than one group says so here, and pushes them in
    /// [`Measure::run`].
    const FAN_OUT: usize = Self::Records::KINDS.len();

    /// How the sides were found that its output for this event rests on: [`Flags::INFERRED_AGGRESSOR`] if one was inferred. That of the
    /// event, unless it keeps sides for longer.
    #[inline(always)]
    fn badge(&self, _state: &Self::State, event: &Event) -> Flags {
        inferred(event)
    }

    /// Takes an event of a kind that it reads. A measure that emits more than one group leaves it as it is.
    fn on(&self, _state: &mut Self::State, _context: &Context, _event: &Event) -> Option<Self::Records> {
        None
    }

    /// Processes an event and pushes its output. Override it only for a measure that seldom emits, and then the result must equal
    /// that of [`Measure::on`]; or for one that emits more than one group.
    #[inline(always)]
    fn run(&self, state: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        // The host also receives kinds that only its context reads.
        if self.reads().has(event.kind)
            && let Some(records) = self.on(state, context, event)
        {
            emit(&records, self.badge(state, event), event, out);
        }
    }
}

/// Whether the side of an event was inferred, as its flag.
#[inline(always)]
pub(super) fn inferred(event: &Event) -> Flags {
    Flags(event.flags.0 & Flags::INFERRED_AGGRESSOR.0)
}

/// Pushes a measure's output for an event.
#[inline]
pub(super) fn emit<R: RecordGroup>(records: &R, badge: Flags, event: &Event, out: &mut Out) {
    records.push(event.instrument, event.flags.inherited().with(badge), out);
}
