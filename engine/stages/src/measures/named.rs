//! An instance of a measure that a table names: all that it emits says so.
//!
//! Bound: that of the measure.

use super::{Context, MeasureSet, Needs};
use flow::records::Memory;
use flow::{Event, Kinds, Lasting, Out, Scope, StateError, StateReader, StateWriter, TradingState};

/// A measure, and the number of its instance.
pub(super) struct Named<S> {
    measure: S,
    number: u8,
}

impl<S> Named<S> {
    /// The instance with this number, which is not 0.
    pub(super) fn new(measure: S, number: u8) -> Named<S> {
        Named { measure, number }
    }
}

impl<S: MeasureSet> MeasureSet for Named<S> {
    fn reads(&self) -> Kinds {
        self.measure.reads()
    }

    fn emits(&self) -> Kinds {
        self.measure.emits()
    }

    fn fan_out(&self) -> usize {
        self.measure.fan_out()
    }

    fn scope(&self) -> Scope {
        self.measure.scope()
    }

    fn needs(&self) -> Needs {
        self.measure.needs()
    }

    fn prefetches(&self) -> Kinds {
        self.measure.prefetches()
    }

    fn prefetch(&mut self, lookahead: &[Event]) {
        self.measure.prefetch(lookahead);
    }

    fn on(&mut self, context: &Context, event: &Event, out: &mut Out) {
        out.set_instance(self.number);
        self.measure.on(context, event, out);
        out.set_instance(0);
    }

    fn list(&mut self, instrument: u32) {
        self.measure.list(instrument);
    }

    fn lasts(&self) -> bool {
        self.measure.lasts()
    }

    fn remember(&self, to: &mut Lasting, ordinal: u8) {
        self.measure.remember(to, ordinal);
    }

    fn recall(&mut self, ordinal: usize, instrument: u32, row: &Memory) {
        self.measure.recall(ordinal, instrument, row);
    }

    fn varies(&self) -> bool {
        self.measure.varies()
    }

    fn vary(&mut self, event: &Event, out: &mut Out) {
        self.measure.vary(event, out);
    }

    fn trading_state(&self, to: &mut TradingState) {
        self.measure.trading_state(to);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.measure.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.measure.load(from)
    }
}
