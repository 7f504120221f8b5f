//! A latency histogram that one thread records and any other thread reads.
//!
//! **Idea.** The counters are atomics with a single writer, so recording is a plain load and store, without a lock or a
//! locked instruction; a reader sees each counter as of a moment ago. The buckets are those of an HDR histogram, 128 per
//! octave, so a time is exact to within 0.8 %; the maximum to three digits. `hdrhistogram` itself counts in plain memory,
//! which no other thread may read.
//!
//! **Bound.** 29 KiB, written once at construction; 1 ns to [`MAX_NS`]. **Worst case.** A reader copies all of it, and
//! every cache line it reads costs the next record there one miss, so readers read now and then, not in a loop.

use hdrhistogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The longest time that has its own bucket: 10 s.
const MAX_NS: u64 = 10_000_000_000;

/// Log2 of the buckets per octave.
const OCTAVE: u32 = 7;
const BUCKETS: usize = bucket(MAX_NS) + 1;

/// The bucket of a time: one per nanosecond below 256 ns, then by the leading bits.
const fn bucket(ns: u64) -> usize {
    let shift = (ns | 1).ilog2().saturating_sub(OCTAVE);
    ((shift as usize) << OCTAVE) + (ns >> shift) as usize
}

/// The longest time in a bucket.
const fn longest(bucket: usize) -> u64 {
    let shift = (bucket >> OCTAVE).saturating_sub(1);
    (((bucket - (shift << OCTAVE)) as u64 + 1) << shift) - 1
}

/// An empty histogram of latencies.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_NS, 3).expect("the bounds are valid")
}

struct Cells {
    counts: Box<[AtomicU64]>,
    max: AtomicU64,
}

/// The recording end.
pub struct Times(Arc<Cells>);

impl Default for Times {
    fn default() -> Times {
        let counts: Box<[AtomicU64]> = std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect();
        // Zeroed memory is mapped on first write: write it now, so that the first record does not page-fault.
        counts.iter().for_each(|count| count.store(0, Relaxed));
        Times(Arc::new(Cells { counts, max: AtomicU64::new(0) }))
    }
}

impl Times {
    /// Records a time; anything longer than `MAX_NS` (10 s) counts as 10 s.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        let ns = ns.clamp(1, MAX_NS);
        let count = &self.0.counts[bucket(ns)];
        count.store(count.load(Relaxed) + 1, Relaxed);
        if ns > self.0.max.load(Relaxed) {
            self.0.max.store(ns, Relaxed);
        }
    }

    /// A reading end.
    pub fn reader(&self) -> TimesReader {
        TimesReader(Arc::clone(&self.0))
    }
}

/// The reading end; there may be many.
#[derive(Clone)]
pub struct TimesReader(Arc<Cells>);

impl TimesReader {
    /// A copy of what was recorded so far.
    pub fn histogram(&self) -> Histogram<u64> {
        let mut histogram = histogram();
        let max = self.0.max.load(Relaxed);
        for (bucket, count) in self.0.counts.iter().enumerate() {
            match count.load(Relaxed) {
                0 => {}
                n => histogram.saturating_record_n(longest(bucket).clamp(1, max.max(1)), n),
            }
        }
        histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_and_hold_their_times() {
        assert_eq!((bucket(0), bucket(255), bucket(256), bucket(257), bucket(258)), (0, 255, 256, 256, 257));
        for b in 0..BUCKETS - 1 {
            assert_eq!((bucket(longest(b)), bucket(longest(b) + 1)), (b, b + 1));
        }
        let wide = (256..10_000_000u64).step_by(997);
        wide.for_each(|ns| assert!((longest(bucket(ns)) - ns) * 128 <= ns, "{ns}"));
    }

    #[test]
    fn what_is_read_is_what_was_recorded() {
        let mut times = Times::default();
        let reader = times.reader();
        assert!(reader.histogram().is_empty());
        (1..=1_000).for_each(|ns| times.record(ns));
        times.record(0);
        times.record(u64::MAX);
        let read = reader.histogram();
        assert_eq!((read.len(), read.min()), (1_002, 1));
        assert!((MAX_NS..=MAX_NS + MAX_NS / 500).contains(&read.max()), "{}", read.max());
        let median = read.value_at_quantile(0.5);
        assert!((498..=505).contains(&median), "{median}");
    }

    #[test]
    fn the_longest_is_exact_to_three_digits() {
        let mut times = Times::default();
        times.record(1_000_001);
        let max = times.reader().histogram().max();
        assert!((1_000_001..=1_001_000).contains(&max), "{max}");
    }
}
