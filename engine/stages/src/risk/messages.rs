//! The times of the last messages that passed, for the throttle.
//!
//! A ring of times: the message N messages ago is N slots back. Bound: [`MAX_MESSAGES`], plus the legs of a group that may
//! be taken back. Worst case: a binary search over the ring when the throttle refuses.

use flow::{IntParam, Ns};

/// The largest limit on messages per window.
pub const MAX_MESSAGES: u64 = 8_192;

/// Size of the ring: a power of two, with room for the legs of a group that may be taken back.
const RING: usize = 2 * MAX_MESSAGES as usize;

/// Length of the window.
pub(super) const WINDOW_MS: IntParam =
    IntParam::new("throttle_window_ms", (1, 3_600_000), "1_000", "length of the window in which messages are counted")
        .unit("ms");

/// Times of the last messages that passed.
pub(super) struct Messages {
    times: Box<[Ns; RING]>,
    /// Number of messages that have passed; the ring holds the last of them.
    passed: u64,
    window: u64,
}

impl Messages {
    pub(super) fn new(window_ms: u64) -> Messages {
        let times = vec![Ns::NONE; RING].into_boxed_slice();
        let times = times.try_into().unwrap_or_else(|_| unreachable!("made with that length"));
        Messages { times, passed: 0, window: window_ms * 1_000_000 }
    }

    /// The time of the message `back` messages ago, from 1.
    #[inline]
    fn back(&self, back: u64) -> Ns {
        self.times[(self.passed - back) as usize % RING]
    }

    /// Whether the message `back` messages ago is within the window that ends now.
    #[inline]
    pub(super) fn is_within(&self, now: Ns, back: u64) -> bool {
        self.passed >= back && now.0.saturating_sub(self.back(back).0) < self.window
    }

    /// Number of messages in the window that ends now. Times never decrease, so they are the newest ones.
    pub(super) fn within(&self, now: Ns) -> u64 {
        let (mut inside, mut outside) = (0, self.passed.min(RING as u64) + 1);
        while outside - inside > 1 {
            let middle = inside + (outside - inside) / 2;
            if self.is_within(now, middle) { inside = middle } else { outside = middle }
        }
        inside
    }

    #[inline]
    pub(super) fn push(&mut self, now: Ns) {
        self.times[self.passed as usize % RING] = now;
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
