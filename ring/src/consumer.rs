//! The consuming end of a ring, independent of its implementation.
//!
//! **Idea.** A [`Consumer`] wraps one of the implementations and adds the liveness flags and the counters. The choice at
//! run time costs one well-predicted branch per call.
//!
//! **Bound.** No call waits or takes more than it was asked to. **Worst case.** [`Taken::Empty`] on every call: the
//! caller waits with an [`Idle`](crate::Idle) policy.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::counters::{ConsumerMeter, Counters};
use crate::kind::Kind;
use crate::liveness::Liveness;
use crate::slot::{Slot, Words};
use crate::{disruptor, phase};

/// The result of a take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// This many events were taken, at least one.
    Events(usize),
    /// The ring is empty now.
    Empty,
    /// The ring is empty for good: the producer was dropped and everything it published was taken.
    Closed,
}

/// The implementation behind a consumer.
pub(crate) enum Receiver {
    Phase(phase::Receiver),
    Disruptor(disruptor::Receiver),
}

/// The consuming end, owned by one thread. Dropping it disconnects the producer and discards what is in the ring.
pub struct Consumer<T: Slot> {
    receiver: Receiver,
    liveness: Arc<Liveness>,
    meter: ConsumerMeter,
    kind: Kind,
    capacity: usize,
    slot: PhantomData<fn() -> T>,
}

impl<T: Slot> Consumer<T> {
    pub(crate) fn new(
        receiver: Receiver,
        liveness: Arc<Liveness>,
        meter: ConsumerMeter,
        kind: Kind,
        capacity: usize,
    ) -> Self {
        Self { receiver, liveness, meter, kind, capacity, slot: PhantomData }
    }

    /// Delivers at most `max` events to `f`, in publication order. Never waits. With `max` 0 it takes nothing and
    /// returns [`Taken::Empty`].
    ///
    /// If `f` panics, the event it was processing counts as taken; later ones stay in the ring.
    #[inline]
    pub fn take(&mut self, max: usize, mut f: impl FnMut(&T)) -> Taken {
        // Most polls find the ring empty; this check is all they pay.
        let empty = matches!(&self.receiver, Receiver::Phase(receiver) if receiver.is_empty());
        let taken = if empty { 0 } else { self.drain(max, &mut f) };
        if taken > 0 {
            return Taken::Events(taken);
        }
        if max == 0 || !self.liveness.is_closed() {
            self.meter.empty();
            return Taken::Empty;
        }
        self.final_drain(max, &mut f)
    }

    /// Everything published is visible after the closed flag, so a ring that is empty now is drained.
    #[cold]
    fn final_drain(&mut self, max: usize, f: &mut impl FnMut(&T)) -> Taken {
        match self.drain(max, f) {
            0 => Taken::Closed,
            taken => Taken::Events(taken),
        }
    }

    #[inline]
    fn drain(&mut self, max: usize, f: &mut impl FnMut(&T)) -> usize {
        let mut count = Count { meter: &mut self.meter, taken: 0 };
        let deliver = |words: &Words| {
            count.taken += 1;
            f(words.value());
        };
        match &mut self.receiver {
            Receiver::Phase(receiver) => receiver.drain(max, deliver),
            Receiver::Disruptor(receiver) => receiver.drain(max, deliver),
        }
    }

    /// A handle on the counters of both ends.
    pub fn counters(&self) -> Counters {
        self.meter.counters().clone()
    }

    /// The implementation behind this end.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Number of slots.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

/// Counts taken events, also when the consumer's closure panics.
struct Count<'a> {
    meter: &'a mut ConsumerMeter,
    taken: usize,
}

impl Drop for Count<'_> {
    fn drop(&mut self) {
        if self.taken > 0 {
            self.meter.taken(self.taken);
        }
    }
}

impl<T: Slot> Drop for Consumer<T> {
    fn drop(&mut self) {
        self.liveness.abandon();
    }
}

impl<T: Slot> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("kind", &self.kind).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
