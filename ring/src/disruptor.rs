//! The crate `disruptor` behind the same interface: one producer, one poller, bounded takes.
//!
//! **Idea.** A producer's cursor publishes; the consumer's own cursor gives slots back. What the crate leaves to its
//! user, and what is done about it here:
//!
//! | the crate | here |
//! |---|---|
//! | `publish` on a full ring spins without end | only `try_*` is called |
//! | a batch larger than the room fails whole, larger than the ring always | the answer tells what is missing; the part that fits is published |
//! | a poller's progress shows only when its guard is dropped, at the end of a batch | a take is cut into guards of a [quantum] |
//! | dropping a guard early, or unwinding through it, marks all its events read | unwinding keeps the guard from being dropped; what was not handed over is handed over by the next take |
//! | a dropped poller blocks the producer for ever; a dropped producer is told with Relaxed | the [flags](crate::life) of both ends, which also order, stand in front |
//! | managed threads: panics, pinning, names | none are used; threads are those of [`crate::thread`] |
//!
//! **Bound.** As the crate's ring: a constant number of steps an event and no waiting. **Worst case.** After a caught
//! panic of the consumer's closure, the events before it in the same quantum stay in the ring until the next take.

use std::mem::ManuallyDrop;

use ::disruptor::{
    BusySpin, EventPoller, MissingFreeSlots, Producer as _, SingleConsumerBarrier, SingleProducer,
    SingleProducerBarrier, build_single_producer,
};

use crate::kind::quantum;
use crate::slot::Words;

/// The producer's end.
pub(crate) struct Sender {
    producer: SingleProducer<Words, SingleConsumerBarrier>,
    capacity: usize,
}

/// The consumer's end.
pub(crate) struct Receiver {
    poller: EventPoller<Words, SingleProducerBarrier>,
    quantum: usize,
    /// Events that a drain has handed over without giving their slots back, because it unwound.
    held: usize,
}

/// A ring of `capacity` slots, a power of two.
pub(crate) fn ring(capacity: usize) -> (Sender, Receiver) {
    // The wait strategy is for managed threads and publishing without `try_`: neither is used.
    let (poller, builder) = build_single_producer(capacity, || Words::UNUSED, BusySpin).new_event_poller();
    (Sender { producer: builder.build(), capacity }, Receiver { poller, quantum: quantum(capacity), held: 0 })
}

impl Sender {
    /// Publishes `words` if there is room.
    #[inline]
    pub(crate) fn push(&mut self, words: &Words) -> bool {
        self.producer.try_publish(|slot| *slot = *words).is_ok()
    }

    /// Publishes as many of `words`, from the first, as there is room for; returns how many.
    #[inline]
    pub(crate) fn push_all(&mut self, words: &[Words]) -> usize {
        let most = words.len().min(self.capacity);
        match self.try_push(&words[..most]) {
            Ok(()) => most,
            Err(MissingFreeSlots(missing)) => {
                let fit = most - missing as usize;
                // Room only grows while the one producer is in here, so the rest of the answer holds.
                if fit > 0 && self.try_push(&words[..fit]).is_ok() { fit } else { 0 }
            }
        }
    }

    fn try_push(&mut self, words: &[Words]) -> Result<(), MissingFreeSlots> {
        self.producer.try_batch_publish(words.len(), |slots| {
            slots.zip(words).for_each(|(slot, words)| *slot = *words);
        })?;
        Ok(())
    }
}

impl Receiver {
    /// Hands at most `max` events to `f`, in order; returns how many.
    ///
    /// If `f` unwinds, the event that it was given has been taken, and the ones after it stay.
    #[inline]
    pub(crate) fn drain(&mut self, max: usize, mut f: impl FnMut(&Words)) -> usize {
        let mut drained = 0;
        while drained < max {
            let chunk = self.drain_chunk((max - drained).min(self.quantum), &mut f);
            if chunk == 0 {
                break;
            }
            drained += chunk;
        }
        drained
    }

    /// One guard's worth: at most `max` events that were not handed over yet.
    #[inline]
    fn drain_chunk(&mut self, max: usize, f: &mut impl FnMut(&Words)) -> usize {
        // `Shutdown` is the producer's drop without an ordering; the closed flag tells it with one.
        let Ok(guard) = self.poller.take((self.held + max) as u64) else { return 0 };
        // If `f` unwinds, the guard is not dropped, so it marks nothing as read; `held` remembers what was.
        let mut guard = ManuallyDrop::new(guard);
        let before = self.held;
        for words in (&mut *guard).skip(before) {
            self.held += 1;
            f(words);
        }
        let drained = std::mem::take(&mut self.held) - before;
        drop(ManuallyDrop::into_inner(guard));
        drained
    }
}
