//! The tape: messages in order, as bytes.
//!
//! Every message goes through [`Tape::put`], which frames and counts it. The tape keeps the bytes until they are read; the
//! exchange makes a bounded amount more only when they have been. The time is set by the exchange and is the same for all
//! messages of one wake.

use crate::itch::wire::{Head, Message};

/// The bytes that were made and not yet read.
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

    /// Sets the time of the messages to come, nanoseconds since midnight.
    #[inline]
    pub(super) fn set_time(&mut self, now: u64) {
        debug_assert!(now >= self.now, "time does not run backwards");
        self.now = now;
    }

    /// The head of a message that is written now.
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

    /// Writes the end of the session.
    pub(super) fn end(&mut self) {
        self.bytes.extend_from_slice(&[0, 0]);
    }

    /// Bytes that wait to be read.
    #[inline]
    pub(super) fn waiting(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// Drops `n` bytes at the front.
    pub(super) fn consume(&mut self, n: usize) {
        self.read += n;
        if self.read == self.bytes.len() {
            self.bytes.clear();
            self.read = 0;
        }
    }
}
