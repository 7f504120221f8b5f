//! Whether the two ends of a ring are still there.
//!
//! **Idea.** Each end raises one flag when it is dropped, also when its thread unwinds. The flags share a line that is
//! written at most twice in a ring's life, so looking at it costs a load from the own cache.
//!
//! **Why the orderings suffice.** `closed` is stored with Release after the last publication and loaded with Acquire; a
//! consumer that found nothing, saw it and then finds nothing once more has seen all there ever was. `abandoned`
//! carries no data, only itself: Relaxed. A producer may publish a bounded number of events before it sees the flag, as
//! it may when the consumer dies a moment later.

use std::sync::atomic::Ordering;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, order};

/// The two flags, on a line of their own.
pub(crate) struct Life(CachePadded<Flags>);

struct Flags {
    closed: AtomicBool,
    abandoned: AtomicBool,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self(CachePadded::new(Flags { closed: AtomicBool::new(false), abandoned: AtomicBool::new(false) }))
    }

    /// The producer is gone: nothing more will be published.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, order::closed_set());
    }

    /// Whether the producer is gone; if so, everything that it published can be seen from here on.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(order::closed_seen())
    }

    /// The consumer is gone: nothing more will be taken.
    pub(crate) fn abandon(&self) {
        self.0.abandoned.store(true, Ordering::Relaxed);
    }

    /// Whether the consumer is gone.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned.load(Ordering::Relaxed)
    }
}
