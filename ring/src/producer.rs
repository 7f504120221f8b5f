//! The publishing end of a ring, independent of its implementation.
//!
//! **Idea.** A [`Producer`] wraps one of the implementations and adds what must be the same for both: the check of the
//! reserved bit, the liveness flags and the counters. The choice at run time costs one well-predicted branch per call.
//!
//! **Bound.** No call waits or publishes more than it was asked to. **Worst case.** [`Refused::Full`] on every call:
//! the caller waits with an [`Idle`](crate::Idle) policy.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::counters::{Counters, ProducerMeter};
use crate::kind::Kind;
use crate::liveness::Liveness;
use crate::slot::{Slot, Words};
use crate::{disruptor, phase};

/// Why an event was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The ring is full: wait and retry.
    #[error("the ring is full")]
    Full,
    /// The consumer was dropped: nothing published from here on would ever be read.
    #[error("the ring's consumer is gone")]
    Disconnected,
}

/// The implementation behind a producer.
pub(crate) enum Sender {
    Phase(phase::Sender),
    Disruptor(disruptor::Sender),
}

/// The publishing end, owned by one thread. Dropping it closes the ring after everything published.
pub struct Producer<T: Slot> {
    sender: Sender,
    liveness: Arc<Liveness>,
    meter: ProducerMeter,
    kind: Kind,
    capacity: usize,
    slot: PhantomData<fn(T)>,
}

impl<T: Slot> Producer<T> {
    pub(crate) fn new(
        sender: Sender,
        liveness: Arc<Liveness>,
        meter: ProducerMeter,
        kind: Kind,
        capacity: usize,
    ) -> Self {
        Self { sender, liveness, meter, kind, capacity, slot: PhantomData }
    }

    /// Publishes `value`, or returns why it could not. Never waits.
    ///
    /// # Errors
    ///
    /// [`Refused::Full`] while no slot is free, [`Refused::Disconnected`] once the consumer's drop is visible.
    ///
    /// # Panics
    ///
    /// If bit 63 of the value's first word is set.
    #[inline]
    pub fn try_publish(&mut self, value: &T) -> Result<(), Refused> {
        let words = Words::of(value);
        if self.liveness.is_abandoned() {
            return Err(Refused::Disconnected);
        }
        let pushed = match &mut self.sender {
            Sender::Phase(sender) => sender.push(words),
            Sender::Disruptor(sender) => sender.push(words),
        };
        if !pushed {
            self.meter.refused();
            return Err(Refused::Full);
        }
        self.meter.published(1);
        Ok(())
    }

    /// Publishes a prefix of `values`, as much as fits, and returns its length. Never waits.
    ///
    /// # Errors
    ///
    /// [`Refused::Full`] if not even one fits (an empty slice always succeeds with 0), [`Refused::Disconnected`] once
    /// the consumer's drop is visible.
    ///
    /// # Panics
    ///
    /// If bit 63 of a value's first word is set; none is published then.
    #[inline]
    pub fn try_publish_batch(&mut self, values: &[T]) -> Result<usize, Refused> {
        let words = Words::of_all(values);
        if self.liveness.is_abandoned() {
            return Err(Refused::Disconnected);
        }
        let pushed = match &mut self.sender {
            Sender::Phase(sender) => sender.push_all(words),
            Sender::Disruptor(sender) => sender.push_all(words),
        };
        if pushed > 0 {
            self.meter.published(pushed);
        }
        if pushed < values.len() {
            self.meter.refused();
            if pushed == 0 {
                return Err(Refused::Full);
            }
        }
        Ok(pushed)
    }

    /// Whether the consumer was dropped.
    #[inline]
    pub fn is_disconnected(&self) -> bool {
        self.liveness.is_abandoned()
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

impl<T: Slot> Drop for Producer<T> {
    fn drop(&mut self) {
        self.liveness.close();
    }
}

impl<T: Slot> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("kind", &self.kind).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
