//! What a copy of a strategy acts on when it is [rehearsed](crate::Rehearsal).
//!
//! Bound: the room that the rehearsal makes before it begins.

use flow::{Event, Flags, Ns, Record, Side};

/// What a copy of a strategy acts on, as often as one likes.
#[derive(Clone, Copy)]
pub struct Occasion {
    /// Parameters that the copy has with other values than the run.
    pub params: &'static [(&'static str, &'static str)],
    /// Adds the events that it waits for behind a new top, for the n-th occasion.
    pub events: fn(n: u64, to: &mut Occasions),
}

/// The events of occasions.
#[derive(Default)]
pub struct Occasions(Vec<Event>);

impl Occasions {
    /// The instrument of all that is rehearsed.
    pub(crate) const INSTRUMENT: u32 = 1;

    pub(crate) fn with_capacity(events: usize) -> Occasions {
        Occasions(Vec::with_capacity(events))
    }

    /// Adds an event.
    pub fn add<R: Record>(&mut self, side: Side, record: &R) {
        let flags = Flags::side_only(side).with(Flags::LAST_OF_GROUP);
        self.0.push(Event::new(Ns(0), Occasions::INSTRUMENT, flags, record));
    }

    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Event> {
        self.0.drain(..)
    }

    /// How many events there is room for without allocating.
    #[cfg(test)]
    pub(crate) fn room(&self) -> usize {
        self.0.capacity()
    }
}
