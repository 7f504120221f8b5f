//! What the venue answers: a bounded buffer of events, each with the time at which it is due.
//!
//! The venue pushes, the ingress takes: `ts` is the due time, `id` is 0 until the ingress numbers it. A fill and its
//! cost enter together or not at all. Bound: the capacity; what does not fit is lost, one `returns-full` anomaly takes
//! the place that is kept for it, and the caller halts.

use flow::{AnomalyKind, Event, EventId, Flags, Ns, Record, SOURCE_RETURNS};

/// The answers to one event, or to several, until the caller takes them.
pub struct Replies {
    events: Vec<Event>,
    capacity: usize,
    overflowed: bool,
}

impl Replies {
    /// The usual capacity.
    pub const CAPACITY: usize = 4_096;
    /// The smallest capacity: a fill, its cost and what is left of the order.
    pub const LEAST: usize = 8;

    /// An empty buffer of [`Replies::CAPACITY`].
    pub fn new() -> Replies {
        Replies::with_capacity(Replies::CAPACITY)
    }

    /// An empty buffer for `capacity` events, at least [`Replies::LEAST`]; one place more is kept for the anomaly.
    pub fn with_capacity(capacity: usize) -> Replies {
        let capacity = capacity.max(Replies::LEAST);
        let mut events = vec![blank(); capacity + 1];
        events.clear();
        Replies { events, capacity, overflowed: false }
    }

    /// What waits, in the order in which it was said; `ts` is the due time.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What waits, with its due time.
    pub fn iter(&self) -> impl Iterator<Item = (Ns, &Event)> {
        self.events.iter().map(|event| (event.ts, event))
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Forgets what was taken. An overflow is not forgotten.
    pub fn clear(&mut self) {
        self.events.clear();
    }

    /// Whether something was lost, ever: the caller halts.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Makes sure that `wanted` more events fit; if not, says so once and nothing more enters.
    #[inline]
    pub(super) fn fits(&mut self, wanted: usize, due: Ns) -> bool {
        if !self.overflowed && self.events.len() + wanted <= self.capacity {
            return true;
        }
        if !self.overflowed {
            self.overflowed = true;
            let anomaly = AnomalyKind::ReturnsFull.event(due, 0, Ns::NONE, self.capacity as u64);
            self.events.push(Event { source: SOURCE_RETURNS, ..anomaly });
        }
        false
    }

    /// Adds one event. The caller asked [`Replies::fits`].
    #[inline]
    pub(super) fn push<R: Record>(&mut self, due: Ns, instrument: u32, flags: Flags, record: &R) {
        let event = Event::new(due, instrument, flags, record);
        self.events.push(Event { id: EventId(0), source: SOURCE_RETURNS, ..event });
    }
}

impl Default for Replies {
    fn default() -> Self {
        Replies::new()
    }
}

/// An event of nothing, to touch the memory with.
fn blank() -> Event {
    AnomalyKind::ReturnsFull.event(Ns(0), 0, Ns::NONE, 0)
}
