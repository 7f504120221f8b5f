//! The `disruptor` crate behind the interface of this crate: one producer, one poller, bounded takes.
//!
//! **Idea.** The producer publishes by moving a cursor; the consumer frees slots by moving its own. This adapter closes
//! the gaps that the crate leaves to its user:
//!
//! | the crate | here |
//! |---|---|
//! | `publish` spins without bound on a full ring | only `try_*` is called |
//! | a batch that does not fit fails as a whole, and one larger than the ring always fails | the error says how many slots are missing; the part that fits is published |
//! | a poller frees slots only when its guard is dropped, at the end of a batch | a take is split into guards of one [quantum] |
//! | dropping a guard early, or unwinding through it, marks all its events as read | the guard is not dropped during unwinding; the next take delivers what is left |
//! | a dropped poller blocks the producer for ever; the drop of a producer is visible only with Relaxed ordering | the [liveness flags](crate::liveness) of both ends are checked first, and they order |
//! | managed threads with panics, pinning, names | not used; threads come from [`crate::thread`] |
//!
//! **Bound.** That of the crate's ring: a constant number of steps per event, no waiting. **Worst case.** After a
//! caught panic in the consumer's closure, the slots of the events before it in the same quantum stay occupied until
//! the next take.

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
    /// Events already delivered by a drain that unwound before it could free their slots.
    held: usize,
}

/// A ring of `capacity` slots, a power of two.
pub(crate) fn ring(capacity: usize) -> (Sender, Receiver) {
    // The wait strategy applies only to managed threads and to publishing without `try_`; neither is used.
    let (poller, builder) = build_single_producer(capacity, || Words::UNUSED, BusySpin).new_event_poller();
    (Sender { producer: builder.build(), capacity }, Receiver { poller, quantum: quantum(capacity), held: 0 })
}

impl Sender {
    /// Publishes `words` if a slot is free.
    #[inline]
    pub(crate) fn push(&mut self, words: &Words) -> bool {
        self.producer.try_publish(|slot| *slot = *words).is_ok()
    }

    /// Publishes a prefix of `words`, as much as fits; returns its length.
    #[inline]
    pub(crate) fn push_all(&mut self, words: &[Words]) -> usize {
        let most = words.len().min(self.capacity);
        match self.try_push(&words[..most]) {
            Ok(()) => most,
            Err(MissingFreeSlots(missing)) => {
                let fit = most - missing as usize;
                // This is the only producer, so free slots can only increase before the second attempt.
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
    /// Delivers at most `max` events to `f`, in order; returns how many.
    ///
    /// If `f` panics, the event it was processing counts as taken; later ones stay in the ring.
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

    /// Drains one guard: at most `max` events not delivered before.
    #[inline]
    fn drain_chunk(&mut self, max: usize, f: &mut impl FnMut(&Words)) -> usize {
        // `Shutdown` reports the producer's drop without ordering; the closed flag reports it with ordering.
        let Ok(guard) = self.poller.take((self.held + max) as u64) else { return 0 };
        // If `f` panics, the guard is not dropped and marks nothing as read; `held` counts what `f` already got.
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
