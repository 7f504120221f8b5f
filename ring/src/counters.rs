//! Counters of both ends of a ring, readable from any thread while the ring runs.
//!
//! **Idea.** Each end counts in its own registers and publishes the totals with relaxed stores on a cache line that
//! only it writes. A [`Counters`] handle reads both cache lines from any thread. Counters order nothing, and no
//! decision of a ring depends on them.
//!
//! **Bound.** Two cache lines per ring. Every read costs the owner one cache miss, so meters sample them and never poll
//! in a loop. **Worst case.** The two ends are read one after the other, so [`Counters::occupancy`] can be off by
//! whatever passed in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crossbeam_utils::CachePadded;

/// Counters of the producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ProducerCounts {
    /// Events published.
    pub published: u64,
    /// Calls that could not publish everything because the ring was full.
    pub full: u64,
    /// The highest occupancy sampled. The producer samples whenever the ring could have filled up since the last
    /// sample, at most eight times a lap; a refused call counts as full.
    pub high_water: u64,
}

/// Counters of the consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ConsumerCounts {
    /// Events taken.
    pub taken: u64,
    /// Takes that found nothing.
    pub empty: u64,
}

#[derive(Default)]
struct Cells {
    producer: CachePadded<ProducerCells>,
    consumer: CachePadded<ConsumerCells>,
}

#[derive(Default)]
struct ProducerCells {
    published: AtomicU64,
    full: AtomicU64,
    high_water: AtomicU64,
}

#[derive(Default)]
struct ConsumerCells {
    taken: AtomicU64,
    empty: AtomicU64,
}

/// A handle on the counters of both ends of one ring. It stays valid after both ends are dropped and keeps neither
/// alive.
#[derive(Clone)]
pub struct Counters(Arc<Cells>);

impl Counters {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// The producer's counters so far.
    pub fn producer(&self) -> ProducerCounts {
        let cells = &self.0.producer;
        ProducerCounts {
            published: cells.published.load(Relaxed),
            full: cells.full.load(Relaxed),
            high_water: cells.high_water.load(Relaxed),
        }
    }

    /// The consumer's counters so far.
    pub fn consumer(&self) -> ConsumerCounts {
        let cells = &self.0.consumer;
        ConsumerCounts { taken: cells.taken.load(Relaxed), empty: cells.empty.load(Relaxed) }
    }

    /// Approximate number of events in the ring now.
    pub fn occupancy(&self) -> u64 {
        let taken = self.0.consumer.taken.load(Relaxed);
        self.0.producer.published.load(Relaxed).saturating_sub(taken)
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").field("producer", &self.producer()).field("consumer", &self.consumer()).finish()
    }
}

/// The producer's counters: the only writer of its cache line.
pub(crate) struct ProducerMeter {
    counters: Counters,
    counts: ProducerCounts,
    capacity: u64,
    /// Sample the occupancy again once this many events are published.
    sample_at: u64,
}

impl ProducerMeter {
    pub(crate) fn new(counters: Counters, capacity: usize) -> Self {
        let capacity = capacity as u64;
        Self { counters, counts: ProducerCounts::default(), capacity, sample_at: capacity.div_ceil(8) }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts `n` events published.
    #[inline]
    pub(crate) fn published(&mut self, n: usize) {
        self.counts.published += n as u64;
        self.counters.0.producer.published.store(self.counts.published, Relaxed);
        if self.counts.published >= self.sample_at {
            self.sample();
        }
    }

    /// Counts a call that found the ring full.
    #[cold]
    pub(crate) fn refused(&mut self) {
        self.counts.full += 1;
        self.counters.0.producer.full.store(self.counts.full, Relaxed);
        self.raise(self.capacity);
    }

    /// Samples the occupancy and schedules the next sample: not before the ring could be full, at most eight times a
    /// lap.
    #[cold]
    fn sample(&mut self) {
        let occupancy = self.counters.occupancy().min(self.capacity);
        self.sample_at = self.counts.published + (self.capacity - occupancy).max(self.capacity.div_ceil(8));
        self.raise(occupancy);
    }

    fn raise(&mut self, occupancy: u64) {
        if occupancy > self.counts.high_water {
            self.counts.high_water = occupancy;
            self.counters.0.producer.high_water.store(occupancy, Relaxed);
        }
    }
}

/// The consumer's counters: the only writer of its cache line.
pub(crate) struct ConsumerMeter {
    counters: Counters,
    counts: ConsumerCounts,
}

impl ConsumerMeter {
    pub(crate) fn new(counters: Counters) -> Self {
        Self { counters, counts: ConsumerCounts::default() }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts `n` events taken.
    #[inline]
    pub(crate) fn taken(&mut self, n: usize) {
        self.counts.taken += n as u64;
        self.counters.0.consumer.taken.store(self.counts.taken, Relaxed);
    }

    /// Counts a take that found nothing.
    #[inline]
    pub(crate) fn empty(&mut self) {
        self.counts.empty += 1;
        self.counters.0.consumer.empty.store(self.counts.empty, Relaxed);
    }
}
