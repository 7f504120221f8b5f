//! Whether the two ends of a ring are still alive.
//!
//! **Idea.** Each end sets one flag when it is dropped, also when its thread unwinds. Both flags share a cache line
//! that is written at most twice in a ring's life, so checking them is a load that hits the local cache.
//!
//! **Why the orderings suffice.** `closed` is stored with Release after the last publication and loaded with Acquire: a
//! consumer that finds the ring empty, sees the flag, and finds the ring empty again has read everything. `abandoned`
//! guards no data, so Relaxed is enough: a producer may publish a bounded number of events before it sees the flag,
//! just as if the consumer had been dropped a moment later.

use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, order};

/// The two flags, on their own cache line.
pub(crate) struct Liveness(CachePadded<Flags>);

struct Flags {
    closed: AtomicBool,
    abandoned: AtomicBool,
}

impl Liveness {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(Flags { closed: AtomicBool::new(false), abandoned: AtomicBool::new(false) }))
    }

    /// Marks the producer as dropped: nothing more will be published.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, order::closed_set());
    }

    /// Whether the producer was dropped; if so, everything it published is visible from here on.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(order::closed_seen())
    }

    /// Marks the consumer as dropped: nothing more will be taken.
    pub(crate) fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }

    /// Whether the consumer was dropped.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned.load(Ordering::Relaxed)
    }
}
