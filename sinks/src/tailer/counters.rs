//! What a sink beside the run has done, for whoever watches it: numbers that one thread writes and any thread reads.
//!
//! Bound: some words. Worst case: a reader between two of them sees one old and one new.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The counters of a sink.
#[derive(Debug, Default)]
pub struct Counters {
    events: AtomicU64,
    gaps: AtomicU64,
    retries: AtomicU64,
    commits: AtomicU64,
    seq: AtomicU64,
    at_ns: AtomicU64,
    /// The error for which it waits, if it does.
    trouble: Mutex<Option<String>>,
}

/// What they said at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that were taken, repetitions included.
    pub events: u64,
    /// Gaps.
    pub gaps: u64,
    /// Errors after which it went on.
    pub retries: u64,
    /// Commits.
    pub commits: u64,
    /// The last input that is committed with its outcomes; 0 = none by this process.
    pub seq: u64,
    /// The time of that input.
    pub at_ns: u64,
    /// The error for which it waits now.
    pub trouble: Option<String>,
}

impl Counters {
    /// What they say now.
    pub fn now(&self) -> Counts {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            events: of(&self.events),
            gaps: of(&self.gaps),
            retries: of(&self.retries),
            commits: of(&self.commits),
            seq: of(&self.seq),
            at_ns: of(&self.at_ns),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    pub(super) fn event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn gap(&self) {
        self.gaps.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retry(&self, error: String) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn committed(&self, (seq, at_ns): (u64, u64)) {
        self.seq.store(seq, Ordering::Relaxed);
        self.at_ns.store(at_ns, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.is_some() {
            *trouble = None;
        }
    }
}
