//! The venue's replies: a bounded buffer of events, each with its due time.
//!
//! The venue pushes, the ingress takes. `ts` is the due time; `id` is 0 until the ingress numbers the event. A fill and
//! its cost enter together or not at all. Bound: the capacity. What does not fit is lost: one `returns-full` anomaly
//! takes the slot that is reserved for it, and the caller halts.

use flow::{AnomalyKind, Event, EventId, Flags, Ns, Record, SOURCE_RETURNS};

/// The replies to one event or several, until the caller takes them.
pub struct Replies {
    events: Vec<Event>,
    capacity: usize,
    overflowed: bool,
}

impl Replies {
    /// The default capacity.
    pub const CAPACITY: usize = 4_096;
    /// The smallest capacity: room for a fill, its cost and the cancel of the remainder.
    pub const LEAST: usize = 8;

    /// An empty buffer of [`Replies::CAPACITY`].
    pub fn new() -> Replies {
        Replies::with_capacity(Replies::CAPACITY)
    }

    /// An empty buffer for `capacity` events, at least [`Replies::LEAST`], and one reserved slot for the anomaly.
    pub fn with_capacity(capacity: usize) -> Replies {
        let capacity = capacity.max(Replies::LEAST);
        let mut events = vec![blank(); capacity + 1];
        events.clear();
        Replies { events, capacity, overflowed: false }
    }

    /// The waiting replies in the order in which they were pushed; `ts` is the due time.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The waiting replies with their due times.
    pub fn iter(&self) -> impl Iterator<Item = (Ns, &Event)> {
        self.events.iter().map(|event| (event.ts, event))
    }

    /// Number of waiting replies.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether no reply waits.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Drops the replies. An overflow stays recorded.
    pub fn clear(&mut self) {
        self.events.clear();
    }

    /// Whether a reply was ever lost: the caller halts.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Whether `wanted` more events fit. If not, reports it once, and nothing more enters.
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

/// A blank event, to touch the memory with.
fn blank() -> Event {
    AnomalyKind::ReturnsFull.event(Ns(0), 0, Ns::NONE, 0)
}
