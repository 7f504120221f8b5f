//! What interrupts a thread that never sleeps.
//!
//! **Idea.** A thread reads the clock as fast as it can. Where two readings are further apart than a few of them take, something
//! else had the core: an interrupt, the scheduler, the hypervisor. Gaps are counted by length, each class twice as long as the one before.
//!
//! Bound: 24 counters. Worst case: one gap longer than the last class, which counts it.

use std::time::{Duration, Instant};

/// Classes of gaps; the first begins at [`SHORTEST_NS`].
const CLASSES: usize = 20;
/// A gap that is shorter is the reading of the clock itself.
const SHORTEST_NS: u64 = 1_000;

/// The gaps that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jitter {
    /// How long was looked, ns.
    pub looked_ns: u64,
    /// Readings of the clock.
    pub readings: u64,
    /// Gaps by length: class `i` from 1 us times 2 to the `i`.
    pub gaps: [u64; CLASSES],
    /// Time in all gaps, ns.
    pub lost_ns: u64,
    /// The longest, ns.
    pub longest_ns: u64,
}

impl Jitter {
    /// Looks for so long, on the core that the caller runs on.
    pub fn probe(time: Duration) -> Jitter {
        let mut found = Jitter::default();
        let began = Instant::now();
        let mut last = began;
        while last - began < time {
            let now = Instant::now();
            found.readings += 1;
            let gap_ns = u64::try_from((now - last).as_nanos()).unwrap_or(u64::MAX);
            if gap_ns >= SHORTEST_NS {
                found.count(gap_ns);
            }
            last = now;
        }
        found.looked_ns = u64::try_from((last - began).as_nanos()).unwrap_or(u64::MAX);
        found
    }

    fn count(&mut self, gap_ns: u64) {
        let class = (gap_ns / SHORTEST_NS).ilog2() as usize;
        self.gaps[class.min(CLASSES - 1)] += 1;
        self.lost_ns += gap_ns;
        self.longest_ns = self.longest_ns.max(gap_ns);
    }

    /// The classes up to the longest gap: where each begins, us, and how many gaps it has.
    pub fn classes(&self) -> impl Iterator<Item = (u64, u64)> {
        let last = self.gaps.iter().rposition(|count| *count > 0).map_or(0, |at| at + 1);
        self.gaps[..last].iter().enumerate().map(|(class, count)| (1 << class, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_by_length() {
        let mut found = Jitter::default();
        [1_000, 1_999, 2_000, 900_000, u64::MAX / 2].into_iter().for_each(|gap| found.count(gap));
        let counted: Vec<_> = found.classes().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(1, 2), (2, 1), (512, 1), (1 << 19, 1)]);
        assert_eq!(found.longest_ns, u64::MAX / 2);
    }

    #[test]
    fn a_probe_looks_as_long_as_it_is_told() {
        let found = Jitter::probe(Duration::from_millis(20));
        assert!(found.looked_ns >= 20_000_000 && found.readings > 1_000, "{found:?}");
        assert!(found.lost_ns <= found.looked_ns && found.longest_ns <= found.lost_ns, "{found:?}");
    }
}
