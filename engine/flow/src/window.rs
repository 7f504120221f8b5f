//! A sliding window over a byte stream, between a reader and a decoder.
//!
//! The reader appends at the back, the decoder consumes at the front. Before an append the remainder moves to the start, so a
//! message that straddles two reads is contiguous. Bound: the capacity; a message longer than that can never be complete,
//! which the decoder reports.

/// The bytes of a stream from an absolute offset on.
pub struct Window {
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
    ended: bool,
}

impl Window {
    /// An empty window that holds up to `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Window {
        Window { buffer: Vec::with_capacity(capacity), start: 0, offset: 0, ended: false }
    }

    /// A window on all of `bytes`; nothing follows.
    pub fn whole(bytes: &[u8]) -> Window {
        Window { buffer: bytes.to_vec(), start: 0, offset: 0, ended: true }
    }

    /// The bytes to decode.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Drops `n` bytes at the front.
    ///
    /// # Panics
    /// When there are fewer.
    #[inline]
    pub fn consume(&mut self, n: usize) {
        assert!(n <= self.buffer.len() - self.start, "consumed more than the window holds");
        self.start += n;
        self.offset += n as u64;
    }

    /// Offset, in the uncompressed stream, of the first byte of [`Window::bytes`].
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the stream has ended.
    #[inline]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// How many bytes can be appended now.
    pub fn room(&self) -> usize {
        self.buffer.capacity() - (self.buffer.len() - self.start)
    }

    /// Appends bytes.
    ///
    /// # Panics
    /// When there is no room, or the end was declared.
    pub fn append(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.room() && !self.ended, "append past the window's room or end");
        if self.start > 0 {
            self.buffer.copy_within(self.start.., 0);
            self.buffer.truncate(self.buffer.len() - self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Declares the end of the stream.
    pub fn end(&mut self) {
        self.ended = true;
    }
}
