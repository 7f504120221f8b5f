//! Times that one thread records and any other reads.
//!
//! **Idea.** A histogram of atomic counters: the thread that records is their only writer, so a record is a load and a
//! store of its own memory, without a lock and without a locked instruction; who reads sees every counter as it was a
//! moment ago. The buckets are those of an HDR histogram, 128 to an octave, so a time is told to within 0.8 %; the longest
//! to three digits. `hdrhistogram` itself counts in plain memory, which no other thread may look at.
//!
//! **Bound.** 29 KiB, written once when it is made; 1 ns to [`MAX_NS`]. **Worst case.** A reader copies all of it, and each
//! pipeline that it takes costs the next record there one miss: readers read now and then, not in a loop.

use hdrhistogram::Histogram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The longest time that is told apart: 10 s.
const MAX_NS: u64 = 10_000_000_000;

/// Buckets of an octave, as a power of two.
const OCTAVE: u32 = 7;
const BUCKETS: usize = bucket(MAX_NS) + 1;

/// The bucket of a time: below two octaves each its own, then by the leading bits.
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

/// The end that records.
pub struct Times(Arc<Cells>);

impl Default for Times {
    fn default() -> Times {
        let counts: Box<[AtomicU64]> = std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect();
        // Memory that is only known to be zero is not there yet: the first record must not fetch it.
        counts.iter().for_each(|count| count.store(0, Relaxed));
        Times(Arc::new(Cells { counts, max: AtomicU64::new(0) }))
    }
}

impl Times {
    /// Records a time; what is longer than `MAX_NS` (10 s) counts as that.
    #[inline]
    pub fn record(&mut self, ns: u64) {
        let ns = ns.clamp(1, MAX_NS);
        let count = &self.0.counts[bucket(ns)];
        count.store(count.load(Relaxed) + 1, Relaxed);
        if ns > self.0.max.load(Relaxed) {
            self.0.max.store(ns, Relaxed);
        }
    }

    /// An end that reads.
    pub fn reader(&self) -> TimesReader {
        TimesReader(Arc::clone(&self.0))
    }
}

/// The end that reads; there may be many.
#[derive(Clone)]
pub struct TimesReader(Arc<Cells>);

impl TimesReader {
    /// What was recorded so far.
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
    fn the_longest_is_told_to_three_digits() {
        let mut times = Times::default();
        times.record(1_000_001);
        let max = times.reader().histogram().max();
        assert!((1_000_001..=1_001_000).contains(&max), "{max}");
    }
}
