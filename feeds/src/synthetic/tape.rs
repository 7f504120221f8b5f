//! The tape: encoded messages in order.
//!
//! Every message goes through [`Tape::put`], which frames and counts it. The tape holds the bytes until they are read;
//! only then does the exchange produce another bounded batch. The exchange sets the time, which is the same for all
//! messages of one wake.

use crate::itch::wire::{Head, Message};

/// The encoded bytes that are not read yet.
pub(super) struct Tape {
    bytes: Vec<u8>,
    read: usize,
    written: u64,
    now: u64,
}

impl Tape {
    pub(super) fn new() -> Tape {
        Tape { bytes: Vec::with_capacity(128 << 10), read: 0, written: 0, now: 0 }
    }

    /// Messages written so far.
    #[inline]
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Sets the time of the following messages, in nanoseconds since midnight.
    #[inline]
    pub(super) fn set_time(&mut self, now: u64) {
        debug_assert!(now >= self.now, "time does not run backwards");
        self.now = now;
    }

    /// The head of a message at the current time.
    #[inline]
    pub(super) fn head(&self, locate: u16) -> Head {
        Head { locate, tracking: 0, timestamp: self.now }
    }

    /// Writes a message.
    #[inline]
    pub(super) fn put(&mut self, message: &impl Message) {
        message.put_framed(&mut self.bytes);
        self.written += 1;
    }

    /// Writes the end-of-session mark.
    pub(super) fn end(&mut self) {
        self.bytes.extend_from_slice(&[0, 0]);
    }

    /// The bytes that are not read yet.
    #[inline]
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// Discards the first `n` unread bytes.
    pub(super) fn consume(&mut self, n: usize) {
        self.read += n;
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
    }
}
