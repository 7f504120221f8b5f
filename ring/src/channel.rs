//! The two ends of a ring, independent of its implementation.
//!
//! **Idea.** A [`Producer`] and a [`Consumer`] wrap one of the two implementations and add what must be the same for
//! both: the check of the reserved bit, the liveness flags and the counters. Choosing the implementation at run time
//! costs one well-predicted branch per call.
//!
//! **Bound.** No call waits or does more than it was asked to. **Worst case.** [`Refused::Full`] or [`Taken::Empty`] on
//! every call: the caller waits with an [`Idle`](crate::Idle) policy.
//!
//! **Shutdown.** Dropping the producer closes the ring: the consumer first drains everything published, then gets
//! [`Taken::Closed`]. Dropping the consumer discards what is in the ring, and every later publish returns
//! [`Refused::Disconnected`]. Both also happen when a thread unwinds, so a chain of rings never hangs on a panic.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::counters::{ConsumerMeter, Counters, ProducerMeter};
use crate::kind::{Kind, RingError, checked_capacity};
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

/// Creates a ring of `capacity` slots, a power of two from 1 to [`MAX_CAPACITY`](crate::MAX_CAPACITY).
///
/// # Errors
///
/// [`RingError::Capacity`] for any other capacity.
pub fn channel<T: Slot>(kind: Kind, capacity: usize) -> Result<(Producer<T>, Consumer<T>), RingError> {
    const {
        assert!(size_of::<T>() == 64 && align_of::<T>() == 64, "a slot is exactly one cache line of 64 bytes");
    }
    let capacity = checked_capacity(capacity)?;
    let (sender, receiver) = match kind {
        Kind::Phase => {
            let (sender, receiver) = phase::ring(capacity);
            (Sender::Phase(sender), Receiver::Phase(receiver))
        }
        Kind::Disruptor => {
            let (sender, receiver) = disruptor::ring(capacity);
            (Sender::Disruptor(sender), Receiver::Disruptor(receiver))
        }
    };
    let liveness = Arc::new(Liveness::new());
    let counters = Counters::new();
    let meter = ProducerMeter::new(counters.clone(), capacity);
    let producer = Producer { sender, liveness: Arc::clone(&liveness), meter, kind, capacity, slot: PhantomData };
    let consumer =
        Consumer { receiver, liveness, meter: ConsumerMeter::new(counters), kind, capacity, slot: PhantomData };
    Ok((producer, consumer))
}

enum Sender {
    Phase(phase::Sender),
    Disruptor(disruptor::Sender),
}

enum Receiver {
    Phase(phase::Receiver),
    Disruptor(disruptor::Receiver),
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
