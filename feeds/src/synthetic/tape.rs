//! The tape: messages in order, as bytes.
//!
//! Every message goes through [`Tape::put`], which frames it (length prefix, type, locate, time) and counts it. The tape
//! keeps the bytes until they are read; the exchange makes a bounded amount more only when they have been. The time is
//! set by the exchange and is the same for all messages of one wake.

use super::book::Side;

/// A message being written: framed, header done, fields appended in the order of the wire.
pub(super) struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    #[inline]
    fn raw(mut self, field: &[u8]) -> Self {
        self.bytes[self.at..self.at + field.len()].copy_from_slice(field);
        self.at += field.len();
        self
    }
    #[inline]
    pub(super) fn byte(self, v: u8) -> Self {
        self.raw(&[v])
    }
    #[inline]
    pub(super) fn u32(self, v: u32) -> Self {
        self.raw(&v.to_be_bytes())
    }
    #[inline]
    pub(super) fn u64(self, v: u64) -> Self {
        self.raw(&v.to_be_bytes())
    }
    #[inline]
    pub(super) fn text<const N: usize>(self, v: &[u8; N]) -> Self {
        self.raw(v)
    }
    #[inline]
    pub(super) fn side(self, side: Side) -> Self {
        self.byte(match side {
            Side::Bid => b'B',
            Side::Ask => b'S',
        })
    }
}

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

    /// Writes a message of `length` bytes; `fields` appends those after the header.
    #[inline]
    pub(super) fn put(&mut self, kind: u8, length: u16, locate: u16, fields: impl FnOnce(Writer<'_>) -> Writer<'_>) {
        let mut message = [0; 52];
        let header = Writer { bytes: &mut message, at: 0 };
        let time = self.now.to_be_bytes();
        let header =
            header.raw(&length.to_be_bytes()).byte(kind).raw(&locate.to_be_bytes()).raw(&[0, 0]).raw(&time[2..]);
        let end = fields(header).at;
        debug_assert_eq!(end, usize::from(length) + 2, "type {}", char::from(kind));
        self.bytes.extend_from_slice(&message[..usize::from(length) + 2]);
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
