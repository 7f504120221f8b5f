//! The identity of an event: its place in the one numbered sequence.
//!
//! From high to low: 1 bit that the ring borrows, 40 bits of `seq` (the ingress number, from 1), 7 bits for the pipeline
//! position of the stage that emitted it, 16 bits for its ordinal among what that stage emitted for that `seq` (what stages
//! tell each other is counted apart, from 32,768). Positions
//! are those of the uncut pipeline, so an id is the same for every cut. Bound: 2^40 inputs are 12 days at a million events a
//! second; the ingress halts before the counter wraps.

use bytemuck::{Pod, Zeroable};
use std::fmt;

/// Position of the ingress: the event came from outside.
pub const POSITION_INGRESS: u8 = 0;
/// Position of the simulated venue, which runs at the head of the pipeline.
pub const POSITION_VENUE: u8 = 127;

/// Identity of an event; unique in a journal and the same for every cut of the pipeline.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct EventId(pub u64);

impl EventId {
    /// The bit that a ring borrows to publish a slot; 0 everywhere else.
    pub const RING_BIT: u64 = 1 << 63;
    /// The largest `seq`.
    pub const MAX_SEQ: u64 = (1 << 40) - 1;

    /// Joins the three parts. The caller keeps each within its bits.
    #[inline]
    pub const fn new(seq: u64, position: u8, ordinal: u16) -> EventId {
        EventId((seq << 23) | ((position as u64 & 127) << 16) | ordinal as u64)
    }

    /// The ingress number, from 1, of the input that caused this event, or of the event itself.
    #[inline]
    pub const fn seq(self) -> u64 {
        (self.0 & !Self::RING_BIT) >> 23
    }

    /// Position of the stage that emitted it; 0 for the ingress.
    #[inline]
    pub const fn position(self) -> u8 {
        (self.0 >> 16) as u8 & 127
    }

    /// Ordinal among what that stage emitted for that `seq`.
    #[inline]
    pub const fn ordinal(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.seq(), self.position(), self.ordinal())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_and_order_is_seq_first() {
        let id = EventId::new(EventId::MAX_SEQ, 127, u16::MAX);
        assert_eq!((id.seq(), id.position(), id.ordinal()), (EventId::MAX_SEQ, 127, u16::MAX));
        assert_eq!(id.0 & EventId::RING_BIT, 0);
        assert!(EventId::new(1, 127, u16::MAX) < EventId::new(2, 0, 0));
        assert_eq!(EventId(id.0 | EventId::RING_BIT).seq(), EventId::MAX_SEQ);
    }
}
