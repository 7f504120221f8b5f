//! The two ends of a ring, whichever ring it is.
//!
//! **Idea.** A [`Producer`] and a [`Consumer`] hold one of the two implementations and add what must not differ between
//! them: the check of the lent bit, the flags that tell that the other end is gone, and the counters. Which ring it is
//! costs one well-predicted branch a call.
//!
//! **Bound.** Each call does at most what it was asked for, and returns. **Worst case.** [`Refused::Full`] and
//! [`Taken::Empty`] as often as one asks: whoever calls waits with an [`Idle`](crate::Idle) policy.
//!
//! **Shutdown.** Dropping the producer closes the ring: the consumer gets everything published, then [`Taken::Closed`],
//! in that order. Dropping the consumer makes the producer's next calls [`Refused::Disconnected`]; what was inside is
//! lost. Both also happen when a thread unwinds, so a chain of rings never hangs on a panic.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::counters::{ConsumerMeter, Counters, ProducerMeter};
use crate::kind::{Kind, RingError, checked_capacity};
use crate::life::Life;
use crate::slot::{Slot, Words};
use crate::{disruptor, phase};

/// Why an event was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The ring is full: wait and try again.
    #[error("the ring is full")]
    Full,
    /// The consumer is gone: nothing published from here on would ever be read.
    #[error("the ring's consumer is gone")]
    Disconnected,
}

/// What a take found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// This many events were taken, at least one.
    Events(usize),
    /// Nothing is there now.
    Empty,
    /// Nothing is there and nothing ever will be: the producer is gone and all that it published was taken.
    Closed,
}

/// A ring of `capacity` slots, a power of two from 1 to [`MAX_CAPACITY`](crate::MAX_CAPACITY).
///
/// # Errors
///
/// [`RingError::Capacity`] if the capacity is none of these.
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
    let life = Arc::new(Life::new());
    let counters = Counters::new();
    let meter = ProducerMeter::new(counters.clone(), capacity);
    let producer = Producer { sender, life: Arc::clone(&life), meter, kind, capacity, slot: PhantomData };
    let consumer = Consumer { receiver, life, meter: ConsumerMeter::new(counters), kind, capacity, slot: PhantomData };
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

/// The end that publishes; one thread owns it. Dropping it closes the ring after what was published.
pub struct Producer<T: Slot> {
    sender: Sender,
    life: Arc<Life>,
    meter: ProducerMeter,
    kind: Kind,
    capacity: usize,
    slot: PhantomData<fn(T)>,
}

impl<T: Slot> Producer<T> {
    /// Publishes `value`, or says why not. Never waits.
    ///
    /// # Errors
    ///
    /// [`Refused::Full`] while there is no room, [`Refused::Disconnected`] once the consumer is seen to be gone.
    ///
    /// # Panics
    ///
    /// If bit 63 of the value's first word is set.
    #[inline]
    pub fn try_publish(&mut self, value: &T) -> Result<(), Refused> {
        let words = Words::of(value);
        if self.life.is_abandoned() {
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

    /// Publishes as many of `values`, from the first, as there is room for, and returns how many. Never waits.
    ///
    /// # Errors
    ///
    /// [`Refused::Full`] if there is no room for even one (no values always succeed with 0), [`Refused::Disconnected`]
    /// once the consumer is seen to be gone.
    ///
    /// # Panics
    ///
    /// If bit 63 of a value's first word is set; none is published then.
    #[inline]
    pub fn try_publish_batch(&mut self, values: &[T]) -> Result<usize, Refused> {
        let words = Words::of_all(values);
        if self.life.is_abandoned() {
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

    /// Whether the consumer is gone.
    #[inline]
    pub fn is_disconnected(&self) -> bool {
        self.life.is_abandoned()
    }

    /// A handle on the counters of both ends.
    pub fn counters(&self) -> Counters {
        self.meter.counters().clone()
    }

    /// Which ring this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many events the ring holds when it is full.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<T: Slot> Drop for Producer<T> {
    fn drop(&mut self) {
        self.life.close();
    }
}

impl<T: Slot> fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("kind", &self.kind).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

/// The end that takes; one thread owns it. Dropping it disconnects the producer and loses what is still inside.
pub struct Consumer<T: Slot> {
    receiver: Receiver,
    life: Arc<Life>,
    meter: ConsumerMeter,
    kind: Kind,
    capacity: usize,
    slot: PhantomData<fn() -> T>,
}

impl<T: Slot> Consumer<T> {
    /// Hands at most `max` events to `f`, in the order of their publication. Never waits. `max` 0 takes nothing and is
    /// [`Taken::Empty`].
    ///
    /// If `f` unwinds, the event that it was given has been taken and those after it are still there.
    #[inline]
    pub fn take(&mut self, max: usize, mut f: impl FnMut(&T)) -> Taken {
        // Most looks find nothing, and need no more than the look itself.
        let empty = matches!(&self.receiver, Receiver::Phase(receiver) if receiver.is_empty());
        let taken = if empty { 0 } else { self.drain(max, &mut f) };
        if taken > 0 {
            return Taken::Events(taken);
        }
        if max == 0 || !self.life.is_closed() {
            self.meter.empty();
            return Taken::Empty;
        }
        self.last_look(max, &mut f)
    }

    /// After the closed flag everything published can be seen: if there is nothing now, there is nothing left.
    #[cold]
    fn last_look(&mut self, max: usize, f: &mut impl FnMut(&T)) -> Taken {
        match self.drain(max, f) {
            0 => Taken::Closed,
            taken => Taken::Events(taken),
        }
    }

    #[inline]
    fn drain(&mut self, max: usize, f: &mut impl FnMut(&T)) -> usize {
        let mut count = Count { meter: &mut self.meter, taken: 0 };
        let hand_over = |words: &Words| {
            count.taken += 1;
            f(words.value());
        };
        match &mut self.receiver {
            Receiver::Phase(receiver) => receiver.drain(max, hand_over),
            Receiver::Disruptor(receiver) => receiver.drain(max, hand_over),
        }
    }

    /// A handle on the counters of both ends.
    pub fn counters(&self) -> Counters {
        self.meter.counters().clone()
    }

    /// Which ring this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How many events the ring holds when it is full.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

/// Counts what was taken, also when the closure that takes unwinds.
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
        self.life.abandon();
    }
}

impl<T: Slot> fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("kind", &self.kind).field("capacity", &self.capacity).finish_non_exhaustive()
    }
}
