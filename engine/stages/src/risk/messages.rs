//! The times of the last messages that passed, for the throttle.
//!
//! A ring of times: the message N messages ago is N slots back. Bound: the limit, plus what may pass beyond it and the legs
//! of a group that may be taken back. Worst case: a binary search over the ring when the throttle refuses.

use flow::{IntParam, Ns, table};
use prefetch_index::prefetch_index;

/// The largest limit on messages per window.
pub const MAX_MESSAGES: u64 = 8_192;

/// Length of the window.
pub(super) const WINDOW_MS: IntParam =
    IntParam::new("throttle_window_ms", (1, 3_600_000), "1_000", "length of the window in which messages are counted")
        .unit("ms");

/// Times of the last messages that passed.
pub(super) struct Messages {
    /// As many as a power of two.
    times: Box<[Ns]>,
    /// Number of messages that have passed; the ring holds the last of them.
    passed: u64,
    window: u64,
}

impl Messages {
    /// Room for so many messages at least.
    pub(super) fn new(window_ms: u64, room: u64) -> Messages {
        let times = table((room as usize).next_power_of_two(), Ns::NONE);
        Messages { times, passed: 0, window: window_ms * 1_000_000 }
    }

    /// The most messages that it tells.
    pub(super) fn room(&self) -> usize {
        self.times.len()
    }

    #[inline]
    fn slot(&self, message: u64) -> usize {
        message as usize & (self.times.len() - 1)
    }

    /// The time of the message `back` messages ago, from 1.
    #[inline]
    fn back(&self, back: u64) -> Ns {
        self.times[self.slot(self.passed - back)]
    }

    /// Whether the message `back` messages ago is within the window that ends now.
    #[inline]
    pub(super) fn is_within(&self, now: Ns, back: u64) -> bool {
        self.passed >= back && now.0.saturating_sub(self.back(back).0) < self.window
    }

    /// Number of messages in the window that ends now. Times never decrease, so they are the newest ones.
    pub(super) fn within(&self, now: Ns) -> u64 {
        let (mut inside, mut outside) = (0, self.passed.min(self.times.len() as u64) + 1);
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2;
            if self.is_within(now, middle) { inside = middle } else { outside = middle }
        }
        inside
    }

    /// Prefetches where the time of the next message goes.
    pub(super) fn prefetch_next(&self) {
        prefetch_index(&self.times, self.slot(self.passed));
    }

    #[inline]
    pub(super) fn push(&mut self, now: Ns) {
        let slot = self.slot(self.passed);
        self.times[slot] = now;
        self.passed += 1;
    }

    /// Takes back the last message.
    pub(super) fn pop(&mut self) {
        self.passed -= 1;
    }

    /// The messages that can still count, oldest first: those in the window that ends at the last message.
    pub(super) fn counting(&self) -> Vec<Ns> {
        let last = if self.passed == 0 { return Vec::new() } else { self.back(1) };
        (1..=self.within(last)).rev().map(|back| self.back(back)).collect()
    }

    /// Starts again with these times.
    pub(super) fn restore(&mut self, times: &[Ns]) {
        self.passed = 0;
        times.iter().for_each(|t| self.push(*t));
    }
}
