//! The depth that the book told last.
//!
//! It stands directly before the `book-top` of the same input, so one is all that a measure remembers, and nothing from one
//! input to the next: none of it is saved. Bound: one weighing.

use super::MeasureState;
use flow::records::WeighedDepth;
use flow::{Event, StateError, StateReader, StateWriter};

/// The weighed quantities of both sides, and whose they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastDepth {
    seq: u64,
    instrument: u32,
    bid: f64,
    ask: f64,
}

impl LastDepth {
    /// The book says what the depth comes to.
    #[inline]
    pub fn take(&mut self, event: &Event) {
        let WeighedDepth { bid, ask, .. } = *event.record();
        *self = LastDepth { seq: event.id.seq(), instrument: event.instrument, bid: bid.into(), ask: ask.into() };
    }

    /// Bids and asks, if the book said it of the same input and instrument.
    #[inline]
    pub fn at(&self, event: &Event) -> Option<(f64, f64)> {
        let is_its = (self.seq, self.instrument) == (event.id.seq(), event.instrument);
        is_its.then_some((self.bid, self.ask))
    }
}

impl MeasureState for LastDepth {
    fn list(&mut self, _: u32) {}

    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        *self = LastDepth::default();
        Ok(())
    }
}
