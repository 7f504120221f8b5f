//! Tick-to-order latency: from an input to the order that it caused.
//!
//! The head stores the time stamp counter of every input in a table by `seq`; the tail reads it when an order leaves. Events
//! are not touched, and the cut does not matter. Cost: one reading and one store per input (up to 25 ns where the counter
//! is slow), so it is off unless `pipeline.time_orders` is on. Bound: the table holds the last 65,536 inputs; an order that
//! leaves later than that is not timed.

use quanta::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SLOTS: usize = 1 << 16;

/// Start times by `seq`, shared between head and tail.
#[derive(Clone)]
pub struct Stopwatch {
    clock: Clock,
    /// Pairs of `seq` and time stamp counter.
    starts: Arc<[[AtomicU64; 2]]>,
}

impl Default for Stopwatch {
    fn default() -> Stopwatch {
        let starts = (0..SLOTS).map(|_| [AtomicU64::new(0), AtomicU64::new(0)]).collect();
        Stopwatch { clock: Clock::new(), starts }
    }
}

impl Stopwatch {
    /// Notes that the input `seq` enters now.
    #[inline]
    pub fn start(&self, seq: u64) {
        let [key, at] = &self.starts[seq as usize % SLOTS];
        at.store(self.clock.raw(), Ordering::Relaxed);
        key.store(seq, Ordering::Release);
    }

    /// Nanoseconds since the input `seq` entered, if it is still in the table.
    #[inline]
    pub fn passed(&self, seq: u64) -> Option<u64> {
        let [key, at] = &self.starts[seq as usize % SLOTS];
        let known = key.load(Ordering::Acquire) == seq;
        known.then(|| self.clock.delta_as_nanos(at.load(Ordering::Relaxed), self.clock.raw()))
    }
}
